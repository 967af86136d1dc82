/**
 * Brings own payments to the network, always with the bytes that are on disk. One node is asked after the other until one
 * takes them; what is not final after a while is offered again, to another node; and when that does not help, in a block
 * of one's own by gossip, so that no node can shut the wallet out. It never gives a payment up: see account-book.ts for why.
 */
import {
  encodePayment,
  essenceOf,
  type Genesis,
  isRefusal,
  type PaymentId,
  type Refusal,
  WORK_BITS_MAX,
  workBits,
  workSeed,
} from '../ledger/index.ts';
import type { LightLink, Log, SubmitReply } from '../p2p/index.ts';
import type { AccountKeeper, Outgoing } from './account-keeper.ts';
import { type Alarms, Bell } from './alarms.ts';
import type { NodeLinks } from './node-links.ts';
import { isCapacity, refusedError, retryAfterMs } from './refusal-meaning.ts';
import type { WorkAhead } from './work-ahead.ts';

export interface OutboxOptions {
  /** Wait after the first round in which no node took a payment; doubles with each one. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Rounds in which all nodes refuse a payment before its payer is told. */
  readonly refusedRounds: number;
  /** A payment that a node has taken and that is not final is offered again after this time. */
  readonly resubmitMs: number;
  /** A payment that is not final is gossiped in a block of one's own after this time, and again after it. */
  readonly publishMs: number;
  /** How many bits above the network's own a node may ask for when all of them do: 256 times the work. */
  readonly extraWorkBitsMax: number;
}

export interface OutboxDeps {
  readonly keeper: AccountKeeper;
  readonly links: NodeLinks;
  readonly work: WorkAhead;
  readonly alarms: Alarms;
  readonly log: Log;
  nowMs(): number;
  /** What a node says of an own payment: a claim. */
  onReply(link: LightLink, payment: PaymentId, reply: SubmitReply): void;
  /** Gossips payments in a block of one's own; how many peers got it. */
  publish(payments: readonly Uint8Array[]): Promise<number>;
}

/** How far the delivery of one payment is. */
interface Delivery {
  readonly taken: PromiseWithResolvers<void>;
  offerAtMs: number;
  publishAtMs: number;
  /** Rounds in a row in which nobody took it. */
  failures: number;
  /** What each node of this round said. */
  refusals: Refusal[];
}

export class Outbox {
  readonly #genesis: Genesis;
  readonly #options: OutboxOptions;
  readonly #deps: OutboxDeps;
  readonly #bell: Bell;
  readonly #deliveries = new Map<PaymentId, Delivery>();
  readonly #stop = new AbortController();
  #turn = 0;

  constructor(genesis: Genesis, options: OutboxOptions, deps: OutboxDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
    this.#bell = new Bell(deps.alarms);
    deps.alarms.onDispose(() => this.#stop.abort());
    for (const { payment } of deps.keeper.outgoing) this.#delivery(payment.id);
  }

  /** Something is to be sent, or somebody is there again who could take it. */
  ring(): void {
    for (const delivery of this.#deliveries.values()) {
      if (delivery.failures > 0) delivery.offerAtMs = Math.min(delivery.offerAtMs, this.#deps.nowMs());
    }
    this.#bell.ring();
  }

  /**
   * Resolves when a node has queued the payment, or gossip has taken it. Rejects with `refused` when all nodes that could
   * be asked refuse it for another reason than want of room; it is offered again all the same.
   */
  taken(id: PaymentId): Promise<void> {
    return this.#delivery(id).taken.promise;
  }

  #delivery(id: PaymentId): Delivery {
    let delivery = this.#deliveries.get(id);
    if (delivery === undefined) {
      const now = this.#deps.nowMs();
      const taken = Promise.withResolvers<void>();
      taken.promise.catch(() => {});
      const publishAtMs = now + this.#options.publishMs;
      delivery = { taken, offerAtMs: now, publishAtMs, failures: 0, refusals: [] };
      this.#deliveries.set(id, delivery);
    }
    return delivery;
  }

  /** Delivers until everything ends. */
  async run(): Promise<void> {
    const { alarms, log } = this.#deps;
    while (!alarms.disposed) {
      try {
        await this.#offerDue();
        await this.#publishDue();
      } catch (error) {
        if (!alarms.disposed) log.error({ error: String(error) }, 'own payments could not be delivered');
      }
      await this.#bell.sleep(this.#restMs());
    }
  }

  #restMs(): number | undefined {
    this.#forgetSettled();
    const times = [...this.#deliveries.values()].flatMap(({ offerAtMs, publishAtMs }) => [
      offerAtMs,
      publishAtMs,
    ]);
    if (times.length === 0) return undefined;
    // Never at once: a round that failed without moving its time on must not spin.
    return Math.max(this.#options.retryMinMs, Math.min(...times) - this.#deps.nowMs());
  }

  #forgetSettled(): void {
    const underWay = new Set(this.#deps.keeper.outgoing.map(({ payment }) => payment.id));
    for (const [id, delivery] of this.#deliveries) {
      if (underWay.has(id)) continue;
      delivery.taken.resolve();
      this.#deliveries.delete(id);
    }
  }

