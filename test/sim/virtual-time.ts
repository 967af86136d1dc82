/**
 * Time that passes only when the simulator says so: a heap of what is to happen, in order of time and, at one time, in the
 * order of asking. Production code that sets timers is run on it by putting its timers in the place of the real ones.
 */

interface Timed {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface Cancellable {
  cancelled: boolean;
}

/** A real one, kept before anybody replaces it: lets promises run until none has anything left to do. */
const realImmediate = setImmediate;

export class VirtualTime {
  nowMs = 0;
  readonly #heap: Timed[] = [];
  #order = 0;
  /** A promise has been resolved: its reactions come before the next event. */
  #unsettled = false;

  /** @param atMs Not before now. */
  at(atMs: number, run: () => void): Cancellable {
    const timed: Timed = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run, cancelled: false };
    this.#push(timed);
    return timed;
  }

  after(delayMs: number, run: () => void): Cancellable {
    return this.at(this.nowMs + delayMs, run);
  }

  /** Whoever resolves a promise in an event says so. */
  settle(): void {
    this.#unsettled = true;
  }

  /** The next event, with all that follows from it at once; false when there is none up to `endMs`. */
  async next(endMs: number): Promise<boolean> {
    for (let first = this.#heap[0]; first?.cancelled; first = this.#heap[0]) this.#pop();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > endMs) return false;
    this.#pop();
    this.nowMs = first.atMs;
    first.run();
    if (this.#unsettled) {
      this.#unsettled = false;
      await new Promise((resolve) => realImmediate(resolve));
    }
    return true;
  }

  /** Puts virtual timers into the place of the real ones until the returned function is called. */
  install(): () => void {
    const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
    const set = (run: () => void, delayMs = 0) =>
      this.after(delayMs, () => {
        run();
        this.settle();
      });
    const clear = (timer: Cancellable | undefined) => {
      if (timer !== undefined) timer.cancelled = true;
    };
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = clear as unknown as typeof clearTimeout;
    return () => {
      globalThis.setTimeout = realSet;
      globalThis.clearTimeout = realClear;
    };
  }

  #push(timed: Timed): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timed);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!earlier(timed, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = timed;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let down = 1; down < heap.length; down = 2 * at + 1) {
      if (down + 1 < heap.length && earlier(heap[down + 1]!, heap[down]!)) down++;
      if (!earlier(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
  }
}

function earlier(a: Timed, b: Timed): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
