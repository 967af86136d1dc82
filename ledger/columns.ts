/**
 * The tangle as columns of numbers in shared memory, one row a vertex in the order of attachment: what other threads read
 * without copying (tip selection). One thread writes; a row is complete before `rows` counts it. The columns are a ring over
 * what is not forgotten: rows are numbered for ever, and stand at their number modulo the capacity.
 */
import { HASH_BYTES } from './limits.ts';
import type { Round } from './types.ts';

/** What a row is. */
export const ROW_KIND = { genesis: 0, block: 1, witness: 2 } as const;

/** Parents of one vertex on average that the edge column has room for; witnesses have many, blocks few. */
const EDGES_PER_ROW = 12;

/** Row numbers are 32-bit integers for those who wait on them: at 200 vertices a second, 124 days between two starts. */
const ROWS_EVER_MAX = 2 ** 31 - 1;

/** Whether a row came late itself, or stands on one that did. */
const LATE = { no: 0, itself: 1, byParent: 2 } as const;

/** Rows that a look at lateness walks over. */
const LATE_STEPS_MAX = 4096;

/** The buffers to hand to another thread. */
export interface SharedColumns {
  readonly capacity: number;
  readonly buffer: SharedArrayBuffer;
}

export class Columns {
  readonly capacity: number;
  readonly shared: SharedColumns;
  /** [0] number of the next row: what readers on other threads wait on. [1] the first row that is not forgotten. */
  readonly heads: Int32Array;
  readonly #ids: Uint8Array;
  readonly #rounds: Uint32Array;
  readonly #kinds: Uint8Array;
  /** One of LATE. */
  readonly #late: Uint8Array;
  readonly #children: Uint32Array;
  /** Where the row's edges begin, counted for ever; modulo the length of `#edges` they stand there without a break. */
  readonly #edgeStart: Float64Array;
  readonly #edgeCount: Uint16Array;
  /** How many rows before its child a parent stands; 0 for one that is forgotten. */
  readonly #edges: Uint32Array;
  #edgesEver = 0;

  /** Attaches to `shared`, or makes new columns for `capacity` rows (untouched rows cost no memory). */
  constructor(source: SharedColumns | { readonly capacity: number }) {
    const { capacity } = source;
    this.capacity = capacity;
    const edges = capacity * EDGES_PER_ROW;
    const layout = [
      8,
      HASH_BYTES * capacity,
      4 * capacity,
      capacity,
      capacity,
      4 * capacity,
      8 * capacity,
      2 * capacity,
    ];
    const sizes = [...layout, 4 * edges].map((bytes) => Math.ceil(bytes / 16) * 16);
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
    const bytes = sizes.reduce((a, b) => a + b, 0);
    const buffer = 'buffer' in source ? source.buffer : new SharedArrayBuffer(bytes);
    this.shared = { capacity, buffer };
    this.heads = new Int32Array(buffer, starts[0], 2);
    this.#ids = new Uint8Array(buffer, starts[1], HASH_BYTES * capacity);
    this.#rounds = new Uint32Array(buffer, starts[2], capacity);
    this.#kinds = new Uint8Array(buffer, starts[3], capacity);
    this.#late = new Uint8Array(buffer, starts[4], capacity);
    this.#children = new Uint32Array(buffer, starts[5], capacity);
    this.#edgeStart = new Float64Array(buffer, starts[6], capacity);
    this.#edgeCount = new Uint16Array(buffer, starts[7], capacity);
    this.#edges = new Uint32Array(buffer, starts[8], edges);
  }

  /** Number of the next row. */
  get rows(): number {
    return Atomics.load(this.heads, 0);
  }

  /** The first row that is not forgotten. Row 0, the genesis, has no columns once it is. */
  get base(): number {
    return Atomics.load(this.heads, 1);
  }

  id(row: number): Uint8Array {
    const at = (row % this.capacity) * HASH_BYTES;
    return this.#ids.subarray(at, at + HASH_BYTES);
  }