  /** One round: every node in turn, until each payment that is due has been taken by one. */
  async #offerDue(): Promise<void> {
    const { links, keeper, nowMs } = this.#deps;
    const isDue = ({ payment }: Outgoing) => this.#delivery(payment.id).offerAtMs <= nowMs();
    const round = keeper.outgoing.filter(isDue);
    if (round.length === 0) return;
    for (const { payment } of keeper.outgoing) this.#delivery(payment.id).refusals = [];
    let asked = 0;
    for (const link of links.rotation(this.#turn++)) {
      if (!keeper.outgoing.some(isDue)) break;
      // All that are under way, in order: a node that lacks the first could not take the second.
      if (await this.#offer(link, keeper.outgoing)) asked++;
    }
    for (const outgoing of round.filter(isDue)) {
      this.#postpone(outgoing.payment.id, asked);
      await this.#workMore(outgoing, asked);
    }
  }

  async #offer(link: LightLink, outgoing: readonly Outgoing[]): Promise<boolean> {
    let replies: readonly SubmitReply[];
    try {
      replies = await this.#deps.links.ask(link, () => link.submit(outgoing.map(({ bytes }) => bytes)));
    } catch (error) {
      const refusal = error instanceof Error && 'refusal' in error ? error.refusal : undefined;
      if (!isRefusal(refusal)) return false;
      for (const { payment } of outgoing) this.#delivery(payment.id).refusals.push(refusal);
      return true;
    }
    if (replies.length !== outgoing.length) {
      this.#deps.links.distrust(link, `${replies.length} replies to ${outgoing.length} payments`);
      return false;
    }
    outgoing.forEach(({ payment }, index) => {
      this.#hear(link, payment.id, replies[index]!);
    });
    return true;
  }

  #hear(link: LightLink, id: PaymentId, reply: SubmitReply): void {
    const delivery = this.#delivery(id);
    this.#deps.onReply(link, id, reply);
    if ('refusal' in reply) {
      delivery.refusals.push(reply.refusal);
      return;
    }
    // "dead" is this node's word, and it will not help; another one may.
    if (reply.status === 'dead') return;
    delivery.failures = 0;
    delivery.offerAtMs = this.#deps.nowMs() + this.#options.resubmitMs;
    delivery.taken.resolve();
  }

  /** Nobody took the payment in this round, in which `asked` nodes answered. */
  #postpone(id: PaymentId, asked: number): void {
    const { retryMinMs, retryMaxMs, refusedRounds } = this.#options;
    const delivery = this.#delivery(id);
    const { refusals } = delivery;
    const waitMs = Math.max(retryMinMs * 2 ** Math.min(delivery.failures, 30), retryAfterMs(refusals));
    delivery.failures++;
    delivery.offerAtMs = this.#deps.nowMs() + Math.min(retryMaxMs, waitMs);
    // A node that lags by a round refuses what it takes a second later: the caller hears of it when it lasts.
    const refusal = refusals[0];
    if (refusal === undefined || delivery.failures < refusedRounds) return;
    if (refusals.length >= asked && !refusals.some(isCapacity))
      delivery.taken.reject(refusedError(id, refusal));
  }

  /**
   * When all nodes ask for more work, more work is done over the same essence: the id stays, so it is no rival. The
   * network's own demand was met before the payment was stored, so this is policy of nodes under load, and bounded.
   */
  async #workMore({ payment, signedAtMs }: Outgoing, asked: number): Promise<void> {
    const { refusals } = this.#delivery(payment.id);
    const demands = refusals.flatMap((refusal) =>
      refusal.code === 'too_little_work' ? [refusal.required] : [],
    );
    if (demands.length === 0 || demands.length < asked) return;
    // The most modest one is enough to get in.
    const bits = Math.min(...demands);
    const max = Math.min(WORK_BITS_MAX, this.#genesis.workBits + this.#options.extraWorkBitsMax);
    const seed = workSeed(this.#genesis.network, payment.previous, payment.account);
    if (bits > max || workBits(seed, payment.work) >= bits) return;
    const work = await this.#deps.work.find(payment.previous, bits, this.#stop.signal);
    const essence = essenceOf(payment);
    const bytes = encodePayment(essence, work, payment.signature);
    await this.#deps.keeper.replaceBytes({ payment: { ...payment, work, bytes }, bytes, signedAtMs });
    this.#delivery(payment.id).offerAtMs = this.#deps.nowMs();
    this.#bell.ring();
  }

  async #publishDue(): Promise<void> {
    const now = this.#deps.nowMs();
    const { outgoing } = this.#deps.keeper;
    if (!outgoing.some(({ payment }) => this.#delivery(payment.id).publishAtMs <= now)) return;
    for (const { payment } of outgoing)
      this.#delivery(payment.id).publishAtMs = now + this.#options.publishMs;
    const reached = await this.#deps.publish(outgoing.map(({ bytes }) => bytes));
    this.#deps.log.info(
      { payments: outgoing.length, reached },
      'own payments gossiped in a block of our own',
    );
    if (reached > 0) for (const { payment } of outgoing) this.#deliveries.get(payment.id)?.taken.resolve();
  }
}
