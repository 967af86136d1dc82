/**
 * What became of own payments that did not simply become final, and what the nodes can no longer tell: both with a proof.
 * A payment that a node calls dead is so only when an outcome shows who has its slot; then the payments of that branch,
 * which were signed with the same key elsewhere, are taken into the history, and the account goes on from there. A gap in
 * the history is bridged by a balance proof.
 */
import { checkOutcome, type Genesis, type Payment, type PaymentId } from '../ledger/index.ts';
import type { LightLink, Log } from '../p2p/index.ts';
import type { AccountKeeper } from './account-keeper.ts';
import type { NodeLinks } from './node-links.ts';
import { baseOf, type ProvenState, provenStateOf } from './proven-state.ts';
import type { VerifiedPayment } from './verified-payment.ts';

export interface OutcomeWatchOptions {
  /** A balance proof is taken as a base when its state is at most so many rounds old, by signed headers. */
  readonly baseAgeRoundsMax: number;
  /** So long the first headers are waited for, without which nobody knows how old a state is. */
  readonly headersWaitMs: number;
  /** A payment whose slot is decided is given up when no node has told for whom in this time. */
  readonly outcomeWaitMs: number;
}

export interface OutcomeWatchDeps {
  readonly keeper: AccountKeeper;
  readonly links: NodeLinks;
  readonly log: Log;
  nowMs(): number;
  /** The round that the network has reached by signed headers; 0 while none has been seen. */
  round(): number;
}

export class OutcomeWatch {
  readonly #genesis: Genesis;
  readonly #options: OutcomeWatchOptions;
  readonly #deps: OutcomeWatchDeps;
  readonly #asking = new Set<string>();
  /** Since when nodes have not known who has the slot of a payment although it is decided. */
  readonly #unknownSince = new Map<PaymentId, number>();
  readonly #startedAtMs: number;

  constructor(genesis: Genesis, options: OutcomeWatchOptions, deps: OutcomeWatchDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
    this.#startedAtMs = deps.nowMs();
  }

  /** Its slot is decided for somebody, whether that is known or not. */
  isSettled(id: PaymentId): boolean {
    const { book } = this.#deps.keeper;
    const payment = book.pending.find((pending) => pending.id === id);
    return payment !== undefined && payment.sequence <= book.settledSequence;
  }

  /** Asks one node who has the slot of an own payment under way; one question at a time, however often this is called. */
  async ask(link: LightLink, id: PaymentId): Promise<void> {
    const question = `${link.address} ${id}`;
    const outgoing = this.#deps.keeper.outgoing.find(({ payment }) => payment.id === id);
    if (outgoing === undefined || this.#asking.has(question)) return;
    this.#asking.add(question);
    try {
      await this.#ask(link, outgoing.payment);
    } finally {
      this.#asking.delete(question);
    }
  }

  async #ask(link: LightLink, payment: Payment): Promise<void> {
    const { links, keeper, nowMs } = this.#deps;
    const outcome = await links
      .ask(link, () => link.outcome(payment.id, payment.previous))
      .catch(() => undefined);
    if (outcome === undefined) return this.#unknown(payment.id);
    const chain = outcome.chain.map((bytes) => bytes.slice());
    const balance = outcome.balance.slice();
    const verdict = checkOutcome(this.#genesis, payment, { balance, chain });
    if ('code' in verdict) return links.distrust(link, `outcome: ${JSON.stringify(verdict)}`);
    this.#unknownSince.delete(payment.id);
    const verified = verdict.chain.map((one, i): VerifiedPayment => {
      return {
        payment: one,
        bytes: chain[i]!,
        proof: { balance, chain: chain.slice(i) },
        verifiedAtMs: nowMs(),
      };
    });
    await keeper.absorb(verified);
  }

  /** Nobody can tell for whom a slot is decided that certainly is: after a while the caller has to be told. */
  async #unknown(id: PaymentId): Promise<void> {
    const { keeper, log, nowMs } = this.#deps;
    if (!this.isSettled(id)) return;
    const since = this.#unknownSince.get(id) ?? nowMs();
    this.#unknownSince.set(id, since);
    if (nowMs() < since + this.#options.outcomeWaitMs) return;
    this.#unknownSince.delete(id);
    log.error({ payment: id }, 'an own payment was settled long ago, and no node remembers how');
    await keeper.giveUp(id);
  }

  /**
   * The account's state that a node can prove; undefined when it has no proof, or an old one. Rejects when it does not
   * answer; a node whose proof does not hold is distrusted.
   */
  async proven(link: LightLink): Promise<ProvenState | undefined> {
    const { links, keeper, log } = this.#deps;
    const bytes = await links.ask(link, () => link.balance(keeper.address));
    if (bytes === undefined) return undefined;
    const state = provenStateOf(this.#genesis, keeper.address, bytes);
    if ('problem' in state) {
      links.distrust(link, state.problem);
      return undefined;
    }
    const behind = this.#deps.round() - state.round;
    if (behind <= this.#options.baseAgeRoundsMax) return state;
    log.warn({ node: link.address, behind }, 'a node proves only a balance of long ago');
    return undefined;
  }

  /**
   * Sees to it that the balance is whole although nodes have forgotten: when what is known does not add up to the balance
   * in a proven state, that state is the base from now on. False while no node has proven enough.
   */
  async rebase(link: LightLink): Promise<boolean> {
    const { keeper, log, nowMs, round: reached } = this.#deps;
    if (reached() === 0 && nowMs() < this.#startedAtMs + this.#options.headersWaitMs) return false;
    const state = await this.proven(link);
    if (state === undefined) return false;
    if (keeper.book.uncertain > 0 || !keeper.book.explains(baseOf(state))) {
      const { round } = state;
      log.info({ node: link.address, round }, 'the balance starts from a proven state of the account');
      await keeper.rebase(state, nowMs());
    }
    return keeper.book.uncertain === 0;
  }
}
