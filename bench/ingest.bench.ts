/**
 * What a payment costs a validator, from the bytes that gossip brings to the state on the disk: decoding, hashes, work and
 * signature in the verify pool, the ledger, its votes and certificates, the witnesses that it makes itself, and the store with
 * its synced writes. One node of four in this process, with the threads that it always has; the network around it is left
 * out, and what it hears was made before.
 *
 * The limit is the one thing that nobody can leave out: the check of the payment's signature, by libsodium, in the same run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  blake3,
  checkPaymentBytes,
  encodeGenesis,
  essenceOf,
  type Genesis,
  isRefusal,
  KIND,
  makeGenesis,
  publicKeyOf,
  type Units,
  verify,
} from '../ledger/index.ts';
import { LedgerThread } from '../node/ledger-thread.ts';
import { VerifyPool } from '../node/verify-pool.ts';
import { VertexIntake } from '../node/vertex-intake.ts';
import { silentLog } from '../p2p/index.ts';
import { type Bench, type Measurement, type Run, SAMPLES_MIN } from './harness.ts';
import { type Due, makePayments, type Owner, owner, WORK_BITS } from './payments.ts';
import { trafficOf } from './traffic.ts';

const VALIDATORS = 4;
const OWNERS = 1_000;
const UNITS_EACH = 1_000_000;

/** A frame of payments with one transfer. */
const PAYMENTS_PER_BLOCK = 300;
/** Six thousand payments a second at ten rounds a second. */
const BLOCKS_PER_ROUND = 2;

/** Vertices under way at once: what gossip may bring from a few neighbours before it waits. */
const UNDER_WAY_MAX = 32;

const VERTICES_MAX = 100_000;

function seedOf(validator: number): Uint8Array {
  return blake3(new TextEncoder().encode(`bench validator ${validator}`));
}

function genesisFor(owners: readonly Owner[]): Genesis {
  return makeGenesis({
    prefix: 'bench',
    workBits: WORK_BITS,
    committee: Array.from({ length: VALIDATORS }, (_, i) => ({
      scheme: 0,
      publicKey: publicKeyOf(seedOf(i)),
      weight: 1,
    })),
    allocations: owners.map(({ address }) => ({ address, amount: UNITS_EACH as Units })),
  });
}

/** CPU time of this process with all its threads, in microseconds. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The checks of the signatures of these very payments, one after the other, as a node calls them. */
function measureChecks(run: Run, genesis: Genesis, payments: readonly Due[]): Measurement {
  const signed = payments.map(({ bytes }) => {
    const payment = checkPaymentBytes(bytes, genesis);
    if (isRefusal(payment)) throw new Error(`a payment is refused: ${JSON.stringify(payment)}`);
    return { payment, essence: essenceOf(payment) };
  });
  const samples = Array.from({ length: SAMPLES_MIN }, () => {
    const startMicros = cpuMicros();
    let good = 0;
    for (const { payment, essence } of signed)
      if (verify(payment.scheme, payment.publicKey, essence, payment.signature)) good++;
    if (good !== signed.length) throw new Error(`${good} of ${signed.length} signatures are good`);
    return (cpuMicros() - startMicros) / signed.length;
  });
  return run.record({
    operation: 'a bare signature check by libsodium',
    unit: 'CPU µs',
    samples,
    digest: `${signed.length} good`,
  });
}

/** A validator of a network whose other members speak out of a list. */
class Node implements AsyncDisposable {
  readonly #verify: VerifyPool;
  readonly #ledger: LedgerThread;
  readonly #intake: VertexIntake;
  readonly #folder: string;

  static async start(genesis: Genesis, verticesMax: number): Promise<Node> {
    const folder = await mkdtemp(path.join(tmpdir(), 'ravel-bench-'));
    const ledger = await LedgerThread.start(
      {
        genesis: encodeGenesis(genesis),
        folder: path.join(folder, 'db'),
        verticesMax,
        validator: { index: 0, roundFloorMs: 50, roundLingerMs: 50, idleBeatMs: 1_000 },
        validatorSeed: seedOf(0),
        neverVoted: true,
        queuePaymentsMax: 1,
        queuePaymentsPerAccountMax: 1,
        blockLingerMs: 10,
        tips: { strategy: 'uniform', alpha: 0.001, parents: 2 },
      },
      (event) => {
        if (event.type === 'failed' || event.type === 'fault' || event.type === 'refused')
          throw new Error(JSON.stringify(event));
      },
    );
    return new Node(genesis, ledger, folder);
  }

