/**
 * Decoding, hashing and signatures on other threads (ledger's checkVertex and checkPaymentBytes).
 *
 * A lone vertex leaves at once. While all threads are busy things gather in four lanes, and the next free thread takes
 * many of them as one task. Witnesses go first, as everybody waits for them and they are few; then what was asked for, as
 * something waits for it. Blocks of peers and payments of clients take turns, so that neither can keep the other waiting.
 */
import { type Genesis, isRefusal, KIND, type Refusal } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import {
  VERIFY_TASK_BYTES_MAX,
  VERIFY_TASK_ITEMS_MAX,
  VERIFY_WAITING_BYTES_MAX,
  VERIFY_WAITING_MAX,
} from './limits.ts';
import { Pool, PoolError } from './pool.ts';
import type { CheckedPayment, VerifyAnswer, VerifyTask, VerifyWorkerData } from './verify-task.ts';

export type { CheckedPayment } from './verify-task.ts';

export interface VerifyPoolOptions {
  readonly genesis: Genesis;
  readonly threads: number;
}

export interface VerifyPoolDeps {
  readonly log: Log;
}

interface Item {
  readonly bytes: Uint8Array;
  readonly payment: boolean;
  readonly answer: PromiseWithResolvers<VerifyAnswer>;
}

/** Things of one sort that wait, in order; bounded by number and by bytes. */
class Lane {
  #items: Item[] = [];
  #first = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  /** `queue_full` when it has no place. */
  offer(item: Item): Refusal | undefined {
    if (this.length >= VERIFY_WAITING_MAX || this.#bytes + item.bytes.length > VERIFY_WAITING_BYTES_MAX) {
      return { code: 'queue_full', waiting: this.length, max: VERIFY_WAITING_MAX };
    }
    this.#items.push(item);
    this.#bytes += item.bytes.length;
    return undefined;
  }

  shift(): Item {
    const item = this.#items[this.#first]!;
    this.#first += 1;
    this.#bytes -= item.bytes.length;
    if (this.#first >= 1024 || this.#first === this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}

function pack(items: readonly Item[]): VerifyTask {
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + item.bytes.length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const item of items) {
    bytes.set(item.bytes, end);
    end += item.bytes.length;
    ends.push(end);
  }
  return { bytes, ends, payments: items.map(({ payment }) => payment) };
}

export class VerifyPool implements AsyncDisposable {
  readonly #pool: Pool<VerifyTask, VerifyAnswer[]>;
  readonly #witnesses = new Lane();
  readonly #requested = new Lane();
  readonly #blocks = new Lane();
  readonly #payments = new Lane();
  readonly #lanes = [this.#witnesses, this.#requested, this.#blocks, this.#payments];
  #paymentsFirst = false;
  #tasks = 0;
  #items = 0;

  constructor(options: VerifyPoolOptions, deps: VerifyPoolDeps) {
    const workerData: VerifyWorkerData = { genesis: { ...options.genesis, allocations: [] } };
    const worker = new URL('./verify.worker.ts', import.meta.url);
    const { threads } = options;
    this.#pool = new Pool(
      {
        name: 'verify',
        worker,
        handler: 'check',
        threads,
        threadsAtStart: threads,
        waitingMax: 0,
        workerData,
      },
      { log: deps.log },
    );
  }

  /** Things that wait for a thread. */
  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.length, 0);
  }

  /** Tasks and things done or under way; their ratio tells how well things gather under load. */
  get counters(): { readonly tasks: number; readonly items: number } {
    return { tasks: this.#tasks, items: this.#items };
  }

  /**
   * Checks a whole block or witness.
   * @param bytes Not to be changed before the answer.
   * @param requested It was asked for.
   * @returns the packed hashes of checkVertex, or why it is refused; `queue_full` when too much waits.
   * @throws (rejects with) PoolError: our own code failed on it, or the pool has ended.
   */
  async checkVertex(bytes: Uint8Array, requested: boolean): Promise<Uint8Array | Refusal> {
    const others = requested ? this.#requested : this.#blocks;
    const lane = bytes[0] === KIND.witness ? this.#witnesses : others;
    const answer = this.#offer(lane, bytes, false);
    this.#pump();
    return answer as Promise<Uint8Array | Refusal>;
  }

  /** Checks payments as clients submit them; one answer for each, in order. Otherwise as checkVertex. */
  async checkPayments(list: readonly Uint8Array[]): Promise<readonly (CheckedPayment | Refusal)[]> {
    const answers = list.map((bytes) => this.#offer(this.#payments, bytes, true));
    this.#pump();
    return Promise.all(answers) as Promise<(CheckedPayment | Refusal)[]>;
  }

  async #offer(lane: Lane, bytes: Uint8Array, payment: boolean): Promise<VerifyAnswer> {
    const answer = Promise.withResolvers<VerifyAnswer>();
    const refusal = lane.offer({ bytes, payment, answer });
    if (refusal !== undefined) return refusal;
    return answer.promise;
  }

  #pump(): void {
    while (this.#pool.free > 0 && this.waiting > 0) void this.#run(this.#take());
  }

  /** The next task: an equal share for each free thread, within the limits of a task. */
  #take(): Item[] {
    const lanes = this.#paymentsFirst
      ? [this.#witnesses, this.#requested, this.#payments, this.#blocks]
      : this.#lanes;
    this.#paymentsFirst = !this.#paymentsFirst;
    const waitingBytes = lanes.reduce((sum, lane) => sum + lane.bytes, 0);
    const bytesMax = Math.min(VERIFY_TASK_BYTES_MAX, Math.ceil(waitingBytes / this.#pool.free));
    const items: Item[] = [];
    let bytes = 0;
    for (const lane of lanes) {
      for (let item = lane.first; item !== undefined; item = lane.first) {
        bytes += item.bytes.length;
        if (items.length > 0 && (bytes > bytesMax || items.length >= VERIFY_TASK_ITEMS_MAX)) return items;
        items.push(lane.shift());
      }
    }
    return items;
  }

  async #run(items: readonly Item[]): Promise<void> {
    this.#tasks += 1;
    this.#items += items.length;
    const task = pack(items);
    try {
      const answers = await this.#pool.run(task, { transfer: [task.bytes.buffer as ArrayBuffer] });
      if (isRefusal(answers))
        throw new PoolError('pool_failed', 'The verify pool was busy when it was free.');
      items.forEach(({ answer }, i) => {
        settle(answer, answers[i]!);
      });
    } catch (error) {
      for (const { answer } of items) answer.reject(error);
    }
    this.#pump();
  }

  /** Ends the threads; what waits rejects with `pool_closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
    const error = new PoolError('pool_closed', 'The verify pool has ended.');
    for (const lane of this.#lanes) {
      while (lane.length > 0) lane.shift().answer.reject(error);
    }
  }
}

function settle(answer: PromiseWithResolvers<VerifyAnswer>, value: VerifyAnswer): void {
  if ('thrown' in value) answer.reject(new PoolError('pool_failed', `A check threw: ${value.thrown}`));
  else answer.resolve(value);
}
