/**
 * Where a decoder gets ids from. The verify pool computes them and packs them; the ledger thread, which gets both, reads them and
 * leaves out all that was checked when they were made. Both ask for the same ids in the same order.
 */
import { hexOf } from './bytes.ts';
import { blake3Hex, blake3Into } from './hash.ts';
import { HASH_BYTES } from './limits.ts';
import type { Hash } from './types.ts';

export interface Ids {
  /** Who made them has checked the bytes. */
  readonly checked: boolean;
  /** The hash of a part of the source. */
  of<H extends Hash>(source: Uint8Array, start: number, end: number): H;
}

/** Computes each, and keeps none. */
export const COMPUTED: Ids = {
  checked: false,
  of: (source, start, end) => blake3Hex(source.subarray(start, end)),
};

/** Computes each and packs them, 32 bytes each. */
export class PackingIds implements Ids {
  readonly checked = false;
  #bytes = new Uint8Array(64 * HASH_BYTES);
  #length = 0;

  of<H extends Hash>(source: Uint8Array, start: number, end: number): H {
    const at = this.#length;
    this.#length += HASH_BYTES;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    blake3Into([source.subarray(start, end)], this.#bytes, at);
    return hexOf(this.#bytes, at) as H;
  }

  /** All so far, in a buffer of their own. */
  get packed(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what PackingIds has packed. */
export class PackedIds implements Ids {
  readonly checked = true;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(packed: Uint8Array) {
    this.#bytes = packed;
  }

  of<H extends Hash>(): H {
    const at = this.#at;
    this.#at += HASH_BYTES;
    return hexOf(this.#bytes, at) as H;
  }
}
