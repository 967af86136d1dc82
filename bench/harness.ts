/** How figures are taken, the same for every bench. Owner of the `benchmark` package. */
import Benchmark from 'benchmark';
import { commitNow, coresBusy, machineNow } from './machine.ts';
import type { BenchResult, Better, Goal, Measurement, Series, Skipped, Unit } from './result.ts';

export type { BenchResult, Measurement } from './result.ts';

/** A median of fewer samples would be an anecdote. */
export const SAMPLES_MIN = 5;

interface Figure {
  /** What was done, in words that are no other figure's of the same bench. */
  readonly operation: string;
  readonly unit: Unit;
  /** A word for what the operation resulted in: the same again when it did the same again. */
  readonly digest: string;
  /** Another figure of this run, that the reader should see this one in relation to. */
  readonly ratioTo?: Measurement;
  /** What the value must reach; say it of a figure that is promised somewhere. */
  readonly goal?: Goal;
  /** Which way is better, for units that do not say it: ratio, %, count. A goal says it too. */
  readonly better?: Better;
}

/** What a bench is given to work with. */
export interface Run {
  /** One of the two: `small` keeps the bench alive in the tests, `full` is for figures that are told to others. */
  parameter<T>(small: T, full: T): T;
  /**
   * A word for whoever waits.
   * @param share how much of this bench is done, 0 to 1, where it can be told: it moves the bar, which else stays.
   */
  progress(text: string, share?: number): void;
  /**
   * Calls again and again, and records how often a second. Throws what `call` throws.
   * @param options.each operations that one call does.
   */
  rate(options: Omit<Figure, 'unit'> & { readonly each: number; readonly call: () => unknown }): Measurement;
  /**
   * Records what the bench has measured itself.
   * @param options.samples at least SAMPLES_MIN figures of the same kind, in the order in which they were taken.
   * @param options.whole the figure over all of the run, when that is more exact than the samples' median.
   */
  record(options: Figure & { readonly samples: readonly number[]; readonly whole?: number }): Measurement;
  /**
   * Records one figure of this run over another one as a figure of its own, which can have a goal: the value is that of
   * the two values; its samples are those of the samples, taken in pairs in their order, so measure the two in turns where
   * it can be done.
   */
  ratio(
    options: Pick<Figure, 'operation' | 'goal' | 'better'> & {
      readonly of: Measurement;
      readonly to: Measurement;
    },
  ): Measurement;
  /**
   * Keeps points for a plot: latency against load, memory over time, a histogram (see `histogram`). Series with the same
   * `plot` are drawn into one, and have the same axes. Points are drawn in the order given.
   */
  series(series: Series): void;
  /**
   * Says that something could not be measured here: a peer that is not installed, a system without /proc. No failure.
   * @param why the reason, and the cure: `not installed: apt-get install postgresql`.
   */
  skip(what: string, why: string): void;
}

/** A file `NAME.bench.ts` exports one as `bench`. It asks one question. */
export interface Bench {
  /** Ends with a question mark. */
  readonly question: string;
  /** What may be set against other figures, of other systems or machines, and how. For the report. */
  readonly comparable?: string;
  /** What may not, and why. For the report. */
  readonly notComparable?: string;
  run(run: Run): Promise<void>;
}

export interface BenchOptions {
  readonly name: string;
  readonly full: boolean;
}

/** The middle one, or the mean of the two in the middle. Not of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The least of the values that `share` (0 to 1) of all do not exceed (nearest rank). Not of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Points for a series of bars: how many of the values lie in each of `bins` ranges of the same width. Not of nothing. */
export function histogram(
  values: readonly number[],
  bins = 40,
): readonly (readonly [from: number, count: number])[] {
  const low = percentile(values, 0);
  const width = (percentile(values, 1) - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - low) / width))]!++;
  return counts.map((count, i) => [low + i * width, count] as const);
}

