/**
 * Whether a payment costs more on top of ten million than on top of ten thousand: the ledger alone, one validator, full
 * blocks, votes, certificates, commits and state roots, with forgetting as on a running network, in a shorter epoch.
 *
 * Decoding, hashes and signatures are left out, as they do not know what came before; `ingest` has them.
 */
import {
  Core,
  decodeVertex,
  encodeBlock,
  encodePayment,
  type Genesis,
  isRefusal,
  makeGenesis,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Slot,
  sign,
  type Units,
  type Vertex,
  type VertexId,
} from '../ledger/index.ts';
import { type Bench, type Measurement, type Run, SAMPLES_MIN } from './harness.ts';
import { type Owner, owner } from './payments.ts';

const OWNERS = 2_000;
const UNITS_EACH = 1_000_000_000;
const PAYMENTS_PER_BLOCK = 300;
const BLOCKS_PER_ROUND = 4;
const ROUND_MS = 50;

/** So that 168,000 payments are remembered at a time, as many as by a network that settles a thousand a second at twenty rounds. */
const EPOCH_ROUNDS = 40;
const VERTICES_MAX = 100_000;

/** Payments of one sample: some hundred milliseconds. */
const SAMPLE_PAYMENTS = 12_000;

const NO_WORK = new Uint8Array(8);
const NO_SIGNATURE = new Uint8Array(64);

/** One validator's ledger, and owners who pay in turn. */
class Payers {
  readonly #genesis: Genesis;
  readonly #owners: readonly Owner[];
  readonly #core: Core;
  readonly #heads: Slot[];
  #next = 0;
  #nowMs = 1_000;

  constructor(owners: readonly Owner[]) {
    const { secret } = owner(-1);
    this.#owners = owners;
    this.#genesis = makeGenesis({
      prefix: 'bench',
      workBits: 0,
      committee: [{ scheme: 0, publicKey: publicKeyOf(secret), weight: 1 }],
      allocations: owners.map(({ address }) => ({ address, amount: UNITS_EACH as Units })),
    });
    this.#heads = owners.map(({ address }) => address);
    this.#core = new Core(
      {
        genesis: this.#genesis,
        ledger: { verticesMax: VERTICES_MAX, epochRounds: EPOCH_ROUNDS },
        validator: { index: 0, roundFloorMs: ROUND_MS, roundLingerMs: 0, idleBeatMs: ROUND_MS },
      },
      { sign: (message) => sign(secret, message) },
    );
  }

  get finals(): number {
    return this.#core.ledger.accounts.finals;
  }

  get root(): string {
    return this.#core.ledger.lastCommit.root;
  }

  #block(parent: VertexId): Vertex {
    const first = this.#next;
    const encodings = Array.from({ length: PAYMENTS_PER_BLOCK }, () => this.#payment());
    const block = decodeVertex(
      encodeBlock(this.#genesis.network, [parent], encodings),
      this.#genesis.network,
    );
    if (isRefusal(block) || block.kind !== 'block') throw new Error('no decoder takes this block');
    for (const [i, { id }] of block.payloads.entries())
      this.#heads[(first + i) % this.#owners.length] = id as PaymentId;
    return block;
  }

  #payment(): Uint8Array {
    const i = this.#next++;
    const at = i % this.#owners.length;
    const essence = paymentEssence({
      network: this.#genesis.network,
      scheme: 0,
      publicKey: this.#owners[at]!.publicKey,
      previous: this.#heads[at]!,
      sequence: Math.floor(i / this.#owners.length) + 1,
      transfers: [{ to: this.#owners[(at + 1) % this.#owners.length]!.address, amount: 1 as Units }],
      memo: new Uint8Array(),
    });
    return encodePayment(essence, NO_WORK, NO_SIGNATURE);
  }

  /** Takes in so many payments, at least. @returns CPU time for each that became final, in microseconds. */
  take(count: number): number {
    const finals = this.finals;
    let micros = 0;
    while (this.finals - finals < count) {
      const tip = this.#core.ledger.tangle.branches.main(0).tipRow;
      const { id } = this.#core.ledger.tangle.record(tip);
      const blocks = Array.from({ length: BLOCKS_PER_ROUND }, () => this.#block(id));
      const { user, system } = process.cpuUsage();
      for (const vertex of blocks)
        this.#core.step({ type: 'vertex', vertex, from: 'other', requested: true, nowMs: this.#nowMs });
      this.#nowMs += ROUND_MS;
      this.#core.step({ type: 'tick', nowMs: this.#nowMs });
      const now = process.cpuUsage();
      micros += now.user + now.system - user - system;
    }
    return micros / (this.finals - finals);
  }
}

function measure(run: Run, owners: readonly Owner[], sizes: readonly number[]): Measurement[] {
  const warm = new Payers(owners);
  for (let i = 0; i < run.parameter(1, 20); i++) warm.take(SAMPLE_PAYMENTS);
  const payers = new Payers(owners);
  return sizes.map((size) => {
    while (payers.finals < size) {
      run.progress(`${payers.finals} payments`, payers.finals / sizes.at(-1)!);
      payers.take(Math.min(100_000, size - payers.finals));
    }
    const samples = Array.from({ length: SAMPLES_MIN }, () => payers.take(SAMPLE_PAYMENTS));
    return run.record({
      operation: `a payment in the ledger, on top of ${size}`,
      unit: 'CPU µs',
      samples,
      digest: payers.root.slice(0, 16),
    });
  });
}

export const bench: Bench = {
  question: 'Does a payment cost the ledger more, the more there have been?',
  comparable: 'The ratio of the last figure to the first one: 1 is a cost that does not grow.',
  notComparable: 'The figures themselves: the committee has one member, and signatures are left out.',
  async run(run) {
    const sizes = run.parameter([1_000, 10_000], [10_000, 100_000, 1_000_000, 10_000_000]);
    const owners = Array.from({ length: OWNERS }, (_, i) => owner(i));
    const measured = measure(run, owners, sizes);
    run.series({
      plot: 'cost of a payment by the number before it',
      x: 'payments before',
      y: 'CPU µs',
      mark: 'line',
      log: 'x',
      points: sizes.map((size, i) => [size, measured[i]!.median] as const),
    });
    run.ratio({
      operation: `a payment on top of ${sizes.at(-1)!} over one on top of ${sizes[0]!}`,
      of: measured.at(-1)!,
      to: measured[0]!,
      goal: { atMost: 1.2 },
      better: 'less',
    });
  },
};
