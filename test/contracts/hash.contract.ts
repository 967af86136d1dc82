/** What every implementation of BLAKE3 behind ledger/hash.ts answers; `oracle` is the word of noble itself. */
import assert from 'node:assert/strict';
import { blake3 as oracle } from '@noble/hashes/blake3.js';
import { hex } from '../../ledger/bytes.ts';
import { type Hasher, leadingZeroBits } from '../../ledger/hasher.ts';

/** The input of BLAKE3's official test vectors: bytes 0, 1, ... 250, 0, ... */
const INPUT = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
const SEED = oracle(Uint8Array.of(7));

/** From BLAKE3's official test vectors: length of the input and first 32 bytes of the hash. */
const OFFICIAL: readonly (readonly [length: number, digest: string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
];

/** The shapes of the tree beyond 5,000 bytes: around powers of two of chunks, and what fills the kernel's memory and more. */
const LONG = [8191, 8192, 8193, 16_385, 31_744, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000];

/** Prefix, item, count. */
const MANY = [
  [17, 32, 1],
  [17, 64, 5],
  [17, 64, 2049],
  [0, 40, 7],
  [0, 64, 9],
  [1, 63, 4],
  [1, 64, 4],
  [100, 900, 6],
  [24, 1000, 3],
  [0, 1024, 130],
  [1, 1, 10],
] as const;

/** One try by the definition: leading zero bits of BLAKE3(seed, nonce little-endian). */
function bitsOf(low: number, high: number): number {
  const message = new Uint8Array(40);
  message.set(SEED);
  new DataView(message.buffer).setUint32(32, low, true);
  new DataView(message.buffer).setUint32(36, high, true);
  return leadingZeroBits(oracle(message), 0);
}

export function hashContract(name: string, hasher: Hasher): void {
  const out = new Uint8Array(40);
  const digest = (...parts: readonly Uint8Array[]): string => {
    hasher.hash(parts, out, 3);
    return hex(out.subarray(3, 35));
  };

  describe(`${name} is BLAKE3`, function () {
    this.timeout(60_000);

    it('by its official vectors', () => {
      for (const [length, expected] of OFFICIAL) assert.equal(digest(INPUT.subarray(0, length)), expected);
    });

    it('for every length up to 5,000 bytes and the shapes beyond', () => {
      // Longer before shorter as well: nothing of the last message may be left.
      for (const length of [...LONG, ...Array(5001).keys()].reverse()) {
        const message = INPUT.subarray(0, length);
        assert.equal(digest(message), hex(oracle(message)), `${length} bytes`);
      }
      assert.deepEqual([out.subarray(0, 3), out.subarray(35)], [new Uint8Array(3), new Uint8Array(5)]);
    });

    it('of a message in parts, however it is cut', () => {
      for (const cuts of [[0], [1, 16, 32], [64, 1], [1000, 24, 1], [0, 1024, 0, 5], [131_000, 72, 1]]) {
        const ends = cuts.map((_, i) => cuts.slice(0, i + 1).reduce((sum, length) => sum + length));
        const parts = cuts.map((length, i) => INPUT.subarray(ends[i]! - length, ends[i]));
        const expected = hex(oracle(INPUT.subarray(0, ends.at(-1))));
        assert.equal(digest(...parts), expected, `${cuts}`);
        assert.equal(hasher.hex(parts), expected, `${cuts}`);
      }
    });

    it('of many messages at once', () => {
      for (const [prefix, item, count] of MANY) {
        const start = INPUT.subarray(5, 5 + prefix);
        const items = INPUT.subarray(0, item * count);
        const digests = new Uint8Array(count * 32);
        hasher.hashMany(start, items, item, digests);
        for (let i = 0; i < count; i++) {
          const expected = oracle
            .create()
            .update(start)
            .update(items.subarray(i * item, (i + 1) * item))
            .digest();
          const given = digests.subarray(i * 32, (i + 1) * 32);
          assert.equal(hex(given), hex(expected), `${prefix} + ${item}, number ${i}`);
        }
      }
      hasher.hashMany(SEED, new Uint8Array(0), 32, new Uint8Array(0));
    });

    it('in a search, which finds the first nonce that has enough bits', () => {
      // At most 2^14 tries, so that the slow one ends; the last ones cross nothing but the middle of the lower half.
      for (const [low, high] of [
        [0, 0],
        [3, 0xffffffff],
        [0x7ffffffe, 1],
      ] as const) {
        const bits = Array.from({ length: 1 << 12 }, (_, i) => bitsOf(low + i, high));
        for (let wanted = 0; wanted < 12; wanted++) {
          const first = bits.findIndex((one) => one >= wanted);
          assert.equal(hasher.search(SEED, wanted, low, high, bits.length), first, `${wanted} bits`);
          // The lanes go in fours, an end needs not.
          if (first >= 0) assert.equal(hasher.search(SEED, wanted, low, high, first), -1);
          if (first >= 0) assert.equal(hasher.search(SEED, wanted, low, high, first + 1), first);
        }
      }
    });

    it('in a search up to the end of the lower half', () => {
      const low = 2 ** 32 - 6;
      const bits = Array.from({ length: 6 }, (_, i) => bitsOf(low + i, 9));
      for (let wanted = 0; wanted < 6; wanted++) {
        const first = bits.findIndex((one) => one >= wanted);
        assert.equal(hasher.search(SEED, wanted, low, 9, 6), first);
      }
    });

    it('in a search that no nonce ends, which a hash of other messages does not disturb', () => {
      assert.equal(hasher.search(SEED, 257, 0, 0, 5000), -1);
      assert.equal(digest(SEED), hex(oracle(SEED)));
    });
  });
}
