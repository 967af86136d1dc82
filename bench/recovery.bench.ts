/**
 * What a node has to do before it serves again: open its database, take the last snapshot, read back what came after it. The
 * ledger thread is the production one, with its store on the disk; a committee of one makes its rounds as fast as it is let,
 * with short epochs, so that there is a snapshot soon. What else a start is, the process and its links, is the same whatever the
 * size, and left out; so is what peers have to bring of the time in which the node was away.
 *
 * Two sizes matter. Accounts: all are in the snapshot. History: payments since the last snapshot are voted on and
 * counted anew; a node makes one after every epoch, so that it is seconds of load, never all there ever was.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Address,
  blake3,
  blake3Hex,
  decodePayment,
  encodeGenesis,
  type Genesis,
  isRefusal,
  makeGenesis,
  publicKeyOf,
  type Units,
} from '../ledger/index.ts';
import { LedgerThread } from '../node/ledger-thread.ts';
import { type Bench, type Measurement, type Run, SAMPLES_MIN } from './harness.ts';
import { until } from './network.ts';
import { makePayments, owner } from './payments.ts';

const SEED = blake3(new TextEncoder().encode('bench validator of one'));
const SHORT_EPOCH = 64;
const BATCH = 256;
/** With one batch more: so many may always wait. */
const QUEUED_MAX = 512;
const OWNERS = 1_000;

/** What one start was like, as the ledger thread tells of it. */
interface Start {
  readonly ms: number;
  readonly vertices: number;
  readonly finals: number;
}

interface Snapshot {
  readonly bytes: number;
  readonly ms: number;
}

/** One node's ledger on the disk: it can be started again and again. */
class Disk implements AsyncDisposable {
  readonly #genesis: Genesis;
  readonly #folder: string;
  readonly #epochRounds: number;
  ledger!: LedgerThread;
  snapshots: Snapshot[] = [];
  #neverVoted = true;

  private constructor(genesis: Genesis, folder: string, epochRounds: number) {
    this.#genesis = genesis;
    this.#folder = folder;
    this.#epochRounds = epochRounds;
  }

  static async begin(genesis: Genesis, epochRounds: number): Promise<Disk> {
    const disk = new Disk(genesis, await mkdtemp(path.join(tmpdir(), 'ravel-bench-')), epochRounds);
    await disk.start(true);
    return disk;
  }

