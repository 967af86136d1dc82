/**
 * What the two processes of light clients have in common: they are told what to be, become that many light clients, and
 * end when they are told to or when their parent is gone.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type Genesis, isRefusal } from '../../ledger/index.ts';
import { createLightPeers, type LightPeers } from '../../p2p/index.ts';
import {
  createLightClient,
  createSeedSigner,
  deriveKey,
  type LightClient,
  type Signer,
} from '../../wallet/index.ts';
import { createLog, type NodeLog } from '../log.ts';
import { loadGenesis } from '../network-files.ts';
import { openWalletFiles } from '../wallet-files.ts';
import { WorkPool } from '../work-pool.ts';
import type { FleetMember, FleetSetup, FromFleet, ToFleet } from './fleet-messages.ts';

/** Light clients that start at the same time: each dials every validator. */
const STARTS_AT_ONCE = 8;

/** One answer of a validator, which shares the machine with all others. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The wallet's past has to be read before it signs. */
const READY_TIMEOUT_MS = 60_000;

/**
 * Two links instead of three: every link brings every witness header again, and dozens of clients share the cores of this
 * machine with the validators. With two a client goes on when one of them dies, and finds another.
 */
const TUNING = { linksMax: 2 };

/** One light client with its own network identity. */
export interface Member {
  readonly signer: Signer;
  readonly peers: LightPeers;
  readonly client: LightClient;
}

export interface Fleet {
  readonly setup: FleetSetup;
  readonly genesis: Genesis;
  readonly members: readonly Member[];
  readonly log: NodeLog;
  send(message: FromFleet): void;
}

/** Milliseconds since 1970 with fractions: processes of one machine read the same clock. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Runs this process as a fleet. `listen` are the multiaddrs of each member. `serve` gets the fleet once and returns what
 * takes the parent's further messages.
 */
export async function runFleet(
  listen: readonly string[],
  serve: (fleet: Fleet) => Promise<(message: ToFleet) => void>,
): Promise<void> {
  const log = createLog({ level: 'warn', format: 'json' }, { isTerminal: false });
  const send = (message: FromFleet): void => {
    if (process.connected) process.send?.(message);
  };
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));
  process.on('SIGTERM', () => ending.abort());
  process.on('SIGINT', () => {});
  process.on('disconnect', () => ending.abort());
  const stack = new AsyncDisposableStack();
  try {
    await Promise.race([start(listen, serve, { log, send, stack, signal: ending.signal }), ended]);
    await ended;
  } catch (error) {
    log.error({ err: error }, 'The light clients had to stop');
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  }
  await stack.disposeAsync();
  // A light client that was still being opened would keep the process.
  process.exit();
}

interface Start {
  readonly log: NodeLog;
  send(message: FromFleet): void;
  /** Gets whatever has to be ended. */
  readonly stack: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/** Becomes what the parent asks for. */
async function start(
  listen: readonly string[],
  serve: (fleet: Fleet) => Promise<(message: ToFleet) => void>,
  { log, send, stack, signal }: Start,
): Promise<void> {
  const [setup] = await nextMessage();
  const genesis = await loadGenesis(setup.genesisFile);
  const pool = stack.use(new WorkPool({ threads: 1 }, { log: log.child('work') }));
  const members: Member[] = [];
  for (let first = 0; first < setup.accounts.length; first += STARTS_AT_ONCE) {
    const some = setup.accounts.slice(first, first + STARTS_AT_ONCE);
    const opening = some.map((account) =>
      startMember({ setup, genesis, account, listen }, { log, pool, stack, signal }),
    );
    members.push(...(await Promise.all(opening)));
  }
  const take = await serve({ setup, genesis, members, log, send });
  process.on('message', (message) => take(message as ToFleet));
  send({ type: 'ready', members: members.map(describe) });
}

function nextMessage(): Promise<[FleetSetup]> {
  return new Promise((resolve) => process.once('message', (message) => resolve([message as FleetSetup])));
}

function describe({ client, peers }: Member): FleetMember {
  return { address: client.address, peer: peers.id, addresses: peers.addresses };
}

interface MemberOptions {
  readonly setup: FleetSetup;
  readonly genesis: Genesis;
  readonly account: number;
  readonly listen: readonly string[];
}

interface MemberDeps {
  readonly log: NodeLog;
  readonly pool: WorkPool;
  readonly stack: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

async function startMember(
  { setup, genesis, account, listen }: MemberOptions,
  { log, pool, stack, signal }: MemberDeps,
): Promise<Member> {
  const signer = createSeedSigner(deriveKey(setup.phrase, account));
  const memberLog = log.child('client', { account });
  const store = stack.use(
    await openWalletFiles(path.join(setup.walletsDir, String(account)), { log: memberLog }),
  );
  const peers = stack.use(
    await createLightPeers(
      {
        network: genesis.network,
        identitySeed: randomBytes(32),
        listen,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
      },
      { log: memberLog, nowMs: () => performance.now() },
    ),
  );
  const client = stack.use(
    await createLightClient(
      { genesis, nodes: nodesFor(setup.nodes, account), tuning: TUNING },
      {
        signer,
        peers,
        store,
        log: memberLog,
        nowMs: preciseNowMs,
        async findWork(seed, bits, signal) {
          const found = await pool.find(seed, bits, signal);
          if (isRefusal(found)) throw new Error(`the work pool is full: ${found.code}`);
          return found;
        },
      },
    ),
  );
  await client.ready({ timeoutMs: READY_TIMEOUT_MS, signal });
  return { signer, peers, client };
}

/** All nodes, each client beginning with another one, so that no validator serves all of them. */
function nodesFor(nodes: readonly string[], account: number): readonly string[] {
  const first = account % nodes.length;
  return [...nodes.slice(first), ...nodes.slice(0, first)];
}
