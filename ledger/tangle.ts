/**
 * The tangle: vertices by row and by id, their parents and rounds, and which of them each witness chain has in its past.
 */

import type { PaymentRecord } from './accounts.ts';
import { assert } from './assert.ts';
import { type Branch, Branches, BranchRounds, type Chain, Clock } from './branches.ts';
import { unhex } from './bytes.ts';
import { Columns, ROW_KIND } from './columns.ts';
import type { Genesis, Hash, Round, ValidatorIndex, VertexId } from './types.ts';

export interface GenesisRecord {
  readonly kind: 'genesis';
  readonly row: 0;
  readonly id: VertexId;
}

export interface BlockRecord {
  readonly kind: 'block';
  readonly row: number;
  readonly id: VertexId;
  readonly payments: readonly PaymentRecord[];
}

export interface WitnessRecord {
  readonly kind: 'witness';
  readonly row: number;
  readonly id: VertexId;
  readonly validator: ValidatorIndex;
  readonly round: Round;
  readonly timeMs: number;
  readonly branch: Branch;
  readonly clock: Clock;
  readonly accepted: readonly PaymentRecord[];
  readonly deferred: readonly PaymentRecord[];
  /** Newly certified, ascending by id: the leaves under `certifiedRoot`. */
  readonly certified: readonly PaymentRecord[];
  /** A copy of the signed header. */
  readonly header: Uint8Array;
}

export type VertexRecord = GenesisRecord | BlockRecord | WitnessRecord;

export class Tangle {
  readonly columns: Columns;
  readonly branches: Branches;
  readonly #covered: BranchRounds;
  readonly #rowOf = new Map<VertexId, number>();
  readonly #records: VertexRecord[] = [];
  /** By round: the first row of that round or a later one. */
  readonly #roundStarts: number[] = [0];

  constructor(genesis: Genesis, options: { readonly verticesMax: number }) {
    this.columns = new Columns({ capacity: options.verticesMax });
    this.branches = new Branches(genesis.committee.length);
    this.#covered = new BranchRounds(genesis.committee.length);
    this.columns.append(ROW_KIND.genesis, unhex(genesis.id), 0, []);
    this.#rowOf.set(genesis.id, 0);
    this.#records.push({ kind: 'genesis', row: 0, id: genesis.id });
  }

  get size(): number {
    return this.#records.length;
  }

  has(id: VertexId): boolean {
    return this.#rowOf.has(id);
  }

  row(id: VertexId): number | undefined {
    return this.#rowOf.get(id);
  }

  record(row: number): VertexRecord {
    return this.#records[row]!;
  }

  find(id: VertexId): VertexRecord | undefined {
    const row = this.#rowOf.get(id);
    return row === undefined ? undefined : this.#records[row];
  }

  round(row: number): Round {
    return this.columns.rounds[row]!;
  }

  /** Rows of parents, `self` among them. */
  parents(row: number): Uint32Array {
    const { edges, edgeStart } = this.columns;
    return edges.subarray(edgeStart[row], edgeStart[row + 1]);
  }

  /** True when the chain's last witness has the vertex in its past. */
  inPast(chain: Chain, row: number): boolean {
    return row === 0 || this.#covered.on(chain, row) !== 0;
  }

  append(record: VertexRecord, round: Round, parents: readonly number[]): void {
    const kind = record.kind === 'block' ? ROW_KIND.block : ROW_KIND.witness;
    const row = this.columns.append(kind, unhex(record.id as Hash), round, parents);
    assert(row === record.row, 'rows are numbered in order');
    this.#rowOf.set(record.id, row);
    this.#records.push(record);
    while (this.#roundStarts.length <= round) this.#roundStarts.push(row);
  }

  /** The first row, in order of attachment, of the round or a later one; `size` when there is none yet. */
  firstRowOf(round: Round): number {
    return this.#roundStarts[Math.max(0, round)] ?? this.size;
  }

  /** The branch's witness of `round` has these rows in its past and its predecessor had not. */
  cover(branch: Branch, round: Round, rows: Iterable<number>): void {
    for (const row of rows) this.#covered.set(branch, row, round);
  }

  /** A copy of the vector clock of the witness at `selfRow`; an empty one for the genesis. */
  clockOf(selfRow: number): Clock {
    const self = this.#records[selfRow];
    return new Clock(this.branches.validators, self?.kind === 'witness' ? self.clock : undefined);
  }
}

/** What a new witness on top of a chain adds to the chain's past: grows with each parent that is added. */
export class NewPast {
  readonly rows = new Set<number>();
  readonly #tangle: Tangle;
  readonly #chain: Chain;

  constructor(tangle: Tangle, chain: Chain) {
    this.#tangle = tangle;
    this.#chain = chain;
  }

  /** True when the row is in the past now, before or after. */
  has(row: number): boolean {
    return this.rows.has(row) || this.#tangle.inPast(this.#chain, row);
  }

  add(row: number): void {
    const stack = [row];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (this.has(next)) continue;
      this.rows.add(next);
      for (const parent of this.#tangle.parents(next)) stack.push(parent);
    }
  }
}
