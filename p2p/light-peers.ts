/** A light client's side of the network, put together. */
import { PeersError } from './errors.ts';
import { framedStream } from './framed-stream.ts';
import { FrameChannel } from './frames.ts';
import { Gossip, gossipOptions } from './gossip.ts';
import { Host } from './libp2p-host.ts';
import { Link } from './light-link.ts';
import { pause } from './timing.ts';
import type { LightLink, LightPeers, LightPeersDeps, LightPeersOptions } from './types.ts';

/** A client talks to a few nodes; a charger also to the cars in front of it. */
const CONNECTIONS_MAX = 256;

/** Sessions of one peer at once, for one protocol. */
const SESSIONS_PER_PEER_MAX = 4;

/** Sessions at once, of everybody. */
const SESSIONS_MAX = 256;

/** How often it is looked whether a node takes blocks yet: it says so right after the connection. */
const AUDIENCE_POLL_MS = 10;

/** Rejects with a PeersError: listen_failed, bad_address, bad_message. Dials nobody by itself. */
export async function createLightPeers(
  options: LightPeersOptions,
  deps: LightPeersDeps,
): Promise<LightPeers> {
  const { requestTimeoutMs } = options;
  const limits = { dialTimeoutMs: requestTimeoutMs, requestTimeoutMs, ...options.limits };
  const host = await Host.create(
    { ...options, limits, connectionsMax: CONNECTIONS_MAX, mdns: false, gossip: gossipOptions },
    deps,
  );
  const gossip = new Gossip(host, options.network, { vertex: undefined });
  await host.start();
  const links = new Set<LightLink>();
  let sessions = 0;

  async function connect(address: string): Promise<LightLink> {
    const connection = await host.dial(address);
    const stream = await host.openStream(connection, host.names.light);
    const remote = connection.remotePeer.toString();
    const link = new Link(host, new FrameChannel(stream, host.limits), { address, remote, requestTimeoutMs });
    host.counters.add('light_links_opened');
    links.add(link);
    void link.closed.then(() => links.delete(link));
    return link;
  }

  /** Blocks go to whoever listens for them; a node that was just connected to may not have said so yet. */
  async function publishBlock(bytes: Uint8Array): Promise<number> {
    const untilMs = performance.now() + requestTimeoutMs;
    while (gossip.blockAudience === 0 && host.connections().length > 0 && performance.now() < untilMs) {
      await pause(AUDIENCE_POLL_MS, host.closing);
      if (host.closing.aborted) return 0;
    }
    return gossip.publish('block', bytes);
  }

  return {
    get id() {
      return host.id;
    },
    get addresses() {
      return host.addresses;
    },
    connect,
    publishBlock,
    onHeader: (listener) => gossip.onHeader(listener),
    async openStream(address, protocol) {
      const name = host.names.session(protocol);
      const connection = await host.dial(address);
      const stream = await host.openStream(connection, name);
      host.counters.add('session_streams_opened');
      return framedStream(host, stream, connection.remotePeer.toString());
    },
    async handleStream(protocol, handler) {
      await host.handle(host.names.session(protocol), SESSIONS_PER_PEER_MAX, async (stream, peer) => {
        if (sessions >= SESSIONS_MAX || stream.status !== 'open') {
          host.counters.add('session_streams_refused');
          stream.abort(new PeersError('too_busy', 'too many sessions'));
          return;
        }
        sessions++;
        stream.addEventListener('close', () => sessions--, { once: true });
        host.counters.add('session_streams_opened');
        handler(framedStream(host, stream, peer), peer);
      });
    },
    counters: host.counters.values,
    async [Symbol.asyncDispose]() {
      await Promise.all([...links].map((link) => link[Symbol.asyncDispose]()));
      await gossip[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}