  /** @param votes A node that votes makes rounds; one that does not only has what it has. */
  async start(votes: boolean): Promise<Start> {
    const startMs = performance.now();
    let read = { vertices: 0, finals: 0 };
    this.ledger = await LedgerThread.start(
      {
        genesis: encodeGenesis(this.#genesis),
        folder: path.join(this.#folder, 'db'),
        verticesMax: 1_000_000,
        epochRounds: this.#epochRounds,
        validator: votes ? { index: 0, roundFloorMs: 2, roundLingerMs: 0, idleBeatMs: 2 } : undefined,
        validatorSeed: votes ? SEED : undefined,
        neverVoted: this.#neverVoted,
        queuePaymentsMax: 1_000_000,
        queuePaymentsPerAccountMax: 1_000,
        blockLingerMs: 1,
        tips: { strategy: 'uniform', alpha: 0.01, parents: 3 },
      },
      (event) => {
        if (event.type === 'loaded') read = event;
        else if (event.type === 'snapshot') this.snapshots.push(event);
        else if (event.type === 'failed' || event.type === 'fault')
          throw new Error(`the ledger ended: ${JSON.stringify(event)}`);
      },
    );
    this.#neverVoted = false;
    return { ms: performance.now() - startMs, vertices: read.vertices, finals: read.finals };
  }

  async stop(): Promise<void> {
    await this.ledger[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function genesisOf(addresses: readonly Address[]): Genesis {
  return makeGenesis({
    prefix: 'bench',
    workBits: 0,
    committee: [{ scheme: 0, publicKey: publicKeyOf(SEED), weight: 1 }],
    allocations: addresses.map((address) => ({ address, amount: 1_000_000 as Units })),
  });
}

/** Starts of what is on the disk, one after the other, by a node that adds nothing to it. */
async function restarts(disk: Disk): Promise<readonly Start[]> {
  await disk.stop();
  const starts: Start[] = [];
  for (let i = 0; i < SAMPLES_MIN; i++) {
    starts.push(await disk.start(false));
    if (i < SAMPLES_MIN - 1) await disk.stop();
  }
  const [first] = starts;
  if (starts.some(({ vertices, finals }) => vertices !== first!.vertices || finals !== first!.finals))
    throw new Error(`starts of one disk have found different things: ${JSON.stringify(starts)}`);
  return starts;
}

interface BySize {
  readonly size: number;
  readonly restart: Measurement;
}

async function measureAccounts(run: Run, accounts: number): Promise<BySize & { readonly made: Measurement }> {
  const name = `${accounts.toLocaleString('en')} accounts`;
  run.progress(name);
  const addresses = Array.from({ length: accounts }, (_, i) => blake3Hex(Uint8Array.of(i, i >> 8, i >> 16)));
  await using disk = await Disk.begin(genesisOf(addresses as Address[]), SHORT_EPOCH);
  // One more than samples: the first one meets code that is not compiled.
  // Between two of them a node rests twenty times as long as one took.
  for (let made = 0; made <= SAMPLES_MIN; made++)
    await until('there is a snapshot', () => disk.snapshots.length > made);
  const snapshots = disk.snapshots.slice(1, SAMPLES_MIN + 1);
  const starts = await restarts(disk);
  const made = run.record({
    operation: `${name}: a snapshot, made and synced`,
    unit: 'ms',
    samples: snapshots.map(({ ms }) => ms),
    digest: `about ${Math.round(snapshots[0]!.bytes / accounts)} bytes an account`,
  });
  const restart = run.record({
    operation: `${name}: restart from a snapshot`,
    unit: 'ms',
    samples: starts.map(({ ms }) => ms),
    digest: `${starts[0]!.finals} final payments`,
  });
  return { size: accounts, restart, made };
}

/** Payments that no snapshot has: an epoch is longer than this takes. */
async function measureHistory(run: Run, count: number): Promise<BySize> {
  const name = `${count.toLocaleString('en')} payments since the last snapshot`;
  run.progress(name);
  const [payee, ...owners] = Array.from({ length: OWNERS + 1 }, (_, i) => owner(i));
  const genesis = genesisOf(owners.map(({ address }) => address));
  const payments = makePayments(genesis, owners, payee!.address, count).map(({ bytes }) => {
    const payment = decodePayment(bytes, genesis.network);
    if (isRefusal(payment)) throw new Error(`no decoder takes this payment: ${JSON.stringify(payment)}`);
    const { id, account, previous, sequence, total } = payment;
    return { bytes, id, account, previous, sequence, total, workBits: 0 };
  });
  await using disk = await Disk.begin(genesis, 1_000_000);
  for (let next = 0; next < count; next += BATCH) {
    // Not more than always finds room in the queue.
    const room = async () => (await disk.ledger.call('status')).queue <= QUEUED_MAX;
    await until('there is room in the queue', room);
    for (const reply of await disk.ledger.call('submit', payments.slice(next, next + BATCH)))
      if ('refusal' in reply) throw new Error(`a payment was refused: ${JSON.stringify(reply.refusal)}`);
  }
  await until('all are final', async () => (await disk.ledger.call('status')).finalPayments === count);
  const starts = await restarts(disk);
  if (starts[0]!.finals !== count) throw new Error(`${starts[0]!.finals} of ${count} payments came back`);
  const restart = run.record({
    operation: `${name}: restart`,
    unit: 'ms',
    samples: starts.map(({ ms }) => ms),
    digest: `${count} final payments`,
  });
  return { size: count, restart };
}

function draw(run: Run, x: string, name: string, points: readonly (readonly [number, number])[]): void {
  run.series({ plot: `By ${x}`, name, x, y: 'ms', mark: 'line', log: 'xy', points });
}

export const bench: Bench = {
  question:
    'How long does a node take to restart, and to make a snapshot, the larger its state and its history?',
  comparable: 'Sizes with one another: what an account and what a payment adds.',
  notComparable:
    "With the start of a whole node, which has a process to start and links to make besides, and with catching up on what it missed, which is the network's pace.",
  async run(run) {
    const states = [];
    for (const accounts of run.parameter([200], [1_000, 10_000, 100_000]))
      states.push(await measureAccounts(run, accounts));
    const histories = [];
    for (const count of run.parameter([200], [1_000, 10_000, 100_000]))
      histories.push(await measureHistory(run, count));
    const points = (of: readonly BySize[]) => of.map(({ size, restart }) => [size, restart.median] as const);
    draw(run, 'accounts', 'restart', points(states));
    draw(
      run,
      'accounts',
      'snapshot',
      states.map(({ size, made }) => [size, made.median] as const),
    );
    draw(run, 'payments since the last snapshot', 'restart', points(histories));
  },
};
