/**
 * What more validators cost: the same payments a second, of owners in turn, handed to the validators in turn, with 4 to 64 of
 * them. Each checks every block and every witness of everybody, so that processes for 64 do not fit on one machine: they run
 * in one thread and in virtual time (bench/virtual-network.ts). A payment's cost at one validator has its share of the rounds in
 * it, which cost the more the more validators speak in each: the heavier the load, the less of that falls on one payment.
 * Finality counts from handing a payment in until another validator than that may tell of it.
 */
import type { Payment } from '../ledger/index.ts';
import { type Bench, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { DELAY_MS, type Finality, VirtualNetwork, type VirtualNode } from './virtual-network.ts';

const OWNERS = 100;

interface Handed {
  readonly payment: Payment;
  readonly dueMs: number;
  readonly node: VirtualNode;
  /** The greatest round with a quorum when it was handed in. */
  round: number;
}

/** Of all owners in turn, each paying the next one, and evenly over the time. */
function makePayments(network: VirtualNetwork, perSecond: number, count: number): Handed[] {
  const last = new Map<string, Payment>();
  return Array.from({ length: count }, (_, i) => {
    const from = `owner ${i % OWNERS}`;
    const payment = network.payment(from, `owner ${(i + 1) % OWNERS}`, last.get(from));
    last.set(from, payment);
    const node = network.nodes[i % network.nodes.length]!;
    return { payment, dueMs: (i * 1000) / perSecond, node, round: 0 };
  });
}

interface Slice {
  /** Of all validators. */
  readonly cpuUs: number;
  readonly rounds: number;
}

interface Played {
  readonly slices: readonly Slice[];
  readonly handed: readonly Handed[];
  readonly network: VirtualNetwork;
}

/** Plays the load in slices of equal length; the first payments meet code that is not compiled yet, and are no slice. */
async function play(validators: number, perSecond: number, perSlice: number): Promise<Played> {
  const funds = Object.fromEntries(Array.from({ length: OWNERS }, (_, i) => [`owner ${i}`, 1_000_000]));
  const network = new VirtualNetwork(validators, funds);
  const handed = makePayments(network, perSecond, perSlice * (SAMPLES_MIN + 1));
  for (const one of handed) {
    network.time.at(one.dueMs, () => {
      one.round = one.node.round;
      one.node.submit(one.payment);
    });
  }
  const slices: Slice[] = [];
  for (let slice = 0; slice <= SAMPLES_MIN; slice++) {
    const [from, round] = [process.cpuUsage(), network.nodes[0]!.round];
    // To where the next slice begins, and the last one to its end.
    const endMs = ((slice + 1) * perSlice * 1000) / perSecond;
    const all = handed.length;
    if (slice < SAMPLES_MIN) await network.runTo(endMs);
    else await network.until(() => network.nodes.every(({ finals }) => finals.size === all));
    const { user, system } = process.cpuUsage(from);
    if (slice > 0) slices.push({ cpuUs: user + system, rounds: network.nodes[0]!.round - round });
  }
  return { slices, handed: handed.slice(perSlice), network };
}

/** Its finality at the validator after the one that it was handed to. */
function finalityOf({ network }: Played, { payment, node }: Handed): Finality {
  const { nodes } = network;
  return nodes[(node.index + 1) % nodes.length]!.finals.get(payment.id)!;
}

async function measure(run: Run, validators: number, perSecond: number, perSlice: number) {
  const load = `${validators} validators, ${perSecond} payments a second`;
  run.progress(load);
  const played = await play(validators, perSecond, perSlice);
  const { slices, handed, network } = played;
  const rounds = slices.reduce((sum, slice) => sum + slice.rounds, 0);
  const digest = `${network.nodes[0]!.finals.size} final, ${rounds} rounds`;
  const cost = run.record({
    operation: `${load}: a payment at each validator`,
    unit: 'CPU µs',
    samples: slices.map(({ cpuUs }) => cpuUs / validators / perSlice),
    digest,
  });
  const waits = handed.map((one) => finalityOf(played, one).atMs - one.dueMs);
  const roundsEach = handed.map((one) => finalityOf(played, one).round - one.round);
  const slicesOf = (values: readonly number[]): number[] =>
    slices.map((_, i) => percentile(values.slice(i * perSlice, (i + 1) * perSlice), 0.5));
  const finality = run.record({
    operation: `${load}: finality p50, virtual`,
    unit: 'ms',
    samples: slicesOf(waits),
    whole: percentile(waits, 0.5),
    digest,
  });
  run.record({
    operation: `${load}: rounds to finality p50`,
    unit: 'count',
    better: 'less',
    samples: slicesOf(roundsEach),
    whole: percentile(roundsEach, 0.5),
    digest,
  });
  return { validators, cost: cost.median, finality: finality.median };
}

export const bench: Bench = {
  question:
    'What does a payment cost each validator, and how long until it is final, the more validators there are?',
  comparable:
    'Costs at one load with one another, and with a signature check of the same machine (verify-limit).',
  notComparable: `Finality with that of real networks: links take ${DELAY_MS} ms each and computing no time at all. Costs with those of a whole node: there is no network and no database in them.`,
  async run(run) {
    for (const perSecond of run.parameter([200], [100, 1000])) {
      const points = [];
      for (const validators of run.parameter([4, 7], [4, 7, 16, 32, 64])) {
        // Large committees need fewer payments for the same number of votes, and take as long.
        const perSlice = run.parameter(20, perSecond / (validators > 16 ? 10 : 2));
        points.push(await measure(run, validators, perSecond, perSlice));
      }
      const name = `${perSecond} payments a second`;
      const axes = { name, x: 'validators', mark: 'line', log: 'x' } as const;
      const costs = points.map(({ validators, cost }) => [validators, cost] as const);
      run.series({
        ...axes,
        plot: 'Processor time of a payment at each validator',
        y: 'CPU µs',
        points: costs,
      });
      const waits = points.map(({ validators, finality }) => [validators, finality] as const);
      run.series({ ...axes, plot: 'Finality p50, virtual', y: 'ms', points: waits });
    }
  },
};
