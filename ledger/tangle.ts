/**
 * The tangle: vertices by row and by id, their parents and rounds, and which of them each witness chain has in its past.
 */

import type { PaymentRecord } from './accounts.ts';
import { assert } from './assert.ts';
import { type Branch, Branches, BranchRounds, type Chain, Clock } from './branches.ts';
import { unhex } from './bytes.ts';
import { Columns, ROW_KIND } from './columns.ts';
import type { Genesis, Hash, Round, Slot, ValidatorIndex, VertexId } from './types.ts';

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
  readonly freezes: readonly Slot[];
  /** Number of the last commit in its past, itself left aside. */
  readonly commit: number;
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
  /** By branch index: its witnesses' rows, in order of round. */
  readonly #witnesses = new Map<number, number[]>();
  /** Rows in the past of a committed leader. */
  #committed = new Uint8Array(1024);
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
    return row === 0 || this.#covered.on(chain, row, 1);
  }

  append(record: VertexRecord, round: Round, parents: readonly number[]): void {
    const kind = record.kind === 'block' ? ROW_KIND.block : ROW_KIND.witness;
    const row = this.columns.append(kind, unhex(record.id as Hash), round, parents);
    assert(row === record.row, 'rows are numbered in order');
    this.#rowOf.set(record.id, row);
    this.#records.push(record);
    if (record.kind === 'witness') this.#addWitness(record);
    while (this.#roundStarts.length <= round) this.#roundStarts.push(row);
  }

  #addWitness({ branch, row }: WitnessRecord): void {
    const rows = this.#witnesses.get(branch.index);
    if (rows === undefined) this.#witnesses.set(branch.index, [row]);
    else rows.push(row);
  }

  /** Rows of the chain's witnesses of rounds `from` to `before`, the latter not included. */
  witnessesOf(chain: Chain, from: Round, before: Round): number[] {
    const found: number[] = [];
    for (let part: Chain | undefined = chain, to = Math.min(before - 1, chain.round); part !== undefined; ) {
      const rows = this.#witnesses.get(part.of.index) ?? [];
      for (let i = rows.findIndex((row) => this.round(row) >= from); i >= 0 && i < rows.length; i++) {
        if (this.round(rows[i]!) > to) break;
        found.push(rows[i]!);
      }
      part = part.of.fork;
      if (part !== undefined) to = Math.min(to, part.round);
    }
    return found;
  }

  /** The witnesses in the past of a committed leader that are in the past of no leader committed before. */
  commitPast(leader: number): WitnessRecord[] {
    if (this.#committed.length < this.size) {
      const larger = new Uint8Array(2 * this.size);
      larger.set(this.#committed);
      this.#committed = larger;
    }
    const witnesses: WitnessRecord[] = [];
    const stack = [leader];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      if (row === 0 || this.#committed[row] === 1) continue;
      this.#committed[row] = 1;
      const record = this.#records[row]!;
      if (record.kind === 'witness') witnesses.push(record);
      for (const parent of this.parents(row)) stack.push(parent);
    }
    return witnesses;
  }

  /** The first row, in order of attachment, of the round or a later one; `size` when there is none yet. */
  firstRowOf(round: Round): number {
    return this.#roundStarts[Math.max(0, round)] ?? this.size;
  }

  /** The branch's witness of `round` has these rows in its past and its predecessor had not. */
  cover(branch: Branch, round: Round, rows: Iterable<number>): void {
    // A chain that starts anew finds rows that the branch had covered long before.
    for (const row of rows)
      if (!this.#covered.said(branch, row, 1, round)) this.#covered.set(branch, row, round);
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
