/**
 * The payments of one account in their order: made ahead, handed to a node, and known to be final. Pure.
 *
 * They are numbered from 0. A payment is final only after all before it, so one proof speaks for all of them; and a node
 * takes none whose predecessor it does not know, so after a refusal the lane goes back and offers from there again.
 */
import type { PaymentId, Slot } from '../../ledger/index.ts';
import type { RawAccount } from './raw-account.ts';

/** What is kept of a payment on its way. */
export interface Parcel {
  readonly lane: Lane;
  readonly number: number;
  readonly id: PaymentId;
  readonly bytes: Uint8Array;
  /** Its proof will come by itself, as its receiver is watched. */
  readonly watched: boolean;
  /** NaN until it is handed over for the first time. */
  dueMs: number;
  sentMs: number;
}

/** First pause after a refusal; it doubles with each one in a row. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_600;

export class Lane {
  readonly index: number;
  readonly account: RawAccount;
  /** Whom it turns to: an index into the nodes. */
  node: number;
  /** A submit is under way; another one could overtake it. */
  busy = false;
  /** Why no further payment of this account can become final. */
  stuck: string | undefined;
  /** Those that are not known to be final; the first is number `#final`. */
  #open: Parcel[] = [];
  #final = 0;
  #lastFinal: PaymentId | undefined;
  #sent = 0;
  #taken = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #movedMs = 0;
  #probes = 0;

  constructor(index: number, account: RawAccount, node: number) {
    this.index = index;
    this.account = account;
    this.node = node;
  }

  /** Made so far. */
  get made(): number {
    return this.#final + this.#open.length;
  }

  /** Handed over and not taken back: the number of the next one. */
  get sent(): number {
    return this.#sent;
  }

  /** A node has answered that it has them. */
  get taken(): number {
    return this.#taken;
  }

  /** Known to be final. */
  get final(): number {
    return this.#final;
  }

  /** The last one that a node has taken, while it is not known to be final. */
  get lastTaken(): Parcel | undefined {
    return this.#open[this.#taken - this.#final - 1];
  }

  /** True when an account whose last final payment is this one is as it should be, or further on. */
  agrees(finalHead: Slot): boolean {
    return (
      finalHead === (this.#lastFinal ?? this.account.address) || this.#open.some(({ id }) => id === finalHead)
    );
  }

  /** One more is made. */
  add(id: PaymentId, bytes: Uint8Array, watched: boolean): Parcel {
    const parcel = {
      ...{ lane: this, number: this.made, id, bytes, watched },
      ...{ dueMs: Number.NaN, sentMs: Number.NaN },
    };
    this.#open.push(parcel);
    return parcel;
  }

  /** The next one to be handed over. */
  get head(): Parcel | undefined {
    return this.#open[this.#sent - this.#final];
  }

  /** The same, if it may be now. */
  next(nowMs: number): Parcel | undefined {
    return this.stuck !== undefined || nowMs < this.#pausedUntilMs ? undefined : this.head;
  }

  /** The next one leaves now. */
  leave(parcel: Parcel, dueMs: number, nowMs: number): void {
    if (Number.isNaN(parcel.dueMs)) {
      parcel.dueMs = dueMs;
      parcel.sentMs = nowMs;
    }
    // One that is offered anew is no news: what it follows may be lost, and it would be refused for ever.
    if (this.#sent === this.#final) this.#movedMs = nowMs;
    this.#sent = parcel.number + 1;
  }

  /** A node has it. */
  took({ number }: Parcel, nowMs: number): void {
    this.#refusals = 0;
    this.#taken = Math.max(this.#taken, number + 1);
    this.#movedMs = nowMs;
  }

  /** From this one on they are offered again, after a pause. False when that was so already. */
  back({ number }: Parcel, nowMs: number): boolean {
    if (number >= this.#sent || number < this.#final) return false;
    this.#sent = number;
    this.#probes = 0;
    this.#pausedUntilMs = nowMs + Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** this.#refusals++);
    return true;
  }

  /** A new load begins: what no node has taken is as if it had never been due. */
  begin(): void {
    this.#sent = Math.min(this.#sent, this.#taken);
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
    for (const parcel of this.#open.slice(this.#taken - this.#final))
      parcel.dueMs = parcel.sentMs = Number.NaN;
  }

  /** All up to this one are final. Returns those that were not known to be. */
  proven({ number }: Parcel, nowMs: number): readonly Parcel[] {
    const done = this.#open.splice(0, number + 1 - this.#final);
    this.#final += done.length;
    this.#lastFinal = done.at(-1)?.id ?? this.#lastFinal;
    this.#sent = Math.max(this.#sent, this.#final);
    this.#taken = Math.max(this.#taken, this.#final);
    this.#movedMs = nowMs;
    this.#probes = 0;
    return done;
  }

  /** Somebody has asked for the first one under way; how often so since something moved. */
  probed(nowMs: number): number {
    this.#movedMs = nowMs;
    this.#probes += 1;
    return this.#probes;
  }

  /** The first one under way when nothing has moved for so long. */
  overdue(nowMs: number, afterMs: number): Parcel | undefined {
    const waits = this.stuck === undefined && this.#sent > this.#final && nowMs > this.#movedMs + afterMs;
    return waits ? this.#open[0] : undefined;
  }
}
