/** Two sets of results against one another, figure by figure, with the noise taken into account. */
import { median } from './harness.ts';
import { differenceInterval, factorInterval, type Interval } from './noise.ts';
import {
  type BenchResult,
  type Better,
  betterOf,
  LOAD_QUIET_MAX,
  type Measurement,
  type Unit,
} from './result.ts';

/** A change counts when even the near end of its interval lies beyond this, unless asked otherwise. */
export const MARGIN = 0.05;

/**
 * Runs of the same code differ by more than the samples of one run do: neighbours of the machine come and go. When that is all,
 * every run of one side beats every run of the other in 1 of 3 comparisons of two and two runs, and in 1 of 126 of five and five.
 */
const RUNS_SURE = 5;

/**
 * `changed` when nothing says which way is better; `same` when it may be noise of the samples; `unsure` when there is a change
 * that a busy machine may have made: too few runs of a side, and somebody else on the cores in one of them.
 */
export type Verdict = 'better' | 'worse' | 'changed' | 'same' | 'unsure';

export interface Change {
  readonly bench: string;
  readonly operation: string;
  readonly unit: Unit;
  /** Values; of several runs their median. */
  readonly before: number;
  readonly after: number;
  /** By what the value is multiplied, and between what with 99 % confidence; not of figures that may be 0. */
  readonly factor?: number;
  readonly interval?: readonly [low: number, high: number];
  readonly verdict: Verdict;
  /** The operation itself did something else. */
  readonly otherDigest: boolean;
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** `bench: operation` of what only one side has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** What takes from the comparison's worth. */
  readonly warnings: readonly string[];
}

/** A figure in all runs of one side. */
interface Pooled {
  readonly bench: string;
  readonly runs: readonly Measurement[];
  /** The greatest load of them. */
  readonly load: number;
}

/** @param margin share by which a value may differ and still be called the same. */
export function compare(
  before: readonly BenchResult[],
  after: readonly BenchResult[],
  margin = MARGIN,
): Comparison {
  const [a, b] = [pool(before), pool(after)];
  const missing = (from: typeof a, other: typeof a): readonly string[] =>
    [...from.keys()].filter((key) => !other.has(key));
  return {
    changes: [...a].flatMap(([key, one]) => {
      const other = b.get(key);
      return other === undefined ? [] : [changeOf(one, other, margin)];
    }),
    onlyBefore: missing(a, b),
    onlyAfter: missing(b, a),
    warnings: warningsOf(before, after),
  };
}

function pool(results: readonly BenchResult[]): ReadonlyMap<string, Pooled> {
  const all = results.flatMap((result) => result.measurements.map((one) => ({ result, one })));
  // A figure with another unit is another figure.
  const groups = Map.groupBy(
    all,
    ({ result: { bench }, one: { operation, unit } }) => `${bench}: ${operation} (${unit})`,
  );
  const poolOf = (group: typeof all): Pooled => ({
    bench: group[0]!.result.bench,
    runs: group.map(({ one }) => one),
    load: Math.max(...group.map(({ result }) => result.machine.load)),
  });
  return new Map([...groups].map(([key, group]) => [key, poolOf(group)]));
}

function changeOf(a: Pooled, b: Pooled, margin: number): Change {
  const digests = ({ runs }: Pooled): string =>
    [...new Set(runs.map(({ digest }) => digest))].toSorted().join();
  const figure = b.runs[0]!;
  const interval = span(a, b, factorInterval);
  const isSure =
    Math.max(a.load, b.load) <= LOAD_QUIET_MAX || Math.min(a.runs.length, b.runs.length) >= RUNS_SURE;
  return {
    bench: a.bench,
    operation: figure.operation,
    unit: figure.unit,
    before: value(a),
    after: value(b),
    ...(interval === undefined
      ? {}
      : { factor: value(b) / value(a), interval: [interval.low, interval.high] as const }),
    verdict: verdictOf(directionOf(a, b, interval, margin), betterOf(figure), isSure),
    otherDigest: digests(a) !== digests(b),
  };
}

function value({ runs }: Pooled): number {
  return median(runs.map((run) => run.median));
}

/** Each run of one side against each run of the other, and all of their intervals together. */
function span(a: Pooled, b: Pooled, intervalOf: typeof factorInterval): Interval | undefined {
  const intervals = a.runs.flatMap((one) => b.runs.map((other) => intervalOf(one.samples, other.samples)));
  return intervals.reduce(
    (all, one) => all && one && { low: Math.min(all.low, one.low), high: Math.max(all.high, one.high) },
  );
}

/** Where the interval lies wholly beyond the margin. Figures that may be 0 have no factor: their difference counts. */
function directionOf(a: Pooled, b: Pooled, factor: Interval | undefined, margin: number): Better | undefined {
  if (factor !== undefined)
    return factor.low > 1 + margin ? 'more' : factor.high < 1 / (1 + margin) ? 'less' : undefined;
  const difference = span(a, b, differenceInterval);
  if (difference === undefined) return undefined;
  const least = Math.abs(value(a)) * margin;
  return difference.low > least ? 'more' : difference.high < -least ? 'less' : undefined;
}

function verdictOf(direction: Better | undefined, better: Better | undefined, isSure: boolean): Verdict {
  if (direction === undefined) return 'same';
  if (!isSure) return 'unsure';
  if (better === undefined) return 'changed';
  return direction === better ? 'better' : 'worse';
}

function warningsOf(before: readonly BenchResult[], after: readonly BenchResult[]): readonly string[] {
  const differ = (what: string, of: (result: BenchResult) => string): string[] => {
    const [a, b] = [before, after].map((side) => [...new Set(side.map(of))].toSorted().join(' and '));
    return a === b ? [] : [`Different ${what}: ${a} before, ${b} after.`];
  };
  const busy = Math.max(...[...before, ...after].map(({ machine }) => machine.load));
  return [
    ...differ('machines', ({ machine: { cpu, cores } }) => `${cpu} with ${cores} cores`),
    ...differ('versions of Node', ({ machine }) => machine.node),
    ...differ('sizes', ({ full }) => (full ? 'full' : 'small')),
    ...([...before, ...after].every(({ full }) => full) ? [] : ['Small sizes are no figures to compare.']),
    ...(busy > LOAD_QUIET_MAX ? [`Others were busy on the machine: ${busy.toFixed(1)} cores.`] : []),
  ];
}
