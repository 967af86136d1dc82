/** The one hash of the protocol: BLAKE3-256, by the kernel where the platform runs it, else by noble. */
import { kernelHasher } from './hash-kernel.ts';
import { nobleHasher } from './hash-noble.ts';
import { HASH_BYTES } from './limits.ts';
import type { Hash } from './types.ts';

const hasher = kernelHasher() ?? nobleHasher;

/** BLAKE3-256 of one message given in parts: 32 bytes. */
export function blake3(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(HASH_BYTES);
  hasher.hash(parts, digest, 0);
  return digest;
}

/** The same into 32 bytes of the caller's, from `at` on. */
export function blake3Into(parts: readonly Uint8Array[], out: Uint8Array, at: number): void {
  hasher.hash(parts, out, at);
}

/** The same as hex, for ids. */
export function blake3Hex<H extends Hash>(...parts: readonly Uint8Array[]): H {
  return hasher.hex(parts) as H;
}

/**
 * BLAKE3-256 of many messages, each the prefix and then an item of its own: in half the time or less of one at a time.
 * @param items `itemBytes` each, without gaps; prefix and item have at most 1,024 bytes together.
 * @returns 32 bytes for each, without gaps.
 */
export function blake3Many(
  prefix: Uint8Array,
  items: Uint8Array,
  itemBytes: number,
): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array((items.length / itemBytes) * HASH_BYTES);
  hasher.hashMany(prefix, items, itemBytes, digests);
  return digests;
}

/** Hasher.search (hasher.ts). */
export function searchNonce(
  seed: Uint8Array,
  bits: number,
  low: number,
  high: number,
  tries: number,
): number {
  return hasher.search(seed, bits, low, high, tries);
}

/** 32 zero bytes: the Merkle root of nothing. */
export const ZERO_HASH = '00'.repeat(HASH_BYTES) as Hash;
