/**
 * Threads that run one function of one file, and a bounded queue before them. The one owner of piscina.
 *
 * The queue is ours and not piscina's: a task that is given up while it waits costs nothing, whereas piscina would kill
 * the thread of one that runs. Tasks reach piscina only when a thread is free for them.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Refusal } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { POOL_YOUNG_SPACE_MB } from './limits.ts';

export interface PoolOptions {
  /** For the log. */
  readonly name: string;
  /** The file that the threads load. */
  readonly worker: URL;
  /** The function that it exports: takes one task, returns the answer or a promise of it. */
  readonly handler: string;
  /** At least 1. */
  readonly threads: number;
  /** Threads that are there from the start; the others when they are first needed. */
  readonly threadsAtStart: number;
  /** Tasks that may wait for a thread; 0 = only what a thread is free for. */
  readonly waitingMax: number;
  /** What every thread gets once, as `workerData`. */
  readonly workerData: unknown;
}

export interface PoolDeps {
  readonly log: Log;
}

export interface RunOptions {
  /** Gives the task up while it waits. One that runs goes on: it has to be told in its own way. */
  readonly signal?: AbortSignal | undefined;
  /** Buffers that move to the thread instead of being copied. */
  readonly transfer?: ArrayBuffer[];
}

/**
 * - `pool_closed` - used after, or caught by, its end
 * - `pool_failed` - the function threw or its thread died: a bug, or no memory
 */
export class PoolError extends Error {
  readonly code: 'pool_closed' | 'pool_failed';
  constructor(code: PoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PoolError';
    this.code = code;
  }
}

interface Waiting<Task, Answer> {
  readonly task: Task;
  readonly transfer: ArrayBuffer[];
  readonly answer: PromiseWithResolvers<Answer>;
  readonly unlisten: () => void;
}

export class Pool<Task, Answer> implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #piscina: Piscina<Task, Answer>;
  readonly #waiting = new Set<Waiting<Task, Answer>>();
  #running = 0;
  #closed = false;

  constructor(options: PoolOptions, deps: PoolDeps) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: fileURLToPath(options.worker),
      name: options.handler,
      minThreads: options.threadsAtStart,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Room for those that wait until their thread has started.
      maxQueue: options.threads,
      recordTiming: false,
      workerData: options.workerData,
      resourceLimits: { maxYoungGenerationSizeMb: POOL_YOUNG_SPACE_MB },
    });
    this.#piscina.on('error', (error: unknown) => {
      deps.log.error({ pool: options.name, err: error }, 'A thread ended');
    });
  }

  /** Threads that have nothing to do. */
  get free(): number {
    return this.#options.threads - this.#running;
  }

  /** Tasks that wait for a thread. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs the function on a free thread, or later, in order.
   * @returns its answer, or `queue_full`.
   * @throws (rejects with) the signal's reason when given up while waiting; PoolError.
   */
  async run(task: Task, options: RunOptions = {}): Promise<Answer | Refusal> {
    const { signal, transfer = [] } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closedError();
    if (this.free > 0) return this.#start(task, transfer);
    const { waitingMax } = this.#options;
    if (this.waiting >= waitingMax) return { code: 'queue_full', waiting: this.waiting, max: waitingMax };
    const answer = Promise.withResolvers<Answer>();
    const abort = (): void => {
      this.#waiting.delete(waiting);
      answer.reject(signal!.reason);
    };
    const unlisten = (): void => signal?.removeEventListener('abort', abort);
    const waiting: Waiting<Task, Answer> = { task, transfer, answer, unlisten };
    this.#waiting.add(waiting);
    signal?.addEventListener('abort', abort, { once: true });
    return answer.promise;
  }

  async #start(task: Task, transfer: ArrayBuffer[]): Promise<Answer> {
    this.#running += 1;
    try {
      return await this.#piscina.run(task, { transferList: transfer });
    } catch (error) {
      if (this.#closed) throw this.#closedError();
      const said = error instanceof Error ? error.message : String(error);
      throw new PoolError('pool_failed', `A thread of the ${this.#options.name} pool failed: ${said}`, {
        cause: error,
      });
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  #next(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined || this.#closed || this.free === 0) return;
    this.#waiting.delete(next);
    next.unlisten();
    this.#start(next.task, next.transfer).then(next.answer.resolve, next.answer.reject);
  }

  /** Ends the threads at once; what runs or waits rejects with `pool_closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { answer, unlisten } of this.#waiting) {
      unlisten();
      answer.reject(this.#closedError());
    }
    this.#waiting.clear();
    await this.#piscina.destroy();
  }

  #closedError(): PoolError {
    return new PoolError('pool_closed', `The ${this.#options.name} pool has ended.`);
  }
}
