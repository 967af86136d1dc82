/**
 * Payments on their way from a client into a block: what is plainly impossible is refused with a reason, the rest waits in
 * the fair queue until the payments sent before it are final. So under load it is the queue that grows, where everybody has
 * his share, and not the tangle, where nobody has one. Passing here is a service to the client, not a judgement: the
 * validators vote by the tangle alone.
 */
import {
  type Account,
  blockOverheadBytes,
  FRAME_BYTES_MAX,
  isDead,
  isRefusal,
  type Ledger,
  PARENTS_MAX,
  PAYLOADS_MAX,
  type PaymentId,
  type PaymentRecord,
  type Refusal,
  type Round,
  type Slot,
  type Units,
} from '../ledger/index.ts';
import type { StatusClaim, SubmitReply } from '../p2p/index.ts';
import { FairQueue } from './fair-queue.ts';
import { FlightWindow } from './flight-window.ts';
import { FLIGHT_BLOCKS, FULL_BLOCK_PAYMENTS, QUEUE_PAYMENTS_MIN, QUEUE_WINDOWS } from './limits.ts';
import type { CheckedPayment } from './verify-task.ts';

/** A payment that has passed the stateless check. */
export interface Submission extends CheckedPayment {
  readonly bytes: Uint8Array;
}

export interface Queued extends Submission {
  /** Debits of its branch up to and with it. */
  readonly branchDebits: bigint;
}

export interface AdmissionOptions {
  readonly paymentsMax: number;
  /** Of one account, queued or attached and not final. */
  readonly paymentsPerAccountMax: number;
}

export interface AdmissionDeps {
  readonly ledger: Ledger;
  nowMs(): number;
  /** The greatest round with a quorum. */
  round(): Round;
  /** A queued payment gave way to another. */
  dropped(payment: Submission, refusal: Refusal): void;
}

/** What this node says of a payment that is in the tangle; undefined when it no longer knows who has its slot. */
export function claimOf(ledger: Ledger, payment: PaymentRecord): StatusClaim | undefined {
  let contested = false;
  if (payment.link === 'void') return { status: 'dead' };
  // A payment shares the fate of every payment before it.
  for (let at: PaymentRecord | undefined = payment; at !== undefined && !at.final; at = at.parent) {
    const rivals = ledger.accounts.slotOf(at);
    const winner = rivals.find((rival) => rival.final);
    if (winner !== undefined) return { status: 'dead', winner: winner.id };
    contested ||= rivals.length > 1;
  }
  if (payment.final) return { status: 'final' };
  // Its rival may be forgotten.
  if (isDead(payment)) return { status: 'dead' };
  if (ledger.statusOf(payment.id) === 'settled') return undefined;
  return { status: contested ? 'contested' : 'pending' };
}

export class Admission {
  readonly #ledger: Ledger;
  readonly #deps: AdmissionDeps;
  readonly #pendingMax: number;
  readonly #queue: FairQueue<Queued>;
  readonly #flight: FlightWindow;
  readonly #byId = new Map<PaymentId, Queued>();
  readonly #bySlot = new Map<Slot, PaymentId>();

