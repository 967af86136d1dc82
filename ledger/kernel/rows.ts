/**
 * One compression at a time: a vector holds one row of the state, so a step does all four columns, and the rows are turned
 * against each other for the diagonals. The order of the message words is that of BLAKE3's own SSE4.1 version.
 */
import { BLOCK_BYTES, CHUNK_END, CHUNK_START, add, first, second, turn12, turn16, turn7, turn8, xor } from './words.ts';

/**
 * Hashes blocks of one chunk, or of one parent, into a chaining value of 32 bytes at `out`.
 * @param at Blocks one after the other; the last one is zero beyond its `length`.
 * @param length Bytes in all, of which the last block has 0 to 64.
 * @param each Flags of every block.
 * @param start Further ones of the first block.
 * @param end Further ones of the last block.
 */
export function hashRows(
  at: usize,
  length: i32,
  counter: i32,
  each: i32,
  start: i32,
  end: i32,
  out: usize,
): void {
  let low = first();
  let high = second();
  let flags = each | start;
  let left = length;
  while (true) {
    const last = left <= BLOCK_BYTES;
    if (last) flags |= end;
    let m0 = v128.load(at);
    let m1 = v128.load(at, 16);
    let m2 = v128.load(at, 32);
    let m3 = v128.load(at, 48);
    let a = low;
    let b = high;
    let c = first();
    let d = i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(0), 0, counter), 2, last ? left : BLOCK_BYTES), 3, flags);

    let t0 = v128.shuffle<u32>(m0, m1, 0, 2, 4, 6);
    let t1 = v128.shuffle<u32>(m0, m1, 1, 3, 5, 7);
    let t2 = v128.shuffle<u32>(m2, m3, 0, 2, 4, 6);
    t2 = v128.shuffle<u32>(t2, t2, 3, 0, 1, 2);
    let t3 = v128.shuffle<u32>(m2, m3, 1, 3, 5, 7);
    t3 = v128.shuffle<u32>(t3, t3, 3, 0, 1, 2);
    let round = 0;
    while (true) {
      a = add(add(a, t0), b); d = turn16(xor(d, a)); c = add(c, d); b = turn12(xor(b, c));
      a = add(add(a, t1), b); d = turn8(xor(d, a)); c = add(c, d); b = turn7(xor(b, c));
      a = v128.shuffle<u32>(a, a, 3, 0, 1, 2);
      d = v128.shuffle<u32>(d, d, 2, 3, 0, 1);
      c = v128.shuffle<u32>(c, c, 1, 2, 3, 0);
      a = add(add(a, t2), b); d = turn16(xor(d, a)); c = add(c, d); b = turn12(xor(b, c));
      a = add(add(a, t3), b); d = turn8(xor(d, a)); c = add(c, d); b = turn7(xor(b, c));
      a = v128.shuffle<u32>(a, a, 1, 2, 3, 0);
      d = v128.shuffle<u32>(d, d, 2, 3, 0, 1);
      c = v128.shuffle<u32>(c, c, 3, 0, 1, 2);
      if (++round === 7) break;
      m0 = t0; m1 = t1; m2 = t2; m3 = t3;
      t0 = v128.shuffle<u32>(m0, m1, 2, 1, 5, 7);
      t0 = v128.shuffle<u32>(t0, t0, 1, 2, 3, 0);
      t1 = v128.shuffle<u32>(m2, m3, 2, 2, 7, 7);
      t1 = v128.shuffle<u32>(v128.shuffle<u32>(m0, m0, 3, 3, 0, 0), t1, 0, 5, 2, 7);
      t2 = v128.shuffle<u32>(m3, m1, 0, 1, 4, 5);
      t2 = v128.shuffle<u32>(t2, m2, 0, 1, 2, 7);
      t2 = v128.shuffle<u32>(t2, t2, 0, 2, 3, 1);
      t3 = v128.shuffle<u32>(m1, m3, 2, 6, 3, 7);
      t3 = v128.shuffle<u32>(m2, t3, 0, 4, 1, 5);
      t3 = v128.shuffle<u32>(t3, t3, 2, 3, 1, 0);
    }
    low = xor(a, c);
    high = xor(b, d);
    if (last) break;
    at += BLOCK_BYTES;
    left -= BLOCK_BYTES;
    flags = each;
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}
