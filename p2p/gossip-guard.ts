/**
 * Gossipsub's streams, read and written under our limits.
 *
 * @libp2p/gossipsub 17 reads a peer's stream without back pressure, shrugs at bytes that are no RPC, and resets the
 * stream of a peer that is slow to take its share, never to open it again. So two of its methods are replaced here,
 * and two in reach.ts. They are not public: `insideOf` and the hostile-peer test fail when an update changes them.
 */
import type { GossipSub } from '@libp2p/gossipsub';
import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { FRAME_BYTES_MAX, type Refusal } from '../ledger/index.ts';
import type { Host } from './libp2p-host.ts';
import { GOSSIP_OVERHEAD_BYTES_MAX, STALL_POINTS } from './limits.ts';
import { type Missing, StreamBytes } from './stream-bytes.ts';
import { pause } from './timing.ts';

export interface RpcMessage {
  readonly topic: string;
  readonly data?: Uint8Array;
  readonly from?: Uint8Array;
  readonly seqno?: Uint8Array;
  readonly signature?: Uint8Array;
  readonly key?: Uint8Array;
}

export interface Subscription {
  readonly topic?: string;
  readonly subscribe?: boolean;
}

export interface Rpc {
  readonly subscriptions: readonly Subscription[];
  readonly messages: readonly RpcMessage[];
}

interface OutboundStream {
  readonly rawStream: Stream;
  pushPrefixed(data: { readonly byteLength: number }): void;
}

/** What is used of the inside of GossipSub. */
export interface GossipInside {
  readonly peers: ReadonlyMap<string, PeerId>;
  readonly streamsInbound: Map<string, { close(): Promise<void> }>;
  readonly streamsOutbound: Map<string, OutboundStream>;
  readonly status: { readonly heartbeatTimeout?: NodeJS.Timeout };
  createInboundStream(peer: PeerId, stream: Stream): void;
  createOutboundStream(peer: PeerId, connection: Connection): Promise<void>;
  decodeRpc(bytes: Uint8Array): Rpc;
  handleReceivedRpc(from: PeerId, rpc: Rpc): Promise<void>;
  onPeerConnected(peer: PeerId, connection: Connection): void;
  publish(
    topic: string,
    data: Uint8Array,
    options: { floodPublish: boolean },
  ): Promise<{ recipients: PeerId[] }>;
  /** Peers to which it could not be sent are taken out of the set. */
  sendRpcInBatch(peers: Set<string>, rpc: Rpc): void;
  forwardMessage(
    id: string,
    message: RpcMessage,
    from: string,
    excluded?: Pick<ReadonlySet<string>, 'has'>,
  ): void;
}

const METHODS = [
  'createInboundStream',
  'createOutboundStream',
  'decodeRpc',
  'handleReceivedRpc',
  'onPeerConnected',
  'publish',
  'sendRpcInBatch',
  'forwardMessage',
] as const;

/** The inside of a GossipSub, or an error that names what an update has moved. */
export function insideOf(gossip: GossipSub): GossipInside {
  const inside = gossip as unknown as GossipInside;
  for (const method of METHODS) {
    if (typeof inside[method] !== 'function') throw new Error(`broken invariant: gossipsub has no ${method}`);
  }
  return inside;
}

/** Frames of one peer that are being judged. */
export interface Judging {
  pending: number;
  wake: (() => void) | undefined;
}

const LENGTH_BYTES_MAX = 3;
const RPC_BYTES_MAX = FRAME_BYTES_MAX + GOSSIP_OVERHEAD_BYTES_MAX;

export interface GuardDeps {
  /** The record of a peer that the validators keep. */
  judging(peer: string): Judging;
  /** Hears each RPC before gossipsub does. */
  heard(peer: string, rpc: Rpc): void;
}

/** Replaces the reading and writing of streams. */
export function guardGossip(host: Host, topics: ReadonlySet<string>, deps: GuardDeps): void {
  const inside = insideOf(host.gossip);
  inside.createInboundStream = (peerId, stream) => {
    const peer = peerId.toString();
    inside.streamsInbound
      .get(peer)
      ?.close()
      .catch(() => {});
    const own = { close: () => stream.close({ signal: AbortSignal.timeout(host.limits.drainTimeoutMs) }) };
    inside.streamsInbound.set(peer, own);
    readStream(host, inside, topics, peerId, stream, deps).then(
      () => {
        if (inside.streamsInbound.get(peer) === own) inside.streamsInbound.delete(peer);
      },
      (error: Error) => host.log.error({ peer, error: error.message }, 'reading a gossip stream failed'),
    );
  };
  const createOutboundStream = inside.createOutboundStream.bind(inside);
  inside.createOutboundStream = async (peerId, connection) => {
    await createOutboundStream(peerId, connection);
    const outbound = inside.streamsOutbound.get(peerId.toString());
    if (outbound !== undefined) boundOutbound(host, outbound);
  };
}

