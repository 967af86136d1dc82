/**
 * A running node: the place where everything is put together. Vertices of peers: gossip -> verify pool -> ledger thread ->
 * verdict. Payments of clients: light protocol -> verify pool -> ledger thread. What the ledger thread tells: -> gossip and
 * subscribers.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  type Address,
  encodeGenesis,
  equalBytes,
  type Genesis,
  isRefusal,
  publicKeyOf,
  type ValidatorIndex,
  workSeed,
} from '../ledger/index.ts';
import {
  createPeers,
  type LightHandlers,
  type LightPush,
  type Peers,
  type SubmitReply,
  type Verdict,
  type VertexHandlers,
} from '../p2p/index.ts';
import type { Submission } from './admission.ts';
import { CatchUp } from './catch-up.ts';
import { type Config, verifyThreadsOf } from './config.ts';
import { lockFolder } from './folder-lock.ts';
import { LastRound } from './last-round.ts';
import type { LedgerEvent } from './ledger-messages.ts';
import { LedgerThread, LedgerThreadError } from './ledger-thread.ts';
import {
  LAST_ROUND_GRACE_MS,
  LAST_ROUND_REPORT_MS,
  LAST_ROUND_RETRY_MS,
  LEDGER_CALLS_MAX,
  LEDGER_VERTICES_MAX,
  WANTED_DELAY_MS,
} from './limits.ts';
import type { NodeLog } from './log.ts';
import { forgetNeverVoted, loadGenesis, loadKey, loadOrMakeKey, neverVoted } from './network-files.ts';
import { Subscriptions } from './subscriptions.ts';
import { VerifyPool } from './verify-pool.ts';
import { WorkPool } from './work-pool.ts';

/** `not_in_committee`: the validator key belongs to nobody whom the genesis names. */
export class NodeError extends Error {
  readonly code: 'not_in_committee';
  constructor(code: NodeError['code'], message: string) {
    super(message);
    this.name = 'NodeError';
    this.code = code;
  }
}

export interface RunningNode extends AsyncDisposable {
  readonly genesis: Genesis;
  /** Missing for a node that does not vote. */
  readonly validator: ValidatorIndex | undefined;
  /** Full multiaddrs with /p2p/. */
  readonly addresses: readonly string[];
  readonly peers: Peers;
  /** Resolves with the reason when the node cannot go on: its disk failed, or an invariant broke. */
  readonly failed: Promise<string>;
}

/** A seed of no account: `validator` says whose key it is. */
function indexOf(genesis: Genesis, seed: Uint8Array, file: string): ValidatorIndex {
  const key = publicKeyOf(seed);
  const index = genesis.committee.findIndex(({ publicKey }) => equalBytes(publicKey, key));
  if (index < 0) {
    throw new NodeError(
      'not_in_committee',
      `${file} is the key of nobody in this network's committee. Use the validator.key that was made with this genesis.json, or leave validatorKey out to run a node that does not vote.`,
    );
  }
  return index;
}

const SILENT =
  'This validator does not vote: its key has voted before, and the database does not hold those votes. It asks the others for its last round';

const DAMAGED = 'The database was damaged: it has been set aside, and a new one is filled from peers';

/** One node's parts, while they are put together; ended in reverse order. */
class Parts {
  readonly #stack = new AsyncDisposableStack();
  readonly genesis: Genesis;
  readonly log: NodeLog;
  readonly config: Config;
  ledger!: LedgerThread;
  verify!: VerifyPool;
  work: WorkPool | undefined;
  peers!: Peers;
  catchUp!: CatchUp;
  subscriptions!: Subscriptions;
  /** The validator has to learn its last round. */
  silent = false;
  lastRound: LastRound | undefined;
  readonly failed = Promise.withResolvers<string>();

  constructor(genesis: Genesis, config: Config, log: NodeLog) {
    this.genesis = genesis;
    this.config = config;
    this.log = log;
  }

  own<T extends AsyncDisposable>(part: T): T {
    return this.#stack.use(part);
  }

  defer(end: () => Promise<void>): void {
    this.#stack.defer(end);
  }

  dispose(): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Checks and attaches what came; a full pool or a busy ledger thread is the peer's `queue_full`, not an error. */
async function take(parts: Parts, bytes: Uint8Array, from: string, requested: boolean): Promise<Verdict> {
  const hashes = await parts.verify.checkVertex(bytes);
  if (isRefusal(hashes)) return hashes;
  // A view would travel to the other thread with the whole buffer behind it.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  try {
    const [verdict] = await parts.ledger.call('vertices', [{ bytes: own, hashes, from, requested }]);
    return verdict!;
  } catch (error) {
    if (error instanceof LedgerThreadError && error.code !== 'failed') return 'ignore';
    throw error;
  }
}

