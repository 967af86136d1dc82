/** How the process of a node is: whether its main thread keeps up, and what memory it takes. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Vitals } from '../p2p/index.ts';

/** The thread is asked to wake up so often; what it comes late is its delay. */
const RESOLUTION_MS = 10;

/** Figures are of the last whole span of this length. */
const SPAN_MS = 2_000;

const NS_PER_MS = 1e6;

export class VitalSigns implements Disposable {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #loopDelayMs = 0;

  constructor() {
    this.#delays.enable();
    this.#timer = setInterval(() => {
      this.#loopDelayMs = Math.max(0, this.#delays.percentile(99) / NS_PER_MS - RESOLUTION_MS);
      this.#delays.reset();
    }, SPAN_MS).unref();
  }

  /** Now. */
  get signs(): Vitals {
    const { rss, heapUsed } = process.memoryUsage();
    return { loopDelayMs: Math.round(this.#loopDelayMs * 10) / 10, rssBytes: rss, heapBytes: heapUsed };
  }

  [Symbol.dispose](): void {
    this.#delays.disable();
    clearInterval(this.#timer);
  }
}
