/** What a replay came to: one object for programs, a few lines for people. */
import type { Statistics } from './statistics.ts';
import { clock, counted, grouped, kwh } from './terminal-text.ts';

/** The line that `--json` prints last. */
export interface ReplayReport {
  readonly sessions: number;
  /** Charged in full, and all of it verified as paid by the station's own wallet. */
  readonly settled: number;
  readonly payments: number;
  readonly energyWh: number;
  readonly unitsPaid: number;
  /** From the car's submission until the station's light client has verified the proof; null without payments. */
  readonly finalityMs: { readonly p50: number | null; readonly p99: number | null };
  /** From the first submission to the last verification. */
  readonly paymentsPerSecond: number;
  /** Sum of all balances, as the validators have it; null when none answered. */
  readonly supply: number | null;
  /** As the genesis fixes it. */
  readonly supplyExpected: number;
  /** Every validator answered, with the same state and supply. */
  readonly validatorsAgree: boolean;
}

/** Sessions as they ended. */
export interface SessionTotals {
  readonly sessions: number;
  readonly settled: number;
  readonly energyWh: number;
}

/** What the validators said at the end. */
export interface Agreement {
  readonly supply: number | undefined;
  readonly supplyExpected: number;
  readonly agree: boolean;
  /** Why not, for people: one sentence each. */
  readonly differences: readonly string[];
}

export function makeReport(
  totals: SessionTotals,
  statistics: Statistics,
  agreement: Agreement,
): ReplayReport {
  const { finality } = statistics;
  return {
    sessions: totals.sessions,
    settled: totals.settled,
    payments: statistics.payments,
    energyWh: totals.energyWh,
    unitsPaid: statistics.unitsPaid,
    finalityMs: { p50: finality?.p50 ?? null, p99: finality?.p99 ?? null },
    paymentsPerSecond: Math.round(statistics.meanRate * 10) / 10,
    supply: agreement.supply ?? null,
    supplyExpected: agreement.supplyExpected,
    validatorsAgree: agreement.agree,
  };
}

/** True when every session was settled, nothing was made or lost, and all validators say the same. */
export function isGood(report: ReplayReport): boolean {
  return (
    report.settled === report.sessions && report.supply === report.supplyExpected && report.validatorsAgree
  );
}

/** The report in sentences, on lines of less than 80 characters. */
export function describeReport(
  report: ReplayReport,
  elapsedMs: number,
  differences: readonly string[],
): string[] {
  const { p50, p99 } = report.finalityMs;
  const expected = grouped(report.supplyExpected);
  return [
    `${grouped(report.settled)} of ${counted(report.sessions, 'session')} settled in ${clock(elapsedMs)}: ` +
      `${kwh(report.energyWh, 1)} kWh for ${grouped(report.unitsPaid)} units.`,
    `${counted(report.payments, 'payment')}, ${report.paymentsPerSecond} a second${
      p50 === null ? '.' : `; final in ${p50} ms (median; p99 ${p99} ms), measured from`
    }`,
    ...(p50 === null ? [] : ["the car's submission to the station's own check of the proof."]),
    report.supply === report.supplyExpected
      ? `The supply is ${expected} units, as in the genesis.`
      : `THE SUPPLY IS ${report.supply === null ? 'UNKNOWN' : grouped(report.supply)}, AND IN THE GENESIS ${expected}.`,
    report.validatorsAgree ? 'The validators agree about every balance.' : 'THE VALIDATORS DO NOT AGREE.',
    ...differences,
  ];
}
