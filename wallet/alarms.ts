/** Everything that waits in this room waits here, so that one `dispose` leaves no timer behind and a test has its own time. */
import { WalletError } from './wallet-error.ts';

/** The platform's timers, or a test's. */
export interface Timers {
  /** Runs `act` once, after `ms` milliseconds. */
  set(act: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

export const systemTimers: Timers = {
  set: (act, ms) => setTimeout(act, ms),
  clear: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

export function disposedError(): WalletError {
  return new WalletError('disposed', 'The wallet was closed meanwhile. Open it again.');
}

export function abortedError(signal: AbortSignal): WalletError {
  return new WalletError('aborted', 'The caller ended the wait.', { cause: signal.reason });
}

export class Alarms implements Disposable {
  readonly #timers: Timers;
  /** What each waiting party hears when everything ends. */
  readonly #waiting = new Set<() => void>();
  #disposed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Runs `act` once when everything ends; the returned function prevents it. */
  onDispose(act: () => void): () => void {
    this.#waiting.add(act);
    return () => this.#waiting.delete(act);
  }

  /** Runs `act` after `ms`; the returned function prevents it. After `dispose` nothing runs any more. */
  after(ms: number, act: () => void): () => void {
    if (this.#disposed) return () => {};
    const end = () => {
      this.#waiting.delete(end);
      this.#timers.clear(handle);
    };
    const handle = this.#timers.set(() => {
      this.#waiting.delete(end);
      act();
    }, ms);
    this.#waiting.add(end);
    return end;
  }

  /**
   * `work`, or the error of `late` when it takes longer than `ms`. Rejects with `aborted` or `disposed` when that comes
   * first. What `work` does later is ignored, also when it fails.
   */
  deadline<T>(work: Promise<T>, ms: number, late: () => Error, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#disposed) reject(disposedError());
    const cancel = this.after(ms, () => reject(late()));
    const onDispose = () => reject(disposedError());
    const onAbort = () => reject(abortedError(signal as AbortSignal));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    this.#waiting.add(onDispose);
    work.then(resolve, reject);
    return promise.finally(() => {
      cancel();
      this.#waiting.delete(onDispose);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** Resolves after `ms`, or at once when everything ends or the signal fires. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    using bell = new Bell(this);
    const onAbort = () => bell.ring();
    signal?.addEventListener('abort', onAbort);
    try {
      if (!signal?.aborted) await bell.sleep(ms);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const end of [...this.#waiting]) end();
    this.#waiting.clear();
  }
}

/** A bell for one sleeper: it sleeps until somebody rings, until a time, or until everything ends. */
export class Bell implements Disposable {
  readonly #alarms: Alarms;
  readonly #forget: () => void;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(alarms: Alarms) {
    this.#alarms = alarms;
    this.#forget = alarms.onDispose(() => this.ring());
  }

  [Symbol.dispose](): void {
    this.ring();
    this.#forget();
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves after `ms` (undefined = only by the bell), at once when the bell has rung since the last sleep. */
  async sleep(ms: number | undefined): Promise<void> {
    if (!this.#rung && !this.#alarms.disposed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const cancel = ms === undefined ? () => {} : this.#alarms.after(ms, resolve);
      await promise;
      cancel();
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
