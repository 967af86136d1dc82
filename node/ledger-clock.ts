/** When the ledger looks at the time: at least every TICK_MS, and when its next witness is due. Notices when rounds stop. */
import type { Round } from '../ledger/index.ts';
import { TICK_MS } from './limits.ts';

export interface LedgerClockOptions {
  /** Without a new round for so long something may be missing. */
  readonly stallMs: number;
}

export interface LedgerClockDeps {
  nowMs(): number;
  /** When a witness is due; undefined when only a vertex brings something to do. */
  wakeAtMs(): number | undefined;
  /** Does what is due. */
  tick(nowMs: number): void;
  /** The greatest round with a quorum. */
  round(): Round;
  stalled(round: Round): void;
  /** Runs what writes the state, from a timer. */
  onTimer(work: () => void): void;
}

export class LedgerClock {
  readonly #options: LedgerClockOptions;
  readonly #deps: LedgerClockDeps;
  readonly #ticker: NodeJS.Timeout;
  #wake: NodeJS.Timeout | undefined;
  #movedAtMs: number;
  #movedRound = 0;
  #stopped = false;

  constructor(options: LedgerClockOptions, deps: LedgerClockDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#movedAtMs = deps.nowMs();
    this.#ticker = setInterval(() => deps.onTimer(() => this.tick()), TICK_MS);
  }

  tick(): void {
    const { nowMs, tick, round, stalled } = this.#deps;
    const atMs = nowMs();
    tick(atMs);
    const now = round();
    if (now > this.#movedRound) {
      this.#movedRound = now;
      this.#movedAtMs = atMs;
    } else if (atMs - this.#movedAtMs > this.#options.stallMs) {
      this.#movedAtMs = atMs;
      stalled(now);
    }
    this.schedule();
  }

  /** Sets the clock for the next witness. */
  schedule(): void {
    clearTimeout(this.#wake);
    const { nowMs, wakeAtMs, onTimer } = this.#deps;
    const atMs = wakeAtMs();
    if (atMs === undefined || this.#stopped) return;
    const inMs = Math.max(0, Math.min(atMs - nowMs(), TICK_MS));
    this.#wake = setTimeout(() => onTimer(() => this.tick()), inMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#wake);
    clearInterval(this.#ticker);
  }
}
