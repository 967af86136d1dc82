/** What to do about peers that mDNS sees. */
import type { PeerInfo } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerLimits } from './limits.ts';
import type { Log } from './log.ts';

/** The one who looks; a Host is one. */
export interface Seeker {
  readonly id: string;
  readonly closing: AbortSignal;
  readonly limits: PeerLimits;
  readonly log: Log;
  readonly nodes: readonly string[];
  connectionTo(peer: string): unknown;
  dial(addresses: Multiaddr[]): Promise<unknown>;
}

/**
 * Dials peers as they are seen. Of two that see each other the one with the smaller id dials at once, the other when
 * they are still strangers at the next sighting: so there is one connection, and one blocked direction does no harm.
 */
export function dialDiscovered(host: Seeker): (peer: PeerInfo) => void {
  const seenOnce = new Set<string>();
  return (peer) => {
    const id = peer.id.toString();
    if (id === host.id || host.closing.aborted || host.connectionTo(id) !== undefined) return;
    if (host.nodes.length >= host.limits.discoveredMax) return;
    if (id < host.id && !seenOnce.has(id)) {
      if (seenOnce.size < host.limits.cutPeersMax) seenOnce.add(id);
      return;
    }
    host.dial(peer.multiaddrs).then(
      () => host.log.info({ peer: id }, 'found a peer on the local network'),
      (error: Error) => host.log.debug({ peer: id, error: error.message }, 'a peer on the local network'),
    );
  };
}
