/** Blocks, witnesses and headers to everybody, each judged before it goes on. */

import { type GossipsubOpts, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import {
  blake3,
  equalBytes,
  FRAME_BYTES_MAX,
  type NetworkId,
  WITNESS_HEADER_BYTES,
} from '../ledger/index.ts';
import { PeersError } from './errors.ts';
import { type GossipInside, guardGossip, insideOf, type Judging, type Subscription } from './gossip-guard.ts';
import type { Host } from './libp2p-host.ts';
import { GOSSIP_OVERHEAD_BYTES_MAX } from './limits.ts';
import type { Names } from './protocols.ts';
import { Reach } from './reach.ts';
import { within } from './timing.ts';
import type { GossipKind, Verdict } from './types.ts';

/** The copies of one own message together: up to here it goes to all neighbours at once, beyond it to the mesh. */
const FLOOD_BYTES_MAX = 512 * 1024;

/**
 * Gossipsub for 4 to 50 participants, where speed counts more than saving copies.
 * - D 3: everybody looks for two or three mesh neighbours, and is looked for by as many. Few copies (one costs its
 *   receiver 72 microseconds when small and about a millisecond when full; D 4 took 25 % more of eight nodes), and
 *   still 50 nodes in three hops.
 * - Dhi 64, more than anybody has neighbours: whoever asks to be in the mesh is let in. With a low Dhi the leaves of a
 *   star hear nothing but what the hub itself publishes, as there is no IHAVE to make up for it.
 * - The mesh carries messages only to those whom their author does not reach by itself: see reach.ts. Among four that are
 *   all connected this leaves one copy of each message to each, where there were three.
 * - Nothing waits for the heartbeat but repairs of the mesh: own messages flood, others are forwarded on arrival,
 *   a peer is grafted when it subscribes.
 * - No IHAVE, no IWANT (Dlazy, gossipFactor, the limits of decoding): a lost vertex is fetched by its id when a child
 *   names it, and an IWANT answer is one RPC of any size, which our frame limit would refuse.
 * - No peer score: peers on one machine share an address, and faults are counted in budget.ts.
 * - IDONTWANT from 8 KiB: such a notice costs as much as a small message, a copy of 8 KiB twice that.
 */
export function gossipOptions(names: Names): Partial<GossipsubOpts> {
  return {
    D: 3,
    Dlo: 2,
    Dhi: 64,
    Dout: 1,
    Dscore: 2,
    Dlazy: 0,
    gossipFactor: 0,
    floodPublish: true,
    batchPublish: true,
    fallbackToFloodsub: false,
    doPX: false,
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    heartbeatInterval: 1_000,
    // Longer than a message can be on its way among 50 nodes; memory for it is about 100 bytes a message.
    seenTTL: 60_000,
    mcacheLength: 2,
    mcacheGossip: 1,
    globalSignaturePolicy: StrictNoSign,
    // No fastMsgIdFn: SHA-256 takes as long as BLAKE3, 45 microseconds for a full frame.
    msgIdFn: (message) => blake3(message.data),
    allowedTopics: [names.blocks, names.witnesses, names.headers],
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: FRAME_BYTES_MAX + GOSSIP_OVERHEAD_BYTES_MAX,
    idontwantMinDataSize: 8 * 1024,
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 1,
      maxIhaveMessageIDs: 0,
      maxIwantMessageIDs: 0,
      maxIdontwantMessageIDs: 16,
      maxControlMessages: 16,
      maxPeerInfos: 0,
    },
  };
}

export interface GossipHandlers {
  /** Undefined = this participant takes no blocks and witnesses, a light client. */
  readonly vertex:
    | ((kind: 'block' | 'witness', bytes: Uint8Array, from: string) => Promise<Verdict>)
    | undefined;
}

export class Gossip implements AsyncDisposable {
  readonly #host: Host;
  readonly #inside: GossipInside;
  readonly #reach: Reach;
  readonly #network: NetworkId;
  readonly #handlers: GossipHandlers;
  readonly #judging = new Map<string, Judging>();
  readonly #headerListeners: ((header: Uint8Array) => void)[] = [];

