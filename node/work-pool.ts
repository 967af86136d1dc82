/** The search for nonces on other threads: for clients that delegate it, and for wallets in this process. */
import { type Refusal, WORK_BITS_MAX } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { WORK_PROGRESS_MS, WORK_SLICE_TRIES, WORK_WAITING_MAX } from './limits.ts';
import { Pool } from './pool.ts';
import { WORK_SLICES, WORK_STOP, type WorkTask } from './work-task.ts';

export interface WorkPoolOptions {
  /** They start with the first search; 0 = every search is refused. */
  readonly threads: number;
}

export interface WorkPoolDeps {
  readonly log: Log;
}

const NONCES = 1n << 64n;

export class WorkPool implements AsyncDisposable {
  readonly #threads: number;
  readonly #pool: Pool<WorkTask, Uint8Array | undefined>;

  constructor(options: WorkPoolOptions, deps: WorkPoolDeps) {
    this.#threads = options.threads;
    const worker = new URL('./work.worker.ts', import.meta.url);
    this.#pool = new Pool(
      {
        name: 'work',
        worker,
        handler: 'search',
        threads: Math.max(1, options.threads),
        threadsAtStart: 0,
        waitingMax: WORK_WAITING_MAX,
        workerData: undefined,
      },
      { log: deps.log },
    );
  }

  /** Searches that wait for a thread. */
  get waiting(): number {
    return this.#pool.waiting;
  }

  /**
   * Searches for a nonce; when the pool is idle, on all its threads at once.
   * @param seed 32 bytes (workSeed).
   * @param bits 0 to WORK_BITS_MAX; 2^bits tries on average.
   * @param signal Gives the search up, within one slice.
   * @param onProgress Told every WORK_PROGRESS_MS how many nonces have been tried.
   * @returns 8 bytes, or `queue_full` (with `max` 0 where this node does not search for others).
   * @throws (rejects with) the signal's reason; PoolError.
   */
  async find(
    seed: Uint8Array,
    bits: number,
    signal?: AbortSignal,
    onProgress?: (tries: number) => void,
  ): Promise<Uint8Array | Refusal> {
    if (!(bits >= 0 && bits <= WORK_BITS_MAX))
      throw new RangeError(`bits: 0 to ${WORK_BITS_MAX}, not ${bits}`);
    signal?.throwIfAborted();
    if (this.#threads === 0) return { code: 'queue_full', waiting: 0, max: 0 };
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const answer = Promise.withResolvers<Uint8Array | Refusal>();
    const abort = (): void => answer.reject(signal!.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const tell = (): void => onProgress?.(Atomics.load(shared, WORK_SLICES) * WORK_SLICE_TRIES);
    const timer = onProgress && setInterval(tell, WORK_PROGRESS_MS);
    try {
      // Several threads on one search only help while they would otherwise do nothing.
      const threads = Math.max(1, this.#pool.free);
      const parts = Array.from({ length: threads }, async (_, part) => {
        const start = (NONCES / BigInt(threads)) * BigInt(part);
        const found = await this.#pool.run({ seed: Uint8Array.from(seed), bits, start, shared }, { signal });
        if (found !== undefined) answer.resolve(found);
      });
      Promise.all(parts).catch(answer.reject);
      return await answer.promise;
    } finally {
      Atomics.store(shared, WORK_STOP, 1);
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends the threads; searches reject with `pool_closed`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}
