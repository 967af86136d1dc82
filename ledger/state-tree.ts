/**
 * The state tree: what every account has, under one root (docs/protocol.md, section 2.8). It is a binary trie over the bits
 * of the address, the most significant first. An empty subtree is 32 zero bytes; a subtree with exactly one account is that
 * account's leaf; any other is 07 | network | left | right.
 *
 * It is kept as a crit-bit tree (D. J. Bernstein): only where accounts part there is a branch, so n accounts have n - 1
 * branches, however long the prefixes are that somebody has searched for. The levels in between, which have one empty
 * side, are hashed and never stored. All of it lies in a few typed arrays: 106 bytes an account,
 * and up to half as much again as room to grow.
 */
import { equalBytes, hex, unhex, unhexInto } from './bytes.ts';
import { KIND } from './encode.ts';
import { blake3Hex, blake3Into, ZERO_HASH } from './hash.ts';
import { HASH_BYTES, NETWORK_ID_BYTES } from './limits.ts';
import type { Address, Hash, NetworkId, Units } from './types.ts';

/** Two addresses part at their last bit at the latest. */
export const STATE_PATH_MAX = 8 * HASH_BYTES;

const ZERO = new Uint8Array(HASH_BYTES);
const LEFT_AT = 1 + NETWORK_ID_BYTES;

/** What a leaf is the hash of: 08 | network | address | balance 8 | sequence 8 | head. */
const LEAF = new Uint8Array(LEFT_AT + HASH_BYTES + 16 + HASH_BYTES);
const LEAF_VIEW = new DataView(LEAF.buffer);

/** Leaf of one account in the state tree: its address, balance, sequence and head. */
export function accountLeaf(
  network: NetworkId,
  address: Address,
  balance: Units,
  sequence: number,
  head: Hash,
): Hash {
  LEAF[0] = KIND.account;
  LEAF.set(network, 1);
  unhexInto(address, LEAF, LEFT_AT);
  LEAF_VIEW.setBigUint64(LEFT_AT + HASH_BYTES, BigInt(balance));
  LEAF_VIEW.setBigUint64(LEFT_AT + HASH_BYTES + 8, BigInt(sequence));
  unhexInto(head, LEAF, LEFT_AT + HASH_BYTES + 16);
  return blake3Hex(LEAF);
}

/** Where an address leads to in the tree. */
export interface Place {
  /** The account there: the address itself, or the only one that shares this prefix, or undefined: there is none. */
  readonly occupant: Address | undefined;
  /** Siblings of 32 bytes upwards from that place; its depth is their number. */
  readonly path: readonly Uint8Array[];
}

/** 0 or 1: bit `bit` of the 32 bytes at `at`. */
function bitOf(bytes: Uint8Array, at: number, bit: number): number {
  return (bytes[at + (bit >> 3)]! >> (7 - (bit & 7))) & 1;
}

/** 07 | network | left | right in one buffer that is used again and again: hashing a node is the cost of this tree. */
function emptyNode(network: NetworkId): Uint8Array {
  const node = new Uint8Array(LEFT_AT + 2 * HASH_BYTES);
  node[0] = KIND.merkleNode;
  node.set(network, 1);
  return node;
}

/** Puts the hash at `from` of `hashes` on the side of the node that `bit` says. By bytes: a window on them would take longer to make. */
function setSide(node: Uint8Array, bit: number, hashes: Uint8Array, from: number): void {
  const to = LEFT_AT + bit * HASH_BYTES;
  for (let i = 0; i < HASH_BYTES; i++) node[to + i] = hashes[from + i]!;
}

/** A half more than before: doubling would leave half of many megabytes empty. */
const more = (count: number): number => count + (count >> 1);

function grown(array: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(array);
  return larger;
}

const START = 16;

export class StateTree {
  readonly #node: Uint8Array;
  /** Of the account that is being set. */
  readonly #key = new Uint8Array(HASH_BYTES);
  readonly #leaf = new Uint8Array(HASH_BYTES);
  #size = 0;
  /** 32 bytes each, by number of the account. */
  #addresses = new Uint8Array(START * HASH_BYTES);
  #leaves = new Uint8Array(START * HASH_BYTES);
  /** The left and the right one of each branch: a branch by its number, an account as the complement of its number. */
  #children = new Int32Array(START * 2);
  /** The bit at which the accounts under a branch part. */
  #bits = new Uint8Array(START);
  /** Hash of the whole subtree that hangs under the branch above, so levels with an empty side are in it already. */
  #hashes = new Uint8Array(START * HASH_BYTES);
  /** 1 where the hash does not count any more; the branches above are so too. */
  #dirty = new Uint8Array(START);
  /** The uppermost branch or account; of no meaning while there is no account. */
  #top = 0;

