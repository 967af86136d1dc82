/** A full node's side of the network, put together. */

import { parseAddress } from './dial-errors.ts';
import { Fetcher, serveFetch } from './fetch.ts';
import { Gossip, gossipOptions } from './gossip.ts';
import { serveLastWitness, WitnessAsker } from './last-witness.ts';
import { Host } from './libp2p-host.ts';
import { serveLight } from './light-server.ts';
import { keepConnected } from './redial.ts';
import { Follower, serveSince } from './since.ts';
import { SnapshotAsker, serveSnapshots } from './snapshot.ts';
import type { Peers, PeersDeps, PeersOptions } from './types.ts';

/**
 * Listens, dials the configured peers and serves. Rejects with a PeersError: listen_failed, bad_address, bad_message
 * (an identity seed or limits that cannot be).
 */
export async function createPeers(options: PeersOptions, deps: PeersDeps): Promise<Peers> {
  for (const address of options.peers) parseAddress(address);
  const host = await Host.create({ ...options, gossip: gossipOptions }, deps);
  const gossip = new Gossip(host, options.network, {
    vertex: (kind, bytes, from) => deps.vertices.gossip(kind, bytes, from),
  });
  const fetcher = new Fetcher(host);
  const follower = new Follower(host);
  const snapshots = new SnapshotAsker(host);
  const witnesses = new WitnessAsker(host);
  await serveFetch(host, deps.vertices);
  await serveSince(host, deps.vertices);
  await serveLastWitness(host, deps.vertices);
  await serveSnapshots(host, deps.vertices);
  await serveLight(host, deps.light);
  await host.start();
  gossip.start();
  const redialling = keepConnected(host, options.peers);
  host.log.info({ peer: host.id, addresses: host.addresses }, 'listening for peers');
  return {
    get id() {
      return host.id;
    },
    get addresses() {
      return host.addresses;
    },
    publish(kind, bytes) {
      void gossip.publish(kind, bytes);
    },
    fetch: (ids, from) => fetcher.fetch(ids, from),
    since: (peer, request) => follower.since(peer, request),
    snapshot: (peer) => snapshots.offer(peer),
    snapshotParts: (peer, request) => snapshots.parts(peer, request),
    lastWitness: (peer, request) => witnesses.ask(peer, request),
    penalise: (peer, refusal) => host.penalise(peer, refusal),
    list: () =>
      host.nodes.flatMap((id) => {
        const connection = host.connectionTo(id);
        if (connection === undefined) return [];
        const { direction, remoteAddr } = connection;
        return [{ id, address: remoteAddr.toString(), direction, points: host.budgets.points(id) }];
      }),
    onPeer: (listener) => host.onNode(listener),
    counters: host.counters.values,
    async [Symbol.asyncDispose]() {
      await gossip[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await redialling;
    },
  };
}
