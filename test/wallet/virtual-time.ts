import { setImmediate as turn } from 'node:timers/promises';
import type { Timers } from '../../wallet/alarms.ts';

interface Timer {
  readonly atMs: number;
  readonly number: number;
  readonly act: () => void;
}

/** Time that passes only when a test says so; between two timers everything that can happen happens. */
export class VirtualTime implements Timers {
  #nowMs = 1_000_000;
  #number = 0;
  readonly #timers = new Set<Timer>();

  readonly nowMs = (): number => this.#nowMs;

  set(act: () => void, ms: number): unknown {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), number: this.#number++, act };
    this.#timers.add(timer);
    return timer;
  }

  clear(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** Timers that nobody has cleared. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn();
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.number - b.number);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.act();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  /** Lets time pass until a condition holds; fails when it does not within `withinMs`. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + withinMs;
    await this.settle();
    while (!condition()) {
      if (this.#nowMs >= endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      await this.advance(50);
    }
  }

  /** The result of something that needs time to pass. */
  async result<T>(promise: Promise<T>, withinMs = 120_000): Promise<T> {
    let done = false;
    const settled = promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    await this.until('a promise settles', () => done, withinMs);
    await settled;
    return promise;
  }
}
