/**
 * Merkle tree over ids in ascending order. A leaf is 06 | network | id, a node 07 | network | left | right, so no leaf can
 * pass for a node. A lone node at the end of a level moves up unchanged (as in RFC 6962).
 */
import { concat, hex, hexOf, unhex, unhexInto } from './bytes.ts';
import { KIND } from './encode.ts';
import { blake3, blake3Many, ZERO_HASH } from './hash.ts';
import { HASH_BYTES } from './limits.ts';
import type { Hash, NetworkId } from './types.ts';

export class MerkleTree {
  readonly root: Hash;
  /** Of 32 bytes a node, without gaps. Level 0 holds the leaves. */
  readonly #levels: Uint8Array[];

  /** @param ids Any number, in ascending order. */
  constructor(network: NetworkId, ids: readonly Hash[]) {
    const items = new Uint8Array(ids.length * HASH_BYTES);
    for (const [i, id] of ids.entries()) unhexInto(id, items, i * HASH_BYTES);
    const prefix = nodePrefix(network);
    let level: Uint8Array = blake3Many(leafPrefix(network), items, HASH_BYTES);
    this.#levels = [level];
    while (level.length > HASH_BYTES) {
      const paired = level.length - (level.length % (2 * HASH_BYTES));
      const above = blake3Many(prefix, level.subarray(0, paired), 2 * HASH_BYTES);
      level = paired === level.length ? above : concat([above, level.subarray(paired)]);
      this.#levels.push(level);
    }
    this.root = ids.length === 0 ? ZERO_HASH : (hexOf(level, 0) as Hash);
  }

  /** Siblings from the leaf upwards; where a node has none, nothing stands. */
  path(index: number): Uint8Array[] {
    const path: Uint8Array[] = [];
    let at = index;
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = (at ^ 1) * HASH_BYTES;
      if (sibling < level.length) path.push(level.slice(sibling, sibling + HASH_BYTES));
      at >>= 1;
    }
    return path;
  }
}

function leafPrefix(network: NetworkId): Uint8Array {
  return concat([Uint8Array.of(KIND.merkleLeaf), network]);
}

function nodePrefix(network: NetworkId): Uint8Array {
  return concat([Uint8Array.of(KIND.merkleNode), network]);
}

/**
 * The root that `id` at `index` of `count` leaves and this path lead to; undefined when the path has not the one
 * length that fits.
 */
export function rootOfPath(
  network: NetworkId,
  id: Hash,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Hash | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= count) return undefined;
  const prefix = nodePrefix(network);
  let node = blake3(leafPrefix(network), unhex(id));
  let at = index;
  let width = count;
  let used = 0;
  while (width > 1) {
    if ((at ^ 1) < width) {
      const sibling = path[used++];
      if (sibling?.length !== HASH_BYTES) return undefined;
      node = at % 2 === 0 ? blake3(prefix, node, sibling) : blake3(prefix, sibling, node);
    }
    at >>= 1;
    width = (width + 1) >> 1;
  }
  return used === path.length ? (hex(node) as Hash) : undefined;
}
