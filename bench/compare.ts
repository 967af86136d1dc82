/** Two sets of results against one another, figure by figure, with the noise taken into account. */
import { median } from './harness.ts';
import { differenceInterval, factorInterval } from './noise.ts';
import {
  type BenchResult,
  type Better,
  betterOf,
  LOAD_QUIET_MAX,
  type Measurement,
  type Unit,
} from './result.ts';

/**
 * Runs of the same code differ by more than the samples of one run do: memory lies elsewhere, neighbours of the machine
 * come and go. A change counts when even the near end of its interval lies beyond this, unless asked otherwise.
 */
export const MARGIN = 0.05;

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
  /** `changed` when nothing says which way is better; `same` when it may be noise. */
  readonly verdict: 'better' | 'worse' | 'changed' | 'same';
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

/** A figure with the samples of all runs. */
interface Pooled {
  readonly bench: string;
  readonly runs: readonly Measurement[];
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
  const all = results.flatMap(({ bench, measurements }) => measurements.map((one) => ({ bench, one })));
  // A figure with another unit is another figure.
  const groups = Map.groupBy(
    all,
    ({ bench, one: { operation, unit } }) => `${bench}: ${operation} (${unit})`,
  );
  return new Map(
    [...groups].map(([key, group]) => [key, { bench: group[0]!.bench, runs: group.map(({ one }) => one) }]),
  );
}

function changeOf(a: Pooled, b: Pooled, margin: number): Change {
  const digests = ({ runs }: Pooled): string =>
    [...new Set(runs.map(({ digest }) => digest))].toSorted().join();
  const figure = b.runs[0]!;
  const interval = factorInterval(samples(a), samples(b));
  const direction = directionOf(a, b, margin);
  const better = betterOf(figure);
  return {
    bench: a.bench,
    operation: figure.operation,
    unit: figure.unit,
    before: value(a),
    after: value(b),
    ...(interval === undefined
      ? {}
      : { factor: value(b) / value(a), interval: [interval.low, interval.high] as const }),
    verdict: verdictOf(direction, better),
    otherDigest: digests(a) !== digests(b),
  };
}

function value({ runs }: Pooled): number {
  return median(runs.map((run) => run.median));
}

function samples({ runs }: Pooled): readonly number[] {
  return runs.flatMap((run) => run.samples);
}

/** Where the interval lies wholly beyond the margin. Figures that may be 0 have no factor: their difference counts. */
function directionOf(a: Pooled, b: Pooled, margin: number): Better | undefined {
  const factor = factorInterval(samples(a), samples(b));
  if (factor !== undefined)
    return factor.low > 1 + margin ? 'more' : factor.high < 1 / (1 + margin) ? 'less' : undefined;
  const difference = differenceInterval(samples(a), samples(b));
  if (difference === undefined) return undefined;
  const least = Math.abs(value(a)) * margin;
  return difference.low > least ? 'more' : difference.high < -least ? 'less' : undefined;
}

function verdictOf(direction: Better | undefined, better: Better | undefined): Change['verdict'] {
  if (direction === undefined) return 'same';
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
