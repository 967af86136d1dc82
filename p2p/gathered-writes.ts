/**
 * Noise, with the frames of one turn of the event loop gathered: yamux hands over each header and each piece of a message
 * by itself, noise encrypts each hand-over by itself and puts two bytes of length before it, and TCP writes each piece by itself. So a
 * gossip message was five writes, each a packet of its own, as nothing waits for more (noDelay). Here what was sent in one turn
 * becomes one noise frame, or a few full ones, and one write. Nothing waits for longer than the turn.
 */
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import { type NoiseComponents, noise } from '@libp2p/noise';
import { concat } from '../ledger/index.ts';
import { noiseCrypto } from './noise-crypto.ts';

/** About one full noise frame; more does not become cheaper. */
const GATHERED_BYTES_MAX = 64 * 1024;

/** The part of noise's channel that is stepped into. Not public: a missing one is an error. */
interface NoiseChannel {
  readonly decoder: { lengthDecoder(bytes: LengthBytes): number };
}

interface LengthBytes {
  readonly byteLength: number;
  get(index: number): number;
}

/** For libp2p's `connectionEncrypters`. */
export function gatheringNoise() {
  const factory = noise({ crypto: noiseCrypto });
  return (components: NoiseComponents): ConnectionEncrypter => {
    const encrypter = factory(components);
    for (const side of ['secureInbound', 'secureOutbound'] as const) {
      const secure = encrypter[side].bind(encrypter);
      encrypter[side] = async (connection, options) => {
        const secured = await secure(connection, options);
        joinPieces(connection);
        gather(secured.connection);
        readLengthsCheaply(secured.connection as unknown as NoiseChannel);
        return secured;
      };
    }
    return encrypter;
  };
}

/** What is sent at once is written at once. */
function joinPieces(socket: MessageStream): void {
  const send = socket.send.bind(socket);
  socket.send = (data) => send(data.subarray());
}

/** What is sent in one turn is sent at its end; an end of the channel comes after what was sent before it. */
function gather(channel: MessageStream): void {
  const send = channel.send.bind(channel);
  const close = channel.close.bind(channel);
  const abort = channel.abort.bind(channel);
  let pieces: Uint8Array[] = [];
  let length = 0;
  const flush = (): void => {
    if (length === 0) return;
    const data = concat(pieces);
    pieces = [];
    length = 0;
    if (channel.status !== 'open') return;
    try {
      send(data);
    } catch (error) {
      // The channel has ended itself, and tells its users so.
      channel.log('what was gathered could not be sent - %e', error);
    }
  };
  channel.send = (data) => {
    if (channel.status !== 'open') return send(data);
    if (length === 0) setImmediate(flush);
    if (data instanceof Uint8Array) pieces.push(data);
    else pieces.push(...data);
    length += data.byteLength;
    if (length >= GATHERED_BYTES_MAX) flush();
    return !channel.writableNeedsDrain;
  };
  channel.close = (options) => {
    flush();
    return close(options);
  };
  channel.abort = (error) => {
    flush();
    abort(error);
  };
}

/** Made once: an error collects the stack, which takes longer than decrypting a small frame. */
const NO_LENGTH_YET = new RangeError('there is no length yet');

/** The decoder ends each piece that TCP brings with an error, as it looks for another length after the last frame. */
function readLengthsCheaply({ decoder }: NoiseChannel): void {
  if (typeof decoder?.lengthDecoder !== 'function')
    throw new Error('broken invariant: noise has changed inside');
  decoder.lengthDecoder = (bytes) => {
    if (bytes.byteLength < 2) throw NO_LENGTH_YET;
    return (bytes.get(0) << 8) | bytes.get(1);
  };
}
