/**
 * Yamux, with a window update only when half of the window is used up, as the other implementations of yamux do. @libp2p/yamux
 * 8 answers each piece of data with one: half of all frames were such answers, each a wake-up of the other side.
 */
import type { StreamMuxerFactory } from '@libp2p/interface';
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux';

/** The parts of yamux that are stepped into. Not public: a missing one is an error, and a test counts the updates. */
interface YamuxStream {
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  /** Its numbers stand in yamux's stream.ts. */
  readonly state: number;
  sendWindowUpdate(): void;
}

interface YamuxMuxer {
  _newStream(id: number, state: number, direction: string): YamuxStream;
}

/** Both sides know of the stream, and nothing but room has to be told. */
const ESTABLISHED = 3;

/** For libp2p's `streamMuxers`. */
export function thriftyYamux(init: YamuxMuxerInit) {
  const makeFactory = yamux(init);
  return (): StreamMuxerFactory => {
    const factory = makeFactory();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection);
      saveUpdates(muxer as unknown as YamuxMuxer);
      return muxer;
    };
    return factory;
  };
}

function saveUpdates(muxer: YamuxMuxer): void {
  if (typeof muxer._newStream !== 'function') throw new Error('broken invariant: yamux has changed inside');
  const newStream = muxer._newStream.bind(muxer);
  muxer._newStream = (id, state, direction) => {
    const stream = newStream(id, state, direction);
    const { sendWindowUpdate } = stream;
    stream.sendWindowUpdate = () => {
      const hasRoom = stream.recvWindowCapacity > stream.recvWindow / 2;
      if (stream.state !== ESTABLISHED || !hasRoom) sendWindowUpdate.call(stream);
    };
    return stream;
  };
}
