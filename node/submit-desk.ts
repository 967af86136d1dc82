/**
 * Where the payments of clients wait for their signatures to be checked, which is most of what refusing one costs. Each peer
 * has its turn, so that nobody's submits wait for those of another. An account that was refused for want of room is refused
 * unseen for a while, twice as long each time: a flood that does not get through costs next to nothing.
 *
 * A refusal for want of room takes a signature of that account, so nobody can have another one's payments refused.
 */
import { isRefusal, type Refusal } from '../ledger/index.ts';
import type { SubmitReply } from '../p2p/index.ts';
import type { Submission } from './admission.ts';
import { CheckedLately } from './checked-lately.ts';
import {
  DESK_ACCOUNTS_MAX,
  DESK_PAUSE_MAX_MS,
  DESK_PAUSE_MIN_MS,
  DESK_SLICE_PAYMENTS_MAX,
  DESK_SLICE_PAYMENTS_MIN,
  DESK_SLICES_MAX,
  DESK_WAITING_MAX,
} from './limits.ts';
import type { CheckedPayment } from './verify-task.ts';

export interface SubmitDeskDeps {
  /** One answer for each, in order. */
  check(payments: readonly Uint8Array[]): Promise<readonly (CheckedPayment | Refusal)[]>;
  admit(payments: readonly Submission[]): Promise<readonly SubmitReply[]>;
  nowMs(): number;
}

/** One submit. */
interface Errand {
  readonly payments: readonly Uint8Array[];
  readonly replies: SubmitReply[];
  readonly done: PromiseWithResolvers<readonly SubmitReply[]>;
}

/** The submits of one peer, in order. One slice of them is under way at a time, so that they stay in order. */
interface Visitor {
  readonly errands: Errand[];
  payments: number;
  served: boolean;
}

interface Pause {
  readonly untilMs: number;
  readonly ms: number;
  readonly refusal: Refusal;
}

/** Scheme and public key of an encoded payment (docs/protocol.md, 2.4), as a key for maps; nothing is checked. */
function payerOf(payment: Uint8Array): string {
  return Buffer.from(
    payment.buffer,
    payment.byteOffset + 17,
    Math.min(33, Math.max(0, payment.length - 17)),
  ).toString('latin1');
}

export class SubmitDesk {
  readonly #deps: SubmitDeskDeps;
  /** Peers that wait; the insertion order is the order of turns. */
  readonly #visitors = new Map<string, Visitor>();
  /** By payer, oldest first. */
  readonly #pauses = new Map<string, Pause>();
  readonly #lately = new CheckedLately();
  #slices = 0;
  #waiting = 0;

  constructor(deps: SubmitDeskDeps) {
    this.#deps = deps;
  }

  /** Payments that wait for a check or are under way. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Checks the payments and hands them to the ledger when it is their peer's turn. One reply for each, in order; `queue_full`
   * when too much waits, and this peer has the most waiting.
   * @throws (rejects with) what `check` or `admit` rejects with.
   */
  submit(payments: readonly Uint8Array[], from: string): Promise<readonly SubmitReply[]> {
    const visitor = this.#visitors.get(from) ?? { errands: [], payments: 0, served: false };
    const errand: Errand = { payments, replies: [], done: Promise.withResolvers() };
    this.#visitors.set(from, visitor);
    visitor.errands.push(errand);
    visitor.payments += payments.length;
    this.#waiting += payments.length;
    let full = this.#waiting > DESK_WAITING_MAX;
    while (full) full = this.#turnAway(visitor) && this.#waiting > DESK_WAITING_MAX;
    this.#serve();
    return errand.done.promise;
  }

  /** The youngest submit of the peer that has the most waiting is refused; false when none is left that could be. */
  #turnAway(preferred: Visitor): boolean {
    let greediest = preferred;
    for (const visitor of this.#visitors.values()) {
      if (visitor.payments > greediest.payments) greediest = visitor;
    }
    const { errands, served } = greediest;
    if (errands.length <= (served ? 1 : 0)) return false;
    const errand = errands.pop()!;
    const refusal: Refusal = { code: 'queue_full', waiting: this.#waiting, max: DESK_WAITING_MAX };
    this.#left(greediest, errand.payments.length - errand.replies.length);
    errand.done.resolve(errand.payments.map((_, i) => errand.replies[i] ?? { refusal }));
    return true;
  }