  /** Before the host is started. */
  constructor(host: Host, network: NetworkId, handlers: GossipHandlers) {
    this.#host = host;
    this.#inside = insideOf(host.gossip);
    this.#network = network;
    this.#handlers = handlers;
    const { blocks, witnesses, headers } = host.names;
    this.#reach = new Reach({
      neighbours: () => host.gossip.getSubscribers(blocks).map(String),
      send: (peer, subscriptions) => this.#tell(peer, subscriptions),
    });
    this.#reach.install(this.#inside);
    guardGossip(host, new Set([blocks, witnesses, headers]), {
      judging: (peer) => this.#judgingOf(peer),
      heard: (peer, rpc) => this.#reach.hear(peer, rpc),
    });
    const validators = host.gossip.topicValidators;
    validators.set(blocks, (peer, message) => this.#judge('block', message.data, peer));
    validators.set(witnesses, (peer, message) => this.#judge('witness', message.data, peer));
    validators.set(headers, (peer, message) => this.#hear(message.data, peer));
    host.gossip.addEventListener('gossipsub:heartbeat', () => this.#repair());
    if (handlers.vertex === undefined) return;
    host.gossip.addEventListener('gossipsub:heartbeat', () => this.#reach.tell());
    host.gossip.addEventListener('subscription-change', ({ detail }) => {
      if (detail.subscriptions.length > 0) this.#reach.tell();
    });
  }

  /** After the host is started. */
  start(): void {
    if (this.#handlers.vertex === undefined) return;
    this.#host.gossip.subscribe(this.#host.names.blocks);
    this.#host.gossip.subscribe(this.#host.names.witnesses);
  }

  /** The first listener subscribes: who does not listen to headers is not sent any. */
  onHeader(listener: (header: Uint8Array) => void): void {
    if (this.#headerListeners.length === 0) this.#host.gossip.subscribe(this.#host.names.headers);
    this.#headerListeners.push(listener);
  }

  /**
   * Sends to neighbours; resolves with the number of them. Never rejects, but throws a PeersError at once for what
   * nobody may send.
   */
  publish(kind: GossipKind, bytes: Uint8Array): Promise<number> {
    checkSize(kind, bytes);
    if (this.#host.closing.aborted) return Promise.resolve(0);
    if (kind === 'witness') this.#relayHeader(bytes);
    return this.#send(kind, bytes);
  }

  /** Neighbours that take blocks. */
  get blockAudience(): ReadonlySet<string> {
    return new Set(this.#host.gossip.getSubscribers(this.#host.names.blocks).map(String));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const judging of this.#judging.values()) judging.wake?.();
    // gossipsub leaves its next heartbeat scheduled, which holds the process for a second.
    clearTimeout(this.#inside.status.heartbeatTimeout);
  }

  async #send(kind: GossipKind, bytes: Uint8Array): Promise<number> {
    const topic = this.#topicOf(kind);
    const audience = this.#host.gossip.getSubscribers(topic).map(String);
    // Gossipsub would remember the frame as seen, and ignore it when it is published once there is somebody.
    if (audience.length === 0) return 0;
    try {
      const floodPublish = kind === 'header' || audience.length * bytes.length <= FLOOD_BYTES_MAX;
      const { recipients } = await this.#inside.publish(topic, bytes, { floodPublish });
      this.#host.counters.add(kind === 'header' ? 'headers_sent' : 'gossip_published');
      if (recipients.length > 0 || kind === 'header') return recipients.length;
      // Published before, when others were listening: who has it knows, who came since needs it.
      const all = new Set(audience);
      this.#inside.sendRpcInBatch(all, { subscriptions: [], messages: [{ topic, data: bytes }] });
      return all.size;
    } catch (error) {
      this.#host.counters.add('gossip_publish_failed');
      this.#host.log.debug({ kind, error: String(error) }, 'a frame was not published');
      return 0;
    }
  }

  async #judge(kind: 'block' | 'witness', data: Uint8Array, peerId: PeerId): Promise<TopicValidatorResult> {
    const { vertex } = this.#handlers;
    if (vertex === undefined || this.#host.closing.aborted) return TopicValidatorResult.Ignore;
    const { counters, limits, log } = this.#host;
    const from = peerId.toString();
    const judging = this.#judgingOf(from);
    judging.pending++;
    counters.add('gossip_received');
    let verdict: Verdict | 'late' = 'ignore';
    try {
      // A copy: the handler may give its bytes away to a thread, while gossipsub forwards these.
      verdict = await within(vertex(kind, data.slice(), from), limits.verdictTimeoutMs, 'late');
    } catch (error) {
      counters.add('handlers_failed');
      log.error({ kind, from, error: String(error) }, 'the gossip handler failed');
    } finally {
      judging.pending--;
      judging.wake?.();
      judging.wake = undefined;
    }
    return this.#conclude(kind, data, from, verdict);
  }

  #conclude(
    kind: 'block' | 'witness',
    data: Uint8Array,
    from: string,
    verdict: Verdict | 'late',
  ): TopicValidatorResult {
    const { counters } = this.#host;
    switch (verdict) {
      case 'accept':
        counters.add('gossip_accepted');
        if (kind === 'witness') this.#relayHeader(data);
        return TopicValidatorResult.Accept;
      case 'late':
        counters.add('gossip_verdicts_late');
        return TopicValidatorResult.Ignore;
      case 'ignore':
        counters.add('gossip_ignored');
        return TopicValidatorResult.Ignore;
      default:
        counters.add('gossip_refused');
        this.#host.penalise(from, verdict);
        return TopicValidatorResult.Reject;
    }
  }

  /** A header came: for a light client's listeners, and nobody forwards it, as every node makes its own from witnesses. */
  #hear(data: Uint8Array, peerId: PeerId): TopicValidatorResult {
    if (this.#headerListeners.length === 0) return TopicValidatorResult.Ignore;
    const network = data.subarray(1, 1 + this.#network.length);
    if (data.length !== WITNESS_HEADER_BYTES || !equalBytes(network, this.#network)) {
      this.#host.penalise(peerId.toString(), { code: 'malformed', what: 'witness header' });
      return TopicValidatorResult.Reject;
    }
    this.#host.counters.add('headers_received');
    for (const listener of this.#headerListeners) {
      try {
        listener(data.slice());
      } catch (error) {
        this.#host.counters.add('handlers_failed');
        this.#host.log.error({ error: String(error) }, 'a header listener failed');
      }
    }
    return TopicValidatorResult.Ignore;
  }

  /** The header is the first part of the witness. Light clients are outside the mesh, so each node sends it to its own. */
  #relayHeader(witness: Uint8Array): void {
    if (witness.length < WITNESS_HEADER_BYTES) return;
    if (this.#host.gossip.getSubscribers(this.#host.names.headers).length === 0) return;
    void this.publish('header', witness.slice(0, WITNESS_HEADER_BYTES));
  }

  /** Opens gossip streams anew to peers that lost theirs while the connection, or another one, stayed. */
  #repair(): void {
    const connections = this.#host.connections();
    const connected = new Set(connections.map(({ remotePeer }) => remotePeer.toString()));
    for (const peer of this.#judging.keys()) if (!connected.has(peer)) this.#judging.delete(peer);
    for (const connection of connections) {
      const peer = connection.remotePeer.toString();
      if (this.#inside.streamsOutbound.has(peer) || !this.#inside.peers.has(peer)) continue;
      this.#host.counters.add('gossip_streams_renewed');
      this.#inside.onPeerConnected(connection.remotePeer, connection);
    }
  }

  #tell(peer: string, subscriptions: readonly Subscription[]): boolean {
    const to = new Set([peer]);
    this.#inside.sendRpcInBatch(to, { subscriptions, messages: [] });
    return to.size > 0;
  }

  #judgingOf(peer: string): Judging {
    let judging = this.#judging.get(peer);
    if (judging === undefined) {
      judging = { pending: 0, wake: undefined };
      this.#judging.set(peer, judging);
    }
    return judging;
  }

  #topicOf(kind: GossipKind): string {
    const { blocks, witnesses, headers } = this.#host.names;
    return kind === 'block' ? blocks : kind === 'witness' ? witnesses : headers;
  }
}

function checkSize(kind: GossipKind, bytes: Uint8Array): void {
  if (kind === 'header' && bytes.length !== WITNESS_HEADER_BYTES) {
    throw new PeersError(
      'bad_message',
      `a header has ${WITNESS_HEADER_BYTES} bytes, this one ${bytes.length}`,
    );
  }
  if (bytes.length === 0)
    throw new PeersError('bad_message', 'nothing to publish; give the encoding of a vertex');
  if (bytes.length > FRAME_BYTES_MAX) {
    throw new PeersError('message_too_large', `${bytes.length} bytes, a frame holds ${FRAME_BYTES_MAX}`);
  }
}
