/**
 * Frames over a libp2p stream: a kind byte, 24 bits of length, then 1 to FRAME_BYTES_MAX bytes. The length is checked
 * before a byte of the frame is kept.
 */
import type { Stream } from '@libp2p/interface';
import { concat, FRAME_BYTES_MAX, type Refusal } from '../ledger/index.ts';
import { encodeMessage } from './codec.ts';
import { PeersError } from './errors.ts';
import { FRAME_HEADER_BYTES, type PeerLimits } from './limits.ts';
import { type Missing, StreamBytes } from './stream-bytes.ts';

/** Frame kinds on the wire. */
const MESSAGE = 1;
const VERTEX = 2;

export type Frame =
  /** A msgpack message, not yet looked at. */
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  /** The encoding of a vertex. */
  | { readonly type: 'vertex'; readonly bytes: Uint8Array };

export type Ending =
  /** The peer ended its side between two frames. */
  | { readonly type: 'ended' }
  /** The stream or the connection broke. */
  | { readonly type: 'broken' }
  /** A frame began and did not go on: silence, or the end of the stream in its middle. */
  | { readonly type: 'stalled' }
  /** Nothing came in the time that the caller gave. */
  | { readonly type: 'late' }
  /** What came is no frame. */
  | { readonly type: 'refused'; readonly refusal: Refusal };

type FrameLimits = Pick<PeerLimits, 'stallTimeoutMs' | 'drainTimeoutMs'>;

/** Both directions of one stream. One reader at a time; writers may overlap, as a frame is sent whole. */
export class FrameChannel {
  readonly #stream: Stream;
  readonly #limits: FrameLimits;
  readonly #bytes: StreamBytes;
  /** Frames offered in this turn of the event loop. */
  #offered: Uint8Array[] = [];
  #offeredBytes = 0;

  constructor(stream: Stream, limits: FrameLimits) {
    this.#stream = stream;
    this.#limits = limits;
    this.#bytes = new StreamBytes(stream);
  }

  /** True while frames may come and go. */
  get isOpen(): boolean {
    return this.#bytes.isOpen && this.#stream.status === 'open' && this.#stream.writeStatus === 'writable';
  }

  /** Bytes that wait for the peer to take them. */
  get unsentBytes(): number {
    return this.#stream.writeBufferLength + this.#offeredBytes;
  }