/** Takes the figures of one bench. Rejects with what the bench throws, and when it has measured nothing. */
export async function runBench(
  bench: Bench,
  options: BenchOptions,
  deps: { progress: Run['progress'] },
): Promise<BenchResult> {
  // Long enough to see who else is there.
  const lookMs = options.full ? 500 : 50;
  // Before the run: the clone may go on while it lasts.
  const [machine, commit, busyBefore] = [machineNow(), commitNow(), await coresBusy(lookMs)];
  const [began, startMs] = [new Date(), performance.now()];
  const notes = new Notes();
  const parameter: Run['parameter'] = (small, full) => (options.full ? full : small);
  await bench.run({
    parameter,
    progress: deps.progress,
    record: (figure) => notes.record(figure),
    ratio: (figure) => notes.ratio(figure),
    series: (series) => notes.draw(series),
    skip: (what, why) => {
      notes.skipped.push({ what, why });
      deps.progress(`${what}: skipped, ${why}`);
    },
    rate: ({ call, each, ...figure }) => {
      deps.progress(figure.operation);
      const seconds = parameter({ minTime: 0.005, maxTime: 0.1 }, { minTime: 0.1, maxTime: 5 });
      const samples = secondsOf(call, seconds).map((one) => each / one);
      return notes.record({ ...figure, unit: 'a second', samples });
    },
  });
  const seconds = (performance.now() - startMs) / 1000;
  const { measurements, series, skipped } = notes;
  if (measurements.length + skipped.length === 0)
    throw new Error(`bench ${options.name} has measured nothing`);
  const { question, comparable, notComparable } = bench;
  return {
    bench: options.name,
    question,
    ...(comparable === undefined ? {} : { comparable }),
    ...(notComparable === undefined ? {} : { notComparable }),
    full: options.full,
    machine: { ...machine, load: Math.max(busyBefore, await coresBusy(lookMs)) },
    commit,
    began: began.toISOString(),
    seconds,
    measurements,
    series,
    skipped,
  };
}

/** What one run has found so far. Throws what a bench gets wrong. */
class Notes {
  readonly measurements: Measurement[] = [];
  readonly series: Series[] = [];
  readonly skipped: Skipped[] = [];

  record({ ratioTo, samples, whole, ...figure }: Parameters<Run['record']>[0]): Measurement {
    const { operation } = figure;
    if (samples.length < SAMPLES_MIN || !samples.every(Number.isFinite))
      throw new Error(`${operation}: [${samples}] are not ${SAMPLES_MIN} samples or more`);
    if (this.measurements.some((other) => other.operation === operation))
      throw new Error(`${operation}: recorded twice; a comparison could not tell the two apart`);
    const value = whole ?? median(samples);
    if (!Number.isFinite(value)) throw new Error(`${operation}: ${value} is no figure`);
    const measurement: Measurement = {
      ...figure,
      median: value,
      spread: [percentile(samples, 0), percentile(samples, 1)],
      samples: [...samples],
      ...(ratioTo === undefined ? {} : { ratio: { to: ratioTo.operation, value: value / ratioTo.median } }),
    };
    this.measurements.push(measurement);
    return measurement;
  }

  ratio({ of, to, ...figure }: Parameters<Run['ratio']>[0]): Measurement {
    const pairs = Math.min(of.samples.length, to.samples.length);
    return this.record({
      ...figure,
      unit: 'ratio',
      whole: of.median / to.median,
      samples: Array.from({ length: pairs }, (_, i) => of.samples[i]! / to.samples[i]!),
      digest: of.digest === to.digest ? of.digest : `${of.digest}; ${to.digest}`,
    });
  }

  draw(series: Series): void {
    const { plot, name, x, y, log = '', points } = series;
    const isDrawn = (value: number, axis: string): boolean =>
      Number.isFinite(value) && (value > 0 || !log.includes(axis));
    if (points.length === 0 || !points.every(([a, b]) => isDrawn(a, 'x') && isDrawn(b, 'y')))
      throw new Error(`${plot}: a series has points, of finite numbers, above 0 on a logarithmic axis`);
    for (const other of this.series.filter((one) => one.plot === plot)) {
      if (other.name === name) throw new Error(`${plot}: two series are named ${name}`);
      if (other.x !== x || other.y !== y || other.log !== series.log)
        throw new Error(`${plot}: ${name} has other axes than ${other.name}`);
    }
    this.series.push(series);
  }
}

/** Seconds that one call took, sample by sample. */
function secondsOf(call: () => unknown, seconds: { minTime: number; maxTime: number }): readonly number[] {
  // A result that nobody takes would be a reason for the compiler to leave the call out.
  let taken: unknown;
  const measured = new Benchmark({
    fn: () => {
      taken = call();
    },
    minSamples: SAMPLES_MIN,
    ...seconds,
  }).run();
  if (measured.error !== undefined) throw measured.error;
  if (taken === undefined) throw new Error('the measured call has no result');
  return measured.stats.sample;
}
