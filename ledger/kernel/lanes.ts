/**
 * Four compressions at a time: a vector holds one word of the state in all four lanes. Blocks and chaining values are turned
 * on their way in and out, so that lane i of vector w is word w of message i.
 */
import { LANE_VALUES, LANE_WORDS, add, turn12, turn16, turn7, turn8, xor } from './words.ts';

/** Gives each lane the chaining value that every message begins with. */
export function startLanes(): void {
  v128.store(LANE_VALUES, i32x4.splat(0x6a09e667), 0);
  v128.store(LANE_VALUES, i32x4.splat(0xbb67ae85), 16);
  v128.store(LANE_VALUES, i32x4.splat(0x3c6ef372), 32);
  v128.store(LANE_VALUES, i32x4.splat(0xa54ff53a), 48);
  v128.store(LANE_VALUES, i32x4.splat(0x510e527f), 64);
  v128.store(LANE_VALUES, i32x4.splat(0x9b05688c), 80);
  v128.store(LANE_VALUES, i32x4.splat(0x1f83d9ab), 96);
  v128.store(LANE_VALUES, i32x4.splat(0x5be0cd19), 112);
}

/** The next block of each lane: 64 bytes at `at`, the lanes so many bytes apart. */
export function gatherBlock(at: usize, apart: usize): void {
  for (let part: usize = 0; part < 64; part += 16) {
    const from = at + part;
    const to = LANE_WORDS + 4 * part;
    turnInto(to, v128.load(from), v128.load(from + apart), v128.load(from + 2 * apart), v128.load(from + 3 * apart), 16);
  }
}

/** The chaining value of each lane: 4 x 32 bytes from `out` on. */
export function scatterValues(out: usize): void {
  for (let half: usize = 0; half < 2; half++) {
    const from = LANE_VALUES + 64 * half;
    turnInto(out + 16 * half, v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48), 32);
  }
}

/** Word j of the four vectors becomes vector j, stored so many bytes apart. */
@inline function turnInto(to: usize, a: v128, b: v128, c: v128, d: v128, apart: usize): void {
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab01, cd01, 0, 2));
  v128.store(to + apart, v128.shuffle<u64>(ab01, cd01, 1, 3));
  v128.store(to + 2 * apart, v128.shuffle<u64>(ab23, cd23, 0, 2));
  v128.store(to + 3 * apart, v128.shuffle<u64>(ab23, cd23, 1, 3));
}

@inline function w(word: usize): v128 {
  return v128.load(LANE_WORDS + 16 * word);
}

/** Compresses the block of each lane into the lane's chaining value. The blocks have one length and one set of flags. */
export function compressLanes(counters: v128, length: i32, flags: i32): void {
  let v0 = v128.load(LANE_VALUES, 0);
  let v1 = v128.load(LANE_VALUES, 16);
  let v2 = v128.load(LANE_VALUES, 32);
  let v3 = v128.load(LANE_VALUES, 48);
  let v4 = v128.load(LANE_VALUES, 64);
  let v5 = v128.load(LANE_VALUES, 80);
  let v6 = v128.load(LANE_VALUES, 96);
  let v7 = v128.load(LANE_VALUES, 112);
  let v8 = i32x4.splat(0x6a09e667);
  let v9 = i32x4.splat(0xbb67ae85);
  let v10 = i32x4.splat(0x3c6ef372);
  let v11 = i32x4.splat(0xa54ff53a);
  let v12 = counters;
  let v13 = i32x4.splat(0);
  let v14 = i32x4.splat(length);
  let v15 = i32x4.splat(flags);
  // Round 1.
  v0 = add(add(v0, w(0)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(1)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(2)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(3)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(4)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(5)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(6)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(7)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(8)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(9)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(10)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(11)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(12)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(13)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(14)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(15)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 2.
  v0 = add(add(v0, w(2)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(6)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(3)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(10)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(7)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(0)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(4)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(13)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(1)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(11)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(12)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(5)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(9)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(14)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(15)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(8)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 3.
  v0 = add(add(v0, w(3)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(4)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(10)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(12)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(13)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(2)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(7)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(14)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(6)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(5)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(9)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(0)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(11)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(15)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(8)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(1)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 4.
  v0 = add(add(v0, w(10)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(7)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(12)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(9)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(14)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(3)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(13)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(15)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(4)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(0)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(11)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(2)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(5)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(8)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(1)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(6)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 5.
  v0 = add(add(v0, w(12)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(13)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(9)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(11)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(15)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(10)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(14)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(8)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(7)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(2)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(5)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(3)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(0)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(1)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(6)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(4)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 6.
  v0 = add(add(v0, w(9)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(14)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(11)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(5)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(8)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(12)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(15)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(1)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(13)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(3)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(0)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(10)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(2)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(6)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(4)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(7)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  // Round 7.
  v0 = add(add(v0, w(11)), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, w(15)), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, w(5)), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, w(0)), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, w(1)), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, w(9)), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, w(8)), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, w(6)), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v0 = add(add(v0, w(14)), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
  v0 = add(add(v0, w(10)), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
  v1 = add(add(v1, w(2)), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(add(v1, w(12)), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(add(v2, w(3)), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(add(v2, w(4)), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(add(v3, w(7)), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(add(v3, w(13)), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
  v128.store(LANE_VALUES, xor(v0, v8), 0);
  v128.store(LANE_VALUES, xor(v1, v9), 16);
  v128.store(LANE_VALUES, xor(v2, v10), 32);
  v128.store(LANE_VALUES, xor(v3, v11), 48);
  v128.store(LANE_VALUES, xor(v4, v12), 64);
  v128.store(LANE_VALUES, xor(v5, v13), 80);
  v128.store(LANE_VALUES, xor(v6, v14), 96);
  v128.store(LANE_VALUES, xor(v7, v15), 112);
}