  /** The next frame. `firstByteMs` bounds the wait for its beginning; its middle is always bounded. */
  async next(firstByteMs?: number): Promise<Frame | Ending> {
    if (this.#bytes.length === 0) {
      const missing = await this.#bytes.waitFor(1, firstByteMs);
      if (missing !== undefined) return { type: missing };
    }
    const stall = this.#limits.stallTimeoutMs;
    const headerMissing = await this.#bytes.waitFor(FRAME_HEADER_BYTES, stall);
    if (headerMissing !== undefined) return halfway(headerMissing);
    const kind = this.#bytes.peek(0);
    const size = (this.#bytes.peek(1) << 16) | (this.#bytes.peek(2) << 8) | this.#bytes.peek(3);
    if (kind !== MESSAGE && kind !== VERTEX) return refused({ code: 'malformed', what: 'frame kind' });
    if (size === 0) return refused({ code: 'malformed', what: 'empty frame' });
    if (size > FRAME_BYTES_MAX)
      return refused({ code: 'frame_too_large', bytes: size, max: FRAME_BYTES_MAX });
    const bodyMissing = await this.#bytes.waitFor(FRAME_HEADER_BYTES + size, stall);
    if (bodyMissing !== undefined) return halfway(bodyMissing);
    this.#bytes.take(FRAME_HEADER_BYTES);
    return { type: kind === MESSAGE ? 'message' : 'vertex', bytes: this.#bytes.take(size) };
  }

  /**
   * Sends an encoded message unless more than `unsentMax` bytes wait already; false = not sent. Never blocks. All messages of
   * one turn of the event loop leave at its end together, as a piece of the stream costs more than most messages.
   */
  offerMessage(bytes: Uint8Array, unsentMax: number): boolean {
    if (this.unsentBytes + bytes.length > unsentMax) return false;
    if (this.#stream.writeStatus !== 'writable') return false;
    if (this.#offered.length === 0) setImmediate(() => this.#sendOffered());
    const frame = framed(MESSAGE, bytes);
    this.#offered.push(frame);
    this.#offeredBytes += frame.length;
    if (this.#offeredBytes >= FRAME_BYTES_MAX) this.#sendOffered();
    return true;
  }

  /** Resolves when the stream takes more again. Rejects with a PeersError `closed` or `timeout`. */
  async writeMessage(message: unknown): Promise<void> {
    await this.#write(MESSAGE, encodeMessage(message));
  }

  async writeVertex(bytes: Uint8Array): Promise<void> {
    await this.#write(VERTEX, bytes);
  }

  /** Ends this side in order: what was sent still arrives. Never rejects. */
  async close(): Promise<void> {
    this.#sendOffered();
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(this.#limits.drainTimeoutMs) });
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error('the stream could not be closed'));
    }
  }

  /** Ends both sides now. */
  abort(reason: Error): void {
    this.#stream.abort(reason);
  }

  async #write(kind: number, bytes: Uint8Array): Promise<void> {
    this.#sendOffered();
    const sent = this.#send(framed(kind, bytes));
    if (sent === 'closed') throw new PeersError('closed', 'the stream has ended; open another one');
    if (sent === 'full') await this.#drained();
  }

  #sendOffered(): void {
    if (this.#offered.length === 0) return;
    const frames = concat(this.#offered);
    this.#offered = [];
    this.#offeredBytes = 0;
    this.#send(frames);
  }

  #send(frames: Uint8Array): 'sent' | 'full' | 'closed' {
    if (this.#stream.writeStatus !== 'writable') return 'closed';
    try {
      return this.#stream.send(frames) ? 'sent' : 'full';
    } catch {
      return 'closed';
    }
  }

  /**
   * libp2p's own onDrain keeps the promise of the first drain for ever, so that the second wait ends at once; this one
   * listens anew each time. Draining again within drainTimeoutMs counts as progress.
   */
  async #drained(): Promise<void> {
    while (this.#stream.writableNeedsDrain) {
      if (this.#stream.writeStatus !== 'writable') {
        throw new PeersError('closed', 'the peer ended the stream before it took everything');
      }
      const before = this.unsentBytes;
      const drained = await drainOf(this.#stream, this.#limits.drainTimeoutMs);
      if (drained || this.unsentBytes < before) continue;
      throw new PeersError('timeout', `the peer took nothing for ${this.#limits.drainTimeoutMs} ms`);
    }
  }
}

function framed(kind: number, bytes: Uint8Array): Uint8Array {
  const size = bytes.length;
  if (size > FRAME_BYTES_MAX) {
    throw new PeersError('message_too_large', `${size} bytes, a frame holds ${FRAME_BYTES_MAX}`);
  }
  const frame = new Uint8Array(FRAME_HEADER_BYTES + size);
  frame[0] = kind;
  frame[1] = size >> 16;
  frame[2] = size >> 8;
  frame[3] = size;
  frame.set(bytes, FRAME_HEADER_BYTES);
  return frame;
}

function refused(refusal: Refusal): Ending {
  return { type: 'refused', refusal };
}

/** What is missing in the middle of a frame. An honest peer that shuts down may end there, so this is no `malformed`. */
function halfway(missing: Missing): Ending {
  return { type: missing === 'broken' ? 'broken' : 'stalled' };
}

/** True at the next drain, or when the stream closes; false when neither comes in time. */
function drainOf(stream: Stream, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (drained: boolean): void => {
      clearTimeout(timer);
      stream.removeEventListener('drain', onEvent);
      stream.removeEventListener('close', onEvent);
      resolve(drained);
    };
    const onEvent = (): void => done(true);
    const timer = setTimeout(() => done(false), ms);
    stream.addEventListener('drain', onEvent);
    stream.addEventListener('close', onEvent);
  });
}
