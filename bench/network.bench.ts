/**
 * A whole network on one machine: each validator a process, a load generator beside them. First a closed loop finds how many
 * payments a second become final when there are always more; then payments fall due at shares of that, whether or not
 * earlier ones are final, and each counts from when it was due.
 */
import { availableParallelism } from 'node:os';
import { closedLoop, openLoop } from '../node/load/pacing.ts';
import { type Bench, type Measurement, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { checkCost, LoadedNetwork, type Mark, type Seen } from './loaded-network.ts';
import { recordPgbench } from './postgres.ts';

const VALIDATORS = 4;

/** Enough that no account's own chain is what is waited for. */
const ACCOUNTS = 256;

/** Of the closed loop: until the network is full, nothing is final yet. */
const LEAD_SHARE = 0.15;

/** Accounts that may have used up their payments: those of a validator that answers sooner than others pay more. */
const DRY_SHARE = 0.1;

/** A first guess, for payments made ahead, in payments a second. */
const GUESS = 2_000;

/** Shares of saturation at which times are taken. */
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 1];
const HALF = 0.5;

const GOALS = {
  efficiency: { atLeast: 0.6 },
  overPgbench: { atLeast: 1 },
  halfLoadP50: { atMost: 400 },
  rssMb: { atMost: 400 },
  diskBytes: { atMost: 350 },
  loopDelayMs: { atMost: 50 },
} as const;

const MB = 1_000_000;

type Between = (from: Mark, to: Mark) => number;

/** A figure for each part of the time, from what it began and ended with. */
function parts(marks: readonly Mark[], of: Between): number[] {
  return marks.slice(1).map((to, i) => of(marks[i]!, to));
}

function perSecond(from: Mark, to: Mark): number {
  return ((to.final - from.final) * 1000) / (to.atMs - from.atMs);
}

function sum(mark: Mark, of: 'cpuMs' | 'diskBytes'): number {
  return mark.taken.reduce((total, one) => total + one[of], 0);
}

/** Over the whole time, and for each part of it; in one without a final payment a figure for a payment is that of the whole. */
function whole(marks: readonly Mark[], of: Between) {
  const all = of(marks[0]!, marks.at(-1)!);
  return { whole: all, samples: parts(marks, of).map((value) => (Number.isFinite(value) ? value : all)) };
}

/** What the network is worth when there is always more to do. */
function reportSaturation(run: Run, { marks }: Seen, digest: string): Measurement {
  const check = checkCost(run);
  const final = run.record({
    operation: 'final payments at saturation',
    unit: 'a second',
    ...whole(marks, perSecond),
    digest,
  });
  const cores = availableParallelism();
  run.record({
    operation: `efficiency: final payments a second x ${VALIDATORS} signature checks, over ${cores} cores`,
    unit: 'ratio',
    ...whole(marks, (from, to) => (perSecond(from, to) * VALIDATORS * check.median) / 1e6 / cores),
    digest,
    goal: GOALS.efficiency,
  });
  run.record({
    operation: 'the load generator for a payment, proofs checked',
    unit: 'CPU µs',
    ...whole(marks, (from, to) => ((to.ownCpuMs - from.ownCpuMs) * 1000) / (to.final - from.final)),
    digest,
  });
  if (marks.some((mark) => Number.isNaN(sum(mark, 'cpuMs')))) {
    run.skip('CPU time and memory of the validators', 'this system has no /proc to tell them');
    return final;
  }
  run.record({
    operation: 'a validator for a payment at saturation',
    unit: 'CPU µs',
    ...whole(
      marks,
      (from, to) => ((sum(to, 'cpuMs') - sum(from, 'cpuMs')) * 1000) / VALIDATORS / (to.final - from.final),
    ),
    digest,
    ratioTo: check,
  });
  const rss = marks.map(({ taken }) => Math.max(...taken.map(({ rssBytes }) => rssBytes)) / MB);
  run.record({
    operation: 'memory of the largest validator at saturation',
    unit: 'MB',
    whole: Math.max(...rss),
    samples: rss,
    digest,
    goal: GOALS.rssMb,
  });
  return final;
}

/** Disk from the first payment on, as long as nothing has been forgotten. */
function reportDisk(run: Run, begin: Mark, { marks }: Seen, digest: string): void {
  const last = marks.at(-1)!;
  if (last.taken.some(({ snapshots }) => snapshots > 0)) {
    run.skip('disk per payment', 'a validator has forgotten old payments meanwhile; use a shorter run');
    return;
  }
  const each = (from: Mark, to: Mark): number =>
    (sum(to, 'diskBytes') - sum(from, 'diskBytes')) / VALIDATORS / (to.final - from.final);
  run.record({
    operation: 'disk of a validator for a final payment, before pruning',
    unit: 'bytes',
    whole: each(begin, last),
    samples: marks.slice(1).map((mark) => each(begin, mark)),
    digest,
    goal: GOALS.diskBytes,
  });
}

