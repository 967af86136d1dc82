/** The main thread's end of the ledger thread: calls with answers, events, and the thread's life. */
import { Worker } from 'node:worker_threads';
import type { SharedColumns, TipOptions } from '../ledger/index.ts';
import type {
  CallMessage,
  FromLedger,
  LedgerCalls,
  LedgerEvent,
  LedgerThreadOptions,
} from './ledger-messages.ts';
import { LEDGER_CALLS_MAX, POOL_YOUNG_SPACE_MB, YOUNG_SPACE_MB } from './limits.ts';
import { ReadyParents } from './ready-parents.ts';
import type { TipWorkerData } from './tip.worker.ts';

/**
 * - `busy` - LEDGER_CALLS_MAX calls are waiting; try again
 * - `ended` - the thread has ended
 * - `failed` - the call threw: a bug, or the disk
 * - what the store says when it cannot be opened
 */
export class LedgerThreadError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'LedgerThreadError';
    this.code = code;
  }
}

type Waiting = PromiseWithResolvers<unknown>;

export class LedgerThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #tips: Worker;
  readonly #listener: (event: LedgerEvent) => void;
  readonly #waiting = new Map<number, Waiting>();
  #calls: CallMessage[] = [];
  #nextCall = 0;
  #ended: LedgerThreadError | undefined;

  /**
   * Opens the store and reads it back, which takes a second for some hundred thousand payments.
   * @param listener Hears events from the start on; must not throw.
   * @throws (rejects with) LedgerThreadError with the store's code: locked, of another network, corrupted ...
   */
  static async start(
    options: LedgerThreadOptions,
    listener: (event: LedgerEvent) => void,
  ): Promise<LedgerThread> {
    const ready = new ReadyParents();
    const worker = new Worker(new URL('./ledger.worker.ts', import.meta.url), {
      workerData: { options, ready: ready.buffer },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_SPACE_MB },
    });
    const opened = Promise.withResolvers<SharedColumns>();
    const early: FromLedger[] = [];
    const hear = (message: FromLedger | { refused: string; code?: string }): void => {
      if ('refused' in message)
        opened.reject(new LedgerThreadError(message.code ?? 'failed', message.refused));
      else if ('ready' in message) opened.resolve(message.ready);
      else early.push(message);
    };
    worker.once('error', opened.reject);
    worker.on('message', hear);
    try {
      const columns = await opened.promise;
      worker.off('message', hear);
      worker.off('error', opened.reject);
      const thread = new LedgerThread(worker, startTips(columns, ready, options.tips), listener);
      for (const messages of early) thread.#hear(messages);
      return thread;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  private constructor(worker: Worker, tips: Worker, listener: (event: LedgerEvent) => void) {
    this.#worker = worker;
    this.#tips = tips;
    this.#listener = listener;
    worker.on('message', (messages: FromLedger) => this.#hear(messages));
    for (const part of [worker, tips]) {
      part.on('error', (error) => this.#end(error.stack ?? error.message));
      part.on('exit', (code) => this.#end(`a thread ended with ${code}`));
    }
  }

  #hear(messages: FromLedger): void {
    if ('ready' in messages) return;
    for (const message of messages) {
      if ('event' in message) {
        this.#listener(message.event);
        continue;
      }
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if ('error' in message) waiting?.reject(new LedgerThreadError('failed', message.error));
      else waiting?.resolve(message.value);
    }
  }

  #end(message: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new LedgerThreadError('ended', `The ledger thread has ended: ${message}.`);
    this.#giveUp(this.#ended);
    this.#listener({ type: 'failed', message, damaged: false });
  }

  /** Calls waiting for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Asks the ledger thread; calls of one turn of the event loop travel together. */
  call<M extends keyof LedgerCalls>(
    method: M,
    ...args: Parameters<LedgerCalls[M]>
  ): ReturnType<LedgerCalls[M]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended) as ReturnType<LedgerCalls[M]>;
    if (this.#waiting.size >= LEDGER_CALLS_MAX) {
      const busy = new LedgerThreadError('busy', `${this.#waiting.size} calls wait for the ledger thread.`);
      return Promise.reject(busy) as ReturnType<LedgerCalls[M]>;
    }
    const call = this.#nextCall++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(call, waiting);
    if (this.#calls.length === 0) setImmediate(() => this.#send());
    this.#calls.push({ call, method, args } as unknown as CallMessage);
    return waiting.promise as ReturnType<LedgerCalls[M]>;
  }

  #send(): void {
    const calls = this.#calls;
    this.#calls = [];
    this.#worker.postMessage(calls);
  }

  /** Everything attached is on disk when it resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failed = this.#ended !== undefined;
    if (!failed) {
      const closed = this.call('close');
      this.#ended = new LedgerThreadError('ended', 'The node is stopping.');
      await closed.catch(() => undefined);
    }
    await Promise.all([this.#worker.terminate(), this.#tips.terminate()]);
    this.#giveUp(this.#ended!);
  }

  /** Whoever waits for an answer hears that none will come. */
  #giveUp(reason: LedgerThreadError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}

function startTips(columns: SharedColumns, ready: ReadyParents, options: TipOptions): Worker {
  const workerData: TipWorkerData = { columns, ready: ready.buffer, options };
  return new Worker(new URL('./tip.worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: POOL_YOUNG_SPACE_MB },
  });
}