  round(row: number): Round {
    return this.#rounds[row % this.capacity]!;
  }

  kind(row: number): number {
    return this.#kinds[row % this.capacity]!;
  }

  /**
   * The row, or something in its past, came so late that validators may not take it, and no commit has it: a block on top
   * of it might never be covered. Walks down to what came late, and notes where that has been committed since.
   */
  late(row: number): boolean {
    const path = [row];
    for (let steps = 0; path.length > 0; steps++) {
      const at = path.at(-1)!;
      const flag = this.#late[at % this.capacity]!;
      // So long a walk is nobody's who is not late.
      if (flag === LATE.itself || steps > LATE_STEPS_MAX) return true;
      const next = flag === LATE.no ? undefined : this.#lateParent(at);
      if (next !== undefined) path.push(next);
      else {
        this.#late[at % this.capacity] = LATE.no;
        path.pop();
      }
    }
    return false;
  }

  /** A parent that is late, or may be. */
  #lateParent(row: number): number | undefined {
    for (let i = 0; i < this.parents(row); i++) {
      const parent = this.parent(row, i);
      if (parent >= this.base && parent > 0 && this.#late[parent % this.capacity] !== LATE.no) return parent;
    }
    return undefined;
  }

  /** A commit has the row. */
  setCommitted(row: number): void {
    this.#late[row % this.capacity] = LATE.no;
  }

  /** How many vertices name this one as a parent. */
  children(row: number): number {
    return this.#children[row % this.capacity]!;
  }

  /** How many parents the row has; `parent` gives each. */
  parents(row: number): number {
    return this.#edgeCount[row % this.capacity]!;
  }

  /** Row of a parent, -1 when that was forgotten before the child came. */
  parent(row: number, i: number): number {
    const start = this.#edgeStart[row % this.capacity]!;
    const distance = this.#edges[(start % this.#edges.length) + i]!;
    return distance === 0 ? -1 : row - distance;
  }

  /** True when a vertex with `parents` parents no longer fits. */
  full(parents: number): boolean {
    const { rows, base } = this;
    if (rows - base >= this.capacity || rows >= ROWS_EVER_MAX) return true;
    const oldest = rows === base ? this.#edgesEver : this.#edgeStart[base % this.capacity]!;
    // As many again may be left unused at the end, where a list does not break.
    return this.#edgesEver + 2 * parents - oldest > this.#edges.length;
  }

  /**
   * Writes the next row. The caller has asked `full`.
   * @param parents Rows; -1 for what is forgotten.
   * @param late It came so late itself; see `late`.
   */
  append(kind: number, id: Uint8Array, round: Round, parents: readonly number[], late = false): number {
    const row = this.heads[0]!;
    const at = row % this.capacity;
    this.#ids.set(id, at * HASH_BYTES);
    this.#rounds[at] = round;
    this.#kinds[at] = kind;
    this.#children[at] = 0;
    const inherits = parents.some((parent) => parent > 0 && parent >= this.heads[1]! && this.late(parent));
    this.#late[at] = late ? LATE.itself : inherits ? LATE.byParent : LATE.no;
    const room = this.#edges.length - (this.#edgesEver % this.#edges.length);
    if (room < parents.length) this.#edgesEver += room;
    this.#edgeStart[at] = this.#edgesEver;
    this.#edgeCount[at] = parents.length;
    let edge = this.#edgesEver % this.#edges.length;
    for (const parent of parents) {
      this.#edges[edge++] = parent < 0 ? 0 : row - parent;
      if (parent >= this.heads[1]!) this.#children[parent % this.capacity]!++;
    }
    this.#edgesEver += parents.length;
    Atomics.store(this.heads, 0, row + 1);
    return row;
  }

  /** Rows before this one are forgotten: their places may be taken by new ones. */
  forget(before: number): void {
    Atomics.store(this.heads, 1, before);
  }
}
