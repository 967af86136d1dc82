/**
 * Real validators under a load that never changes, for longer than they remember: two epochs are 2,000 rounds, 80 seconds at
 * 25 rounds a second, and a snapshot is made after every epoch; so the second half of ten minutes sees neither warm-up nor
 * the first fill of any memory. Flat is what does not climb in that half.
 *
 * The small size is over before anything is forgotten: it shows that the bench works, and nothing else.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openLoop } from '../node/load/pacing.ts';
import { type Bench, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { LoadedNetwork, type Mark } from './loaded-network.ts';

const VALIDATORS = 4;
const ACCOUNTS = 256;
const PROVE_EVERY = 8;

/** Far enough below saturation that a machine which does something else now and then does not make a queue of it. */
const PAYMENTS_PER_SECOND = 250;

const MB = 1_000_000;
const MINUTE_MS = 60_000;

/** One per cent of what a validator may take, in a minute: less cannot be told from how V8 breathes. */
const GOALS = { rssMb: { atMost: 400 }, growthMb: { atMost: 4 }, loopDelayMs: { atMost: 50 } } as const;

interface Watched {
  readonly marks: readonly Mark[];
  readonly loopDelaysMs: readonly number[];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mbOf({ taken }: Mark, of: 'rssBytes' | 'diskBytes'): readonly number[] {
  return taken.map((one) => one[of] / MB);
}

/** By least squares, in y for a unit of x. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const [x, y] = [mean(points.map(([one]) => one)), mean(points.map(([, one]) => one))];
  const over = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return over / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** Growth in a minute over all of the marks, and, as samples, with every fifth of them left out in turn (jackknife). */
function growth(marks: readonly Mark[], of: 'rssBytes' | 'diskBytes') {
  const points = marks.map((mark) => [mark.atMs / MINUTE_MS, mean(mbOf(mark, of))] as const);
  const samples = Array.from({ length: SAMPLES_MIN }, (_, left) =>
    slope(points.filter((_, i) => i % SAMPLES_MIN !== left)),
  );
  return { whole: slope(points), samples };
}

function report(run: Run, { marks, loopDelaysMs }: Watched, digest: string): void {
  if (!marks.every(({ taken }) => taken.every(({ rssBytes }) => Number.isFinite(rssBytes)))) {
    run.skip('memory', 'this system has no /proc to tell it');
    return;
  }
  const half = marks.slice(marks.length >> 1);
  const largest = half.map((mark) => Math.max(...mbOf(mark, 'rssBytes')));
  run.record({
    operation: 'memory of the largest validator, second half',
    unit: 'MB',
    samples: largest,
    whole: Math.max(...largest),
    digest,
    goal: GOALS.rssMb,
  });
  run.record({
    operation: 'growth of memory in a minute, second half, mean of validators',
    unit: 'MB',
    ...growth(half, 'rssBytes'),
    digest,
    goal: GOALS.growthMb,
  });
  run.record({
    operation: 'disk of a validator, second half',
    unit: 'MB',
    samples: half.map((mark) => mean(mbOf(mark, 'diskBytes'))),
    digest,
  });
  if (loopDelaysMs.length < SAMPLES_MIN) {
    run.skip('event loop delay', 'a run of this size is too short for it: use --full');
    return;
  }
  run.record({
    operation: 'event loop delay of the slowest main thread, p99 of 2 s',
    unit: 'ms',
    samples: loopDelaysMs,
    whole: percentile(loopDelaysMs, 0.99),
    digest,
    goal: GOALS.loopDelayMs,
  });
}

function draw(run: Run, { marks, loopDelaysMs }: Watched): void {
  const startMs = marks[0]!.atMs;
  const x = 'seconds';
  const over = (of: (mark: Mark) => number) =>
    marks.map((mark) => [(mark.atMs - startMs) / 1000, of(mark)] as const);
  for (const [of, plot] of [
    ['rssBytes', 'Memory of each validator'],
    ['diskBytes', 'Disk of each validator'],
  ] as const) {
    for (let i = 0; i < VALIDATORS; i++) {
      const points = over((mark) => mbOf(mark, of)[i]!);
      run.series({ plot, name: `validator ${i}`, x, y: 'MB', mark: 'line', points });
    }
  }
  const delays = loopDelaysMs.map((delay, i) => [i, delay] as const);
  if (delays.length > 0)
    run.series({ plot: 'Event loop delay, slowest main thread', x, y: 'ms', mark: 'line', points: delays });
}

/** Marks at equal distances in time, the first one at once; fewer when it is aborted. */
async function watch(
  run: Run,
  world: LoadedNetwork,
  { parts, everyMs }: { readonly parts: number; readonly everyMs: number },
  signal: AbortSignal,
): Promise<readonly Mark[]> {
  const startMs = performance.now();
  const marks: Mark[] = [];
  for (let part = 0; part <= parts; part++) {
    const waitMs = Math.max(0, startMs + part * everyMs - performance.now());
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    marks.push(await world.mark());
    run.progress('under load', part / parts);
  }
  return marks;
}

export const bench: Bench = {
  question: 'Do memory, disk and event loop of a validator stay flat under a load that never changes?',
  comparable: 'Memory and disk with any run of the same load and committee; growth with any run at all.',
  notComparable:
    'Event loop delays with those of machines on which each validator has its own cores: here four of them and the load generator share.',
  async run(run) {
    const seconds = run.parameter(3, 600);
    const parts = run.parameter(10, 120);
    run.progress(`starting ${VALIDATORS} validators`);
    await using world = await LoadedNetwork.start({
      validators: VALIDATORS,
      accounts: ACCOUNTS,
      proveEvery: PROVE_EVERY,
    });
    const rate = run.parameter(50, PAYMENTS_PER_SECOND);
    run.progress(`signing ${rate * seconds} payments`);
    await world.make(rate * seconds + ACCOUNTS);
    run.progress(`${rate} payments a second for ${seconds} s`);
    const over = new AbortController();
    const watching = watch(run, world, { parts, everyMs: (seconds * 1000) / parts }, over.signal);
    try {
      const { loopDelaysMs, unsent } = await world.pay(
        openLoop({ rate, seconds, startMs: performance.now(), lanes: ACCOUNTS }),
      );
      const marks = await watching;
      const digest = `${await world.outcome()}, ${unsent} unsent`;
      report(run, { marks, loopDelaysMs }, digest);
      draw(run, { marks, loopDelaysMs });
    } finally {
      over.abort();
    }
  },
};
