/** How libp2p is put together for us: one stack for nodes and light clients. */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { type GossipSub, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, PeerInfo } from '@libp2p/interface';
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { gatheringNoise } from './gathered-writes.ts';
import type { PeerLimits } from './limits.ts';
import type { Names } from './protocols.ts';
import { thriftyYamux } from './stream-windows.ts';

// A type and not an interface: libp2p asks for an index signature.
export type Services = { identify: Identify; gossip: GossipSub };

export interface NodeOptions {
  readonly names: Names;
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly identitySeed: Uint8Array;
  readonly connectionsMax: number;
  readonly limits: PeerLimits;
  readonly gossip: Partial<GossipsubOpts>;
  readonly gater: ConnectionGater;
  /** Called for each peer of this network that mDNS finds; undefined = do not look. */
  readonly onDiscovered: ((peer: PeerInfo) => void) | undefined;
}

/** Several machines behind one address (a depot, a test) connect in the same second. */
const INBOUND_PER_HOST_AND_SECOND = 50;

/** Handshakes under way; each costs about a millisecond of this core. */
const INBOUND_PENDING_MAX = 64;

/** 1 MiB in flight: 80 Mbit/s over 100 ms. The specification's first window is 256 KiB. */
const STREAM_WINDOW_BYTES = 1024 * 1024;

/** mDNS asks this often; a peer that came up is found within it. */
const MDNS_INTERVAL_MS = 10_000;

/** A libp2p node that is not started yet. */
export async function createNode(options: NodeOptions): Promise<Libp2p<Services>> {
  const { limits } = options;
  const socket = { noDelay: true, keepAlive: true };
  return createLibp2p<Services>({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', options.identitySeed),
    nodeInfo: { name: 'ravel', version: '1', userAgent: `ravel/1 ${options.names.network}` },
    addresses: { listen: [...options.listen], announce: [...options.announce] },
    // Without noDelay a small gossip frame waits up to 40 ms for the acknowledgement of the one before it. What may wait is
    // gathered in gathered-writes.ts.
    transports: [tcp({ dialOpts: socket, listenOpts: socket })],
    connectionEncrypters: [gatheringNoise()],
    streamMuxers: [
      thriftyYamux({
        maxInboundStreams: limits.streamsOpen,
        maxOutboundStreams: limits.streamsOpen,
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: 2 * STREAM_WINDOW_BYTES,
          maxWriteBufferLength: limits.gossipUnsentBytes + STREAM_WINDOW_BYTES,
        },
      }),
    ],
    connectionGater: options.gater,
    connectionManager: {
      maxConnections: options.connectionsMax,
      inboundConnectionThreshold: INBOUND_PER_HOST_AND_SECOND,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      dialTimeout: limits.dialTimeoutMs,
      addressDialTimeout: limits.dialTimeoutMs,
      inboundUpgradeTimeout: limits.dialTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: limits.dialTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: limits.dialTimeoutMs,
    },
    // A peer on a busy core may answer late; a dead one is noticed within 20 seconds.
    connectionMonitor: { pingInterval: 10_000, pingTimeout: { minTimeout: 10_000 } },
    peerDiscovery: options.onDiscovered === undefined ? [] : [discovery(options.names, options.onDiscovered)],
    services: { identify: identify(), gossip: gossipsub(options.gossip) },
  });
}

/** The service tag carries the network, so that networks in one hall do not find each other. */
function discovery(names: Names, onDiscovered: (peer: PeerInfo) => void) {
  const factory = mdns({
    serviceTag: `_ravel-${names.network.slice(0, 16)}._udp.local`,
    interval: MDNS_INTERVAL_MS,
  });
  return (components: MulticastDNSComponents) => {
    const service = factory(components);
    service.addEventListener('peer', (event) => onDiscovered(event.detail));
    return service;
  };
}
