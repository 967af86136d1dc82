/** Counts the streams that a peer opens, at the muxer: what it refuses itself is never heard of above. */
import type { Connection } from '@libp2p/interface';

/** The part of yamux that is stepped into. Not public: the hostile-peer test fails when an update changes it. */
interface Muxer {
  incomingStream(id: number): void;
}

/** Asks `allowed` before each stream that the other side opens on this connection. */
export function guardStreams(connection: Connection, allowed: () => boolean): void {
  const muxer = (connection as unknown as { muxer?: Muxer }).muxer;
  if (typeof muxer?.incomingStream !== 'function')
    throw new Error('broken invariant: yamux has changed inside');
  const open = muxer.incomingStream.bind(muxer);
  muxer.incomingStream = (id) => {
    if (allowed()) open(id);
  };
}
