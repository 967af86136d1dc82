/**
 * A running node: the place where everything is put together. Vertices of peers: gossip -> verify pool -> ledger thread ->
 * verdict. Payments of clients: light protocol -> verify pool -> ledger thread. What the ledger thread tells: -> gossip and
 * subscribers.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  encodeGenesis,
  equalBytes,
  type Genesis,
  publicKeyOf,
  type ValidatorIndex,
} from '../ledger/index.ts';
import { createPeers, type Peers } from '../p2p/index.ts';
import { CatchUp } from './catch-up.ts';
import { type Config, verifyThreadsOf } from './config.ts';
import { lockFolder } from './folder-lock.ts';
import { Joining } from './joining.ts';
import { LastRound } from './last-round.ts';
import type { LedgerEvent } from './ledger-messages.ts';
import { LedgerThread } from './ledger-thread.ts';
import {
  LAST_ROUND_GRACE_MS,
  LAST_ROUND_REPORT_MS,
  LAST_ROUND_RETRY_MS,
  LEDGER_VERTICES_MAX,
  PROGRESS_MS,
} from './limits.ts';
import type { NodeLog } from './log.ts';
import { forgetNeverVoted, loadGenesis, loadKey, loadOrMakeKey, neverVoted } from './network-files.ts';
import { NodeParts, type NodeRules } from './node-parts.ts';
import { lightHandlers, vertexHandlers } from './peer-handlers.ts';
import { Subscriptions } from './subscriptions.ts';
import { VerifyPool } from './verify-pool.ts';
import { VertexIntake } from './vertex-intake.ts';
import { Wanted } from './wanted.ts';
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

function onEvent(parts: NodeParts, event: LedgerEvent): void {
  const { log } = parts;
  if (event.type === 'publish') {
    parts.peers?.publish(event.kind, event.bytes);
  } else if (event.type === 'push') {
    parts.subscriptions.push(event.addresses, event.push);
  } else if (event.type === 'wanted') {
    void parts.wanted?.ask(event.wants);
  } else if (event.type === 'refused') {
    log.warn({ peer: event.from, vertex: event.id, refusal: event.refusal }, 'A vertex was refused');
    if (event.from !== 'self') parts.peers.penalise(event.from, event.refusal);
  } else if (event.type === 'equivocation') {
    const { validator, ids } = event;
    log.error({ validator, ids }, 'A validator has signed two witnesses where an honest one signs one');
    parts.lastRound?.exposed(validator);
  } else if (event.type === 'diverges') {
    const { validator, round, own, theirs } = event;
    log.error({ validator, round, own, theirs }, 'A validator has another state than this node');
  } else if (event.type === 'fault') {
    const { code, message } = event.fault;
    log.error({ code }, `This node no longer votes: ${message}`);
  } else if (event.type === 'stalled') {
    catchUp(parts);
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
  } else if (event.type === 'incomplete') {
    parts.incomplete = true;
    log.warn({ awaited: event.awaited }, 'The snapshot that this node begins with is not whole yet');
  } else if (event.type === 'snapshot') {
    const { round, bytes, ms } = event;
    log.info({ round, bytes, ms }, 'Made a snapshot, and forgot what came before');
  } else {
    parts.failed.resolve(event.message);
  }
}

async function startLedger(
  parts: NodeParts,
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
      epochRounds: parts.rules.epochRounds,
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

/** Learns what it has missed: from one peer, or the next in turn; a node that has part of a snapshot needs the rest first. */
function catchUp(parts: NodeParts, peer?: string): void {
  if (parts.incomplete) join(parts);
  else void parts.catchUp?.start(peer);
}

function join(parts: NodeParts): void {
  void parts.joining?.start().then((joined) => {
    if (joined) void parts.catchUp.start();
  });
}

/** The main thread's part of joining from a snapshot: the ledger thread is exchanged for one that begins with it. */
function makeJoining(parts: NodeParts, startAgain: () => Promise<LedgerThread>): Joining {
  const { genesis, log, config, rules } = parts;
  const restart = async (): Promise<void> => {
    parts.incomplete = false;
    await parts.ledger[Symbol.asyncDispose]();
    try {
      parts.ledger = await startAgain();
      parts.subscriptions.watchAgain();
    } catch (error) {
      parts.failed.resolve(error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
  return new Joining(
    {
      genesis,
      file: path.join(config.dataDir, 'snapshot.part'),
      staleRounds: rules.epochRounds,
      reportMs: PROGRESS_MS,
    },
    {
      log: log.child('joining'),
      peers: parts.peers,
      nowMs: () => performance.now(),
      round: async () => (parts.incomplete ? 0 : (await parts.ledger.call('status')).round),
      adopt: (file) => parts.ledger.call('adopt', file),
      restart: () => {
        parts.restarting = restart();
        return parts.restarting;
      },
      take: (vertices, from) => parts.intake.takeAll(vertices, from),
      async awaited() {
        const awaited = await parts.ledger.call('awaited');
        parts.incomplete = awaited > 0;
        return awaited;
      },
    },
  );
}

/** A validator that has lost its disk votes again once the others have told it enough. */
function startLastRound(parts: NodeParts, validator: ValidatorIndex): void {
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
      take: (bytes, from) => parts.intake.take(bytes, from, true),
      holds: (said) => parts.ledger.call('holds', said),
      vote: (round) => parts.ledger.call('vote', round),
    },
  );
  parts.lastRound = lastRound;
  parts.defer(() => lastRound.stop());
  void lastRound.start();
}

async function startPeers(parts: NodeParts): Promise<Peers> {
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

async function assemble(parts: NodeParts): Promise<ValidatorIndex | undefined> {
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
  parts.intake = new VertexIntake({ verify: parts.verify, ledger: () => parts.ledger });
  parts.ledger = await startLedger(parts, validator, seed);
  parts.defer(async () => {
    await parts.restarting;
    await parts.ledger[Symbol.asyncDispose]();
  });
  if (config.validatorKey !== undefined) await forgetNeverVoted(config.validatorKey);
  parts.subscriptions = new Subscriptions({
    watch: (addresses, on) => void parts.ledger.call('watch', addresses, on).catch(() => undefined),
  });
  parts.peers = parts.own(await startPeers(parts));
  parts.catchUp = new CatchUp({
    log: log.child('catch-up'),
    peers: parts.peers,
    take: (vertices, from) => parts.intake.takeAll(vertices, from),
    round: async () => (await parts.ledger.call('status')).round,
    behind: () => join(parts),
  });
  parts.wanted = new Wanted({ log: log.child('wanted'), peers: parts.peers, intake: parts.intake });
  parts.joining = makeJoining(parts, () => startLedger(parts, validator, seed));
  parts.defer(async () => {
    parts.intake.stop();
    parts.wanted?.stop();
    await Promise.all([parts.catchUp.stop(), parts.joining?.stop()]);
  });
  parts.peers.onPeer((peer) => catchUp(parts, peer));
  if (parts.silent && validator !== undefined) startLastRound(parts, validator);
  return validator;
}

/**
 * Starts a node; everything that it needs is in its configuration.
 * @throws (rejects with) coded errors that name cause and cure: FolderLockError, NetworkFilesError, StoreError's codes,
 *   NodeError, PeersError (a busy port among them). Nothing is left running then.
 */
export async function runNode(config: Config, log: NodeLog, rules: NodeRules = {}): Promise<RunningNode> {
  const genesis = await loadGenesis(config.genesis);
  const parts = new NodeParts(genesis, config, log, rules);
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
