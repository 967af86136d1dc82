/**
 * Work, the entrance fee (docs/protocol.md, section 3): a nonce that makes BLAKE3(seed, nonce) begin with enough zero
 * bits. A payment's seed depends on nothing that the payment says, so its owner works while idle. A data payload's seed
 * is its id.
 *
 * The seed is 32 bytes, so one try is one BLAKE3 compression of 40 bytes, which a SIMD kernel does four at a time.
 */
import { assert } from './assert.ts';
import { unhex } from './bytes.ts';
import { KIND } from './encode.ts';
import { blake3 } from './hash.ts';
import { HASH_BYTES, WORK_BYTES } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { Address, NetworkId, Slot } from './types.ts';

/**
 * BLAKE3 of kind byte 05, network, previous, account: the 32 bytes over which a payment's work is done.
 * @param previous the payment's `previous`: the id of the account's last payment, or its address.
 */
export function workSeed(network: NetworkId, previous: Slot, account: Address): Uint8Array {
  return blake3(Uint8Array.of(KIND.work), network, unhex(previous), unhex(account));
}

/** The work of a nonce: leading zero bits of BLAKE3(seed 32 bytes, nonce 8 bytes), first byte first, 0 to 256. */
export function workBits(seed: Uint8Array, nonce: Uint8Array): number {
  return leadingZeroBits(blake3(tryOf(seed, nonce)));
}

/** Refuses a nonce (8 bytes) whose work is under `required` bits. */
export function checkWork(seed: Uint8Array, nonce: Uint8Array, required: number): Refusal | undefined {
  const bits = workBits(seed, nonce);
  return bits < required ? { code: 'too_little_work', bits, required } : undefined;
}

/**
 * One slice of a search: the first nonce with at least `bits` of work among the `tries` nonces from `start`, undefined
 * when there is none. 2^bits tries are needed on average, at 200,000 to 400,000 a second with noble. The caller loops over slices, so that
 * a search can be cancelled and shared among threads.
 * @param start 0 to 2^64 - 1, where it begins again at 0.
 */
export function searchWork(
  seed: Uint8Array,
  bits: number,
  start: bigint | number,
  tries: number,
): Uint8Array | undefined {
  const message = tryOf(seed, new Uint8Array(WORK_BYTES));
  const view = new DataView(message.buffer);
  const first = BigInt(start);
  for (let i = 0; i < tries; i++) {
    view.setBigUint64(HASH_BYTES, first + BigInt(i), true);
    if (leadingZeroBits(blake3(message)) >= bits) return message.slice(HASH_BYTES);
  }
  return undefined;
}

function tryOf(seed: Uint8Array, nonce: Uint8Array): Uint8Array {
  assert(
    seed.length === HASH_BYTES && nonce.length === WORK_BYTES,
    'a try is 32 bytes of seed and 8 of nonce',
  );
  const message = new Uint8Array(HASH_BYTES + WORK_BYTES);
  message.set(seed);
  message.set(nonce, HASH_BYTES);
  return message;
}

function leadingZeroBits(digest: Uint8Array): number {
  let bits = 0;
  for (const byte of digest) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}
