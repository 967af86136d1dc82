/** What came of a run, as numbers and as text. */
import type { SlotResult } from './contest.ts';
import type { Finality } from './honest-load.ts';

/** What the run was. */
export interface RunFacts {
  readonly nodes: readonly string[];
  readonly rivals: number;
  readonly spread: boolean;
  /** Rivals that a node had refused, and that went out in blocks of their owner's. */
  readonly gossiped: number;
  /** Refusals by code, those of rivals among them. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly honest: { readonly before: Finality; readonly during: Finality } | undefined;
}

export interface Spread {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface DoubleSpendReport extends RunFacts {
  /** Every slot has one winner, the same on every node. */
  readonly ok: boolean;
  readonly slots: readonly SlotResult[];
  readonly resolved: number;
  /** Not proven on every node in time. */
  readonly unresolved: number;
  /** Slots for which two winners were proven. */
  readonly disagreements: number;
  /** How the winner was proven first. */
  readonly byCertificates: number;
  readonly byCommit: number;
  /** From the first rival to the proof from the last node; in milliseconds and in rounds. */
  readonly resolutionMs: Spread;
  readonly resolutionRounds: Spread;
}

export function reportOf(slots: readonly SlotResult[], facts: RunFacts): DoubleSpendReport {
  const resolved = slots.filter(({ winner }) => winner !== null);
  const disagreements = slots.filter(({ disagreed }) => disagreed).length;
  const unresolved = slots.filter(({ ms }) => ms === null).length;
  return {
    ok: resolved.length === slots.length && disagreements === 0 && slots.length > 0,
    ...facts,
    slots,
    resolved: resolved.length,
    unresolved,
    disagreements,
    byCertificates: slots.filter(({ by }) => by === 'certificates').length,
    byCommit: slots.filter(({ by }) => by === 'commit').length,
    resolutionMs: spreadOf(slots.flatMap(({ ms }) => ms ?? [])),
    resolutionRounds: spreadOf(slots.flatMap(({ rounds }) => rounds ?? [])),
  };
}

/** The value at a percentile by the nearest rank; null of nothing. */
function percentile(values: readonly number[], percent: number): number | null {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil((percent / 100) * ascending.length) - 1)] ?? null;
}

function spreadOf(values: readonly number[]): Spread {
  return { p50: percentile(values, 50), p99: percentile(values, 99), max: percentile(values, 100) };
}

/** Slots that the table shows when everything went well; those that did not are always shown. */
const ROWS_MAX = 20;

/** Of an id, as people compare them. */
const ID_LENGTH = 12;

export function describeReport(report: DoubleSpendReport): string[] {
  const { slots, nodes, honest, resolutionMs, resolutionRounds } = report;
  const bad = slots.filter(({ winner }) => winner === null);
  const good = slots.filter(({ winner }) => winner !== null);
  const shown = [...bad, ...good.slice(0, Math.max(0, ROWS_MAX - bad.length))];
  const heads = nodes.map((_, node) => `node ${node}`.padEnd(ID_LENGTH));
  const lines = [['slot'.padEnd(ID_LENGTH), ...heads, '   ms', 'rounds', 'by'].join('  ')];
  for (const slot of shown) lines.push(row(slot));
  if (shown.length < slots.length) lines.push(`... and ${slots.length - shown.length} more, all resolved`);
  lines.push('');
  lines.push(
    `${report.resolved} of ${slots.length} slots have one winner, the same on all ${nodes.length} nodes ` +
      `(${report.byCertificates} by certificates, ${report.byCommit} by a commit).`,
  );
  if (report.disagreements > 0) lines.push(`DISAGREEMENT about ${report.disagreements} slots.`);
  if (report.unresolved > 0) lines.push(`NOT RESOLVED in time: ${report.unresolved} slots.`);
  lines.push(`Resolution: ${told(resolutionMs, 'ms')}; ${told(resolutionRounds, 'rounds')}.`);
  if (honest !== undefined) {
    lines.push(`Honest payments before: ${toldFinality(honest.before)}.`);
    lines.push(`Honest payments during: ${toldFinality(honest.during)}.`);
  }
  return lines;
}

function row({ slot, winners, ms, rounds, by, disagreed }: SlotResult): string {
  const short = (id: string | null): string => (id ?? '-').slice(0, ID_LENGTH).padEnd(ID_LENGTH);
  const cells = [
    short(slot),
    ...winners.map(short),
    String(ms ?? '-').padStart(5),
    String(rounds ?? '-').padStart(6),
  ];
  return `${cells.join('  ')}  ${by ?? '-'}${disagreed ? '  DISAGREE' : ''}`;
}

function told({ p50, p99, max }: Spread, unit: string): string {
  return `p50 ${p50 ?? '-'} ${unit}, p99 ${p99 ?? '-'}, at most ${max ?? '-'}`;
}

function toldFinality({ payments, open, p50, p99 }: Finality): string {
  const late = open === 0 ? '' : `, ${open} not final yet`;
  return `${payments}, final after p50 ${p50 ?? '-'} ms, p99 ${p99 ?? '-'} ms${late}`;
}