  constructor(options: AdmissionOptions, deps: AdmissionDeps) {
    this.#ledger = deps.ledger;
    this.#deps = deps;
    this.#pendingMax = options.paymentsPerAccountMax;
    this.#flight = new FlightWindow(deps.ledger.genesis.committee.length);
    this.#queue = new FairQueue(options, {
      dropped: (payment, refusal) => {
        this.#forget(payment);
        this.#deps.dropped(payment, refusal);
      },
    });
  }

  /** Payments waiting for a block. */
  get size(): number {
    return this.#queue.size;
  }

  /** The last payment of the account that waits here, if any. */
  lastQueued(after: Slot): Queued | undefined {
    let slot = after;
    let last: Queued | undefined;
    for (let id = this.#bySlot.get(slot); id !== undefined; id = this.#bySlot.get(slot)) {
      last = this.#byId.get(id);
      slot = id;
    }
    return last;
  }

  claim(id: PaymentId): StatusClaim | undefined {
    if (this.#byId.has(id)) return { status: 'queued' };
    const payment = this.#ledger.accounts.get(id);
    return payment === undefined ? undefined : claimOf(this.#ledger, payment);
  }

  submit(payment: Submission): SubmitReply {
    const claim = this.claim(payment.id);
    if (claim !== undefined && !this.#lost(payment.id)) return { id: payment.id, ...claim };
    const account = this.#ledger.accounts.peek(payment.account);
    if (account === undefined) {
      return { refusal: { code: 'unfunded', available: 0 as Units, needed: payment.total } };
    }
    const branchDebits = this.#check(payment, account);
    if (isRefusal(branchDebits)) return { refusal: branchDebits };
    const balance = this.#ledger.accounts.balanceOf(account);
    const queued: Queued = { ...payment, branchDebits };
    const extraBits = Math.max(0, payment.workBits - this.#ledger.genesis.workBits);
    this.#byId.set(payment.id, queued);
    this.#bySlot.set(payment.previous, payment.id);
    this.#queue.paymentsMax = Math.max(QUEUE_PAYMENTS_MIN, QUEUE_WINDOWS * this.#flight.max);
    const refusal = this.#queue.offer(queued, {
      balance,
      extraBits,
      certified: false,
      bytes: payment.bytes.length,
    });
    if (refusal === undefined) return { id: payment.id, status: 'queued' };
    this.#forget(queued);
    return { refusal };
  }

  /** In the tangle, but in blocks that are too old to be voted for: it may be attached again. */
  #lost(id: PaymentId): boolean {
    const payment = this.#ledger.accounts.get(id);
    if (payment === undefined || this.#byId.has(id)) return false;
    const round = this.#ledger.tangle.round(this.#ledger.tangle.size - 1);
    return !this.#ledger.alive({ kind: 'payment', id }, round);
  }

  /** Debits of the payment's branch, or why it cannot become final. */
  #check(payment: Submission, account: Account): bigint | Refusal {
    if (payment.sequence <= account.decided.sequence) {
      const by = this.#ledger.winnerOf(payment.previous) ?? (account.decided.head as PaymentId);
      return { code: 'slot_taken', by };
    }
    const before = this.#before(payment, account);
    if (isRefusal(before)) return before;
    const rivals = this.#ledger.accounts.rivalsFor(payment.previous);
    const rival = rivals.find(({ id }) => id !== payment.id)?.id ?? this.#bySlot.get(payment.previous);
    if (rival !== undefined && rival !== payment.id) return { code: 'slot_taken', by: rival };
    const pending = payment.sequence - account.headSequence;
    if (pending > this.#pendingMax) return { code: 'account_busy', pending, max: this.#pendingMax };
    const branchDebits = before.debits + BigInt(payment.total);
    if (branchDebits > account.credits) {
      const available = Number(account.credits - before.debits) as Units;
      const needed = payment.total;
      return { code: 'unfunded', available: Math.max(0, available) as Units, needed };
    }
    return branchDebits;
  }

  /** What the payment follows: nothing, a payment of the tangle, or one that waits here. */
  #before(payment: Submission, account: Account): { debits: bigint } | Refusal {
    const { previous } = payment;
    const { root } = account;
    const record = this.#ledger.accounts.get(previous as PaymentId);
    const queued = this.#byId.get(previous as PaymentId);
    const sequence = previous === root.slot ? root.sequence : (record?.sequence ?? queued?.sequence);
    const owner = previous === root.slot ? account.address : (record?.account.address ?? queued?.account);
    if (sequence === undefined || owner !== account.address) return { code: 'previous_unknown', previous };
    if (payment.sequence !== sequence + 1) {
      return { code: 'sequence_gap', expected: sequence + 1, received: payment.sequence };
    }
    return { debits: previous === root.slot ? root.debits : (record ?? queued)!.branchDebits };
  }

  #forget(payment: CheckedPayment): void {
    this.#byId.delete(payment.id);
    if (this.#bySlot.get(payment.previous) === payment.id) this.#bySlot.delete(payment.previous);
  }

  /** The payment is in the tangle now, through this node or another. */
  attached(id: PaymentId): void {
    const queued = this.#byId.get(id);
    if (queued === undefined) return;
    this.#forget(queued);
    this.#queue.remove(id);
  }

  /**
   * Payments that a block may carry now. While so many are on their way that the next block would be a sliver, none but those
   * of payers who rarely have one waiting: what becomes final makes room for a better one.
   */
  get ready(): number {
    const waiting = this.#queue.size;
    if (waiting === 0) return 0;
    const { payments, rare, bytes } = this.#flight.room(this.#deps.round());
    if (payments >= waiting && bytes >= FRAME_BYTES_MAX) return waiting;
    this.#flight.full();
    const worthwhile = Math.min(FULL_BLOCK_PAYMENTS, this.#flight.max / FLIGHT_BLOCKS);
    const many = payments >= worthwhile ? Math.min(payments, waiting) : 0;
    return Math.max(many, Math.min(rare, this.#queue.rare));
  }

  /** What finality takes when little is on its way, as of late; 0 before the first. */
  get usualMs(): number {
    return this.#flight.usualMs;
  }

  /** What the next block carries: at most one frame. Empty when nothing may leave. They count as on their way. */
  take(): readonly Submission[] {
    const round = this.#deps.round();
    const room = this.#flight.room(round);
    const bytesMax = Math.min(FRAME_BYTES_MAX - blockOverheadBytes(PARENTS_MAX), room.bytes);
    const most = Math.min(PAYLOADS_MAX, Math.max(room.payments, room.rare));
    const payments = this.#queue.take(most, bytesMax, room.payments);
    this.#flight.left(payments, round, this.#deps.nowMs());
    return payments;
  }

  /** The block could not be attached: they are not on their way after all. */
  returned(payments: readonly CheckedPayment[]): void {
    for (const { id } of payments) this.#flight.lost(id);
  }

  /** These payments, of whatever block, are final. */
  final(payments: readonly PaymentRecord[]): void {
    this.#flight.landed(
      payments.map(({ id }) => id),
      this.#deps.nowMs(),
    );
  }

  /** These never will be. */
  dead(payments: readonly PaymentRecord[]): void {
    for (const { id } of payments) this.#flight.lost(id);
  }
}
