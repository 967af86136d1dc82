/** Ids and Merkle trees: the kernel behind ledger/hash.ts against the alternatives. */
import {
  blake3,
  blake3Many,
  concat,
  FRAME_BYTES_MAX,
  type Hash,
  hex,
  MerkleTree,
  type NetworkId,
  unhex,
} from '../ledger/index.ts';
import { type Bench, type Run, SAMPLES_MIN } from './harness.ts';
import {
  type Contender,
  type HashFunction,
  inTurns,
  NATIVE_MISSING,
  nativeHash,
  nobleHash,
} from './peer-hashes.ts';

/** Essence of a payment of one transfer, without a memo. */
const PAYMENT_BYTES = 133;

const NETWORK = new Uint8Array(16).fill(2) as NetworkId;
const LEAF = Uint8Array.of(6, ...NETWORK);
const NODE = Uint8Array.of(7, ...NETWORK);

/** So that a sample is of some milliseconds. */
const SAMPLE_MS = 5;

/** @param each operations that one call does. */
function contender(operation: string, digest: string, each: number, call: () => unknown): Contender {
  const repeat = (times: number): number => {
    for (let i = 0; i < times; i++) call();
    return times * each;
  };
  let times = 1;
  for (let ms = 0; ms < SAMPLE_MS; times *= 2) {
    const before = process.cpuUsage();
    repeat(times);
    ms = process.cpuUsage(before).user / 1000;
  }
  return { operation, digest, call: () => repeat(times) };
}

async function measureMessage(
  run: Run,
  what: string,
  bytes: number,
  peers: ReadonlyMap<string, HashFunction>,
): Promise<void> {
  const message = Uint8Array.from({ length: bytes }, (_, i) => i % 251);
  const contenders = [...peers].map(([by, hash]) =>
    contender(`${what} by ${by}`, hex(hash(message)).slice(0, 16), 1, () => hash(message)),
  );
  await inTurns(run, run.parameter(SAMPLES_MIN, 25), contenders);
}

async function measureMany(run: Run, count: number): Promise<void> {
  const items = Uint8Array.from({ length: count * 64 }, (_, i) => i % 251);
  const each = (): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => blake3(NODE, items.subarray(i * 64, i * 64 + 64)));
  const last = (digests: Uint8Array): string => hex(digests.subarray(-32)).slice(0, 16);
  await inTurns(run, run.parameter(SAMPLES_MIN, 25), [
    contender('Merkle nodes together', last(blake3Many(NODE, items, 64)), count, () =>
      blake3Many(NODE, items, 64),
    ),
    contender('Merkle nodes one by one', last(each().at(-1)!), count, each),
  ]);
}

/** The tree of ledger/merkle.ts in the obvious way. */
function rootBy(hash: HashFunction, ids: readonly Hash[]): string {
  let level = ids.map((id) => hash(concat([LEAF, unhex(id)])));
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      above.push(right === undefined ? level[i]! : hash(concat([NODE, level[i]!, right])));
    }
    level = above;
  }
  return hex(level[0]!);
}

async function measureTrees(
  run: Run,
  count: number,
  peers: ReadonlyMap<string, HashFunction>,
): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => hex(blake3(Uint8Array.of(i, i >> 8))) as Hash).sort();
  const tree = (): string => new MerkleTree(NETWORK, ids).root;
  const contenders = [contender('leaves in a Merkle tree by the kernel', tree().slice(0, 16), count, tree)];
  for (const [by, hash] of [...peers].slice(1)) {
    const root = (): string => rootBy(hash, ids);
    contenders.push(contender(`leaves in a Merkle tree by ${by}`, root().slice(0, 16), count, root));
  }
  await inTurns(run, run.parameter(SAMPLES_MIN, 25), contenders);
}

export const bench: Bench = {
  question: 'How many ids and Merkle trees does a core hash in a second?',
  comparable:
    'All contenders with one another: the same BLAKE3-256 of the same bytes into new memory, one thread, seconds of CPU time.',
  notComparable:
    'Figures for long messages that others quote: an id is short, and the call costs as much as the hash. The native one uses wider vectors than WebAssembly has, so it wins for whole blocks and loses for ids.',
  async run(run) {
    const peers = new Map<string, HashFunction>([
      ['the kernel', (message) => blake3(message)],
      ['@noble/hashes', nobleHash],
    ]);
    const native = await nativeHash();
    if (native === undefined) run.skip('@napi-rs/blake-hash', NATIVE_MISSING);
    else peers.set('@napi-rs/blake-hash', native);
    await measureMessage(run, 'payment ids', PAYMENT_BYTES, peers);
    await measureMessage(run, 'ids of full blocks', FRAME_BYTES_MAX, peers);
    await measureMany(run, run.parameter(64, 1024));
    await measureTrees(run, run.parameter(64, 1024), peers);
  },
};
