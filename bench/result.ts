/** What a bench leaves behind, as plain data: what `--json` prints, what `--out` stores, what report and comparison read. */

export type Unit =
  | 'a second'
  | 's'
  | 'ms'
  | 'µs'
  | 'ns'
  | 'CPU ms'
  | 'CPU µs'
  | 'bytes'
  | 'kB'
  | 'MB'
  | 'MB a second'
  | '%'
  /** One figure over another one: no unit. */
  | 'ratio'
  /** Pieces of what the operation names. */
  | 'count';

/** What a figure must reach, itself included. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** Which way is better. */
export type Better = 'more' | 'less';

/** Of units that say it by themselves; a ratio, a share or a count may be good or bad. */
const BETTER: Readonly<Partial<Record<Unit, Better>>> = {
  'a second': 'more',
  s: 'less',
  ms: 'less',
  µs: 'less',
  ns: 'less',
  'CPU ms': 'less',
  'CPU µs': 'less',
  bytes: 'less',
  kB: 'less',
  MB: 'less',
  'MB a second': 'more',
};

/** One figure. */
export interface Measurement {
  /** What was done, in words that are no other figure's of the same bench: results are compared by them. */
  readonly operation: string;
  readonly unit: Unit;
  /** The value: the median of the samples, unless the bench gave one over the whole run. */
  readonly median: number;
  /** Least and greatest sample. */
  readonly spread: readonly [low: number, high: number];
  /** In the order in which they were taken. */
  readonly samples: readonly number[];
  /** What the operation resulted in: the same again when it did the same again. */
  readonly digest: string;
  /** Which way is better, where unit and goal do not say it. */
  readonly better?: Better;
  /** This median in relation to another one of the same run. */
  readonly ratio?: { readonly to: string; readonly value: number };
  readonly goal?: Goal;
}

/** Points of one plot; those with the same `plot` are drawn into one, in different colours. */
export interface Series {
  /** Title of the plot. */
  readonly plot: string;
  /** Which of several series of the plot this is, for the legend. */
  readonly name?: string;
  /** Titles of the axes, with units. */
  readonly x: string;
  readonly y: string;
  /** `bars` begin at their x and reach to the next one's. */
  readonly mark: 'line' | 'points' | 'bars';
  /** Axes that are logarithmic: all values on them are above 0. */
  readonly log?: 'x' | 'y' | 'xy';
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What could not be measured here. */
export interface Skipped {
  readonly what: string;
  /** The reason, and what to do about it. */
  readonly why: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Cores that others kept busy, in a moment before the bench or in one after it, whichever is more. */
  readonly load: number;
}

/** Above it somebody else was busy on the machine, and rates and times are not to be quoted. */
export const LOAD_QUIET_MAX = 0.25;

/** What one bench has found. */
export interface BenchResult {
  readonly bench: string;
  readonly question: string;
  readonly comparable?: string;
  readonly notComparable?: string;
  readonly full: boolean;
  readonly machine: Machine;
  readonly commit: string;
  /** When the bench began, in UTC, as ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  readonly measurements: readonly Measurement[];
  readonly series: readonly Series[];
  readonly skipped: readonly Skipped[];
}

/** Which way is better for a figure: by its own word, its goal, or its unit; undefined when nothing says it. */
export function betterOf({
  better,
  goal,
  unit,
}: Pick<Measurement, 'better' | 'goal' | 'unit'>): Better | undefined {
  if (better !== undefined) return better;
  if (goal !== undefined) return 'atLeast' in goal ? 'more' : 'less';
  return BETTER[unit];
}

/** Whether a figure has reached its goal; undefined without one. */
export function reached({ median, goal }: Pick<Measurement, 'median' | 'goal'>): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost;
}
