/** What a load generator needs of its machine: an identity of its own in the network, and nonces. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Genesis, isRefusal, searchWork } from '../../ledger/index.ts';
import { createLightPeers, type LightPeers, type Log } from '../../p2p/index.ts';
import { WorkPool } from '../work-pool.ts';
import type { FindWork } from './raw-account.ts';

export interface LoadTools extends AsyncDisposable {
  readonly peers: LightPeers;
  readonly findWork: FindWork;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** A search of so few bits is over before another thread has heard of it. */
const OWN_BITS_MAX = 4;
const OWN_TRIES = 1 << 12;

export async function openLoadTools(genesis: Genesis, log: Log): Promise<LoadTools> {
  await using stack = new AsyncDisposableStack();
  const pool = stack.use(new WorkPool({ threads: availableParallelism() }, { log }));
  const peers = stack.use(
    await createLightPeers(
      {
        network: genesis.network,
        identitySeed: randomBytes(32),
        listen: [],
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
      },
      { log, nowMs: () => performance.now() },
    ),
  );
  const findWork: FindWork = async (seed, bits, signal) => {
    const near = bits <= OWN_BITS_MAX ? searchWork(seed, bits, 0, OWN_TRIES) : undefined;
    const found = near ?? (await pool.find(seed, bits, signal));
    if (isRefusal(found)) throw new Error(`the work pool is full: ${found.code}`);
    return found;
  };
  const moved = stack.move();
  return { peers, findWork, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}
