/**
 * A storm of double spends: owners each sign several payments for one slot and hand them to different validators at one
 * moment, slot after slot evenly over a second. Played in virtual time (bench/virtual-network.ts), and set against as many
 * payments at the same times, each of an owner of its own, who is honest. A slot is resolved once every validator may tell
 * which of the rivals is final; an honest payment counts in the same way.
 */
import type { Payment } from '../ledger/index.ts';
import { type Bench, type Measurement, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { DELAY_MS, VirtualNetwork } from './virtual-network.ts';

const VALIDATORS = 4;

/** Slots fall due in this time. */
const STORM_MS = 1000;

/** One slot, and all that spend it. */
interface Contest {
  readonly dueMs: number;
  readonly rivals: readonly Payment[];
  /** The greatest round with a quorum when they were handed in. */
  round: number;
}

interface Played {
  /** Of all validators, for one payment, contested or not. */
  readonly cpuUs: number;
  /** Virtual, of each slot. */
  readonly waitsMs: readonly number[];
  readonly rounds: readonly number[];
  /** Ids of the winners, slot by slot. */
  readonly digest: string;
}

/** Plays `slots` slots with so many payments each; one each is the honest load. */
async function play(slots: number, rivals: number): Promise<Played> {
  const names = Array.from({ length: slots }, (_, i) => `owner ${i}`);
  const network = new VirtualNetwork(VALIDATORS, Object.fromEntries(names.map((name) => [name, 10])));
  const contests = names.map((name, i): Contest => {
    // To different receivers, as a thief would pay two sellers.
    const to = (rival: number): string => names[(i + 1 + rival) % slots]!;
    const payments = Array.from({ length: rivals }, (_, rival) =>
      network.payment(name, to(rival), undefined, `rival ${rival}`),
    );
    return { dueMs: (i * STORM_MS) / slots, rivals: payments, round: 0 };
  });
  for (const [slot, contest] of contests.entries()) {
    network.time.at(contest.dueMs, () => {
      contest.round = network.nodes[0]!.round;
      // As far from each other as there is room, so that each is seen first by an equal part of the committee.
      const apart = VALIDATORS / Math.min(rivals, VALIDATORS);
      for (const [i, rival] of contest.rivals.entries())
        network.nodes[Math.floor(slot + i * apart) % VALIDATORS]!.submit(rival);
    });
  }
  const from = process.cpuUsage();
  await network.until(() => network.nodes.every(({ finals }) => finals.size === slots));
  const { user, system } = process.cpuUsage(from);
  return { cpuUs: (user + system) / (slots * rivals), ...outcome(network, contests) };
}

/** Rejects nothing, but throws when two validators tell of different winners. */
function outcome({ nodes }: VirtualNetwork, contests: readonly Contest[]): Omit<Played, 'cpuUs'> {
  const told = contests.map(({ rivals, dueMs, round }) => {
    const winners = nodes.map(({ finals }) => rivals.flatMap(({ id }) => finals.get(id) ?? []));
    const [winner] = winners[0]!;
    if (winner === undefined || winners.some((one) => one.length !== 1 || one[0]!.payment !== winner.payment))
      throw new Error(`a slot has not the same one winner everywhere: ${JSON.stringify(winners)}`);
    const finals = winners.map(([one]) => one!);
    return {
      waitMs: Math.max(...finals.map(({ atMs }) => atMs)) - dueMs,
      rounds: Math.max(...finals.map((one) => one.round)) - round,
      index: rivals.findIndex(({ id }) => id === winner.payment),
    };
  });
  return {
    waitsMs: told.map(({ waitMs }) => waitMs),
    rounds: told.map(({ rounds }) => rounds),
    digest: `winners ${[...new Set(told.map(({ index }) => index))].sort().join(' ')}`,
  };
}

interface Storm {
  readonly name: string;
  readonly slots: number;
  readonly rivals: number;
}

/** Plays it often enough for a median; the same each time, but for the processor time. */
async function measure(
  run: Run,
  { name, slots, rivals }: Storm,
  ratioTo?: Measurement,
): Promise<Measurement> {
  const plays: Played[] = [];
  for (let i = 0; i < SAMPLES_MIN; i++) {
    run.progress(name);
    plays.push(await play(slots, rivals));
  }
  const digests = new Set(plays.map(({ digest }) => digest));
  if (digests.size > 1) throw new Error(`${name} ended differently: ${[...digests].join('; ')}`);
  const digest = `${slots} slots, ${plays[0]!.digest}`;
  for (const percent of [50, 99]) {
    const times = plays.map(({ waitsMs }) => percentile(waitsMs, percent / 100));
    run.record({ operation: `${name}: resolved, p${percent}, virtual`, unit: 'ms', samples: times, digest });
  }
  run.record({
    operation: `${name}: rounds until resolved, p99`,
    unit: 'count',
    better: 'less',
    samples: plays.map(({ rounds }) => percentile(rounds, 0.99)),
    digest,
  });
  return run.record({
    operation: `${name}: a payment at all ${VALIDATORS} validators`,
    unit: 'CPU µs',
    samples: plays.map(({ cpuUs }) => cpuUs),
    digest,
    ...(ratioTo && { ratioTo }),
  });
}

export const bench: Bench = {
  question:
    'How long does a storm of double spends last, and what does a contested payment cost over an honest one?',
  comparable: 'The ratio of costs, and rounds, with other runs at the same number of validators.',
  notComparable: `Milliseconds with those of real networks: links take ${DELAY_MS} ms each and computing takes no time. Costs with those of a whole node: there is no network and no database in them.`,
  async run(run) {
    const payments = run.parameter(40, 2000);
    // Code that is not compiled yet would make the first of them the dearest.
    await play(20, 1);
    await play(20, 2);
    const honest = await measure(run, { name: `${payments} honest payments`, slots: payments, rivals: 1 });
    for (const rivals of run.parameter([2], [2, 4, 8])) {
      const slots = payments / rivals;
      const name = `${slots} slots of ${rivals} rivals`;
      const contested = await measure(run, { name, slots, rivals }, honest);
      run.ratio({
        operation: `${name}: a contested payment over an honest one`,
        better: 'less',
        of: contested,
        to: honest,
      });
    }
  },
};
