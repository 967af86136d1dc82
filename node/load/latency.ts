/** How long payments took, in bounded memory: an HDR histogram of tenths of a millisecond. */
import { build, type Histogram } from 'hdr-histogram-js';

/** Ten minutes; what takes longer counts as this much. */
const MS_MAX = 600_000;

/** Values of the histogram in a millisecond. */
const PER_MS = 10;

/** Preferred numbers (ISO 3, R10): each bar is a quarter longer than the one before. */
const STEPS = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8];
const EDGES: readonly number[] = Array.from({ length: 6 * STEPS.length }, (_, i) => edge(i));

export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** A bar of a histogram: values above `fromMs` and up to `untilMs`. */
export interface Bar {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly count: number;
}

export class Latency {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MS_MAX * PER_MS,
    numberOfSignificantValueDigits: 3,
  });

  /** By bar. */
  readonly #counts: number[] = EDGES.map(() => 0);

  record(ms: number): void {
    const bar = EDGES.findIndex((untilMs) => ms <= untilMs);
    this.#counts[bar < 0 ? EDGES.length - 1 : bar]! += 1;
    this.#histogram.recordValue(Math.min(MS_MAX * PER_MS, Math.max(1, Math.round(ms * PER_MS))));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Milliseconds; null of nothing. @param percent 0 to 100. */
  percentile(percent: number): number | null {
    if (this.count === 0) return null;
    return this.#histogram.getValueAtPercentile(percent) / PER_MS;
  }

  get percentiles(): Percentiles {
    const at = (percent: number): number | null => this.percentile(percent);
    return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: at(100) };
  }

  /** Without gaps, from the bar with the least value to that with the greatest. */
  get bars(): readonly Bar[] {
    const first = this.#counts.findIndex((count) => count > 0);
    const last = this.#counts.findLastIndex((count) => count > 0);
    if (first < 0) return [];
    return this.#counts
      .slice(first, last + 1)
      .map((count, i) => ({ fromMs: edge(first + i - 1), untilMs: edge(first + i), count }));
  }
}

/** Where bar i ends, in milliseconds. */
function edge(i: number): number {
  return i < 0 ? 0 : Number((STEPS[i % STEPS.length]! * 10 ** Math.floor(i / STEPS.length)).toPrecision(3));
}