/** Frames that a slow peer has no room for are dropped for it alone; gossipsub takes the error for "not sent". */
function boundOutbound(host: Host, outbound: OutboundStream): void {
  const push = outbound.pushPrefixed.bind(outbound);
  if (Object.hasOwn(outbound, 'pushPrefixed')) return;
  outbound.pushPrefixed = (data) => {
    if (outbound.rawStream.writeBufferLength + data.byteLength > host.limits.gossipUnsentBytes) {
      host.counters.add('gossip_unsent_dropped');
      throw new Error('this peer has no room');
    }
    push(data);
  };
}

/** Reads one RPC after the other until the stream ends or the peer is cut. */
async function readStream(
  host: Host,
  inside: GossipInside,
  topics: ReadonlySet<string>,
  peerId: PeerId,
  stream: Stream,
  deps: GuardDeps,
): Promise<void> {
  const peer = peerId.toString();
  const judging = deps.judging(peer);
  const bytes = new StreamBytes(stream);
  const budget = host.budgets.of(peer);
  for (;;) {
    const size = await nextLength(bytes, host.limits.stallTimeoutMs);
    if (typeof size !== 'number') return endStream(host, peer, stream, size);
    if (size > RPC_BYTES_MAX) {
      return endStream(host, peer, stream, { code: 'frame_too_large', bytes: size, max: RPC_BYTES_MAX });
    }
    const missing = await bytes.waitFor(size, host.limits.stallTimeoutMs);
    if (missing !== undefined) return endStream(host, peer, stream, halfway(missing));
    const rpc = decoded(inside, bytes.take(size));
    const refusal = rpc === undefined ? malformed('gossip') : problemOf(rpc, topics);
    if (rpc === undefined || refusal !== undefined) return endStream(host, peer, stream, refusal ?? 'broken');
    const nowMs = host.nowMs();
    const waitMs = Math.max(budget.gossipFrames.waitMs(1, nowMs), budget.gossipBytes.waitMs(size, nowMs));
    budget.gossipFrames.spend(1, nowMs);
    budget.gossipBytes.spend(size, nowMs);
    if (waitMs > 0) {
      // The frame was read already, so it is judged; only the next one waits, and the peer with it.
      host.counters.add('gossip_throttled');
      await pause(Math.min(waitMs, 1_000), host.closing);
    }
    while (judging.pending >= host.limits.verdictsPending) {
      await new Promise<void>((resolve) => {
        const others = judging.wake;
        judging.wake = () => {
          others?.();
          resolve();
        };
      });
    }
    if (host.closing.aborted) return;
    deps.heard(peer, rpc);
    inside.handleReceivedRpc(peerId, rpc).catch((error: Error) => {
      host.log.debug({ peer, error: error.message }, 'a gossip message was not handled');
    });
  }
}

/** The unsigned varint in front of an RPC; a longer one than any correct peer writes counts as too large. */
async function nextLength(
  bytes: StreamBytes,
  stallMs: number,
): Promise<number | 'ended' | 'broken' | 'late'> {
  let value = 0;
  for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
    const missing = await bytes.waitFor(1, i === 0 ? undefined : stallMs);
    if (missing !== undefined) return i === 0 ? missing : halfway(missing);
    const byte = bytes.take(1)[0]!;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  return Number.POSITIVE_INFINITY;
}

/** An end in the middle of an RPC counts as a stall, as in frames.ts. */
function halfway(missing: Missing): Missing {
  return missing === 'broken' ? 'broken' : 'late';
}

function decoded(inside: GossipInside, bytes: Uint8Array): Rpc | undefined {
  try {
    return inside.decodeRpc(bytes);
  } catch {
    return undefined;
  }
}

function malformed(what: string): Refusal {
  return { code: 'malformed', what };
}

/** What no correct peer of this network sends. Checked before anything is hashed. */
function problemOf(rpc: Rpc, topics: ReadonlySet<string>): Refusal | undefined {
  for (const message of rpc.messages) {
    const size = message.data?.length ?? 0;
    if (size > FRAME_BYTES_MAX) return { code: 'frame_too_large', bytes: size, max: FRAME_BYTES_MAX };
    if (size === 0) return malformed('empty gossip message');
    if (!topics.has(message.topic)) return malformed('gossip topic');
    if (message.from ?? message.seqno ?? message.signature ?? message.key) return malformed('signed gossip');
  }
  return undefined;
}

function endStream(host: Host, peer: string, stream: Stream, why: Missing | Refusal): void {
  if (why === 'ended' || why === 'broken') return;
  if (why === 'late') {
    host.counters.add('frames_stalled');
    host.punish(peer, STALL_POINTS, 'stalled');
  } else {
    host.penalise(peer, why);
  }
  stream.abort(new Error('gossip stream ended for what it carried'));
}
