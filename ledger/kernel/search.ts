/**
 * The search for a nonce, four at a time: a try is one compression of seed (32 bytes) and nonce (8 bytes, little-endian), and
 * only the lower half of the nonce differs from try to try. So the block's words 0 to 7 are the seed, 8 and 9 the nonce, and
 * 10 to 15 are zero and left out. What depends on no nonce is done once: of the first round all but one quarter, and the
 * beginnings of the second. Of the last round only that is done which makes the digest's first word.
 */
import { INPUT, add, turn12, turn16, turn7, turn8, xor } from './words.ts';

/**
 * Tries nonces one after the other, of which `low` and `high` are the two halves of the first.
 * @param tries A multiple of 4 that does not carry `low` beyond 32 bits.
 * @param mask A try succeeds when the digest's first word, read little-endian, has none of these bits.
 * @returns how many tries come before the first that succeeds; -1 when none does.
 */
export function search(low: u32, high: u32, tries: u32, mask: u32): i32 {
  const m0 = v128.load32_splat(INPUT, 0);
  const m1 = v128.load32_splat(INPUT, 4);
  const m2 = v128.load32_splat(INPUT, 8);
  const m3 = v128.load32_splat(INPUT, 12);
  const m4 = v128.load32_splat(INPUT, 16);
  const m5 = v128.load32_splat(INPUT, 20);
  const m6 = v128.load32_splat(INPUT, 24);
  const m7 = v128.load32_splat(INPUT, 28);
  const m9 = i32x4.splat(high);
  let v0 = i32x4.splat(0x6a09e667);
  let v1 = i32x4.splat(0xbb67ae85);
  let v2 = i32x4.splat(0x3c6ef372);
  let v3 = i32x4.splat(0xa54ff53a);
  let v4 = i32x4.splat(0x510e527f);
  let v5 = i32x4.splat(0x9b05688c);
  let v6 = i32x4.splat(0x1f83d9ab);
  let v7 = i32x4.splat(0x5be0cd19);
  let v8 = i32x4.splat(0x6a09e667);
  let v9 = i32x4.splat(0xbb67ae85);
  let v10 = i32x4.splat(0x3c6ef372);
  let v11 = i32x4.splat(0xa54ff53a);
  let v12 = i32x4.splat(0);
  let v13 = i32x4.splat(0);
  let v14 = i32x4.splat(40);
  // CHUNK_START | CHUNK_END | ROOT
  let v15 = i32x4.splat(11);

  // Round 1, without its quarter over v0, v5, v10, v15.
  v0 = add(add(v0, m0), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
  v0 = add(add(v0, m1), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
  v1 = add(add(v1, m2), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
  v1 = add(add(v1, m3), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
  v2 = add(add(v2, m4), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
  v2 = add(add(v2, m5), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
  v3 = add(add(v3, m6), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
  v3 = add(add(v3, m7), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
  v1 = add(v1, v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
  v1 = add(v1, v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
  v2 = add(v2, v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
  v2 = add(v2, v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
  v3 = add(v3, v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
  v3 = add(v3, v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));

  // What that quarter and round 2 begin with. Vectors that change from here on are named afresh.
  const a0 = add(v0, v5), b5 = v5, c10 = v10, d15 = v15;
  const a4 = add(v4, m2), b4 = v4, c8 = v8, d12 = v12;
  const a1 = add(v1, m3), c9 = v9, d13 = v13;
  const a2 = add(add(v2, v6), m7), b6 = v6, d14 = turn16(xor(v14, a2)), a20 = add(a2, m0);
  const a3 = add(add(v3, v7), m4), b7 = v7, c11 = v11;
  const masks = i32x4.splat(mask);
  const zero = i32x4.splat(0);
  const four = i32x4.splat(4);
  let n = add(i32x4.splat(low), i32x4(0, 1, 2, 3));
  for (let i: u32 = 0; i < tries; i += 4) {
    v0 = add(a0, n); v15 = turn16(xor(d15, v0)); v10 = add(c10, v15); v5 = turn12(xor(b5, v10));
    v0 = add(add(v0, m9), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    // Round 2.
    v0 = add(v0, a4); v12 = turn16(xor(d12, v0)); v8 = add(c8, v12); v4 = turn12(xor(b4, v8));
    v0 = add(add(v0, m6), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
    v1 = add(a1, v5); v13 = turn16(xor(d13, v1)); v9 = add(c9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(v1, v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v10 = add(v10, d14); v6 = turn12(xor(b6, v10));
    v2 = add(a20, v6); v14 = turn8(xor(d14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
    v15 = turn16(xor(v15, a3)); v11 = add(c11, v15); v7 = turn12(xor(b7, v11));
    v3 = add(a3, v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(add(v0, m1), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(v0, v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    v1 = add(v1, v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
    v1 = add(add(v1, m5), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
    v2 = add(add(v2, m9), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(v2, v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
    v3 = add(v3, v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
    v3 = add(add(v3, n), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
    // Round 3.
    v0 = add(add(v0, m3), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
    v0 = add(add(v0, m4), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
    v1 = add(v1, v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(v1, v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v2 = add(v2, v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
    v2 = add(add(v2, m2), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
    v3 = add(add(v3, m7), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
    v3 = add(v3, v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(add(v0, m6), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(add(v0, m5), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    v1 = add(add(v1, m9), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
    v1 = add(add(v1, m0), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
    v2 = add(v2, v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(v2, v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
    v3 = add(add(v3, n), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
    v3 = add(add(v3, m1), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
    // Round 4.
    v0 = add(v0, v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
    v0 = add(add(v0, m7), v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
    v1 = add(v1, v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(add(v1, m9), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v2 = add(v2, v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
    v2 = add(add(v2, m3), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
    v3 = add(v3, v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
    v3 = add(v3, v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(add(v0, m4), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(add(v0, m0), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    v1 = add(v1, v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
    v1 = add(add(v1, m2), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
    v2 = add(add(v2, m5), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(add(v2, n), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
    v3 = add(add(v3, m1), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
    v3 = add(add(v3, m6), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
    // Round 5.
    v0 = add(v0, v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
    v0 = add(v0, v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
    v1 = add(add(v1, m9), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(v1, v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v2 = add(v2, v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
    v2 = add(v2, v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
    v3 = add(v3, v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
    v3 = add(add(v3, n), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(add(v0, m7), v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(add(v0, m2), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    v1 = add(add(v1, m5), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
    v1 = add(add(v1, m3), v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
    v2 = add(add(v2, m0), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(add(v2, m1), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
    v3 = add(add(v3, m6), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
    v3 = add(add(v3, m4), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
    // Round 6.
    v0 = add(add(v0, m9), v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
    v0 = add(v0, v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12); v4 = turn7(xor(v4, v8));
    v1 = add(v1, v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(add(v1, m5), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v2 = add(add(v2, n), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
    v2 = add(v2, v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14); v6 = turn7(xor(v6, v10));
    v3 = add(v3, v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
    v3 = add(add(v3, m1), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(v0, v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(add(v0, m3), v5); v15 = turn8(xor(v15, v0)); v10 = add(v10, v15); v5 = turn7(xor(v5, v10));
    v1 = add(add(v1, m0), v6); v12 = turn16(xor(v12, v1)); v11 = add(v11, v12); v6 = turn12(xor(v6, v11));
    v1 = add(v1, v6); v12 = turn8(xor(v12, v1)); v11 = add(v11, v12); v6 = turn7(xor(v6, v11));
    v2 = add(add(v2, m2), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(add(v2, m6), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13); v7 = turn7(xor(v7, v8));
    v3 = add(add(v3, m4), v4); v14 = turn16(xor(v14, v3)); v9 = add(v9, v14); v4 = turn12(xor(v4, v9));
    v3 = add(add(v3, m7), v4); v14 = turn8(xor(v14, v3)); v9 = add(v9, v14); v4 = turn7(xor(v4, v9));
    // Round 7.
    v0 = add(v0, v4); v12 = turn16(xor(v12, v0)); v8 = add(v8, v12); v4 = turn12(xor(v4, v8));
    v0 = add(v0, v4); v12 = turn8(xor(v12, v0)); v8 = add(v8, v12);
    v1 = add(add(v1, m5), v5); v13 = turn16(xor(v13, v1)); v9 = add(v9, v13); v5 = turn12(xor(v5, v9));
    v1 = add(add(v1, m0), v5); v13 = turn8(xor(v13, v1)); v9 = add(v9, v13); v5 = turn7(xor(v5, v9));
    v2 = add(add(v2, m1), v6); v14 = turn16(xor(v14, v2)); v10 = add(v10, v14); v6 = turn12(xor(v6, v10));
    v2 = add(add(v2, m9), v6); v14 = turn8(xor(v14, v2)); v10 = add(v10, v14);
    v3 = add(add(v3, n), v7); v15 = turn16(xor(v15, v3)); v11 = add(v11, v15); v7 = turn12(xor(v7, v11));
    v3 = add(add(v3, m6), v7); v15 = turn8(xor(v15, v3)); v11 = add(v11, v15); v7 = turn7(xor(v7, v11));
    v0 = add(v0, v5); v15 = turn16(xor(v15, v0)); v10 = add(v10, v15); v5 = turn12(xor(v5, v10));
    v0 = add(v0, v5);
    v2 = add(add(v2, m3), v7); v13 = turn16(xor(v13, v2)); v8 = add(v8, v13); v7 = turn12(xor(v7, v8));
    v2 = add(add(v2, m4), v7); v13 = turn8(xor(v13, v2)); v8 = add(v8, v13);
    const bits = v128.and(xor(v0, v8), masks);
    if (!i32x4.all_true(bits)) return i + ctz(i32x4.bitmask(i32x4.eq(bits, zero)));
    n = add(n, four);
  }
  return -1;
}
