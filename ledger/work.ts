/**
 * Work, the entrance fee (docs/protocol.md, section 3): a nonce that makes BLAKE3(seed, nonce) begin with enough zero
 * bits. A payment's seed depends on nothing that the payment says, so its owner works while idle. A data payload's seed
 * is its id.
 *
 * The seed is 32 bytes, so one try is one BLAKE3 compression of 40 bytes, and the kernel does four at a time.
 */
import { assert } from './assert.ts';
import { concat, unhexInto } from './bytes.ts';
import { KIND } from './encode.ts';
import { blake3, blake3Into, blake3Many, searchNonce } from './hash.ts';
import { leadingZeroBits } from './hasher.ts';
import { HASH_BYTES, WORK_BYTES } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { Address, NetworkId, Slot } from './types.ts';

const TRY_BYTES = HASH_BYTES + WORK_BYTES;
const NOTHING = new Uint8Array(0);
const NONCE_HALVES = 2 ** 32;

/** Holds a digest between two lines of one function. */
const digest = new Uint8Array(HASH_BYTES);

/**
 * BLAKE3 of kind byte 05, network, previous, account: the 32 bytes over which a payment's work is done.
 * @param previous the payment's `previous`: the id of the account's last payment, or its address.
 */
export function workSeed(network: NetworkId, previous: Slot, account: Address): Uint8Array {
  return blake3(seedPrefix(network), seedItems([{ previous, account }]));
}

function seedPrefix(network: NetworkId): Uint8Array {
  return concat([Uint8Array.of(KIND.work), network]);
}

function seedItems(slots: readonly { readonly previous: Slot; readonly account: Address }[]): Uint8Array {
  const items = new Uint8Array(slots.length * 2 * HASH_BYTES);
  for (const [i, { previous, account }] of slots.entries()) {
    unhexInto(previous, items, 2 * i * HASH_BYTES);
    unhexInto(account, items, (2 * i + 1) * HASH_BYTES);
  }
  return items;
}

/** The work of a nonce: leading zero bits of BLAKE3(seed 32 bytes, nonce 8 bytes), first byte first, 0 to 256. */
export function workBits(seed: Uint8Array, nonce: Uint8Array): number {
  assert(
    seed.length === HASH_BYTES && nonce.length === WORK_BYTES,
    'a try is 32 bytes of seed and 8 of nonce',
  );
  blake3Into([seed, nonce], digest, 0);
  return leadingZeroBits(digest, 0);
}

/** What of a payment its work depends on. */
export interface Worked {
  readonly previous: Slot;
  readonly account: Address;
  /** 8 bytes. */
  readonly work: Uint8Array;
}

/** `workBits` over the `workSeed` of each payment, in order; several at a time cost half as much or less. */
export function workBitsOf(network: NetworkId, payments: readonly Worked[]): Uint16Array {
  const seeds = blake3Many(seedPrefix(network), seedItems(payments), 2 * HASH_BYTES);
  const tries = new Uint8Array(payments.length * TRY_BYTES);
  for (const [i, { work }] of payments.entries()) {
    assert(work.length === WORK_BYTES, 'a nonce is 8 bytes');
    // A view and `set` take longer than so few bytes.
    for (let b = 0; b < HASH_BYTES; b++) tries[i * TRY_BYTES + b] = seeds[i * HASH_BYTES + b]!;
    for (let b = 0; b < WORK_BYTES; b++) tries[i * TRY_BYTES + HASH_BYTES + b] = work[b]!;
  }
  const digests = blake3Many(NOTHING, tries, TRY_BYTES);
  return Uint16Array.from(payments, (_, i) => leadingZeroBits(digests, i * HASH_BYTES));
}

/** Refuses a nonce (8 bytes) whose work is under `required` bits. */
export function checkWork(seed: Uint8Array, nonce: Uint8Array, required: number): Refusal | undefined {
  const bits = workBits(seed, nonce);
  return bits < required ? { code: 'too_little_work', bits, required } : undefined;
}

/**
 * One slice of a search: the first nonce with at least `bits` of work among the `tries` nonces from `start`, undefined
 * when there is none. 2^bits tries are needed on average, at some 30 million a second with the kernel and a hundredth of
 * that without. The caller loops over slices, so that a search can be cancelled and shared among threads.
 * @param start 0 to 2^64 - 1, where it begins again at 0.
 */
export function searchWork(
  seed: Uint8Array,
  bits: number,
  start: bigint | number,
  tries: number,
): Uint8Array | undefined {
  assert(seed.length === HASH_BYTES, 'a seed is 32 bytes');
  let next = BigInt(start);
  for (let left = tries; left > 0; ) {
    const low = Number(BigInt.asUintN(32, next));
    const high = Number(BigInt.asUintN(32, next >> 32n));
    // The upper half of the nonce stays the same within one call.
    const now = Math.min(left, NONCE_HALVES - low);
    const before = searchNonce(seed, bits, low, high, now);
    if (before >= 0) {
      const nonce = new DataView(new ArrayBuffer(WORK_BYTES));
      nonce.setBigUint64(0, next + BigInt(before), true);
      return new Uint8Array(nonce.buffer);
    }
    left -= now;
    next += BigInt(now);
  }
  return undefined;
}
