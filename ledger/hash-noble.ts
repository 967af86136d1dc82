/**
 * BLAKE3 by noble, in JavaScript alone: the oracle of hash-kernel.ts, and what a platform gets that cannot run it. Twenty times
 * slower, and more for many messages or tries.
 */
import { blake3 } from '@noble/hashes/blake3.js';
import { hex } from './bytes.ts';
import { type Hasher, leadingZeroBits } from './hasher.ts';
import { HASH_BYTES, WORK_BYTES } from './limits.ts';

/** Copying a state that has hashed nothing takes half the time of making one, and leaves no garbage. */
const blank = blake3.create();
const state = blake3.create();
const digest = new Uint8Array(HASH_BYTES);

function hash(parts: readonly Uint8Array[], out: Uint8Array, at: number): void {
  blank._cloneInto(state);
  for (const part of parts) state.update(part);
  state.digestInto(out.subarray(at, at + HASH_BYTES));
}

export const nobleHasher: Hasher = {
  hash,

  hex(parts) {
    hash(parts, digest, 0);
    return hex(digest);
  },

  hashMany(prefix, items, itemBytes, out) {
    for (let i = 0; i * itemBytes < items.length; i++) {
      hash([prefix, items.subarray(i * itemBytes, (i + 1) * itemBytes)], out, i * HASH_BYTES);
    }
  },

  search(seed, bits, low, high, tries) {
    const message = new Uint8Array(HASH_BYTES + WORK_BYTES);
    message.set(seed);
    const view = new DataView(message.buffer);
    view.setUint32(HASH_BYTES + 4, high, true);
    for (let i = 0; i < tries; i++) {
      view.setUint32(HASH_BYTES, low + i, true);
      hash([message], digest, 0);
      if (leadingZeroBits(digest, 0) >= bits) return i;
    }
    return -1;
  },
};
