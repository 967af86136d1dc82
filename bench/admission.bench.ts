/**
 * What honest payers feel while attackers send many times what the network settles, from many poor accounts, to every
 * validator. Honest payments fall due at fixed times, in a quiet phase and in a flooded one of the same run, and count from
 * when they were due until their proof has been checked; who is refused offers again, as a wallet does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Units } from '../ledger/index.ts';
import { openLoop } from '../node/load/pacing.ts';
import { openLoadTools } from '../node/load/tools.ts';
import { Traffic } from '../node/load/traffic.ts';
import { type LightLink, type NodeView, silentLog } from '../p2p/index.ts';
import { Flood, fund, type Look, Watch } from './flood.ts';
import { type Bench, type Measurement, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { BenchNetwork, until } from './network.ts';
import { owner } from './payments.ts';

const VALIDATORS = 4;
const HONEST = 40;
/** Each pays once a second. */
const HONEST_PER_SECOND = 40;
const HONEST_UNITS = 1_000_000;

/** A client may submit 2,000 a second. */
const LINKS_PER_NODE = 4;

const DRAIN_MS = 60_000;

/** A payment that was proven. */
interface Proven {
  readonly dueMs: number;
  readonly tookMs: number;
}

/** Pays at the usual rate, and waits until all of it is proven. */
async function payHonestly(traffic: Traffic, seconds: number): Promise<{ fromMs: number; untilMs: number }> {
  const never = new AbortController().signal;
  const fromMs = performance.now();
  const { lanes, load } = traffic;
  await load.run(openLoop({ rate: HONEST_PER_SECOND, lanes: lanes.length, startMs: fromMs, seconds }), never);
  return { fromMs, untilMs: performance.now() };
}

async function drain({ load, lies }: Traffic): Promise<void> {
  await load.drain(DRAIN_MS, new AbortController().signal);
  const { sent, final } = load.totals;
  if (final < sent) throw new Error(`${sent - final} honest payments were not proven in ${DRAIN_MS} ms`);
  if (lies.length > 0) throw new Error(`a node sent what does not hold: ${lies[0]}`);
}

/** Slices of the same length, in the order in which payments fell due. */
function slices<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: SAMPLES_MIN }, (_, i) =>
    all.slice((i * all.length) / SAMPLES_MIN, ((i + 1) * all.length) / SAMPLES_MIN),
  );
}

function recordFinality(run: Run, phase: string, proven: readonly Proven[], digest: string): Measurement {
  const took = proven.toSorted((a, b) => a.dueMs - b.dueMs).map(({ tookMs }) => tookMs);
  const record = (percent: number): Measurement =>
    run.record({
      operation: `finality of honest payments, ${phase}, p${percent}`,
      unit: 'ms',
      whole: percentile(took, percent / 100),
      samples: slices(took).map((slice) => percentile(slice, percent / 100)),
      digest,
    });
  record(50);
  return record(99);
}

/** The greatest figure of any validator in each look. */
function greatest(looks: readonly Look[], of: (view: NodeView) => number): number[] {
  return looks.map(({ views }) => Math.max(...views.map(of)));
}

function recordFlood(run: Run, watch: Watch, looks: readonly Look[], honest: number, digest: string): void {
  const some = slices(looks);
  const pairs = some.map((slice, i) => [slice[0]!, some[i + 1]?.[0] ?? looks.at(-1)!] as const);
  const settled = run.record({
    operation: 'payments settled under the flood',
    unit: 'a second',
    samples: pairs.map(([from, to]) => watch.settledBetween(from, to)),
    whole: watch.settledBetween(looks[0]!, looks.at(-1)!),
    digest,
  });
  const perSecond = ([from, to]: readonly [Look, Look]): number =>
    ((to.offered - from.offered) * 1000) / (to.atMs - from.atMs);
  const offered = run.record({
    operation: 'payments offered by the attackers',
    unit: 'a second',
    samples: pairs.map(perSecond),
    whole: perSecond([looks[0]!, looks.at(-1)!]),
    digest,
  });
  run.ratio({
    operation: 'what the attackers offer over what is settled',
    better: 'more',
    of: offered,
    to: settled,
  });
  run.record({
    operation: "the attackers' share of what is settled",
    unit: '%',
    better: 'less',
    samples: settled.samples.map((perSecond) => 100 * (1 - honest / perSecond)),
    whole: 100 * (1 - honest / settled.median),
    digest,
  });
  run.record({
    operation: 'payments that wait in the fullest queue',
    unit: 'count',
    better: 'less',
    samples: greatest(looks, ({ queue }) => queue),
    digest,
  });
}

