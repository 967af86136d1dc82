/**
 * The readable side of a libp2p stream as bytes that are waited for.
 *
 * libp2p's own async iteration keeps whatever comes in a queue without end; here the stream is paused as soon as more
 * is there than one frame, and the peer stops for want of window. So one peer holds at most a window of memory a stream.
 */
import type { Stream } from '@libp2p/interface';
import { FRAME_BYTES_MAX } from '../ledger/index.ts';

/** Why the bytes are not there: the peer ended its side, the stream broke, or it took too long. */
export type Missing = 'ended' | 'broken' | 'late';

type Chunk = Uint8Array | { readonly byteLength: number; subarray(): Uint8Array };

/** Bytes kept before the stream is paused. */
const READ_AHEAD_BYTES = FRAME_BYTES_MAX;

export class StreamBytes {
  readonly #stream: Stream;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that are taken already. */
  #offset = 0;
  #length = 0;
  #end: 'ended' | 'broken' | undefined;
  #arrivals = 0;
  #wake: (() => void) | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.addEventListener('message', (event) => this.#onChunk(event.data));
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', () => this.#onEnd());
    if (stream.readableEnded || stream.status !== 'open') this.#onEnd();
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  /** True while more may come. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Waits until `count` bytes are there. `ms` counts from the last arrival; without it the wait has no end. */
  async waitFor(count: number, ms?: number): Promise<Missing | undefined> {
    while (this.#length < count) {
      if (this.#stream.readStatus === 'paused') {
        // What waits in libp2p comes at once, even when the stream has ended since.
        this.#stream.resume();
        continue;
      }
      if (this.#end !== undefined) return this.#end;
      const before = this.#arrivals;
      await this.#change(ms);
      if (this.#arrivals === before && this.#end === undefined) return 'late';
    }
    return undefined;
  }

  /** The byte at an index below `length`. */
  peek(index: number): number {
    let at = index + this.#offset;
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at]!;
      at -= chunk.length;
    }
    throw new RangeError(`byte ${index} is not there yet`);
  }

  /** Takes `count` bytes, at most `length`, into an array of their own. */
  take(count: number): Uint8Array {
    if (count > this.#length) throw new RangeError(`${count} bytes are not there yet`);
    const taken = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(this.#offset, Math.min(chunk.length, this.#offset + count - at));
      taken.set(part, at);
      at += part.length;
      this.#offset += part.length;
      if (this.#offset === chunk.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
    }
    this.#length -= count;
    return taken;
  }

  #onChunk(data: Chunk): void {
    const chunk = data instanceof Uint8Array ? data : data.subarray();
    if (chunk.length === 0) return;
    this.#append(chunk);
    this.#length += chunk.length;
    this.#arrivals++;
    if (this.#length > READ_AHEAD_BYTES && this.#stream.readStatus === 'readable') this.#stream.pause();
    this.#wake?.();
  }

  /** Many tiny chunks would cost more in objects than in bytes, so they are joined. */
  #append(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || chunk.length > 512 || last.length > 4096 || this.#chunks.length === 1) {
      this.#chunks.push(chunk);
      return;
    }
    const joined = new Uint8Array(last.length + chunk.length);
    joined.set(last);
    joined.set(chunk, last.length);
    this.#chunks[this.#chunks.length - 1] = joined;
  }

  /** `end` comes before `close`, after a reset too; a reset after an orderly end changes nothing for what was read. */
  #onEnd(): void {
    const { status } = this.#stream;
    this.#end ??= status === 'reset' || status === 'aborted' ? 'broken' : 'ended';
    this.#wake?.();
  }

  #change(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
