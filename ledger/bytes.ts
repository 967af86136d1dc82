/** The few things done to raw bytes everywhere. Nothing may be added without deleting something. */
import { HASH_BYTES } from './limits.ts';

/** The two characters of each byte, in the order in which they stand in memory. */
const PAIRS = new Uint8Array(512);
const DIGITS = new Int8Array(256).fill(-1);
for (let byte = 0; byte < 256; byte++) {
  const pair = byte.toString(16).padStart(2, '0');
  PAIRS[2 * byte] = pair.charCodeAt(0);
  PAIRS[2 * byte + 1] = pair.charCodeAt(1);
  if (byte < 16) DIGITS[pair.charCodeAt(1)] = byte;
}

/** Text goes in and out as a whole: strings made character by character are slow to make and slow to look up. */
const characters = new Uint8Array(2 * HASH_BYTES);
const decoder = new TextDecoder();
/** A character has up to three bytes; with room for all, whatever is not ASCII is seen as bytes above 0x7f. */
const encoded = new Uint8Array(3 * 2 * HASH_BYTES);
const encoder = new TextEncoder();

/** Lower-case hex of bytes. */
export function hex(bytes: Uint8Array): string {
  if (bytes.length === HASH_BYTES) return hexOf(bytes, 0);
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Lower-case hex of the 32 bytes from `at` on. */
export function hexOf(bytes: Uint8Array, at: number): string {
  for (let i = 0; i < HASH_BYTES; i++) {
    const pair = 2 * bytes[at + i]!;
    characters[2 * i] = PAIRS[pair]!;
    characters[2 * i + 1] = PAIRS[pair + 1]!;
  }
  return decoder.decode(characters);
}

/** Bytes of lower-case hex. Throws a RangeError on anything else: input of people goes through their own parser. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(text.length / 2));
  unhexInto(text, bytes, 0);
  return bytes;
}

/** The same into bytes that are there, from `at` on. Throws a RangeError, perhaps after it has written some. */
export function unhexInto(text: string, out: Uint8Array, at: number): void {
  if (text.length % 2 !== 0) throw new RangeError('hex needs an even number of characters');
  let source = encoded;
  if (text.length <= 2 * HASH_BYTES) encoder.encodeInto(text, source);
  else source = encoder.encode(text);
  for (let i = 0; i < text.length; i += 2) {
    const byte = (DIGITS[source[i]!]! << 4) | DIGITS[source[i + 1]!]!;
    if (byte < 0) throw new RangeError(`not lower-case hex at character ${i}`);
    out[at + i / 2] = byte;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
