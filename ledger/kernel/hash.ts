/** BLAKE3-256 of one message or of many, in the kernel's memory. */
import { gatherBlock, compressLanes, scatterValues, startLanes } from './lanes.ts';
import { hashRows } from './rows.ts';
import {
  BLOCK_BYTES,
  CHUNK_BYTES,
  CHUNK_END,
  CHUNK_START,
  CHUNK_VALUES,
  DIGESTS,
  DIGEST_BYTES,
  INPUT,
  LANES,
  PARENT,
  PREFIX,
  ROOT,
} from './words.ts';

const LANES_COUNT: i32 = 4;

/** Zeroes what stands between the end of a message and the end of its last block. */
function pad(at: usize, length: i32): void {
  const end = length === 0 ? BLOCK_BYTES : (length + BLOCK_BYTES - 1) & -BLOCK_BYTES;
  memory.fill(at + length, 0, end - length);
}

/** The message of `length` bytes at INPUT, at most INPUT_BYTES; its digest is the first one at DIGESTS. */
export function hash(length: i32): void {
  pad(INPUT, length);
  if (length <= CHUNK_BYTES) {
    hashRows(INPUT, length, 0, 0, CHUNK_START, CHUNK_END | ROOT, DIGESTS);
    return;
  }
  let values = hashChunks(length);
  // Two values make the one above them; a lone one at the end moves up, which is the shape of BLAKE3's tree.
  while (values > 2) values = hashParents(values);
  hashRows(CHUNK_VALUES, BLOCK_BYTES, 0, PARENT, 0, ROOT, DIGESTS);
}

/** Chaining values of all chunks of the message at INPUT; returns how many there are. */
function hashChunks(length: i32): i32 {
  let chunk = 0;
  const whole = length / CHUNK_BYTES;
  for (; chunk + LANES_COUNT <= whole; chunk += LANES_COUNT) {
    const at = INPUT + chunk * CHUNK_BYTES;
    const counters = i32x4.add(i32x4.splat(chunk), i32x4(0, 1, 2, 3));
    startLanes();
    for (let block = 0; block < CHUNK_BYTES; block += BLOCK_BYTES) {
      let flags = 0;
      if (block === 0) flags = CHUNK_START;
      if (block === CHUNK_BYTES - BLOCK_BYTES) flags = CHUNK_END;
      gatherBlock(at + block, CHUNK_BYTES);
      compressLanes(counters, BLOCK_BYTES, flags);
    }
    scatterValues(CHUNK_VALUES + chunk * DIGEST_BYTES);
  }
  for (; chunk * CHUNK_BYTES < length; chunk++) {
    const at = chunk * CHUNK_BYTES;
    hashRows(INPUT + at, min(length - at, CHUNK_BYTES), chunk, 0, CHUNK_START, CHUNK_END, CHUNK_VALUES + chunk * DIGEST_BYTES);
  }
  return chunk;
}

/** Makes one level of the tree out of the level below it, in its place; returns how many there are. */
function hashParents(values: i32): i32 {
  const pairs = values >> 1;
  let pair = 0;
  for (; pair + LANES_COUNT <= pairs; pair += LANES_COUNT) {
    startLanes();
    gatherBlock(CHUNK_VALUES + pair * BLOCK_BYTES, BLOCK_BYTES);
    compressLanes(i32x4.splat(0), BLOCK_BYTES, PARENT);
    scatterValues(CHUNK_VALUES + pair * DIGEST_BYTES);
  }
  for (; pair < pairs; pair++) {
    hashRows(CHUNK_VALUES + pair * BLOCK_BYTES, BLOCK_BYTES, 0, PARENT, 0, 0, CHUNK_VALUES + pair * DIGEST_BYTES);
  }
  if ((values & 1) === 0) return pairs;
  memory.copy(CHUNK_VALUES + pairs * DIGEST_BYTES, CHUNK_VALUES + (values - 1) * DIGEST_BYTES, DIGEST_BYTES);
  return pairs + 1;
}

/**
 * `count` messages, each the `prefix` bytes at PREFIX and then its own `item` bytes; items stand at INPUT without gaps, digests
 * at DIGESTS. Four messages at a time.
 * @param prefix With `item` at most CHUNK_BYTES.
 * @param item At least 1; all items at most INPUT_BYTES.
 * @param count At most DIGESTS_MAX.
 */
export function hashMany(prefix: i32, item: i32, count: i32): void {
  const length = prefix + item;
  for (let lane = 0; lane < LANES_COUNT; lane++) {
    const at = LANES + lane * CHUNK_BYTES;
    memory.copy(at, PREFIX, prefix);
    pad(at, length);
  }
  const zero = i32x4.splat(0);
  const last = (length - 1) & -BLOCK_BYTES;
  for (let i = 0; i < count; i += LANES_COUNT) {
    // Lanes beyond the last item hash what happens to lie there; nobody reads their digests.
    for (let lane = 0; lane < LANES_COUNT; lane++) {
      copy(LANES + lane * CHUNK_BYTES + prefix, INPUT + (i + lane) * item, item);
    }
    startLanes();
    for (let block = 0; block <= last; block += BLOCK_BYTES) {
      let flags = block === 0 ? CHUNK_START : 0;
      if (block === last) flags |= CHUNK_END | ROOT;
      gatherBlock(LANES + block, CHUNK_BYTES);
      compressLanes(zero, block === last ? length - last : BLOCK_BYTES, flags);
    }
    scatterValues(DIGESTS + i * DIGEST_BYTES);
  }
}

/** For the few bytes of an item this is quicker than memory.copy, which leaves WebAssembly. */
@inline function copy(to: usize, from: usize, length: i32): void {
  let at = 0;
  for (; at + 8 <= length; at += 8) store<u64>(to + at, load<u64>(from + at));
  for (; at < length; at++) store<u8>(to + at, load<u8>(from + at));
}
