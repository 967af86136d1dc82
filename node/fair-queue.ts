/**
 * Payments that wait to be put into a block, served fairly (docs/protocol.md, section 3). Pure and deterministic.
 *
 * Two deficit round robins (Shreedhar and Varghese, 1995), one inside the other: over the balance buckets, and in each
 * bucket over its accounts. A bucket is a power of two of balance, so whoever splits his money over many accounts fills
 * buckets below that of an honest payer, and only those. Within a bucket accounts are equal but for the work that they
 * did above the minimum and a certified identity. Within an account payments go by sequence.
 *
 * A bucket in which nobody waited comes first with its next turn, and may use a reserve that those who wait may not, once in
 * a round of turns (as the new flows of FQ-CoDel, RFC 8290). So whoever pays now and then does not feel the queue.
 *
 * When the queue is full, somebody of the bucket with the most payments for its weight gives way: the account with the
 * longest queue there, and of it the newest payment. So a flood of poor accounts drops its own payments first, and a
 * flood of rich ones does not drive the poor out.
 */
import { type Address, FRAME_BYTES_MAX, type PaymentId, type Refusal, type Units } from '../ledger/index.ts';
import { AccountQueue, BucketQueue, type Entry, type Queueable, type Standing } from './fair-buckets.ts';

export type { Queueable, Standing } from './fair-buckets.ts';

export interface FairQueueOptions {
  readonly paymentsMax: number;
  /** At most 1,000: an account's queue is kept sorted by insertion. */
  readonly paymentsPerAccountMax: number;
}

export interface FairQueueDeps<P> {
  /** A payment that was queued gives way to another one; its sender has to be told. */
  dropped(payment: P, refusal: Refusal): void;
}

/** Every offer ends in exactly one of these, or is still queued. */
export interface FairQueueCounters {
  readonly offered: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly dropped: number;
  readonly removed: number;
  readonly taken: number;
}

/** A bucket of balance b gets BUCKET_WEIGHT_MIN + b shares: the richest (2^53) fourteen times those of the poorest. */
const BUCKET_WEIGHT_MIN = 4;

/** Bytes that one share of a bucket may send per turn: a poor bucket's turn is two payments, a rich one's is thirty. */
const SHARE_BYTES = 128;

function bucketOf(balance: Units): number {
  return balance < 1 ? 0 : Math.floor(Math.log2(balance)) + 1;
}

export class FairQueue<P extends Queueable> {
  readonly #options: FairQueueOptions;
  /** Payments that may wait now, at most `paymentsMax` of the options. A queue that is longer gets no longer. */
  paymentsMax: number;
  readonly #deps: FairQueueDeps<P>;
  readonly #entries = new Map<PaymentId, Entry<P>>();
  readonly #accounts = new Map<Address, AccountQueue<P>>();
  /** Buckets in turn; the insertion order is the order of turns, the first one has the turn. An empty one waits for its turn to leave. */
  readonly #turns = new Map<number, BucketQueue<P>>();
  /** Buckets that were not in turn when their first payment came: they go before the others, once. */
  readonly #rare = new Map<number, BucketQueue<P>>();
  readonly #counters = { offered: 0, duplicates: 0, refused: 0, dropped: 0, removed: 0, taken: 0 };

  constructor(options: FairQueueOptions, deps: FairQueueDeps<P>) {
    this.#options = options;
    this.paymentsMax = options.paymentsMax;
    this.#deps = deps;
  }

  /** Payments waiting. */
  get size(): number {
    return this.#entries.size;
  }