function vertexHandlers(parts: Parts): VertexHandlers {
  return {
    gossip: (_kind, bytes, from) => take(parts, bytes, from, false),
    fetch: (ids) => parts.ledger.call('fetch', ids),
    since: (request) => parts.ledger.call('since', request),
    lastWitness: (request) => parts.ledger.call('lastWitness', request),
  };
}

/** A busy ledger thread is pressure, which the client has to feel, not an error. */
async function submit(
  ledger: LedgerThread,
  payments: readonly Submission[],
): Promise<readonly SubmitReply[]> {
  try {
    return await ledger.call('submit', payments);
  } catch (error) {
    if (!(error instanceof LedgerThreadError && error.code === 'busy')) throw error;
    const refusal = { code: 'queue_full', waiting: ledger.waiting, max: LEDGER_CALLS_MAX } as const;
    return payments.map(() => ({ refusal }));
  }
}

function lightHandlers(parts: Parts): LightHandlers {
  const { ledger, verify, genesis } = parts;
  return {
    async submit(payments) {
      const checked = await verify.checkPayments(payments);
      const good = checked.flatMap((one, i) => (isRefusal(one) ? [] : [{ ...one, bytes: payments[i]! }]));
      const replies = good.length === 0 ? [] : [...(await submit(ledger, good))];
      return checked.map((one) => (isRefusal(one) ? { refusal: one } : replies.shift()!));
    },
    tips: (count) => ledger.call('tips', count),
    account: (address) => ledger.call('account', address),
    history: (address, after, limit) => ledger.call('history', address, after, limit),
    proof: (payment) => ledger.call('proof', payment),
    balance: (address) => ledger.call('balance', address),
    outcome: (payment, slot) => ledger.call('outcome', payment, slot),
    async work(previous, account, _from, signal) {
      if (parts.work === undefined) return { code: 'queue_full', waiting: 0, max: 0 };
      return parts.work.find(workSeed(genesis.network, previous, account), genesis.workBits, signal);
    },
    status: async () => ({ ...(await ledger.call('status')), peers: parts.peers.list().length }),
    subscribe: (addresses: readonly Address[], push: (event: LightPush) => boolean) =>
      parts.subscriptions.add(addresses, push),
  };
}

/** Fetches missing parents, unless gossip brings them first, and takes what came. */
async function fetchWanted(parts: Parts, event: LedgerEvent & { type: 'wanted' }): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, WANTED_DELAY_MS));
  const ids = event.wants.map(({ id }) => id);
  const from = [...new Set(event.wants.map((want) => want.from))];
  const found = await parts.peers.fetch(ids, from);
  await Promise.all(
    found.map(async ({ bytes, from: peer }) => {
      const verdict = await take(parts, bytes, peer, true);
      if (isRefusal(verdict)) parts.peers.penalise(peer, verdict);
    }),
  );
}

function onEvent(parts: Parts, event: LedgerEvent): void {
  const { log } = parts;
  if (event.type === 'publish') {
    parts.peers?.publish(event.kind, event.bytes);
  } else if (event.type === 'push') {
    parts.subscriptions.push(event.addresses, event.push);
  } else if (event.type === 'wanted') {
    fetchWanted(parts, event).catch((error: unknown) =>
      log.debug({ err: error }, 'Fetching parents ended early'),
    );
  } else if (event.type === 'refused') {
    log.warn({ peer: event.from, vertex: event.id, refusal: event.refusal }, 'A vertex was refused');
    if (event.from !== 'self') parts.peers.penalise(event.from, event.refusal);
  } else if (event.type === 'equivocation') {
    const { validator, ids } = event;
    log.error({ validator, ids }, 'A validator has signed two witnesses where an honest one signs one');
    parts.lastRound?.exposed(validator);
  } else if (event.type === 'stalled') {
    void parts.catchUp?.start();
  } else if (event.type === 'disk') {
    if (event.full)
      log.error({ reason: event.message }, 'The disk is full: the node takes and votes nothing');
    else log.info({}, 'The disk has room again: the node goes on');
  } else if (event.type === 'damaged') {
    log.error({ reason: event.reason, aside: event.aside }, DAMAGED);
  } else if (event.type === 'mute') {
    parts.silent = true;
    log.warn({ key: parts.config.validatorKey }, SILENT);
  } else if (event.type === 'loaded') {
    log.info({ vertices: event.vertices, finals: event.finals, ms: event.ms }, 'Read back what was stored');
  } else {
    parts.failed.resolve(event.message);
  }
}

