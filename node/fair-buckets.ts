/** The parts of the fair queue (fair-queue.ts): an account's payments in order, and a bucket's accounts in turn. */
import type { Address, PaymentId, Units } from '../ledger/index.ts';

/** What the queue reads of a payment; the rest travels with it. */
export interface Queueable {
  readonly id: PaymentId;
  readonly account: Address;
  readonly sequence: number;
}

/** What a payment's place in the queue follows from. */
export interface Standing {
  /** What the account can spend, as the node knows it now. */
  readonly balance: Units;
  /** Work bits above the network's minimum, from 0. */
  readonly extraBits: number;
  /** The account has shown a certificate that this node trusts. */
  readonly certified: boolean;
  /** Of the whole encoding, 1 to FRAME_BYTES_MAX: what a place in a block costs. */
  readonly bytes: number;
}

export interface Entry<P extends Queueable> extends Standing {
  readonly payment: P;
}

/** Bytes that an account may send per turn: one or two payments. */
const ACCOUNT_BYTES = 512;

/** Work bits beyond these buy nothing more: 256 times the work at most doubles an account's turn. */
const EXTRA_BITS_MAX = 8;

/** A certified account's turn is this much longer. A guess: one certificate is worth one doubling. */
const CERTIFIED_FACTOR = 2;

/** The payments of one account, by sequence; of equal sequences (rivals), by arrival. */
export class AccountQueue<P extends Queueable> {
  /** The bucket that the account is in. */
  bucket: BucketQueue<P>;
  /** Bytes that the account may still send in this turn. */
  deficit = 0;
  /** The turn's bytes have been added. */
  granted = false;
  readonly #entries: Entry<P>[] = [];

  constructor(bucket: BucketQueue<P>) {
    this.bucket = bucket;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The next to be served. Only of an account that has one. */
  get head(): Entry<P> {
    return this.#entries[0]!;
  }

  /** The first to give way. Only of an account that has one. */
  get newest(): Entry<P> {
    return this.#entries[this.#entries.length - 1]!;
  }

  /** Bytes that the account gets per turn. */
  get quantum(): number {
    const { extraBits, certified } = this.head;
    const work = 1 + Math.min(extraBits, EXTRA_BITS_MAX) / EXTRA_BITS_MAX;
    return ACCOUNT_BYTES * work * (certified ? CERTIFIED_FACTOR : 1);
  }

  insert(entry: Entry<P>): void {
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0 && entries[at - 1]!.payment.sequence > entry.payment.sequence) at -= 1;
    entries.splice(at, 0, entry);
  }

  delete(entry: Entry<P>): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }
}

/** The accounts of one balance bucket that have payments waiting. */
export class BucketQueue<P extends Queueable> {
  readonly number: number;
  /** Shares of service and of places. */
  readonly weight: number;
  deficit = 0;
  granted = false;
  #size = 0;
  /** The insertion order is the order of turns; the first one has the turn. */
  readonly #turns = new Set<AccountQueue<P>>();
  /** Accounts by the number of payments that they have waiting. */
  readonly #byLength: Set<AccountQueue<P>>[] = [];

  constructor(number: number, weight: number) {
    this.number = number;
    this.weight = weight;
  }

  /** Payments in all its accounts. */
  get size(): number {
    return this.#size;
  }

  /** Before an account's queue changes; `put` or `forget` follows. Its turn is kept. */
  lift(account: AccountQueue<P>): void {
    this.#size -= account.length;
    this.#byLength[account.length]?.delete(account);
  }

  /** Takes an account in, or back after `lift`. A new one has its turn last. */
  put(account: AccountQueue<P>): void {
    this.#size += account.length;
    while (this.#byLength.length <= account.length) this.#byLength.push(new Set());
    this.#byLength[account.length]!.add(account);
    this.#turns.add(account);
  }

  /** An account that was lifted leaves; what it did not use of its turn is lost. */
  forget(account: AccountQueue<P>): void {
    this.#turns.delete(account);
    account.deficit = 0;
    account.granted = false;
  }

  /** The account whose turn it is, given its bytes. Only of a bucket that has one. */
  next(): AccountQueue<P> {
    for (;;) {
      const account = this.#turns.values().next().value!;
      if (!account.granted) {
        account.granted = true;
        account.deficit += account.quantum;
      }
      if (account.deficit >= account.head.bytes) return account;
      account.granted = false;
      this.#turns.delete(account);
      this.#turns.add(account);
    }
  }

  /** The account with the most payments waiting: `preferred` when no other has more. */
  longest(preferred: AccountQueue<P>): AccountQueue<P> {
    while (this.#byLength[this.#byLength.length - 1]?.size === 0) this.#byLength.pop();
    const longest = this.#byLength[this.#byLength.length - 1]!;
    return longest.has(preferred) ? preferred : longest.values().next().value!;
  }
}
