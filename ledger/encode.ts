/**
 * Canonical bytes: big-endian, fixed layout, a leading kind byte and the network id on everything that is hashed or
 * signed. Decoding accepts exactly the bytes that encoding makes (docs/protocol.md, section 2).
 */
import { hex, hexOf, unhexInto } from './bytes.ts';
import { HASH_BYTES, NETWORK_ID_BYTES } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { Hash, NetworkId } from './types.ts';

/** Leading byte of everything that is hashed or signed. Numbers are never used again. */
export const KIND = {
  genesis: 0x00,
  payment: 0x01,
  block: 0x02,
  witness: 0x03,
  data: 0x04,
  work: 0x05,
  merkleLeaf: 0x06,
  merkleNode: 0x07,
  account: 0x08,
  witnessBody: 0x09,
  /** Receipts of charging sessions, signed by car and charger (wallet/). */
  receipt: 0x0a,
  lastWitness: 0x0b,
} as const;

/** Thrown inside a decoder and turned into its Refusal at the decoder's door; never leaves this room. */
export class DecodeError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** Runs a decoder and returns its refusal instead of throwing. Other errors are bugs and pass through. */
export function decoding<T>(decode: () => T): T | Refusal {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return error.refusal;
    throw error;
  }
}

export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(length: number): number {
    const at = this.#at;
    const end = at + length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#at = end;
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** 48 bits: milliseconds since 1970 until the year 10889. */
  u48(value: number): this {
    const at = this.#room(6);
    this.#view.setUint16(at, Math.floor(value / 2 ** 32));
    this.#view.setUint32(at + 2, value >>> 0);
    return this;
  }

  /** A safe integer in 64 bits: amounts and sequences. */
  u53(value: number): this {
    const at = this.#room(8);
    this.#view.setUint32(at, Math.floor(value / 2 ** 32));
    this.#view.setUint32(at + 4, value >>> 0);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  hash(hash: Hash): this {
    const at = this.#room(HASH_BYTES);
    unhexInto(hash, this.#bytes, at);
    return this;
  }

  /** A count of 16 bits and the hashes. */
  hashes(hashes: readonly Hash[]): this {
    this.u16(hashes.length);
    for (const hash of hashes) this.hash(hash);
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** What has been written, valid until the next write, which begins anew: for those who write thousands and keep none. */
  flush(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return written;
  }
}

/** Reads what Writer wrote; throws DecodeError (`malformed`, `limit_exceeded`, `wrong_network`). */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  #take(length: number, what: string): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      throw new DecodeError({ code: 'malformed', what: `${what}: ends after ${this.#bytes.length} bytes` });
    }
    this.#at = at + length;
    return at;
  }

  u8(what: string): number {
    return this.#bytes[this.#take(1, what)]!;
  }

  /** Moves on without a look. */
  skip(length: number, what: string): void {
    this.#take(length, what);
  }

  /** The next byte without moving on. */
  peek(what: string): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DecodeError({ code: 'malformed', what: `${what}: missing` });
    return byte;
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#take(2, what));
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what));
  }

  u48(what: string): number {
    const at = this.#take(6, what);
    return this.#view.getUint16(at) * 2 ** 32 + this.#view.getUint32(at + 2);
  }

  u53(what: string): number {
    const at = this.#take(8, what);
    const value = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new DecodeError({ code: 'amount_out_of_range', amount: value });
    return value;
  }

  /** A copy-free window on the next bytes. */
  bytes(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  hash<H extends Hash>(what: string): H {
    return hexOf(this.#bytes, this.#take(HASH_BYTES, what)) as H;
  }

  count(min: number, max: number, what: string, read: (what: string) => number): number {
    const count = read.call(this, what);
    if (count > max) throw new DecodeError({ code: 'limit_exceeded', what, received: count, max });
    if (count < min) throw new DecodeError({ code: 'malformed', what: `${what}: needs at least ${min}` });
    return count;
  }

  /** Strictly ascending hashes: one order, no doubles, so one encoding. */
  hashes<H extends Hash>(count: number, what: string): H[] {
    const hashes: H[] = [];
    let last = '';
    for (let i = 0; i < count; i++) {
      const next = this.hash<H>(what);
      if (next <= last) throw new DecodeError({ code: 'malformed', what: `${what}: not strictly ascending` });
      hashes.push(next);
      last = next;
    }
    return hashes;
  }

  kind(kind: number, what: string): void {
    if (this.u8(what) !== kind)
      throw new DecodeError({ code: 'malformed', what: `${what}: wrong kind byte` });
  }

  network(network: NetworkId, what: string): void {
    const received = this.bytes(NETWORK_ID_BYTES, what);
    for (let i = 0; i < NETWORK_ID_BYTES; i++) {
      if (received[i] !== network[i]) {
        throw new DecodeError({ code: 'wrong_network', expected: hex(network), received: hex(received) });
      }
    }
  }

  end(what: string): void {
    if (this.#at !== this.#bytes.length) {
      throw new DecodeError({
        code: 'malformed',
        what: `${what}: ${this.#bytes.length - this.#at} bytes too many`,
      });
    }
  }
}
