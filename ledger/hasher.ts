/** What an implementation of BLAKE3 behind hash.ts does; hash-kernel.ts and hash-noble.ts give the same answers. */
export interface Hasher {
  /** BLAKE3-256 of one message given in parts, into the 32 bytes of `out` from `at` on. */
  hash(parts: readonly Uint8Array[], out: Uint8Array, at: number): void;
  /** The same as lower-case hex. */
  hex(parts: readonly Uint8Array[]): string;
  /**
   * Many messages, each the prefix and an item of its own; their digests into `out`, 32 bytes each.
   * @param items `itemBytes` each, without gaps. Not `out`.
   * @param itemBytes 1 to 1,024 together with the prefix.
   */
  hashMany(prefix: Uint8Array, items: Uint8Array, itemBytes: number, out: Uint8Array): void;
  /**
   * The first nonce with at least `bits` leading zero bits of BLAKE3(seed, nonce).
   * @param seed 32 bytes.
   * @param low Lower half of the first nonce; the half is below 2^32 for the whole of the `tries`.
   * @returns how many nonces come before it; -1 when none has so many.
   */
  search(seed: Uint8Array, bits: number, low: number, high: number, tries: number): number;
}

/** Leading zero bits of the 32 bytes from `at` on, first byte first, 0 to 256. */
export function leadingZeroBits(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[at + i]!;
    if (byte !== 0) return 8 * i + Math.clz32(byte) - 24;
  }
  return 256;
}
