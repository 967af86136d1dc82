/**
 * How long a payment takes under a steady load. Payments fall due at fixed times, whether or not the earlier ones are final,
 * and each counts from when it was due: a network that falls behind cannot hide it. It counts until a client that trusts
 * no node, at another validator than the payer's, has checked the proof with the committee's keys.
 *
 * Validators, payer and receiver share the machine. Work and signatures are made before, as a wallet makes them while idle.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Address, type Genesis, sign, verify } from '../ledger/index.ts';
import type { LightLink } from '../p2p/index.ts';
import { verifyClaim } from '../wallet/index.ts';
import { type Bench, type Measurement, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { BenchNetwork, until } from './network.ts';
import { type Due, makePayments, owner, WORK_BITS } from './payments.ts';

const VALIDATORS = 4;
const PAYMENTS_PER_SECOND = 50;

/** Each pays every other second: what they ask for are accounts, not one account's chain. */
const OWNERS = 100;
const UNITS_EACH = 1_000_000;

/** What is signed of a payment with one transfer is about as long. */
const MESSAGE_BYTES = 200;

/** Of one sample: some hundred milliseconds. */
const CHECKS = 1_000;

/** Payments due since the last look travel in one submit. */
const TICK_MS = 5;

/** Below the requests that one link may have under way. */
const SUBMITS_UNDER_WAY_MAX = 16;

/** Notes when each payment was proven; `trouble` has what an honest node does not send. */
async function receive(
  link: LightLink,
  genesis: Genesis,
  receiver: Address,
  payments: readonly Due[],
): Promise<{ readonly trouble: string[] }> {
  const byId = new Map(payments.map((payment) => [payment.id, payment]));
  const trouble: string[] = [];
  link.onPush((event) => {
    if (event.type !== 'final') return;
    const verdict = verifyClaim(genesis, event.entry, performance.now());
    if ('problem' in verdict) {
      trouble.push(verdict.problem);
      return;
    }
    const payment = byId.get(verdict.verified.payment.id);
    if (payment !== undefined && Number.isNaN(payment.finalMs)) payment.finalMs = performance.now();
  });
  await link.subscribe([receiver]);
  return { trouble };
}

/** Submits each payment when it is due, and tells how many have been. Rejects when one is refused. */
async function submitAll(
  link: LightLink,
  payments: readonly Due[],
  onDue: (sent: number) => void,
): Promise<void> {
  const startMs = performance.now();
  for (const [i, payment] of payments.entries()) payment.dueMs = startMs + (i * 1000) / PAYMENTS_PER_SECOND;
  const underWay = new Set<Promise<void>>();
  const submit = async (batch: readonly Due[]): Promise<void> => {
    for (const reply of await link.submit(batch.map(({ bytes }) => bytes))) {
      if ('refusal' in reply) throw new Error(`a payment was refused: ${JSON.stringify(reply.refusal)}`);
    }
  };
  let sent = 0;
  let failure: unknown;
  while (sent < payments.length && failure === undefined) {
    const nowMs = performance.now();
    let due = sent;
    while (due < payments.length && payments[due]!.dueMs <= nowMs) due++;
    if (due > sent) {
      const one = submit(payments.slice(sent, due));
      underWay.add(one);
      one.then(
        () => underWay.delete(one),
        (error: unknown) => {
          failure = error;
        },
      );
      sent = due;
      onDue(sent);
    }
    if (underWay.size >= SUBMITS_UNDER_WAY_MAX) await Promise.race(underWay);
    await pause(TICK_MS);
  }
  await Promise.all(underWay);
}

interface Mark {
  readonly atMs: number;
  readonly cpuMs: number;
}

/** Pays at the fixed rate. Returns a mark for each border: a number of payments, taken once so many have been submitted. */
async function underLoad(
  network: BenchNetwork,
  payments: readonly Due[],
  borders: readonly number[],
): Promise<readonly Mark[]> {
  const marks: Promise<Mark>[] = [];
  const mark = async (): Promise<Mark> => ({ atMs: performance.now(), cpuMs: await network.cpuMs() });
  await submitAll(await network.link(0), payments, (sent) => {
    while (marks.length < borders.length && sent >= borders[marks.length]!) marks.push(mark());
  });
  return Promise.all(marks);
}

