/**
 * The tangle as columns of numbers in shared memory, one row a vertex in the order of attachment: what other threads
 * read without copying (tip selection). One thread writes; a row is complete before `rows` counts it.
 */
import { HASH_BYTES } from './limits.ts';
import type { Round } from './types.ts';

/** What a row is. */
export const ROW_KIND = { genesis: 0, block: 1, witness: 2 } as const;

/** Parents of one vertex on average that the edge column has room for; witnesses have many, blocks few. */
const EDGES_PER_ROW = 12;

/** The buffers to hand to another thread. */
export interface SharedColumns {
  readonly capacity: number;
  readonly buffer: SharedArrayBuffer;
}

export class Columns {
  readonly capacity: number;
  readonly shared: SharedColumns;
  /** [0] number of complete rows: what readers on other threads wait on. */
  readonly heads: Int32Array;
  /** 32 bytes a row. */
  readonly ids: Uint8Array;
  readonly rounds: Uint32Array;
  readonly kinds: Uint8Array;
  /** How many vertices name this one as a parent. */
  readonly children: Uint32Array;
  readonly edgeStart: Uint32Array;
  /** Rows of parents; those of row r are edges[edgeStart[r] .. edgeStart[r + 1]). */
  readonly edges: Uint32Array;

  /** Attaches to `shared`, or makes new columns for `capacity` rows (untouched rows cost no memory). */
  constructor(source: SharedColumns | { readonly capacity: number }) {
    const { capacity } = source;
    this.capacity = capacity;
    const layout = [4, HASH_BYTES * capacity, 4 * capacity, capacity, 4 * capacity, 4 * (capacity + 1)];
    const sizes = [...layout, 4 * capacity * EDGES_PER_ROW].map((bytes) => Math.ceil(bytes / 16) * 16);
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
    const bytes = sizes.reduce((a, b) => a + b, 0);
    const buffer = 'buffer' in source ? source.buffer : new SharedArrayBuffer(bytes);
    this.shared = { capacity, buffer };
    this.heads = new Int32Array(buffer, starts[0], 1);
    this.ids = new Uint8Array(buffer, starts[1], HASH_BYTES * capacity);
    this.rounds = new Uint32Array(buffer, starts[2], capacity);
    this.kinds = new Uint8Array(buffer, starts[3], capacity);
    this.children = new Uint32Array(buffer, starts[4], capacity);
    this.edgeStart = new Uint32Array(buffer, starts[5], capacity + 1);
    this.edges = new Uint32Array(buffer, starts[6], capacity * EDGES_PER_ROW);
  }

  /** Complete rows. */
  get rows(): number {
    return Atomics.load(this.heads, 0);
  }

  /** True when a vertex with `parents` parents no longer fits. */
  full(parents: number): boolean {
    const row = this.rows;
    return row >= this.capacity || this.edgeStart[row]! + parents > this.edges.length;
  }

  /** Writes the next row. The caller has asked `full`. */
  append(kind: number, id: Uint8Array, round: Round, parents: readonly number[]): number {
    const row = this.heads[0]!;
    this.ids.set(id, row * HASH_BYTES);
    this.rounds[row] = round;
    this.kinds[row] = kind;
    let edge = this.edgeStart[row]!;
    for (const parent of parents) {
      this.edges[edge++] = parent;
      this.children[parent]!++;
    }
    this.edgeStart[row + 1] = edge;
    Atomics.store(this.heads, 0, row + 1);
    return row;
  }
}