  /** Of them, those of buckets in which nobody waited before. */
  get rare(): number {
    let size = 0;
    for (const bucket of this.#rare.values()) size += bucket.size;
    return size;
  }

  get counters(): FairQueueCounters {
    return { ...this.#counters };
  }

  has(id: PaymentId): boolean {
    return this.#entries.has(id);
  }

  /** Payments of one account that are waiting. */
  sizeOf(account: Address): number {
    return this.#accounts.get(account)?.length ?? 0;
  }

  /**
   * Queues a checked payment; one that waits already is taken for a repetition and changes nothing.
   * @returns why it was not taken: `account_busy` (its account has its share of places) or `queue_full`.
   */
  offer(payment: P, standing: Standing): Refusal | undefined {
    if (!(standing.bytes >= 1 && standing.bytes <= FRAME_BYTES_MAX)) {
      throw new RangeError(`bytes: 1 to ${FRAME_BYTES_MAX}, not ${standing.bytes}`);
    }
    this.#counters.offered += 1;
    if (this.#entries.has(payment.id)) {
      this.#counters.duplicates += 1;
      return undefined;
    }
    const entry: Entry<P> = { payment, ...standing };
    this.#insert(entry);
    const victim = this.#victim(entry);
    if (victim === undefined) return undefined;
    this.#remove(victim.entry);
    if (victim.entry === entry) {
      this.#counters.refused += 1;
      return victim.refusal;
    }
    this.#counters.dropped += 1;
    this.#deps.dropped(victim.entry.payment, victim.refusal);
    return undefined;
  }

  /**
   * The next payments, fairly: at most `countMax`, at most `bytesMax` in all.
   * @param commonMax Of those places, the ones that are not kept for rare payments.
   */
  take(countMax: number, bytesMax: number, commonMax = countMax): readonly P[] {
    const taken: P[] = [];
    let bytes = 0;
    while (taken.length < countMax) {
      const account = this.#next();
      if (account === undefined) break;
      const entry = account.head;
      if (taken.length >= commonMax && !this.#rare.has(account.bucket.number)) break;
      // Whoever has the turn keeps it: a smaller payment behind must not slip in before.
      if (bytes + entry.bytes > bytesMax) break;
      bytes += entry.bytes;
      account.deficit -= entry.bytes;
      account.bucket.deficit -= entry.bytes;
      this.#remove(entry);
      taken.push(entry.payment);
    }
    this.#counters.taken += taken.length;
    return taken;
  }

  /** Forgets a payment that came into the tangle on another way. False when it was not waiting. */
  remove(id: PaymentId): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#remove(entry);
    this.#counters.removed += 1;
    return true;
  }

  /** The account whose head is served next. Asking changes nothing but whose turn it is. */
  #next(): AccountQueue<P> | undefined {
    for (;;) {
      const bucket = this.#rare.values().next().value ?? this.#turns.values().next().value;
      if (bucket === undefined) return undefined;
      if (bucket.size > 0) {
        const account = bucket.next();
        if (!bucket.granted) {
          bucket.granted = true;
          bucket.deficit += SHARE_BYTES * bucket.weight;
        }
        if (bucket.deficit >= account.head.bytes) return account;
      }
      this.#endTurn(bucket);
    }
  }

  #endTurn(bucket: BucketQueue<P>): void {
    const { number, size } = bucket;
    bucket.granted = false;
    const wasInTurn = this.#turns.delete(number);
    this.#rare.delete(number);
    if (size > 0 || !wasInTurn) this.#turns.set(number, bucket);
  }

  #insert(entry: Entry<P>): void {
    const { account: address, id } = entry.payment;
    const bucket = this.#bucket(bucketOf(entry.balance));
    let account = this.#accounts.get(address);
    if (account === undefined) {
      account = new AccountQueue(bucket);
      this.#accounts.set(address, account);
    } else {
      account.bucket.lift(account);
      // The account has become richer or poorer: all that it queued moves with it.
      if (account.bucket !== bucket) this.#forget(account);
      account.bucket = bucket;
    }
    account.insert(entry);
    bucket.put(account);
    this.#entries.set(id, entry);
  }

  #remove(entry: Entry<P>): void {
    const { account: address, id } = entry.payment;
    const account = this.#accounts.get(address)!;
    this.#entries.delete(id);
    account.bucket.lift(account);
    account.delete(entry);
    if (account.length > 0) {
      account.bucket.put(account);
    } else {
      this.#accounts.delete(address);
      this.#forget(account);
    }
  }

  #bucket(number: number): BucketQueue<P> {
    let bucket = this.#rare.get(number) ?? this.#turns.get(number);
    if (bucket === undefined) {
      bucket = new BucketQueue(number, BUCKET_WEIGHT_MIN + number);
      this.#rare.set(number, bucket);
    }
    return bucket;
  }

  #forget(account: AccountQueue<P>): void {
    const { bucket } = account;
    bucket.forget(account);
    if (bucket.size > 0) return;
    // What it did not use of its turn is lost.
    bucket.deficit = 0;
    if (this.#rare.has(bucket.number) || bucket.granted) this.#endTurn(bucket);
  }

  /** Who gives way now that `offered` is in: somebody of its account, of the fullest bucket, or nobody. */
  #victim(offered: Entry<P>): { entry: Entry<P>; refusal: Refusal } | undefined {
    const { paymentsPerAccountMax } = this.#options;
    const paymentsMax = Math.min(this.paymentsMax, this.#options.paymentsMax);
    const account = this.#accounts.get(offered.payment.account)!;
    if (account.length > paymentsPerAccountMax) {
      const refusal = {
        code: 'account_busy',
        pending: account.length - 1,
        max: paymentsPerAccountMax,
      } as const;
      return { entry: account.newest, refusal };
    }
    if (this.#entries.size <= paymentsMax) return undefined;
    const refusal = { code: 'queue_full', waiting: this.#entries.size - 1, max: paymentsMax } as const;
    let fullest = account.bucket;
    for (const bucket of [...this.#turns.values(), ...this.#rare.values()]) {
      const difference = bucket.size * fullest.weight - fullest.size * bucket.weight;
      // As full as that of the newcomer is not fuller; among others as full, the poorest.
      if (
        difference > 0 ||
        (difference === 0 && fullest !== account.bucket && bucket.number < fullest.number)
      ) {
        fullest = bucket;
      }
    }
    return { entry: fullest.longest(account).newest, refusal };
  }
}