/** No validator gets around checking each payment's signature: the bound for their processor time, taken in this run. */
function leastCost(run: Run): Measurement {
  const [{ secret, publicKey }, message] = [owner(0), new Uint8Array(MESSAGE_BYTES)];
  const signature = sign(secret, message);
  let held = 0;
  const samples = Array.from({ length: SAMPLES_MIN }, () => {
    const from = process.cpuUsage();
    for (let i = 0; i < CHECKS; i++) if (verify(0, publicKey, message, signature)) held++;
    const { user, system } = process.cpuUsage(from);
    return ((user + system) / 1000 / CHECKS) * VALIDATORS;
  });
  const digest = `${held} of ${SAMPLES_MIN * CHECKS} hold`;
  return run.record({
    operation: `a signature check at each of ${VALIDATORS} validators`,
    unit: 'CPU ms',
    samples,
    digest,
  });
}

function report(
  run: Run,
  measured: readonly Due[],
  all: readonly Due[],
  marks: readonly Mark[],
  digest: string,
): void {
  const perSlice = measured.length / SAMPLES_MIN;
  const latency = (payments: readonly Due[]): number[] =>
    payments.map(({ dueMs, finalMs }) => finalMs - dueMs);
  const slices = Array.from({ length: SAMPLES_MIN }, (_, i) =>
    measured.slice(i * perSlice, (i + 1) * perSlice),
  );
  const load = `${PAYMENTS_PER_SECOND} payments a second`;
  for (const percent of [50, 90, 99]) {
    run.record({
      operation: `finality at ${load}, p${percent}`,
      unit: 'ms',
      whole: percentile(latency(measured), percent / 100),
      samples: slices.map((slice) => percentile(latency(slice), percent / 100)),
      digest,
    });
  }
  const borders = marks.slice(1).map((to, i) => [marks[i]!, to] as const);
  run.record({
    operation: 'payments proven',
    unit: 'a second',
    samples: borders.map(([from, to]) => {
      const proven = all.filter(({ finalMs }) => finalMs > from.atMs && finalMs <= to.atMs).length;
      return (proven * 1000) / (to.atMs - from.atMs);
    }),
    digest,
  });
  if (marks.some(({ cpuMs }) => Number.isNaN(cpuMs))) {
    run.progress('this system has no /proc to tell processor time');
    return;
  }
  run.record({
    operation: `all ${VALIDATORS} validators for a payment, rounds included`,
    unit: 'CPU ms',
    samples: borders.map(([from, to]) => (to.cpuMs - from.cpuMs) / perSlice),
    digest,
    ratioTo: leastCost(run),
  });
}

/** What all validators say in the end: as many final payments as were made, and the supply of the genesis. */
async function outcome(network: BenchNetwork, count: number): Promise<string> {
  for (let validator = 0; validator < VALIDATORS; validator++) {
    const link = await network.link(validator);
    await until(`validator ${validator} knows of ${count} final payments`, async () => {
      const { finalPayments, supply } = await link.status();
      if (supply !== network.genesis.supply) throw new Error(`validator ${validator}: a supply of ${supply}`);
      return finalPayments === count;
    });
  }
  return `${count} final, supply ${network.genesis.supply}`;
}

export const bench: Bench = {
  question:
    'How long does a payment take to be final under a steady load, and what does it cost the validators?',
  async run(run) {
    const seconds = run.parameter(3, 60);
    // The first payments meet code that is not compiled yet.
    const warmUp = run.parameter(1, 10) * PAYMENTS_PER_SECOND;
    const count = seconds * PAYMENTS_PER_SECOND;
    const [receiver, ...owners] = Array.from({ length: OWNERS + 1 }, (_, i) => owner(i));
    run.progress(`starting ${VALIDATORS} validators`);
    await using network = await BenchNetwork.start({
      validators: VALIDATORS,
      workBits: WORK_BITS,
      owners: owners.map(({ address }) => address),
      unitsEach: UNITS_EACH,
    });
    const { genesis } = network;
    const payments = makePayments(genesis, owners, receiver!.address, warmUp + count);
    const { trouble } = await receive(await network.link(1), genesis, receiver!.address, payments);
    run.progress(`${payments.length} payments, ${PAYMENTS_PER_SECOND} a second`);
    const borders = Array.from({ length: SAMPLES_MIN + 1 }, (_, i) => warmUp + (i * count) / SAMPLES_MIN);
    const marks = await underLoad(network, payments, borders);
    const open = (): number => payments.filter(({ finalMs }) => Number.isNaN(finalMs)).length;
    await until('all payments are proven', () => open() === 0 || trouble.length > 0);
    if (trouble.length > 0) throw new Error(`a node sent what does not hold: ${trouble[0]}`);
    report(run, payments.slice(warmUp), payments, marks, await outcome(network, payments.length));
  },
};
