/** How figures are taken and shown, the same for every bench. Owner of the `benchmark` package. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import Benchmark from 'benchmark';

/** A median of fewer samples would be an anecdote. */
export const SAMPLES_MIN = 5;

export type Unit = 'a second' | 'ms' | 'CPU ms';

/** One figure, as plain data. */
export interface Measurement {
  readonly operation: string;
  readonly unit: Unit;
  /** Of the samples, unless the bench gave a value over the whole run. */
  readonly median: number;
  /** Least and greatest sample. */
  readonly spread: readonly [low: number, high: number];
  readonly samples: number;
  /** What the operation resulted in: the same again when it did the same again. */
  readonly digest: string;
  /** This median in relation to another one of the same run. */
  readonly ratio?: { readonly to: string; readonly value: number };
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Mean number of processes that wanted to run in the last minute, before the bench. Above 0.5 somebody else was busy. */
  readonly load: number;
}

/** What one bench has found. */
export interface BenchResult {
  readonly bench: string;
  readonly full: boolean;
  readonly machine: Machine;
  readonly commit: string;
  readonly measurements: readonly Measurement[];
}

interface Figure {
  readonly operation: string;
  readonly unit: Unit;
  readonly digest: string;
  readonly ratioTo?: Measurement;
}

/** What a bench is given to work with. */
export interface Run {
  /** One of the two: `small` keeps the bench alive in the tests, `full` is for figures that are told to others. */
  parameter<T>(small: T, full: T): T;
  /** A word for whoever waits. */
  progress(text: string): void;
  /**
   * Calls again and again, and records how often a second. Throws what `call` throws.
   * @param options.each operations that one call does.
   */
  rate(options: Omit<Figure, 'unit'> & { readonly each: number; readonly call: () => unknown }): Measurement;
  /**
   * Records what the bench has measured itself.
   * @param options.samples at least SAMPLES_MIN figures of the same kind.
   * @param options.whole the figure over all of the run, when that is more exact than the samples' median.
   */
  record(options: Figure & { readonly samples: readonly number[]; readonly whole?: number }): Measurement;
}

/** A file `NAME.bench.ts` exports one as `bench`. It asks one question. */
export interface Bench {
  readonly question: string;
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

/** Takes the figures of one bench. Rejects with what the bench throws, and when it has measured nothing. */
export async function runBench(
  bench: Bench,
  options: BenchOptions,
  deps: { progress(text: string): void },
): Promise<BenchResult> {
  const { name, full } = options;
  // Before the run: the clone may go on while it lasts.
  const [machine, commit] = [machineNow(), commitNow()];
  const measurements: Measurement[] = [];
  const record: Run['record'] = ({ operation, unit, digest, ratioTo, samples, whole }) => {
    if (samples.length < SAMPLES_MIN || !samples.every(Number.isFinite)) {
      throw new Error(`${operation}: [${samples}] are not ${SAMPLES_MIN} samples or more`);
    }
    const measurement: Measurement = {
      operation,
      unit,
      median: whole ?? median(samples),
      spread: [Math.min(...samples), Math.max(...samples)],
      samples: samples.length,
      digest,
    };
    const value = ratioTo && measurement.median / ratioTo.median;
    measurements.push(
      value === undefined ? measurement : { ...measurement, ratio: { to: ratioTo!.operation, value } },
    );
    return measurement;
  };
  const parameter: Run['parameter'] = (small, large) => (full ? large : small);
  await bench.run({
    parameter,
    progress: deps.progress,
    record,
    rate: ({ call, each, ...figure }) => {
      deps.progress(figure.operation);
      const seconds = parameter({ minTime: 0.005, maxTime: 0.1 }, { minTime: 0.1, maxTime: 5 });
      return record({
        ...figure,
        unit: 'a second',
        samples: secondsOf(call, seconds).map((one) => each / one),
      });
    },
  });
  if (measurements.length === 0) throw new Error(`bench ${name} has measured nothing`);
  return { bench: name, full, machine, commit, measurements };
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

function machineNow(): Machine {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return { cpu, cores: availableParallelism(), node: process.version, load: loadavg()[0]! };
}

/** Short id, with a + when files differ from it; `unknown` outside of a clone. */
function commitNow(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    return `${git('rev-parse', '--short', 'HEAD').trim()}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}

/** Lines for people: what, median, least and greatest of how many samples, ratio, digest; machine and commit below. */
export function formatResult({ bench, full, machine, commit, measurements }: BenchResult): string {
  const rows = measurements.map(({ operation, unit, median: middle, spread: [low, high], ...rest }) => [
    operation,
    `${number(middle)} ${unit}`,
    `${number(low)} to ${number(high)}, ${rest.samples} samples`,
    rest.ratio === undefined ? '' : `${number(rest.ratio.value)} x ${rest.ratio.to}`,
    rest.digest,
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]!.length));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(width(i))).join('  ')}`.trimEnd());
  const where = `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}, Node ${machine.node}`;
  const size = full ? 'full' : 'small, no figures to quote';
  return [`${bench} (${size})`, ...lines, `  ${where}, commit ${commit}`, ''].join('\n');
}

/** Three digits that count: 123,456 or 12.3 or 0.0123. */
function number(value: number): string {
  return value.toLocaleString(
    'en',
    Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}
