/**
 * What a committed leader decides (docs/protocol.md, section 7.2), from its past alone: first what is certified, then, in
 * slots that a quorum has frozen, the rival that most have accepted. The state that this makes is the same for everybody.
 */
import { type Account, isDead, listOf, type PaymentRecord } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { WitnessRecord } from './tangle.ts';
import type { Address, Slot } from './types.ts';
import type { View, Votes } from './votes.ts';

/** What a witness says that is new in the past of a committed leader, against the past of the one before. */
export type News = Pick<WitnessRecord, 'certified' | 'accepted' | 'deferred' | 'freezes'>;

export interface Resolved {
  /** In the order of application. */
  readonly decided: PaymentRecord[];
  /** Slots decided though nobody's payment was certified: rivals of which most had accepted one. */
  readonly slots: Slot[];
  readonly touched: ReadonlySet<Account>;
}

export interface ResolutionDeps {
  readonly accounts: Accounts;
  readonly votes: Votes;
  readonly quorum: number;
}

export class Resolution {
  readonly #deps: ResolutionDeps;
  /** Certified in the committed past, and not decided yet. */
  readonly #certified = new Set<PaymentRecord>();
  /** Frozen in the committed past by somebody, and not decided yet. */
  readonly #frozen = new Set<Slot>();

  constructor(deps: ResolutionDeps) {
    this.#deps = deps;
  }

  /** Takes over what was open after the last commit, from its whole past that counts. */
  adopt(news: readonly News[]): void {
    for (const { certified, freezes } of news) {
      for (const payment of certified) if (!isSettled(payment)) this.#certified.add(payment);
      for (const slot of freezes) this.#frozen.add(slot);
    }
  }

  /** Decides what can be decided, and applies it as commit `index`. */
  resolve(view: View, news: readonly News[], index: number): Resolved {
    const run = new Run(this.#deps, view, index, { certified: this.#certified, frozen: this.#frozen });
    this.adopt(news);
    for (const { freezes } of news) for (const slot of freezes) run.look(this.#deps.accounts.ownerOf(slot));
    if (this.#frozen.size > 0) {
      for (const { accepted, deferred } of news) {
        for (const payment of accepted) run.look(payment.account);
        for (const payment of deferred) run.look(payment.account);
      }
    }
    run.certified();
    run.frozen();
    return run.result;
  }

  /** Forgets what has lapsed for good: `view` is that of the last commit. */
  forget(view: View): void {
    const { accounts, votes } = this.#deps;
    for (const payment of this.#certified) {
      if (isSettled(payment) || !votes.certifiedWithin(view, payment)) this.#certified.delete(payment);
    }
    for (const slot of this.#frozen) {
      const settled = accounts.rivalsFor(slot).some((payment) => payment.decidedAt !== 0);
      if (settled || votes.frozenWithin(view, slot) === 0) this.#frozen.delete(slot);
    }
  }

  /** Open slots that somebody has frozen. */
  get frozenSlots(): number {
    return this.#frozen.size;
  }
}

/** One commit. */
class Run {
  readonly result = { decided: [] as PaymentRecord[], slots: [] as Slot[], touched: new Set<Account>() };
  readonly #deps: ResolutionDeps;
  readonly #view: View;
  readonly #index: number;
  readonly #open: { readonly certified: Set<PaymentRecord>; readonly frozen: Set<Slot> };
  /** Accounts in which a frozen slot may have become decidable: nothing has changed in the others since the last commit. */
  readonly #look = new Map<Address, Account>();

  constructor(
    deps: ResolutionDeps,
    view: View,
    index: number,
    open: { readonly certified: Set<PaymentRecord>; readonly frozen: Set<Slot> },
  ) {
    this.#deps = deps;
    this.#view = view;
    this.#index = index;
    this.#open = open;
  }

  look(account: Account | undefined): void {
    if (account !== undefined && this.#open.frozen.has(account.decided.head))
      this.#look.set(account.address, account);
  }

  /** "Every payment with a certificate in past(L), undecided, whose `previous` is its account's head, and which the balance can pay." */
  certified(): void {
    const { certified } = this.#open;
    let candidates = [...certified].sort((a, b) => a.sequence - b.sequence);
    for (let before = -1; before !== this.result.decided.length; ) {
      before = this.result.decided.length;
      const left: PaymentRecord[] = [];
      for (const payment of candidates) {
        const { decided } = payment.account;
        if (payment.sequence <= decided.sequence) certified.delete(payment);
        else if (payment.previous !== decided.head || payment.total > decided.balance) left.push(payment);
        else if (this.#deps.votes.certifiedWithin(this.#view, payment)) {
          certified.delete(payment);
          this.#decide(payment);
        }
      }
      candidates = left;
    }
  }

  /** Accounts in ascending order of address, pass by pass, until a pass decides nothing. */
  frozen(): void {
    for (let decided = true; decided; ) {
      decided = false;
      for (
        let account = this.#next(undefined);
        account !== undefined;
        account = this.#next(account.address)
      ) {
        const winner = this.#winner(account);
        // It is looked at again when something changes in it.
        this.#look.delete(account.address);
        if (winner === undefined) continue;
        this.#open.frozen.delete(winner.previous);
        this.result.slots.push(winner.previous);
        this.#decide(winner);
        this.certified();
        decided = true;
      }
    }
  }

  /** The account to look at with the least address above `after`. */
  #next(after: Address | undefined): Account | undefined {
    let least: Account | undefined;
    for (const [address, account] of this.#look) {
      if (after !== undefined && address <= after) continue;
      if (least === undefined || address < least.address) least = account;
    }
    return least;
  }

  /** "The one accepted by the most weight in past(L), then the least id." */
  #winner({ decided: { head, balance } }: Account): PaymentRecord | undefined {
    const { votes, accounts, quorum } = this.#deps;
    if (!this.#open.frozen.has(head) || votes.frozenWithin(this.#view, head) < quorum) return undefined;
    let winner: PaymentRecord | undefined;
    let most = -1;
    for (const rival of accounts.rivalsFor(head)) {
      if (rival.total > balance || !votes.coveredWithin(this.#view, rival)) continue;
      const weight = votes.acceptedWithin(this.#view, rival);
      if (weight < most || (weight === most && rival.id > winner!.id)) continue;
      winner = rival;
      most = weight;
    }
    return winner;
  }

  #decide(payment: PaymentRecord): void {
    const { accounts } = this.#deps;
    accounts.decide(payment, this.#index);
    this.result.decided.push(payment);
    this.result.touched.add(payment.account);
    this.look(payment.account);
    payment.eachTransfer((to) => {
      const account = accounts.account(to);
      this.result.touched.add(account);
      this.look(account);
    });
  }
}

function isSettled(payment: PaymentRecord): boolean {
  return payment.sequence <= payment.account.decided.sequence;
}

/** The rivals of a decided payment and all that was built on them: payments that can never be decided now. */
export function deadBy(payment: PaymentRecord, accounts: Accounts): PaymentRecord[] {
  if (!accounts.hasRivals(payment)) return [];
  const dead = accounts.slotOf(payment).filter((rival) => rival !== payment && isDead(rival));
  for (let i = 0; i < dead.length; i++) dead.push(...listOf(dead[i]!.children));
  return dead;
}
