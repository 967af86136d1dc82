/** Work: how many nonces are tried in a second, by one core and by all, and how many works are checked. */
import { availableParallelism } from 'node:os';
import type { Address, NetworkId, Slot } from '../ledger/index.ts';
import { HASH_BYTES, hex, searchWork, type Worked, workBits, workBitsOf, workSeed } from '../ledger/index.ts';
import { WorkPool } from '../node/work-pool.ts';
import { silentLog } from '../p2p/index.ts';
import { type Bench, type Run, SAMPLES_MIN } from './harness.ts';
import { type Contender, inTurns, nobleHash } from './peer-hashes.ts';

/** More bits than a hash has: no try succeeds and ends the search early. */
const BITS_NEVER = 257;

const SEED = new Uint8Array(HASH_BYTES).fill(1);
const DIGEST_BITS = 12;

function kernel(tries: number): Contender {
  let start = 0;
  return {
    operation: 'tries by the kernel',
    digest: hex(searchWork(SEED, DIGEST_BITS, 0, 1 << 20)!),
    call: () => {
      searchWork(SEED, BITS_NEVER, start, tries);
      start += tries;
      return tries;
    },
  };
}

function noble(tries: number): Contender {
  const message = new Uint8Array(HASH_BYTES + 8);
  message.set(SEED);
  const nonce = new DataView(message.buffer, HASH_BYTES);
  let start = 0;
  const search = (bits: number, count: number): Uint8Array | undefined => {
    for (let i = 0; i < count; i++) {
      nonce.setBigUint64(0, BigInt(start++), true);
      const word = new DataView(nobleHash(message).buffer).getUint32(0);
      if (Math.clz32(word) >= bits) return message.slice(HASH_BYTES);
    }
    return undefined;
  };
  const digest = hex(search(DIGEST_BITS, 1 << 20)!);
  return {
    operation: 'tries by @noble/hashes',
    digest,
    call: () => {
      search(BITS_NEVER, tries);
      return tries;
    },
  };
}

/** It counts nonces up from 0, so what it finds tells how many it has tried. */
async function nano(threshold: string): Promise<Contender | undefined> {
  const peer = await import('nanocurrency').catch(() => undefined);
  if (peer === undefined) return undefined;
  let block = 0;
  const search = async (number: number): Promise<string> => {
    const hash = number.toString(16).padStart(64, '0');
    return (await peer.computeWork(hash, { workThreshold: threshold }))!;
  };
  return {
    operation: "tries by nanocurrency's WebAssembly",
    digest: await search(0),
    call: async () => Number.parseInt(await search(++block), 16) + 1,
  };
}

async function measurePool(run: Run): Promise<void> {
  const threads = availableParallelism();
  await using pool = new WorkPool({ threads }, { log: silentLog });
  const enough = new AbortController();
  const samples: number[] = [];
  let before: { readonly tries: number; readonly ms: number } | undefined;
  const operation = `tries by the pool on ${threads} cores`;
  const told = (tries: number): void => {
    run.progress(operation);
    const ms = performance.now();
    // The first second is for the threads to start.
    if (before !== undefined) samples.push(((tries - before.tries) * 1000) / (ms - before.ms));
    before = { tries, ms };
    if (samples.length === run.parameter(SAMPLES_MIN, 15)) enough.abort();
  };
  const hopeless = 48;
  await pool.find(SEED, hopeless, enough.signal, told).catch(() => undefined);
  run.record({ operation, unit: 'a second', samples, digest: `${threads} threads` });
}

async function measureChecks(run: Run, count: number): Promise<void> {
  const network = new Uint8Array(16).fill(2) as NetworkId;
  const works: Worked[] = Array.from({ length: count }, (_, i) => ({
    previous: hex(nobleHash(Uint8Array.of(1, i, i >> 8))) as Slot,
    account: hex(nobleHash(Uint8Array.of(2, i, i >> 8))) as Address,
    work: nobleHash(Uint8Array.of(3, i, i >> 8)).slice(0, 8),
  }));
  const one = ({ previous, account, work }: Worked): number =>
    workBits(workSeed(network, previous, account), work);
  const sum = (bits: Iterable<number>): string =>
    `${Array.from(bits).reduce((all, each) => all + each, 0)} bits`;
  const contender = (operation: string, all: () => Iterable<number>): Contender => ({
    operation,
    digest: sum(all()),
    call: () => {
      for (let i = 0; i < 8; i++) all();
      return 8 * count;
    },
  });
  await inTurns(run, run.parameter(SAMPLES_MIN, 25), [
    contender('works of a block checked together', () => workBitsOf(network, works)),
    contender('works of a block checked one by one', () => works.map(one)),
  ]);
}

export const bench: Bench = {
  question: 'How many nonces does a core try in a second, and how many works does it check?',
  comparable:
    'The three searches with one another: one thread, seconds of CPU time, one try after the other of the same size (32 bytes of seed, 8 of nonce).',
  notComparable:
    "nanocurrency tries BLAKE2b, which does ten rounds of 64-bit words where BLAKE3 does seven of 32-bit words; its nonces are worth nothing here. The pool's figure is by the clock: who else works on the machine counts against it.",
  async run(run) {
    const contenders = [kernel(run.parameter(1 << 16, 1 << 20)), noble(run.parameter(1 << 9, 1 << 14))];
    const peer = await nano(run.parameter('ff80000000000000', 'ffffe00000000000'));
    if (peer === undefined) run.skip('nanocurrency', 'not installed: npm ci --include=dev');
    else contenders.push(peer);
    const [ours, noblest, nanos] = await inTurns(run, run.parameter(SAMPLES_MIN, 25), contenders);
    run.ratio({ operation: 'kernel over @noble/hashes', of: ours!, to: noblest!, goal: { atLeast: 80 } });
    if (nanos !== undefined)
      run.ratio({ operation: 'kernel over nanocurrency', of: ours!, to: nanos, goal: { atLeast: 5 } });
    await measureChecks(run, 300);
    await measurePool(run);
  },
};
