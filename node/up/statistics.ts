/**
 * Numbers of a replay: how many payments, how fast, how much.
 *
 * Finality time of a payment = from the car's submission to the moment at which the light client of the charging station
 * had verified the proof. Both processes run on one machine, so both read one clock.
 */
import { build, type Histogram } from 'hdr-histogram-js';

/** Ten minutes; a payment that takes longer counts as this much. */
const FINALITY_MS_MAX = 600_000;

/** What is shown as "now" is the mean over this time. */
const RATE_WINDOW_MS = 5_000;

/** Submissions that no verification has met yet, and the other way round; more than cars can have under way. */
const UNMATCHED_MAX = 100_000;

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Statistics {
  /** A car submitted the payment at `atMs` (milliseconds since 1970). */
  submitted(payment: string, atMs: number): void;
  /** A station's light client verified its finality at `atMs`. Each payment counts once, whichever message came first. */
  verified(payment: string, units: number, atMs: number): void;
  /** Payments that stations have verified. */
  readonly payments: number;
  readonly unitsPaid: number;
  /** Milliseconds; absent before the first payment. */
  readonly finality: Percentiles | undefined;
  /** Payments a second over the last RATE_WINDOW_MS before `nowMs`. */
  rate(nowMs: number): number;
  /** Payments a second from the first submission to the last verification; 0 without payments. */
  readonly meanRate: number;
}

export function createStatistics(): Statistics {
  const histogram: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: FINALITY_MS_MAX });
  const submittedAtMs = new Map<string, number>();
  const verifiedAtMs = new Map<string, number>();
  let recent: number[] = [];
  let payments = 0;
  let unitsPaid = 0;
  let firstMs = Infinity;
  let lastMs = -Infinity;

  const measure = (fromMs: number, toMs: number): void => {
    histogram.recordValue(Math.min(FINALITY_MS_MAX, Math.max(0, Math.round(toMs - fromMs))));
  };
  // The two messages come from two processes, in either order; the later one finds the other here.
  const meet = (
    payment: string,
    mine: Map<string, number>,
    other: Map<string, number>,
    atMs: number,
  ): number | undefined => {
    const met = other.get(payment);
    if (met !== undefined) other.delete(payment);
    else if (mine.size < UNMATCHED_MAX) mine.set(payment, atMs);
    return met;
  };

  return {
    submitted(payment, atMs) {
      firstMs = Math.min(firstMs, atMs);
      const verified = meet(payment, submittedAtMs, verifiedAtMs, atMs);
      if (verified !== undefined) measure(atMs, verified);
    },
    verified(payment, units, atMs) {
      payments++;
      unitsPaid += units;
      lastMs = Math.max(lastMs, atMs);
      recent.push(atMs);
      const submitted = meet(payment, verifiedAtMs, submittedAtMs, atMs);
      if (submitted !== undefined) measure(submitted, atMs);
    },
    get payments() {
      return payments;
    },
    get unitsPaid() {
      return unitsPaid;
    },
    get finality() {
      if (histogram.totalCount === 0) return undefined;
      return { p50: histogram.getValueAtPercentile(50), p99: histogram.getValueAtPercentile(99) };
    },
    rate(nowMs) {
      recent = recent.filter((atMs) => atMs > nowMs - RATE_WINDOW_MS);
      return recent.length / (RATE_WINDOW_MS / 1000);
    },
    get meanRate() {
      const seconds = (lastMs - firstMs) / 1000;
      return seconds > 0 ? payments / seconds : 0;
    },
  };
}
