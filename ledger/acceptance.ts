/**
 * How a correct validator votes (docs/protocol.md, section 6): accept what may be accepted in the past of the witness to
 * come, defer the rest, and accept that later when it comes to hold. An acceptance is never taken back.
 */
import { type Account, decidedIn, type PaymentRecord, settledIn } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { Chain } from './branches.ts';
import type { Genesis, PaymentId, Round, Slot } from './types.ts';
import type { Coverage, View, Votes } from './votes.ts';

/** For each of the two lists, so that neither starves the other; WITNESS_VOTES_MAX leaves room for freezes. */
export const VOTES_PER_LIST_MAX = 448;

export interface Decision {
  /** Covered and not acceptable; 'all' when these are too many to list, and `accepts` lists what is acceptable of what is covered. */
  readonly defers: readonly PaymentRecord[] | 'all';
  /** Deferred before, acceptable now. */
  readonly accepts: readonly PaymentRecord[];
  /** Payments that are final in the new past and were not in the old one. */
  readonly settled: readonly PaymentRecord[];
  /** What is final in the new past of accounts that these credit. */
  readonly credits: ReadonlyMap<Account, bigint>;
  /** Accounts with something acceptable for which the list had no room: the next witness looks again. */
  readonly postponed: ReadonlySet<Account>;
}

export class Acceptance {
  readonly #votes: Votes;
  readonly #accounts: Accounts;
  /** Final, but not yet in the past of the own chain. */
  #unsettled: PaymentRecord[] = [];
  /** Genesis allocation and credits that are final in the past of the own chain. */
  readonly #credits = new Map<Account, bigint>();
  readonly #deferred = new Map<Account, Set<PaymentRecord>>();
  /** What the own chain has ever accepted, by open slot: no rival of it is ever accepted, whatever has lapsed. */
  readonly #promised = new Map<Slot, PaymentId>();
  /** Accounts in which something deferred may have become acceptable. */
  readonly #dirty = new Set<Account>();

  constructor(genesis: Genesis, accounts: Accounts, votes: Votes) {
    this.#votes = votes;
    this.#accounts = accounts;
    for (const { address, amount } of genesis.allocations) {
      this.#credits.set(accounts.account(address), BigInt(amount));
    }
  }