  constructor(network: NetworkId) {
    this.#node = emptyNode(network);
  }

  /** Number of accounts. */
  get size(): number {
    return this.#size;
  }

  /** True of an account that has a leaf. */
  has(address: Address): boolean {
    if (this.#size === 0) return false;
    const key = unhex(address);
    return this.#partingBit(key, this.#nearest(key)) === STATE_PATH_MAX;
  }

  /** Gives an account a leaf (accountLeaf), for the first time or in place of its last one. */
  set(address: Address, leaf: Hash): void {
    const key = this.#key;
    const hash = this.#leaf;
    unhexInto(address, key, 0);
    unhexInto(leaf, hash, 0);
    if (this.#size === 0) {
      this.#top = this.#add(key, hash);
      return;
    }
    const nearest = this.#nearest(key);
    const parting = this.#partingBit(key, nearest);
    if (parting < STATE_PATH_MAX) {
      this.#insert(key, parting, this.#add(key, hash));
    } else if (!equalBytes(hash, this.#hashOf(~nearest))) {
      this.#mark(key, STATE_PATH_MAX);
      this.#leaves.set(hash, nearest * HASH_BYTES);
    }
  }

  /** The state root; hashes the branches above the accounts that have changed. */
  root(): Hash {
    if (this.#size === 0) return ZERO_HASH;
    this.#refresh(this.#top, 0);
    return hex(this.#hashOf(this.#top)) as Hash;
  }

  /** Siblings of 32 bytes from the account's leaf upwards, under the root of now; undefined when there is no such account. */
  path(address: Address): readonly Uint8Array[] | undefined {
    const { occupant, path } = this.place(address);
    return occupant === address ? path : undefined;
  }

  /** Where an address leads to under the root of now, whether it has an account or not. */
  place(address: Address): Place {
    if (this.#size === 0) return { occupant: undefined, path: [] };
    this.#refresh(this.#top, 0);
    const key = unhex(address);
    const nearest = this.#nearest(key);
    const parting = this.#partingBit(key, nearest);
    const path: Uint8Array[] = [];
    let ref = this.#top;
    while (ref >= 0 && this.#bits[ref]! < parting) {
      const bit = this.#bits[ref]!;
      while (path.length < bit) path.push(ZERO);
      const side = bitOf(key, 0, bit);
      path.push(this.#hashOf(this.#children[2 * ref + 1 - side]!).slice());
      ref = this.#children[2 * ref + side]!;
    }
    // Several accounts share a prefix that the address leaves at its bit `parting`: on its side there is nobody.
    if (ref >= 0) {
      while (path.length < parting) path.push(ZERO);
      const sibling = new Uint8Array(HASH_BYTES);
      this.#hashInto(ref, parting + 1, sibling, 0);
      path.push(sibling);
      return { occupant: undefined, path: path.reverse() };
    }
    const at = nearest * HASH_BYTES;
    const occupant = hex(this.#addresses.subarray(at, at + HASH_BYTES)) as Address;
    return { occupant, path: path.reverse() };
  }

  /** Appends an account that hangs nowhere yet. */
  #add(key: Uint8Array, leaf: Uint8Array): number {
    const at = this.#size * HASH_BYTES;
    if (at === this.#leaves.length) {
      const bytes = more(this.#size) * HASH_BYTES;
      this.#addresses = grown(this.#addresses, bytes);
      this.#leaves = grown(this.#leaves, bytes);
    }
    this.#addresses.set(key, at);
    this.#leaves.set(leaf, at);
    return ~this.#size++;
  }

  /** Number of an account that shares as long a prefix with the key as any does. */
  #nearest(key: Uint8Array): number {
    let ref = this.#top;
    while (ref >= 0) ref = this.#children[2 * ref + bitOf(key, 0, this.#bits[ref]!)]!;
    return ~ref;
  }

  /** The first bit in which the key and the account differ; STATE_PATH_MAX when they are the same. */
  #partingBit(key: Uint8Array, account: number): number {
    const at = account * HASH_BYTES;
    for (let i = 0; i < HASH_BYTES; i++) {
      const differing = key[i]! ^ this.#addresses[at + i]!;
      if (differing !== 0) return 8 * i + Math.clz32(differing) - 24;
    }
    return STATE_PATH_MAX;
  }

  /** Marks the branches on the way of the key that part before `bit`. Returns where the last one's child stands, or -1. */
  #mark(key: Uint8Array, bit: number): number {
    let ref = this.#top;
    let from = -1;
    while (ref >= 0 && this.#bits[ref]! < bit) {
      this.#dirty[ref] = 1;
      from = 2 * ref + bitOf(key, 0, this.#bits[ref]!);
      ref = this.#children[from]!;
    }
    return from;
  }

  /** Puts a branch where the key leaves the accounts that are there. */
  #insert(key: Uint8Array, parting: number, account: number): void {
    const branch = this.#size - 2;
    if (branch === this.#bits.length) {
      const count = more(branch);
      const children = new Int32Array(2 * count);
      children.set(this.#children);
      this.#children = children;
      this.#bits = grown(this.#bits, count);
      this.#dirty = grown(this.#dirty, count);
      this.#hashes = grown(this.#hashes, count * HASH_BYTES);
    }
    const from = this.#mark(key, parting);
    const rest = from === -1 ? this.#top : this.#children[from]!;
    // It hangs lower from now on, so fewer levels with an empty side are in its hash.
    if (rest >= 0) this.#dirty[rest] = 1;
    const side = bitOf(key, 0, parting);
    this.#children[2 * branch + side] = account;
    this.#children[2 * branch + 1 - side] = rest;
    this.#bits[branch] = parting;
    this.#dirty[branch] = 1;
    if (from === -1) this.#top = branch;
    else this.#children[from] = branch;
  }

  /** A window on the hash of a subtree as its branch above has it. */
  #hashOf(ref: number): Uint8Array {
    const at = (ref >= 0 ? ref : ~ref) * HASH_BYTES;
    return (ref >= 0 ? this.#hashes : this.#leaves).subarray(at, at + HASH_BYTES);
  }

  /** Makes the hash of a subtree count again that hangs at `depth`. At most 256 calls deep. */
  #refresh(ref: number, depth: number): void {
    if (ref < 0 || this.#dirty[ref] === 0) return;
    const below = this.#bits[ref]! + 1;
    this.#refresh(this.#children[2 * ref]!, below);
    this.#refresh(this.#children[2 * ref + 1]!, below);
    this.#hashInto(ref, depth, this.#hashes, ref * HASH_BYTES);
    this.#dirty[ref] = 0;
  }

  /** Hash of the subtree of a branch, seen from `depth`, into `out` from `at` on; its children's hashes count. */
  #hashInto(branch: number, depth: number, out: Uint8Array, at: number): void {
    const node = this.#node;
    const left = this.#children[2 * branch]!;
    this.#setSide(0, left);
    this.#setSide(1, this.#children[2 * branch + 1]!);
    blake3Into([node], out, at);
    let level = this.#bits[branch]! - 1;
    if (level < depth) return;
    // On these levels all accounts of the subtree have the same bits, so any one of them tells.
    let any = left;
    while (any >= 0) any = this.#children[2 * any]!;
    for (; level >= depth; level--) {
      const bit = bitOf(this.#addresses, ~any * HASH_BYTES, level);
      setSide(node, bit, out, at);
      setSide(node, 1 - bit, ZERO, 0);
      blake3Into([node], out, at);
    }
  }

  #setSide(bit: number, ref: number): void {
    if (ref >= 0) setSide(this.#node, bit, this.#hashes, ref * HASH_BYTES);
    else setSide(this.#node, bit, this.#leaves, ~ref * HASH_BYTES);
  }
}

/**
 * The state root that a leaf and its path lead to; ZERO_HASH as the leaf folds an empty place. Undefined when the path is
 * longer than an address or has a sibling of not 32 bytes. Only one length leads to the root, as a leaf is no node.
 * @param path Siblings from the leaf upwards.
 */
export function rootOfAccount(
  network: NetworkId,
  address: Address,
  leaf: Hash,
  path: readonly Uint8Array[],
): Hash | undefined {
  if (path.length > STATE_PATH_MAX) return undefined;
  const key = unhex(address);
  const node = emptyNode(network);
  const hash = unhex(leaf);
  for (const [i, sibling] of path.entries()) {
    if (sibling.length !== HASH_BYTES) return undefined;
    const bit = bitOf(key, 0, path.length - 1 - i);
    setSide(node, bit, hash, 0);
    setSide(node, 1 - bit, sibling, 0);
    blake3Into([node], hash, 0);
  }
  return hex(hash) as Hash;
}
