/** Sets of payments for the hot path, which would otherwise make and drop a hash table with every witness. */
import type { PaymentRecord } from './account.ts';
import { assert } from './assert.ts';

const SERIAL_MAX = 0xffff_ffff;

/** One set after the other: what a set has stands in a column by the payments' rows, which the next one takes over. */
export class PaymentSets {
  #serials = new Uint32Array(1024);
  #last: number;

  /** @param last Sets that there have been. */
  constructor(last = 0) {
    this.#last = last;
  }

  /** An empty set. From now on nobody may ask the one before what it has; what it listed stays. */
  next(): PaymentSet {
    // With a hundred a second that is after sixteen months.
    if (this.#last === SERIAL_MAX) {
      this.#serials.fill(0);
      this.#last = 0;
    }
    const serial = ++this.#last;
    const payments: PaymentRecord[] = [];
    const has = ({ row }: PaymentRecord): boolean => {
      assert(serial === this.#last, 'a set of payments is asked while it is the last one');
      return this.#serials[row] === serial;
    };
    const add = (payment: PaymentRecord): void => {
      if (has(payment)) return;
      this.#makeRoom(payment.row);
      this.#serials[payment.row] = serial;
      payments.push(payment);
    };
    return { payments, has, add };
  }

  #makeRoom(row: number): void {
    if (row < this.#serials.length) return;
    const larger = new Uint32Array(Math.max(row + 1, 2 * this.#serials.length));
    larger.set(this.#serials);
    this.#serials = larger;
  }
}

export interface PaymentSet {
  /** Each once, in the order in which they were added. */
  readonly payments: readonly PaymentRecord[];
  has(payment: PaymentRecord): boolean;
  add(payment: PaymentRecord): void;
}