  /**
   * Begins with a ledger that was read back from a snapshot, after `onOwn` of what is remembered of the own chain.
   * @param own What the last own witness saw; undefined when there is none.
   * @param promises What was promised before.
   */
  adopt(own: View | undefined, promises: Iterable<readonly [Slot, PaymentId]>): void {
    for (const account of this.#accounts.all()) this.#credits.set(account, account.credits);
    for (const payment of this.#accounts.payments()) {
      if (!payment.final || (own !== undefined && this.#votes.finalWithin(own, payment))) continue;
      this.#unsettled.push(payment);
      payment.eachTransfer((to, amount) => {
        const account = this.#accounts.account(to);
        this.#credits.set(account, this.#credits.get(account)! - BigInt(amount));
      });
    }
    for (const [slot, id] of promises) {
      const settled = this.#accounts.rivalsFor(slot).some(({ decidedAt }) => decidedAt !== 0);
      if (!settled && !this.#promised.has(slot)) this.#promised.set(slot, id);
    }
  }

  /** What the validator has promised in open slots. */
  get promises(): readonly (readonly [Slot, PaymentId])[] {
    return [...this.#promised];
  }

  /** A payment became final on this node. */
  onFinal(payment: PaymentRecord): void {
    this.#unsettled.push(payment);
  }

  /** Something deferred may be acceptable now. */
  get pending(): boolean {
    if (this.#dirty.size > 0) return true;
    // Asked with every vertex, and nearly always nothing is deferred.
    if (this.#deferred.size === 0) return false;
    return this.#unsettled.some((payment) =>
      touched(this.#accounts, payment).some((a) => this.#deferred.has(a)),
    );
  }

  /** Decides on everything that the coverage brings; writes nothing. */
  decide(coverage: Coverage): Decision {
    const settled = this.#unsettled.filter((payment) => this.#votes.finalWithin(coverage, payment));
    const decision = this.#decide(coverage, settled, false);
    return decision.defers.length <= VOTES_PER_LIST_MAX ? decision : this.#decide(coverage, settled, true);
  }

  /** @param all Whatever is covered is deferred unless it is listed. */
  #decide(coverage: Coverage, settled: readonly PaymentRecord[], all: boolean): Decision {
    const { chain, horizon } = coverage;
    const credits = this.#creditsOf(settled);
    const accepted = new Set<PaymentRecord>();
    const defers: PaymentRecord[] = [];
    const accepts: PaymentRecord[] = [];
    const postponed = new Set<Account>();
    const dead = new Map<PaymentRecord, boolean>();
    for (const payment of this.#candidates(coverage, settled)) {
      const covered = coverage.covered.has(payment);
      // What was deferred too long ago has lapsed: it may be covered anew, not accepted.
      if (!covered && !this.#votes.deferredOn(chain, payment, horizon)) continue;
      const may =
        payment.link === 'linked' &&
        !deadWithin(coverage, payment, dead) &&
        !this.#rivalled(coverage, accepted, payment) &&
        this.#follows(coverage, accepted, payment) &&
        (credits.get(payment.account) ?? this.#credits.get(payment.account) ?? 0n) >= payment.branchDebits;
      if (!may) {
        if (covered) defers.push(payment);
      } else if (covered && !all) {
        accepted.add(payment);
      } else if (accepts.length < VOTES_PER_LIST_MAX) {
        accepted.add(payment);
        accepts.push(payment);
      } else {
        postponed.add(payment.account);
      }
    }
    return { defers: all ? 'all' : defers, accepts, settled, credits, postponed };
  }

  /** What is new, and what was deferred in accounts where something moved; predecessors and first seen first. */
  #candidates(coverage: Coverage, settled: readonly PaymentRecord[]): PaymentRecord[] {
    const { covered } = coverage;
    const candidates = [...covered.payments];
    // Nearly always nothing is deferred.
    if (this.#deferred.size > 0) {
      const moved = new Set(this.#dirty);
      for (const payment of settled)
        for (const account of touched(this.#accounts, payment)) moved.add(account);
      for (const payment of covered.payments) moved.add(payment.account);
      for (const account of moved) {
        for (const payment of this.#deferred.get(account) ?? []) {
          // What was deferred long ago may be covered anew.
          if (!covered.has(payment)) candidates.push(payment);
        }
      }
    }
    return candidates.sort((a, b) => a.sequence - b.sequence || a.row - b.row);
  }

  /** "No rival accepted by v ever, and slot not decided or final for a rival in past(w)." */
  #rivalled(coverage: Coverage, accepted: ReadonlySet<PaymentRecord>, payment: PaymentRecord): boolean {
    const promised = this.#promised.get(payment.previous);
    if (promised !== undefined && promised !== payment.id) return true;
    if (!this.#accounts.hasRivals(payment)) return false;
    return this.#accounts
      .slotOf(payment)
      .some(
        (rival) =>
          rival !== payment &&
          (accepted.has(rival) ||
            this.#votes.acceptedOn(coverage.chain, rival, 0) ||
            this.#votes.finalWithin(coverage, rival)),
      );
  }

  /** "`previous` is the account itself, or accepted by v, or final or decided in past(w)." */
  #follows(coverage: Coverage, accepted: ReadonlySet<PaymentRecord>, { parent }: PaymentRecord): boolean {
    // A first payment, or one on a head that was decided too long ago to be remembered.
    if (parent === undefined) return true;
    return (
      accepted.has(parent) ||
      this.#votes.acceptedOn(coverage.chain, parent, 0) ||
      this.#votes.finalWithin(coverage, parent)
    );
  }

  #creditsOf(settled: readonly PaymentRecord[]): Map<Account, bigint> {
    const credits = new Map<Account, bigint>();
    for (const payment of settled) {
      payment.eachTransfer((to, amount) => {
        const account = this.#accounts.account(to);
        const before = credits.get(account) ?? this.#credits.get(account) ?? 0n;
        credits.set(account, before + BigInt(amount));
      });
    }
    return credits;
  }

  /** The own witness that says so has been written down. */
  commit(decision: Decision): void {
    for (const [account, credits] of decision.credits) this.#credits.set(account, credits);
    const settled = new Set(decision.settled);
    this.#unsettled = this.#unsettled.filter((payment) => !settled.has(payment));
    this.#dirty.clear();
    for (const account of decision.postponed) this.#dirty.add(account);
  }

  /** An own witness has been written down, now or read back. */
  onOwn(accepted: readonly PaymentRecord[], deferred: readonly PaymentRecord[]): void {
    for (const payment of accepted) {
      this.#undefer(payment);
      this.#promised.set(payment.previous, payment.id);
    }
    for (const payment of deferred) this.#defer(payment);
  }

  /** Commits have settled the payments' slots. */
  onSettled(decided: readonly PaymentRecord[], dead: readonly PaymentRecord[]): void {
    for (const payment of decided) this.#promised.delete(payment.previous);
    // A deferral stays until it lapses: the commit may not be in the past of the next own witness.
    for (const payment of dead) this.#promised.delete(payment.previous);
  }

  /** Drops deferrals that have lapsed on the own chain. */
  forget(chain: Chain, horizon: Round): void {
    for (const deferred of this.#deferred.values()) {
      for (const payment of deferred) {
        if (!this.#votes.deferredOn(chain, payment, horizon)) this.#undefer(payment);
      }
    }
  }

  #defer(payment: PaymentRecord): void {
    const deferred = this.#deferred.get(payment.account);
    if (deferred === undefined) this.#deferred.set(payment.account, new Set([payment]));
    else deferred.add(payment);
  }

  /** Deferred on the own chain, and no longer. */
  #undefer(payment: PaymentRecord): void {
    const deferred = this.#deferred.get(payment.account);
    deferred?.delete(payment);
    if (deferred?.size === 0) this.#deferred.delete(payment.account);
  }
}

/**
 * "Nor is the slot of a payment before P decided for a rival in past(w)", P's own included.
 * @param known What has been found out for the same coverage, so that a long chain is walked once.
 */
function deadWithin(
  { commit }: Coverage,
  payment: PaymentRecord,
  known: Map<PaymentRecord, boolean>,
): boolean {
  if (!payment.account.rivalled) return false;
  const open: PaymentRecord[] = [];
  let at: PaymentRecord | undefined = payment;
  let dead: boolean | undefined;
  for (; at !== undefined && dead === undefined; at = at.parent) {
    if (settledIn(at, commit)) dead = !decidedIn(at, commit);
    else {
      dead = known.get(at);
      if (dead === undefined) open.push(at);
    }
  }
  for (const one of open) known.set(one, dead ?? false);
  return dead ?? false;
}

function touched(accounts: Accounts, payment: PaymentRecord): Account[] {
  const sides = [payment.account];
  payment.eachTransfer((to) => sides.push(accounts.account(to)));
  return sides;
}
