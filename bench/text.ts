/** Results as lines for a terminal, and figures as people read them. */
import { type BenchResult, type Goal, type Machine, type Measurement, reached, type Unit } from './result.ts';

/** Lines for people: what, value, least and greatest of how many samples, ratio, goal, digest; machine and commit below. */
export function formatResult(result: BenchResult): string {
  const rows = result.measurements.map((one) => [
    one.operation,
    withUnit(one.median, one.unit),
    `${spreadText(one)}, ${one.samples.length} samples`,
    one.ratio === undefined ? '' : `${number(one.ratio.value)} x ${one.ratio.to}`,
    goalText(one, result.full),
    one.digest,
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]!.length));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(width(i))).join('  ')}`.trimEnd());
  const skipped = result.skipped.map(({ what, why }) => `  ${what}: skipped, ${why}`);
  const where = `  ${machineText(result.machine)}, commit ${result.commit}`;
  return [`${result.bench} (${sizeText(result.full)})`, ...lines, ...skipped, where, ''].join('\n');
}

export function sizeText(full: boolean): string {
  return full ? 'full' : 'small, no figures to quote';
}

export function machineText({ cpu, cores, load, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${load.toFixed(1)} busy with others, Node ${node}`;
}

/** `12.3 to 14.1`. */
export function spreadText({ spread: [low, high] }: Pick<Measurement, 'spread'>): string {
  return `${number(low)} to ${number(high)}`;
}

/** `at least 0.75: reached`; no verdict about small sizes; empty without a goal. */
export function goalText(measurement: Pick<Measurement, 'median' | 'goal'>, full: boolean): string {
  const { goal } = measurement;
  if (goal === undefined) return '';
  if (!full) return boundText(goal);
  return `${boundText(goal)}: ${reached(measurement) ? 'reached' : 'missed'}`;
}

/** `at least 0.75`. */
export function boundText(goal: Goal): string {
  return 'atLeast' in goal ? `at least ${number(goal.atLeast)}` : `at most ${number(goal.atMost)}`;
}

/** Ratios and counts are bare numbers. */
export function withUnit(value: number, unit: Unit): string {
  return unit === 'ratio' || unit === 'count' ? number(value) : `${number(value)} ${unit}`;
}

/** Three digits that count: 123,456 or 12.3 or 0.0123. */
export function number(value: number): string {
  return value.toLocaleString(
    'en',
    Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it stands in HTML and SVG, in attributes too. */
export function html(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ESCAPES[one]!);
}
