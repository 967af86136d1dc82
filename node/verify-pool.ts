/**
 * Decoding, hashing and signatures on other threads (ledger's checkVertex and checkPaymentBytes).
 *
 * What comes in one turn of the event loop leaves at its end as one task: to wake a thread costs more than most checks. While
 * all threads are busy things gather in four lanes, and the next free thread takes many of them. Witnesses go first, as
 * everybody waits for them and they are few; then what was asked for, as something waits for it. Blocks of peers and payments
 * of clients take turns, so that neither can keep the other waiting, and among the blocks those peers do that sent them.
 */
import { type Genesis, isRefusal, KIND, type Refusal } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { VERIFY_TASK_BYTES_MAX, VERIFY_TASK_ITEMS_MAX, VERIFY_WAITING_MAX } from './limits.ts';
import { Pool, PoolError } from './pool.ts';
import { Lane, PeerLane } from './verify-lanes.ts';
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
  /** Peer id of the sender of a vertex. */
  readonly from: string;
  readonly bytes: Uint8Array;
  readonly payment: boolean;
  readonly answer: PromiseWithResolvers<VerifyAnswer>;
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
  readonly #witnesses = new Lane<Item>();
  readonly #requested = new Lane<Item>();
  readonly #blocks = new PeerLane<Item>();
  readonly #payments = new Lane<Item>();
  readonly #lanes = [this.#witnesses, this.#requested, this.#blocks, this.#payments];
  #paymentsFirst = false;
  #soon: NodeJS.Immediate | undefined;
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
   * @param from Peer id of the sender.
   * @param requested It was asked for.
   * @returns the packed hashes of checkVertex, or why it is refused; `queue_full` when too much waits, and of blocks that were
   *   not asked for this peer has the most waiting.
   * @throws (rejects with) PoolError: our own code failed on it, or the pool has ended.
   */
  checkVertex(bytes: Uint8Array, from: string, requested: boolean): Promise<Uint8Array | Refusal> {
    const others = requested ? this.#requested : this.#blocks;
    const lane = bytes[0] === KIND.witness ? this.#witnesses : others;
    return this.#offer(lane, { bytes, from, payment: false }) as Promise<Uint8Array | Refusal>;
  }

  /** Checks payments as clients submit them; one answer for each, in order. Otherwise as checkVertex. */
  checkPayments(list: readonly Uint8Array[]): Promise<readonly (CheckedPayment | Refusal)[]> {
    const answers = list.map((bytes) => this.#offer(this.#payments, { bytes, from: '', payment: true }));
    return Promise.all(answers) as Promise<(CheckedPayment | Refusal)[]>;
  }

  #offer(lane: Lane<Item> | PeerLane<Item>, thing: Omit<Item, 'answer'>): Promise<VerifyAnswer> {
    const answer = Promise.withResolvers<VerifyAnswer>();
    const waiting = lane.length;
    for (const displaced of lane.offer({ ...thing, answer }))
      displaced.answer.resolve({ code: 'queue_full', waiting, max: VERIFY_WAITING_MAX });
    if (this.#pool.free > 0) this.#soon ??= setImmediate(() => this.#pump());
    return answer.promise;
  }

  #pump(): void {
    this.#soon = undefined;
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
    clearImmediate(this.#soon);
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
