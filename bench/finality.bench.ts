/**
 * How long a payment takes under a light, steady load. Payments fall due at fixed times, whether or not the earlier ones are
 * final, and each counts from when it was due: a network that falls behind cannot hide it. It counts until a client that
 * trusts no node, at another validator than the payer's, has checked the proof with the committee's keys.
 *
 * Validators, payers and receivers share the machine. Signatures are made before, as a wallet makes them while idle.
 */
import { openLoop } from '../node/load/pacing.ts';
import { type Bench, histogram, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { checkCost, LoadedNetwork, type Seen } from './loaded-network.ts';

const VALIDATORS = 4;
const PAYMENTS_PER_SECOND = 100;

/** Each pays every other second: what they ask for are accounts, not one account's chain. */
const ACCOUNTS = 200;

/** Finality p50 at this load, with four processes on two cores. */
const P50_GOAL_MS = 150;

function reportTimes(run: Run, { proven }: Seen, digest: string): void {
  const part = Math.ceil(proven.length / SAMPLES_MIN);
  const slices = Array.from({ length: SAMPLES_MIN }, (_, i) => proven.slice(i * part, (i + 1) * part));
  for (const percent of [50, 90, 99]) {
    const of = (some: Seen['proven']): number =>
      percentile(
        some.map(({ tookMs }) => tookMs),
        percent / 100,
      );
    run.record({
      operation: `finality at ${PAYMENTS_PER_SECOND} payments a second, p${percent}`,
      unit: 'ms',
      whole: of(proven),
      samples: slices.map(of),
      digest,
      ...(percent === 50 ? { goal: { atMost: P50_GOAL_MS } } : {}),
    });
  }
  run.series({
    plot: `Finality at ${PAYMENTS_PER_SECOND} payments a second`,
    x: 'ms from due to proven',
    y: 'payments',
    mark: 'bars',
    points: histogram(proven.map(({ tookMs }) => tookMs)),
  });
}

function reportCost(run: Run, { marks }: Seen, digest: string): void {
  const pairs = marks.slice(1).map((to, i) => [marks[i]!, to] as const);
  run.record({
    operation: 'payments proven',
    unit: 'a second',
    samples: pairs.map(([from, to]) => ((to.final - from.final) * 1000) / (to.atMs - from.atMs)),
    digest,
  });
  const cpuMs = ({ taken }: Seen['marks'][number]): number => taken.reduce((sum, one) => sum + one.cpuMs, 0);
  if (marks.some((mark) => Number.isNaN(cpuMs(mark)))) {
    run.skip('CPU time of the validators', 'this system has no /proc to tell it');
    return;
  }
  run.record({
    operation: 'a validator for a payment, rounds included',
    unit: 'CPU µs',
    samples: pairs.map(
      ([from, to]) => ((cpuMs(to) - cpuMs(from)) * 1000) / VALIDATORS / Math.max(1, to.final - from.final),
    ),
    digest,
    ratioTo: checkCost(run),
  });
}

export const bench: Bench = {
  question:
    'How long does a payment take to be final under a light, steady load, and what does it cost the validators?',
  comparable:
    'Times of the same load on the same machine. Four validators, payers and receivers share its cores.',
  notComparable:
    'Networks whose validators stand on machines of their own, or far apart: two rounds between them are in every time.',
  async run(run) {
    const seconds = run.parameter(3, 60);
    const warmUpSeconds = run.parameter(1, 10);
    run.progress(`starting ${VALIDATORS} validators`);
    await using world = await LoadedNetwork.start({
      validators: VALIDATORS,
      accounts: ACCOUNTS,
      proveEvery: 1,
    });
    const pay = async (duration: number): Promise<Seen> => {
      await world.make(PAYMENTS_PER_SECOND * duration + ACCOUNTS);
      const startMs = performance.now();
      const lanes = world.traffic.lanes.length;
      return world.pay(openLoop({ rate: PAYMENTS_PER_SECOND, lanes, startMs, seconds: duration }));
    };
    // The first payments meet code that is not compiled yet.
    run.progress('warming up', 0.1);
    await pay(warmUpSeconds);
    run.progress(`${PAYMENTS_PER_SECOND} payments a second, ${seconds} s`, 0.2);
    const seen = await pay(seconds);
    const digest = await world.outcome();
    reportTimes(run, seen, digest);
    reportCost(run, seen, digest);
  },
};
