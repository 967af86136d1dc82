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
  /**
   * A station's light client verified its finality at `atMs`. A payment counts once both is known, in either order: the
   * two messages come from two processes, and a station may also hear of payments that were made before this replay.
   */
  verified(payment: string, units: number, atMs: number): void;
  /** Payments of this replay that stations have verified. */
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
  const submissions = new Map<string, number>();
  const verifications = new Map<string, { readonly units: number; readonly atMs: number }>();
  let recent: number[] = [];
  let payments = 0;
  let unitsPaid = 0;
  let firstMs = Infinity;
  let lastMs = -Infinity;

  const count = (submittedMs: number, units: number, verifiedMs: number): void => {
    payments++;
    unitsPaid += units;
    lastMs = Math.max(lastMs, verifiedMs);
    recent.push(verifiedMs);
    histogram.recordValue(Math.min(FINALITY_MS_MAX, Math.max(0, Math.round(verifiedMs - submittedMs))));
  };

  return {
    submitted(payment, atMs) {
      firstMs = Math.min(firstMs, atMs);
      const verified = verifications.get(payment);
      if (verified !== undefined) {
        verifications.delete(payment);
        count(atMs, verified.units, verified.atMs);
      } else if (submissions.size < UNMATCHED_MAX) submissions.set(payment, atMs);
    },
    verified(payment, units, atMs) {
      const submittedMs = submissions.get(payment);
      if (submittedMs !== undefined) {
        submissions.delete(payment);
        count(submittedMs, units, atMs);
      } else if (verifications.size < UNMATCHED_MAX) verifications.set(payment, { units, atMs });
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
