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

/** A node tells its topics a round trip or two after it was connected to; publishing waits for that this long. */
const TOPICS_WAIT_MS = 1_000;
const TOPICS_POLL_MS = 10;

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
  /** Open links, and since when. */
  const links = new Map<LightLink, number>();
  let sessions = 0;

  async function connect(address: string): Promise<LightLink> {
    const connection = await host.dial(address);
    const stream = await host.openStream(connection, host.names.light);
    const remote = connection.remotePeer.toString();
    const link = new Link(host, new FrameChannel(stream, host.limits), { address, remote, requestTimeoutMs });
    host.counters.add('light_links_opened');
    links.set(link, performance.now());
    void link.closed.then(() => links.delete(link));
    return link;
  }

  /** Linked nodes that have not said yet that they take blocks, and still may. */
  function undecided(): boolean {
    const audience = gossip.blockAudience;
    const nowMs = performance.now();
    return [...links].some(
      ([link, sinceMs]) => !audience.has(link.remote) && nowMs - sinceMs < TOPICS_WAIT_MS,
    );
  }

  async function publishBlock(bytes: Uint8Array): Promise<number> {
    while (undecided() && !host.closing.aborted) await pause(TOPICS_POLL_MS, host.closing);
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
      await Promise.all([...links.keys()].map((link) => link[Symbol.asyncDispose]()));
      await gossip[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}
