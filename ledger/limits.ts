/**
 * Limits of the protocol. Changing any of these forks the network; what an operator may set stands in node/config.ts
 * and p2p/limits.ts.
 */
import { assert } from './assert.ts';

/** One frame on the wire: a whole block, a whole witness, one message of a protocol. Checked before decoding. */
export const FRAME_BYTES_MAX = 64 * 1024;

/** BLAKE3-256. */
export const HASH_BYTES = 32;

/** 128 bits of the genesis hash: finding two networks that share it takes 2^64 hashes. */
export const NETWORK_ID_BYTES = 16;

/** Ed25519 public key and signature (RFC 8032, section 5.1). */
export const ED25519_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** The work nonce, a 64-bit little-endian integer. */
export const WORK_BYTES = 8;

/** Every amount and sum is exact in a double. */
export const UNITS_MAX = Number.MAX_SAFE_INTEGER;

/** More than 48 leading zero bits would take an hour at 20 million hashes a second on 4,000 cores. */
export const WORK_BITS_MAX = 48;

/** Enough to pay station, site owner and grid in one payment; bounds what one signature can touch. */
export const TRANSFERS_MAX = 16;

/** A session id, a reading and an invoice number; not a document. */
export const MEMO_BYTES_MAX = 256;

/** A data payload; longer things are hashed and kept elsewhere. */
export const DATA_BYTES_MAX = 4096;

/** Data work costs one more bit each time its size doubles beyond this. */
export const DATA_BYTES_PER_WORK_BIT = 64;

/** Parents of a block. k parents keep k/(k-1) * lambda * h tips; beyond 8 more parents buy nothing. */
export const PARENTS_MAX = 8;

/** Payloads of a block; a block of 300 one-transfer payments fills the frame first. */
export const PAYLOADS_MAX = 512;

/** Validators of a committee: each adds a column to every vertex. */
export const COMMITTEE_MAX = 64;

/** Other validators' witnesses in one witness: two each, as an honest view never needs more. */
export const WITNESS_REFERENCES_MAX = 2 * COMMITTEE_MAX;

/** Blocks that one witness refers to directly; each brings its own past. */
export const WITNESS_TIPS_MAX = 256;

/** Payments in `defers`, in `accepts` and slots in `freezes` together. */
export const WITNESS_VOTES_MAX = 1024;

/** D: how many rounds a parent may be older than its child, and how far back a witness first covers blocks. */
export const DEPTH_ROUNDS_MAX = 64;

/** E: votes of witnesses so many rounds older than the last commit lapse. 40 seconds at 25 rounds a second. */
export const EPOCH_ROUNDS = 1000;

/** Every third round has a leader: one round to speak, one to support it, one to ratify that. */
export const WAVE_ROUNDS = 3;

/** How many witnesses of one's own a contest may last before it is frozen: most end by themselves in that time. */
export const CONTESTED_WITNESSES = 3;

/** Genesis accounts; a bigger start is made by payments. */
export const ALLOCATIONS_MAX = 1_000_000;

/** Kind byte, network, validator 2, round 4, time 6, self, body hash, count 4, root, checkpoint 4 + 32 + 32. */
export const WITNESS_HEADER_BYTES =
  1 + NETWORK_ID_BYTES + 2 + 4 + 6 + 3 * HASH_BYTES + 4 + (4 + 2 * HASH_BYTES) + ED25519_SIGNATURE_BYTES;

assert(
  WITNESS_HEADER_BYTES +
    5 * 2 +
    HASH_BYTES * (WITNESS_REFERENCES_MAX + WITNESS_TIPS_MAX + WITNESS_VOTES_MAX) <=
    FRAME_BYTES_MAX,
  'a full witness fits one frame',
);
assert(DATA_BYTES_MAX + 1024 <= FRAME_BYTES_MAX, 'a data payload fits a block');