function recordMemory(run: Run, watch: Watch, flooded: readonly Look[], digest: string): void {
  const rssMb = ({ vitals }: NodeView): number => (vitals?.rssBytes ?? 0) / 1e6;
  const samples = greatest(flooded, rssMb);
  const operation = 'memory of the largest validator under the flood';
  run.record({ operation, unit: 'MB', samples, whole: Math.max(...samples), digest });
  const [first] = watch.looks;
  run.series({
    plot: 'memory of the largest validator',
    name: 'memory',
    x: 'seconds',
    y: 'MB',
    mark: 'line',
    points: watch.looks.map(
      (look) => [(look.atMs - first!.atMs) / 1000, greatest([look], rssMb)[0]!] as const,
    ),
  });
}

export const bench: Bench = {
  question: 'What do honest payers feel while attackers send ten times what the network settles?',
  comparable: 'The ratio of the two p99, with other runs of the same phases.',
  notComparable:
    'Times and rates with those of networks that have their machines for themselves: validators, honest payers and attackers share this one.',
  async run(run) {
    const seconds = run.parameter(3, 40);
    const attackers = Array.from({ length: run.parameter(200, 1600) }, (_, i) => owner(1000 + i));
    const paymentsEach = run.parameter(10, 60);
    const [mint, ...honest] = Array.from({ length: HONEST + 1 }, (_, i) => owner(i));
    run.progress(`starting ${VALIDATORS} validators`);
    await using network = await BenchNetwork.start({
      validators: VALIDATORS,
      workBits: 0,
      owners: [mint!, ...honest].map(({ address }) => address),
      unitsEach: HONEST_UNITS,
    });
    const { genesis } = network;
    const links = await Promise.all(Array.from({ length: VALIDATORS }, (_, i) => network.link(i)));
    const nodes = links.map(({ address }) => address);
    await fund(network, mint!, attackers, paymentsEach);
    run.progress(`${attackers.length} attackers sign ${paymentsEach} payments each`);
    await using flood = await Flood.start({
      genesis,
      nodes,
      linksPerNode: LINKS_PER_NODE,
      firstOwner: 1000,
      owners: attackers.length,
      paymentsEach,
    });
    await using tools = await openLoadTools(genesis, silentLog);
    const proven: Proven[] = [];
    await using traffic = await Traffic.open(
      { genesis, nodes, secrets: honest.map(({ secret }) => secret), proveEvery: 1 },
      {
        ...tools,
        log: silentLog,
        proven: (dueMs, _sentMs, atMs) => void proven.push({ dueMs, tookMs: atMs - dueMs }),
      },
    );
    const perLane = (HONEST_PER_SECOND / HONEST) * seconds;
    await traffic.make(2 * perLane + seconds, new AbortController().signal);
    await using watch = new Watch(links);

    run.progress('quiet: code is compiled, then honest payments alone', 0.1);
    await payHonestly(traffic, seconds / 3);
    const quiet = await payHonestly(traffic, seconds);
    await drain(traffic);
    run.progress('flooded', 0.5);
    watch.flood = flood;
    await pause(run.parameter(1_000, 10_000));
    const flooded = await payHonestly(traffic, seconds);
    const looks = (): Look[] => watch.looks.filter(({ atMs }) => atMs >= flooded.fromMs);
    await until('there are looks enough', () => looks().length > SAMPLES_MIN);
    const seen = looks();
    watch.flood = undefined;
    const { taken, refused } = await flood.order({ rate: 0 });
    run.progress(`the attackers had ${taken} payments taken and ${refused} refused`, 0.9);
    await drain(traffic);
    const within = ({ fromMs, untilMs }: typeof quiet): Proven[] =>
      proven.filter(({ dueMs }) => dueMs >= fromMs && dueMs < untilMs);
    const digest = await outcome(links, genesis.supply, 2 * perLane * HONEST);
    const before = recordFinality(run, 'quiet', within(quiet), digest);
    const after = recordFinality(run, 'flooded', within(flooded), digest);
    run.ratio({
      operation: 'p99 under the flood over the quiet one',
      goal: { atMost: 3 },
      of: after,
      to: before,
    });
    recordFlood(run, watch, seen, HONEST_PER_SECOND, digest);
    recordMemory(run, watch, seen, digest);
  },
};

/** What all validators say in the end is the same, and the supply is that of the genesis. */
async function outcome(links: readonly LightLink[], supply: Units, honest: number): Promise<string> {
  await until('all validators agree', async () => {
    const views = await Promise.all(links.map((link) => link.status()));
    if (views.some((view) => view.supply !== supply)) throw new Error('units were made or lost');
    return views.every(
      ({ queue, finalPayments }) => queue === 0 && finalPayments === views[0]!.finalPayments,
    );
  });
  return `${honest} honest payments proven, supply ${supply}`;
}