async function startLedger(
  parts: Parts,
  validator: ValidatorIndex | undefined,
  seed: Uint8Array | undefined,
) {
  const { config, genesis } = parts;
  const { roundFloorMs, roundLingerMs, idleBeatMs, tipStrategy, tipAlpha, tipParents } = config;
  return LedgerThread.start(
    {
      genesis: encodeGenesis(genesis),
      folder: path.join(config.dataDir, 'db'),
      verticesMax: LEDGER_VERTICES_MAX,
      validator:
        validator === undefined ? undefined : { index: validator, roundFloorMs, roundLingerMs, idleBeatMs },
      validatorSeed: seed,
      neverVoted: config.validatorKey !== undefined && (await neverVoted(config.validatorKey)),
      queuePaymentsMax: config.queuePaymentsMax,
      queuePaymentsPerAccountMax: config.queuePaymentsPerAccountMax,
      blockLingerMs: config.blockLingerMs,
      tips: { strategy: tipStrategy === 'walk' ? 'walk' : 'uniform', alpha: tipAlpha, parents: tipParents },
    },
    (event) => onEvent(parts, event),
  );
}

/** A validator that has lost its disk votes again once the others have told it enough. */
function startLastRound(parts: Parts, validator: ValidatorIndex): void {
  const { genesis, log } = parts;
  const lastRound = new LastRound(
    {
      genesis,
      validator,
      retryMs: LAST_ROUND_RETRY_MS,
      graceMs: LAST_ROUND_GRACE_MS,
      reportMs: LAST_ROUND_REPORT_MS,
    },
    {
      log: log.child('last-round'),
      peers: parts.peers,
      nowMs: () => performance.now(),
      randomBytes,
      take: (bytes, from) => take(parts, bytes, from, true),
      holds: (said) => parts.ledger.call('holds', said),
      vote: (round) => parts.ledger.call('vote', round),
    },
  );
  parts.lastRound = lastRound;
  parts.defer(() => lastRound.stop());
  void lastRound.start();
}

async function startPeers(parts: Parts): Promise<Peers> {
  const { config, genesis, log } = parts;
  const identityFile = config.identityKey ?? path.join(config.dataDir, 'identity.key');
  return createPeers(
    {
      network: genesis.network,
      listen: config.listen,
      announce: config.announce.length > 0 ? config.announce : undefined,
      peers: config.peers,
      mdns: config.mdns,
      identitySeed: await loadOrMakeKey(identityFile, { randomBytes }),
      connectionsMax: config.connectionsMax,
    },
    {
      log: log.child('peers'),
      nowMs: () => performance.now(),
      vertices: vertexHandlers(parts),
      light: lightHandlers(parts),
    },
  );
}

async function assemble(parts: Parts): Promise<ValidatorIndex | undefined> {
  const { config, genesis, log } = parts;
  parts.own(await lockFolder(config.dataDir));
  const seed = config.validatorKey === undefined ? undefined : await loadKey(config.validatorKey);
  const validator = seed === undefined ? undefined : indexOf(genesis, seed, config.validatorKey!);
  parts.verify = parts.own(
    new VerifyPool({ genesis, threads: verifyThreadsOf(config) }, { log: log.child('verify') }),
  );
  if (config.workThreads > 0) {
    parts.work = parts.own(new WorkPool({ threads: config.workThreads }, { log: log.child('work') }));
  }
  parts.ledger = parts.own(await startLedger(parts, validator, seed));
  if (config.validatorKey !== undefined) await forgetNeverVoted(config.validatorKey);
  parts.subscriptions = new Subscriptions({
    watch: (addresses, on) => void parts.ledger.call('watch', addresses, on).catch(() => undefined),
  });
  parts.peers = parts.own(await startPeers(parts));
  parts.catchUp = new CatchUp({
    log: log.child('catch-up'),
    peers: parts.peers,
    take: (vertices, from) => Promise.all(vertices.map((bytes) => take(parts, bytes, from, true))),
    round: async () => (await parts.ledger.call('status')).round,
  });
  parts.defer(() => parts.catchUp.stop());
  parts.peers.onPeer((peer) => void parts.catchUp.start(peer));
  if (parts.silent && validator !== undefined) startLastRound(parts, validator);
  return validator;
}

/**
 * Starts a node; everything that it needs is in its configuration.
 * @throws (rejects with) coded errors that name cause and cure: FolderLockError, NetworkFilesError, StoreError's codes,
 *   NodeError, PeersError (a busy port among them). Nothing is left running then.
 */
export async function runNode(config: Config, log: NodeLog): Promise<RunningNode> {
  const genesis = await loadGenesis(config.genesis);
  const parts = new Parts(genesis, config, log);
  try {
    const validator = await assemble(parts);
    const { addresses } = parts.peers;
    log.info({ validator, addresses, network: genesis.id }, 'The node is running');
    return {
      genesis,
      validator,
      addresses,
      peers: parts.peers,
      failed: parts.failed.promise,
      [Symbol.asyncDispose]: () => parts.dispose(),
    };
  } catch (error) {
    await parts.dispose();
    throw error;
  }
}