  private constructor(genesis: Genesis, ledger: LedgerThread, folder: string) {
    this.#verify = new VerifyPool({ genesis, threads: 2 }, { log: silentLog });
    this.#ledger = ledger;
    this.#intake = new VertexIntake({ verify: this.#verify, ledger: () => ledger });
    this.#folder = folder;
  }

  /** Takes them as gossip brings them. Resolves when all have been judged. */
  async take(vertices: readonly Uint8Array[]): Promise<void> {
    let next = 0;
    const neighbour = async (): Promise<void> => {
      while (next < vertices.length) {
        const verdict = await this.#intake.take(vertices[next++]!.slice(), 'neighbour', false);
        if (isRefusal(verdict)) throw new Error(JSON.stringify(verdict));
      }
    };
    await Promise.all(Array.from({ length: UNDER_WAY_MAX }, neighbour));
  }

  /** Payments that are final, as a reader is told. */
  async finals(): Promise<number> {
    return (await this.#ledger.call('status')).finalPayments;
  }

  /** Everything that has been taken is on the disk. */
  async durable(): Promise<void> {
    await this.#ledger.call('history', owner(0).address, -1, 1);
  }

  async digest(): Promise<string> {
    return (await this.#ledger.call('status')).root.slice(0, 16);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#intake.stop();
    await this.#ledger[Symbol.asyncDispose]();
    await this.#verify[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  question: 'What does a payment cost a validator, over the signature check that nobody can avoid?',
  comparable:
    'With other ledgers: CPU time per payment of one node, signatures checked and state durable, over that of one signature check on the same core.',
  notComparable: 'Gossip is left out: see `network` for whole nodes.',
  async run(run) {
    const owners = Array.from({ length: OWNERS }, (_, i) => owner(i));
    const genesis = genesisFor(owners);
    const [each, parts, unmeasured] = run.parameter([1_800, SAMPLES_MIN, 1], [9_000, 10, 20]);
    const count = each * (parts + unmeasured);
    const check = measureChecks(run, genesis, makePayments(genesis, owners, owner(OWNERS).address, 2_000));
    run.progress(`making ${count} payments and what the others say of them`, 0.2);
    const vertices = await trafficOf({
      genesis: encodeGenesis(genesis),
      seeds: new Map([1, 2, 3].map((index) => [index, seedOf(index)])),
      owners: OWNERS,
      payments: count,
      paymentsPerBlock: PAYMENTS_PER_BLOCK,
      blocksPerRound: BLOCKS_PER_ROUND,
    });
    run.progress('taking it in', 0.6);
    await using node = await Node.start(genesis, VERTICES_MAX);
    const samples = await cpuPerPart(node, partsOf(vertices, each, parts + unmeasured), unmeasured);
    const whole = run.record({
      operation: 'a payment, from gossip to the durable final state',
      unit: 'CPU µs',
      samples,
      digest: await node.digest(),
    });
    run.ratio({
      operation: 'a bare signature check over a whole payment',
      of: check,
      to: whole,
      goal: { atLeast: 0.75 },
      better: 'more',
    });
  },
};

/** So many payments each; the last one has what follows too. */
function partsOf(vertices: readonly Uint8Array[], each: number, count: number): Uint8Array[][] {
  const parts: Uint8Array[][] = Array.from({ length: count }, () => []);
  let blocks = 0;
  for (const bytes of vertices) {
    const part = Math.floor((blocks * PAYMENTS_PER_BLOCK) / each);
    parts[Math.min(part, count - 1)]!.push(bytes);
    if (bytes[0] === KIND.block) blocks++;
  }
  return parts;
}

/**
 * CPU time per payment of each part, until what the part has made final is on the disk.
 * @param unmeasured Parts before those, which are for the compiler: a validator runs for months, and is slow for some seconds.
 */
async function cpuPerPart(
  node: Node,
  parts: readonly (readonly Uint8Array[])[],
  unmeasured: number,
): Promise<number[]> {
  const samples: number[] = [];
  let [finals, micros] = [0, 0];
  for (const [part, vertices] of parts.entries()) {
    await node.take(vertices);
    await node.durable();
    const [finalsNow, microsNow] = [await node.finals(), cpuMicros()];
    if (part >= unmeasured) samples.push((microsNow - micros) / (finalsNow - finals));
    [finals, micros] = [finalsNow, microsNow];
  }
  return samples;
}