function reportLoops(run: Run, { loopDelaysMs }: Seen, digest: string): void {
  if (loopDelaysMs.length < SAMPLES_MIN) {
    run.skip('event loop delay', 'a run of this size is too short for it: use --full');
    return;
  }
  run.record({
    operation: 'event loop delay of the slowest main thread at saturation, p99 of 2 s',
    unit: 'ms',
    samples: loopDelaysMs,
    digest,
    goal: GOALS.loopDelayMs,
  });
}

/** Times at shares of saturation. */
async function climb(run: Run, world: LoadedNetwork, saturation: number): Promise<void> {
  const seconds = run.parameter(1, 15);
  const shares = run.parameter([HALF], SHARES);
  const points: { readonly load: number; readonly p50: number; readonly p99: number }[] = [];
  for (const [i, share] of shares.entries()) {
    const rate = saturation * share;
    run.progress(`${Math.round(rate)} payments a second`, 0.4 + (0.5 * i) / shares.length);
    await world.make(rate * seconds + ACCOUNTS);
    const startMs = performance.now();
    const seen = await world.pay(openLoop({ rate, seconds, startMs, lanes: ACCOUNTS }));
    const took = seen.proven.map(({ tookMs }) => tookMs);
    if (took.length < SAMPLES_MIN) throw new Error(`only ${took.length} payments were proven at ${rate}/s`);
    const part = took.length / SAMPLES_MIN;
    const digest = `${seen.unsent} unsent, left the generator within ${percentile(
      seen.proven.map(({ lagMs }) => lagMs),
      0.99,
    ).toFixed(0)} ms (p99)`;
    for (const percent of [50, 99]) {
      run.record({
        operation: `finality at ${Math.round(share * 100)} % of saturation, p${percent}`,
        unit: 'ms',
        whole: percentile(took, percent / 100),
        samples: Array.from({ length: SAMPLES_MIN }, (_, k) =>
          percentile(took.slice(Math.floor(k * part), Math.floor((k + 1) * part)), percent / 100),
        ),
        digest,
        ...(share === HALF && percent === 50 ? { goal: GOALS.halfLoadP50 } : {}),
      });
    }
    points.push({ load: rate, p50: percentile(took, 0.5), p99: percentile(took, 0.99) });
  }
  for (const name of ['p50', 'p99'] as const)
    run.series({
      plot: 'Finality against load',
      name,
      x: 'payments a second',
      y: 'ms from due to proven',
      mark: 'line',
      log: 'y',
      points: points.map((point) => [point.load, point[name]]),
    });
}

export const bench: Bench = {
  question:
    'How many payments a second do validator processes settle on this machine, and how long does each take below that?',
  comparable:
    'Payments a second with TPC-B-like transactions of PostgreSQL in the same run on the same cores; efficiency, between ' +
    'machines: it relates to what the same cores do in bare signature checks, of which every payment needs one at each validator.',
  notComparable:
    'Networks whose validators have machines of their own: here all of them, and the load generator, share the cores, ' +
    'and messages take no time on the way.',
  async run(run) {
    run.progress(`starting ${VALIDATORS} validators`);
    const seconds = run.parameter(2, 30);
    // Code that meets its first payments is not compiled yet: they cost several times as much.
    const warmUpSeconds = run.parameter(1, 30);
    // Payments of an account under way: 4,096 in all, a second or two of what is measured. One proof in half a window
    // speaks for those before it: checking all would be a good part of the machine.
    const window = run.parameter(4, 16);
    let saturation: Measurement;
    {
      await using world = await LoadedNetwork.start({
        validators: VALIDATORS,
        accounts: ACCOUNTS,
        proveEvery: window / 2,
      });
      const closed = (duration: number) =>
        closedLoop({ window, startMs: performance.now(), seconds: duration });
      const begin = await world.mark();
      run.progress('warming up', 0.05);
      await world.make(GUESS * warmUpSeconds);
      const warm = await world.pay(closed(warmUpSeconds));
      const guess = Math.max(...parts(warm.marks, perSecond));
      run.progress(`about ${Math.round(guess)} payments a second; signing ahead`, 0.1);
      await world.make(guess * seconds * 3 + ACCOUNTS * window * 2);
      run.progress('a closed loop', 0.2);
      const seen = await world.pay(closed(seconds), LEAD_SHARE * seconds * 1000);
      if (seen.marks.at(-1)!.final === seen.marks[0]!.final)
        throw new Error(`no payment became final in ${seconds} s: other programs have the cores`);
      const dry = world.traffic.lanes.filter((lane) => lane.made === lane.taken).length;
      if (dry > ACCOUNTS * DRY_SHARE)
        run.progress('the payments made ahead have run out: the figure is too low');
      const digest = await world.outcome();
      saturation = reportSaturation(run, seen, digest);
      reportDisk(run, begin, seen, digest);
      reportLoops(run, seen, digest);
      await climb(run, world, saturation.median);
      await world.outcome();
    }
    run.progress('PostgreSQL', 0.9);
    const peer = await recordPgbench(
      run,
      run.parameter({ seconds: 2, scale: 1 }, { seconds: 20, scale: 10 }),
    );
    if (peer === undefined) return;
    run.ratio({
      operation: 'final payments at saturation over TPC-B-like transactions',
      of: saturation,
      to: peer.tpcb,
      goal: GOALS.overPgbench,
    });
  },
};
