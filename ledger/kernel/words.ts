/** Words of BLAKE3, four to a vector, and where what lies in the kernel's memory. */

/** Flags of a compression: what block it is of. */
export const CHUNK_START: i32 = 1;
export const CHUNK_END: i32 = 2;
export const PARENT: i32 = 4;
export const ROOT: i32 = 8;

export const BLOCK_BYTES: i32 = 64;
export const CHUNK_BYTES: i32 = 1024;
export const DIGEST_BYTES: i32 = 32;

/** Chaining values of four lanes: 8 vectors, one for each word. */
export const LANE_VALUES: usize = 0x0000;
/** The block that four lanes compress: 16 vectors, one for each word. */
export const LANE_WORDS: usize = 0x0100;
/** The messages of four lanes, a chunk each. */
export const LANES: usize = 0x1000;
/** What many messages begin with, at most a chunk. */
export const PREFIX: usize = 0x2000;
/** Chaining values of the chunks of one message. */
export const CHUNK_VALUES: usize = 0x3000;
/** Digests, the first one here. */
export const DIGESTS: usize = 0x4000;
export const DIGESTS_MAX: i32 = 2048;
/** One message, or the items of many. */
export const INPUT: usize = 0x20000;
export const INPUT_BYTES: i32 = 0x20000;

@inline export function first(): v128 {
  return i32x4(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a);
}

@inline export function second(): v128 {
  return i32x4(0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
}

@inline export function add(a: v128, b: v128): v128 {
  return i32x4.add(a, b);
}

@inline export function xor(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

/** Each word turned right by so many bits. Whole bytes go faster by a shuffle. */
@inline export function turn16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline export function turn12(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}

@inline export function turn8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

@inline export function turn7(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}