  #left(visitor: Visitor, payments: number): void {
    visitor.payments -= payments;
    this.#waiting -= payments;
  }

  #serve(): void {
    for (const [from, visitor] of this.#visitors) {
      if (this.#slices >= DESK_SLICES_MAX) return;
      if (visitor.served) continue;
      this.#visitors.delete(from);
      if (visitor.errands.length === 0) continue;
      this.#visitors.set(from, visitor);
      void this.#slice(visitor);
    }
  }

  /** The next payments of the visitor's first submit: fewer when there are more visitors. */
  async #slice(visitor: Visitor): Promise<void> {
    const errand = visitor.errands[0]!;
    const share = Math.floor(DESK_SLICE_PAYMENTS_MAX / this.#visitors.size);
    const from = errand.replies.length;
    const payments = errand.payments.slice(from, from + Math.max(DESK_SLICE_PAYMENTS_MIN, share));
    this.#slices++;
    visitor.served = true;
    try {
      errand.replies.push(...(await this.#answer(payments)));
      this.#left(visitor, payments.length);
      if (errand.replies.length >= errand.payments.length) {
        visitor.errands.shift();
        errand.done.resolve(errand.replies);
      }
    } catch (error) {
      this.#left(visitor, errand.payments.length - from);
      visitor.errands.shift();
      errand.done.reject(error);
    }
    visitor.served = false;
    this.#slices--;
    this.#serve();
  }

  async #answer(payments: readonly Uint8Array[]): Promise<SubmitReply[]> {
    const nowMs = this.#deps.nowMs();
    const payers = payments.map(payerOf);
    const pauses = payers.map((payer) => this.#pauses.get(payer));
    const seen = payments.filter((_, i) => !(nowMs < (pauses[i]?.untilMs ?? 0)));
    const checked = await this.#check(seen);
    const good = checked.flatMap((one, i) => (isRefusal(one) ? [] : [{ ...one, bytes: seen[i]! }]));
    const admitted = good.length === 0 ? [] : [...(await this.#deps.admit(good))];
    const answers = checked.map((one, i) => {
      if (isRefusal(one)) return { refusal: one };
      const reply = admitted.shift()!;
      // It comes again when it did not get on, or may have to give way to another.
      const known = 'refusal' in reply || reply.status !== 'queued';
      if (known || this.#pauses.size > 0) this.#lately.add(seen[i]!, one);
      return reply;
    });
    return payers.map((payer, i) => {
      const pause = pauses[i];
      if (nowMs < (pause?.untilMs ?? 0)) return { refusal: pause!.refusal };
      const reply = answers.shift()!;
      this.#remember(payer, reply, nowMs);
      return reply;
    });
  }

  /** One answer for each, in order. */
  async #check(payments: readonly Uint8Array[]): Promise<(CheckedPayment | Refusal)[]> {
    const known = payments.map((bytes) => this.#lately.find(bytes));
    const others = payments.filter((_, i) => known[i] === undefined);
    const checked = others.length === 0 ? [] : [...(await this.#deps.check(others))];
    return known.map((one) => one ?? checked.shift()!);
  }

  #remember(payer: string, reply: SubmitReply, nowMs: number): void {
    const before = this.#pauses.get(payer);
    const refusal = 'refusal' in reply ? reply.refusal : undefined;
    if (refusal === undefined) this.#pauses.delete(payer);
    if (refusal?.code !== 'queue_full' && refusal?.code !== 'account_busy') return;
    // Of several in one slice the first counts.
    if (before !== undefined && nowMs < before.untilMs) return;
    const ms = Math.min(DESK_PAUSE_MAX_MS, Math.max(DESK_PAUSE_MIN_MS, 2 * (before?.ms ?? 0)));
    this.#pauses.delete(payer);
    this.#pauses.set(payer, { untilMs: nowMs + ms, ms, refusal });
    if (this.#pauses.size > DESK_ACCOUNTS_MAX) this.#pauses.delete(this.#pauses.keys().next().value!);
  }
}
