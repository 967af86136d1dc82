/**
 * One participant on the network: its connections, who is who, who is refused. Everything that goes beyond this file
 * and gossip speaks of peers as strings.
 */
import type { GossipSub, GossipsubOpts } from '@libp2p/gossipsub';
import type { Connection, IdentifyResult, Libp2p, PeerId, PeerInfo, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { HASH_BYTES, type NetworkId, type Refusal } from '../ledger/index.ts';
import { PeerBudgets, pointsOf } from './budget.ts';
import { Counters } from './counters.ts';
import { dialError, openError, parseAddress, reason } from './dial-errors.ts';
import { dialDiscovered } from './discovery.ts';
import { PeersError } from './errors.ts';
import { createNode, type Services } from './libp2p-node.ts';
import { limitsProblem, PEER_LIMITS, type PeerLimits } from './limits.ts';
import type { Log } from './log.ts';
import { foreignNetwork, type Names, namesOf } from './protocols.ts';
import { guardStreams } from './stream-guard.ts';
import { within } from './timing.ts';

export interface HostOptions {
  readonly network: NetworkId;
  readonly listen: readonly string[];
  readonly announce?: readonly string[] | undefined;
  readonly identitySeed: Uint8Array;
  readonly connectionsMax: number;
  readonly mdns: boolean;
  readonly limits?: Partial<PeerLimits> | undefined;
  readonly gossip: (names: Names) => Partial<GossipsubOpts>;
}

export interface HostDeps {
  readonly log: Log;
  nowMs(): number;
}

/** Both sides learn of each other's network before one hangs up, so that both operators read why. */
const FOREIGN_GRACE_MS = 1_000;

/** A peer that went away is remembered by libp2p for this long. */
const FORGET_MS = 5_000;

/** A connection is given this long to end in order. */
const CLOSE_MS = 500;

export class Host implements AsyncDisposable {
  readonly names: Names;
  readonly limits: PeerLimits;
  readonly counters = new Counters();
  readonly budgets: PeerBudgets;
  readonly log: Log;
  /** Fires when this host is disposed of. */
  readonly closing: AbortSignal;
  readonly #deps: HostDeps;
  readonly #node: Libp2p<Services>;
  readonly #closingController: AbortController;
  /** Connected peers that are full nodes of this network. */
  readonly #nodes = new Set<string>();
  readonly #identified = new Set<string>();
  readonly #nodeListeners: ((peer: string) => void)[] = [];

  private constructor(
    names: Names,
    limits: PeerLimits,
    deps: HostDeps,
    budgets: PeerBudgets,
    node: Libp2p<Services>,
  ) {
    this.names = names;
    this.limits = limits;
    this.log = deps.log;
    this.budgets = budgets;
    this.#deps = deps;
    this.#node = node;
    this.#closingController = new AbortController();
    this.closing = this.#closingController.signal;
    node.addEventListener('connection:open', (event) => this.#onOpen(event.detail));
    node.addEventListener('connection:close', () => this.counters.add('connections_closed'));
    node.addEventListener('peer:identify', (event) => this.#onIdentify(event.detail));
    node.addEventListener('peer:disconnect', (event) => this.#onGone(event.detail));
  }

  /** A host that does not listen yet, so that handlers can be put in place before `start`. */
  static async create(options: HostOptions, deps: HostDeps): Promise<Host> {
    if (options.identitySeed.length !== HASH_BYTES) {
      throw new PeersError('bad_message', `identitySeed has ${options.identitySeed.length} bytes; give 32`);
    }
    for (const address of [...options.listen, ...(options.announce ?? [])]) parseAddress(address);
    const limits = { ...PEER_LIMITS, ...options.limits };
    const problem = limitsProblem(limits);
    if (problem !== undefined) throw new PeersError('bad_message', `${problem}; correct the limits`);
    const names = namesOf(options.network);
    const budgets = new PeerBudgets(limits, deps);
    let host: Host | undefined;
    let discovered: ((peer: PeerInfo) => void) | undefined;
    const denied = (peer: PeerId): boolean => {
      if (!budgets.isDenied(peer.toString())) return false;
      host?.counters.add('connections_denied');
      return true;
    };
    const node = await createNode({
      names,
      limits,
      listen: options.listen,
      announce: options.announce ?? [],
      identitySeed: options.identitySeed,
      connectionsMax: options.connectionsMax,
      gossip: options.gossip(names),
      gater: {
        denyDialPeer: denied,
        denyInboundEncryptedConnection: denied,
        denyOutboundEncryptedConnection: denied,
      },
      onDiscovered: options.mdns ? (peer) => discovered?.(peer) : undefined,
    });
    host = new Host(names, limits, deps, budgets, node);
    discovered = dialDiscovered(host);
    return host;
  }

  async start(): Promise<void> {
    try {
      await this.#node.start();
    } catch (cause) {
      await this[Symbol.asyncDispose]();
      throw new PeersError(
        'listen_failed',
        `cannot listen: ${reason(cause)}; choose a free address and port`,
        { cause },
      );
    }
  }

  get id(): string {
    return this.#node.peerId.toString();
  }

  get addresses(): readonly string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString());
  }

  get gossip(): GossipSub {
    return this.#node.services.gossip;
  }

  nowMs(): number {
    return this.#deps.nowMs();
  }

  /** Connected full nodes of this network. */
  get nodes(): readonly string[] {
    return [...this.#nodes];
  }

  isNode(peer: string): boolean {
    return this.#nodes.has(peer);
  }

  /** Called for each full node of this network, those already connected included. */
  onNode(listener: (peer: string) => void): void {
    this.#nodeListeners.push(listener);
    for (const peer of this.#nodes) this.#tell(listener, peer);
  }

  /** Takes streams of a protocol, at most `streamsMax` at once from one connection. The handler may reject. */
  async handle(
    protocol: string,
    streamsMax: number,
    handler: (stream: Stream, peer: string) => Promise<void>,
  ): Promise<void> {
    await this.#node.handle(
      protocol,
      (stream, connection) => {
        const peer = connection.remotePeer.toString();
        handler(stream, peer).catch((error: unknown) => {
          this.counters.add('handlers_failed');
          this.log.error({ peer, protocol, error: reason(error) }, 'a stream handler failed');
          stream.abort(error instanceof Error ? error : new Error(String(error)));
        });
      },
      { maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax },
    );
  }

  /** An open connection to the peer, if there is one. */
  connectionTo(peer: string): Connection | undefined {
    return this.#connectionsTo(peer).find((connection) => connection.status === 'open');
  }

  /** All open connections. */
  connections(): Connection[] {
    return this.#node.getConnections().filter((connection) => connection.status === 'open');
  }

  /** Dials one address, or the addresses of one peer. Rejects with a PeersError: bad_address, peer_refused, timeout ... */
  async dial(address: string | Multiaddr[]): Promise<Connection> {
    const target = typeof address === 'string' ? parseAddress(address) : address;
    try {
      return await this.#node.dial(target, { signal: this.#patience(this.limits.dialTimeoutMs) });
    } catch (cause) {
      this.counters.add('dials_failed');
      throw dialError(String(address), cause, this.closing.aborted);
    }
  }

  /** Rejects with a PeersError: wrong_network, unsupported_protocol, timeout, closed. */
  async openStream(connection: Connection, protocol: string): Promise<Stream> {
    try {
      return await connection.newStream(protocol, {
        signal: this.#patience(this.limits.dialTimeoutMs),
        maxOutboundStreams: this.limits.streamsOpen,
      });
    } catch (cause) {
      if (this.closing.aborted) throw new PeersError('closed', 'this participant is shutting down');
      throw await openError(this.#node, this.names, connection, protocol, cause);
    }
  }

  /** Does to a peer what REACTION says of something that it sent. */
  penalise(peer: string, refusal: Refusal): void {
    if (refusal.code === 'malformed' || refusal.code === 'frame_too_large')
      this.counters.add('frames_malformed');
    if (refusal.code === 'budget_spent') this.counters.add('budget_spent');
    this.punish(peer, pointsOf(refusal), refusal.code);
  }

  /** Adds penalty points; at the threshold the peer is cut. */
  punish(peer: string, points: number, why: string): void {
    if (points <= 0 || peer === this.id || this.closing.aborted) return;
    this.counters.add('peers_penalised');
    if (this.budgets.addPoints(peer, points)) this.cut(peer, why);
  }

  /** Closes all connections to a peer and refuses it for cutMs. */
  cut(peer: string, why: string): void {
    if (this.budgets.isDenied(peer)) return;
    this.counters.add('peers_cut');
    this.log.warn({ peer, why, forMs: this.limits.cutMs }, 'cut a peer');
    this.budgets.deny(peer);
    this.#nodes.delete(peer);
    // Not within the callback of one of its streams: what is on the way up from the socket ends first.
    queueMicrotask(() => {
      for (const connection of this.#connectionsTo(peer)) connection.abort(new Error(`cut: ${why}`));
    });
  }

  /** Resolves when the last connection to the peer is gone, or when this host ends. */
  gone(peer: string): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#node.removeEventListener('peer:disconnect', onDisconnect);
        this.closing.removeEventListener('abort', done);
        resolve();
      };
      const onDisconnect = (event: CustomEvent<PeerId>): void => {
        if (event.detail.toString() === peer) done();
      };
      this.#node.addEventListener('peer:disconnect', onDisconnect);
      this.closing.addEventListener('abort', done);
      if (this.closing.aborted || this.connectionTo(peer) === undefined) done();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closingController.abort();
    await Promise.all(
      this.#node.getConnections().map(async (connection) => {
        try {
          await connection.close({ signal: AbortSignal.timeout(CLOSE_MS) });
        } catch (error) {
          connection.abort(error instanceof Error ? error : new Error('closing'));
        }
      }),
    );
    await within(
      Promise.resolve(this.#node.stop()).catch((error: unknown) => {
        this.log.warn({ error: reason(error) }, 'libp2p did not stop cleanly');
      }),
      10 * CLOSE_MS,
      undefined,
    );
  }

  #connectionsTo(peer: string): Connection[] {
    try {
      return this.#node.getConnections(peerIdFromString(peer));
    } catch {
      return []; // no peer id, so nobody
    }
  }

  #onOpen(connection: Connection): void {
    this.counters.add('connections_opened');
    const peer = connection.remotePeer.toString();
    // Who has not said what it speaks is of no use, and gossip would never reach it; a new connection may do better.
    const timer = setTimeout(() => {
      if (this.#identified.has(peer) || connection.status !== 'open') return;
      this.counters.add('connections_unidentified');
      connection.abort(new Error('identify did not come'));
    }, this.limits.identifyTimeoutMs).unref();
    connection.addEventListener('close', () => clearTimeout(timer), { once: true });
    const { streams } = this.budgets.of(peer);
    guardStreams(connection, () => {
      if (streams.take(1, this.nowMs()) === 0) return true;
      this.cut(peer, 'too many streams');
      return false;
    });
  }

  #onIdentify(result: IdentifyResult): void {
    const peer = result.peerId.toString();
    this.#identified.add(peer);
    const foreign = foreignNetwork(this.names, result.protocols);
    if (foreign !== undefined) this.#onForeign(peer, foreign, result.protocols);
    if (!result.protocols.includes(this.names.since) || this.#nodes.has(peer)) return;
    if (this.connectionTo(peer) === undefined) return;
    this.#nodes.add(peer);
    for (const listener of this.#nodeListeners) this.#tell(listener, peer);
  }

  #tell(listener: (peer: string) => void, peer: string): void {
    try {
      listener(peer);
    } catch (error) {
      this.counters.add('handlers_failed');
      this.log.error({ peer, error: reason(error) }, 'a listener to new peers failed');
    }
  }

  #onGone(id: PeerId): void {
    const peer = id.toString();
    this.#nodes.delete(peer);
    this.#identified.delete(peer);
    // libp2p keeps what it learnt of a peer for six hours, and new identities cost nothing. Not at once: libp2p itself
    // looks up there whom to tell of the end.
    setTimeout(() => {
      if (this.closing.aborted || this.#connectionsTo(peer).length > 0) return;
      Promise.resolve(this.#node.peerStore.delete(id)).catch(() => {});
    }, FORGET_MS).unref();
  }

  #onForeign(peer: string, network: string, protocols: readonly string[]): void {
    this.counters.add('foreign_networks');
    this.log.error(
      { peer, network, expected: this.names.network },
      'a peer belongs to another network; give both nodes the same genesis, or take the peer off the list',
    );
    // Only a node is sent away: a client of another network finds out by itself and has nothing to ask here.
    if (!protocols.includes(`/ravel/${network}/since/1`)) return;
    setTimeout(() => {
      if (!this.closing.aborted) this.cut(peer, 'wrong_network');
    }, FOREIGN_GRACE_MS).unref();
  }

  #patience(ms: number): AbortSignal {
    return AbortSignal.any([this.closing, AbortSignal.timeout(ms)]);
  }
}
