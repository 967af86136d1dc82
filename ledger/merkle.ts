/**
 * Merkle tree over ids in ascending order. A leaf is 06 | network | id, a node 07 | network | left | right, so no leaf can
 * pass for a node. A lone node at the end of a level moves up unchanged (as in RFC 6962).
 */
import { hex, unhex } from './bytes.ts';
import { KIND } from './encode.ts';
import { blake3, ZERO_HASH } from './hash.ts';
import type { Hash, NetworkId } from './types.ts';

export class MerkleTree {
  readonly root: Hash;
  /** Level 0 holds the leaves. */
  readonly #levels: Uint8Array[][];

  /** @param ids Any number, in ascending order. */
  constructor(network: NetworkId, ids: readonly Hash[]) {
    let level = ids.map((id) => leafHash(network, id));
    this.#levels = [level];
    while (level.length > 1) {
      const above: Uint8Array[] = [];
      for (let i = 0; i < level.length; i += 2) {
        const left = level[i]!;
        const right = level[i + 1];
        above.push(right === undefined ? left : nodeHash(network, left, right));
      }
      this.#levels.push(above);
      level = above;
    }
    this.root = ids.length === 0 ? ZERO_HASH : (hex(level[0]!) as Hash);
  }

  /** Siblings from the leaf upwards; where a node has none, nothing stands. */
  path(index: number): Uint8Array[] {
    const path: Uint8Array[] = [];
    let at = index;
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = level[at ^ 1];
      if (sibling !== undefined) path.push(sibling);
      at >>= 1;
    }
    return path;
  }
}

function leafHash(network: NetworkId, id: Hash): Uint8Array {
  return blake3(Uint8Array.of(KIND.merkleLeaf), network, unhex(id));
}

function nodeHash(network: NetworkId, left: Uint8Array, right: Uint8Array): Uint8Array {
  return blake3(Uint8Array.of(KIND.merkleNode), network, left, right);
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
  let node = leafHash(network, id);
  let at = index;
  let width = count;
  let used = 0;
  while (width > 1) {
    if ((at ^ 1) < width) {
      const sibling = path[used++];
      if (sibling?.length !== 32) return undefined;
      node = at % 2 === 0 ? nodeHash(network, node, sibling) : nodeHash(network, sibling, node);
    }
    at >>= 1;
    width = (width + 1) >> 1;
  }
  return used === path.length ? (hex(node) as Hash) : undefined;
}
