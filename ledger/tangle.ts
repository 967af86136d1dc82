/**
 * The tangle: vertices by row and by id, their parents and rounds, and which of them each witness chain has in its past. What
 * is older than anything that still counts is forgotten, row by row from the oldest.
 */

import type { PaymentRecord } from './account.ts';
import { assert } from './assert.ts';
import { type Branch, Branches, BranchRounds, type Chain, Clock } from './branches.ts';
import { hex, unhex } from './bytes.ts';
import { Columns, ROW_KIND } from './columns.ts';
import type { DataId, Genesis, Hash, Round, Slot, ValidatorIndex, VertexId } from './types.ts';

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
  readonly data: readonly DataId[];
}

export interface WitnessRecord {
  readonly kind: 'witness';
  readonly row: number;
  readonly id: VertexId;
  readonly validator: ValidatorIndex;
  readonly round: Round;
  readonly timeMs: number;
  readonly branch: Branch;
  /** How far every branch reaches into its past, itself counted. */
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
  readonly #genesis: GenesisRecord;
  readonly #covered: BranchRounds;
  readonly #rowOf = new Map<VertexId, number>();
  /** From row `#base` on; the genesis is kept beside. */
  #records: VertexRecord[] = [];
  #base = 0;
  /** By branch index: its witnesses' rows, in order of round. */
  readonly #witnesses = new Map<number, number[]>();
  /** From row `#base` on: number of the first commit whose leader has the row in its past, 0 for none. */
  #committed = new Uint32Array(1024);
  /** By round, from `#roundBase` on: the first row of that round or a later one. */
  readonly #roundStarts: number[] = [0];
  #roundBase = 0;
  readonly #lateRounds: number;

  constructor(genesis: Genesis, options: { readonly verticesMax: number; readonly epochRounds: number }) {
    this.#lateRounds = options.epochRounds / 4;
    this.columns = new Columns({ capacity: options.verticesMax });
    this.branches = new Branches(genesis.committee.length);
    this.#covered = new BranchRounds(genesis.committee.length);
    this.columns.append(ROW_KIND.genesis, unhex(genesis.id), 0, []);
    this.#rowOf.set(genesis.id, 0);
    this.#genesis = { kind: 'genesis', row: 0, id: genesis.id };
    this.#records.push(this.#genesis);
  }

  /** Vertices of rounds before this one are forgotten, though they were never here. */
  startAt(round: Round): void {
    this.#roundBase = round;
  }

  /** Number of the next row. */
  get size(): number {
    return this.#base + this.#records.length;
  }

  /** The first row that is not forgotten. */
  get base(): number {
    return this.#base;
  }

  /** Vertices of this round and later ones are all remembered. */
  get floor(): Round {
    return this.#roundBase;
  }

  has(id: VertexId): boolean {
    return this.#rowOf.has(id);
  }

  row(id: VertexId): number | undefined {
    return this.#rowOf.get(id);
  }

  record(row: number): VertexRecord {
    return row === 0 ? this.#genesis : this.#records[row - this.#base]!;
  }

  find(id: VertexId): VertexRecord | undefined {
    const row = this.#rowOf.get(id);
    return row === undefined ? undefined : this.record(row);
  }

  round(row: number): Round {
    return row === 0 ? 0 : this.columns.round(row);
  }

  /** Rows of parents that are remembered, `self` first where it is. */
  *parents(row: number): Generator<number> {
    for (let i = 0; i < this.columns.parents(row); i++) {
      const parent = this.columns.parent(row, i);
      if (parent === 0 || parent >= this.#base) yield parent;
    }
  }

  /** True when the chain's last witness has the vertex in its past, or it is forgotten. */
  inPast(chain: Chain, row: number): boolean {
    return row < this.#base || row === 0 || this.#covered.on(chain, row - this.#base, 1);
  }

  append(record: VertexRecord, round: Round, parents: readonly number[]): void {
    const kind = record.kind === 'block' ? ROW_KIND.block : ROW_KIND.witness;
    const late = round < this.#newest - this.#lateRounds;
    const row = this.columns.append(kind, unhex(record.id as Hash), round, parents, late);
    assert(row === record.row, 'rows are numbered in order');
    this.#rowOf.set(record.id, row);
    this.#records.push(record);
    if (record.kind === 'witness') this.#addWitness(record);
    while (this.#roundBase + this.#roundStarts.length <= round) this.#roundStarts.push(row);
  }

  /** The greatest round so far: "a vertex is late when it came more than E/4 rounds after its own". */
  get #newest(): Round {
    return this.#roundBase + this.#roundStarts.length - 1;
  }

  #addWitness({ branch, row }: WitnessRecord): void {
    const rows = this.#witnesses.get(branch.index);
    if (rows === undefined) this.#witnesses.set(branch.index, [row]);
    else rows.push(row);
  }

  /** Rows of the chain's witnesses of rounds `from` to `before`, the latter not included. */
  witnessesOf(chain: Chain, from: Round, before: Round): number[] {
    const found: number[] = [];
    if (from >= before) return found;
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
  commitPast(leader: number, index: number): WitnessRecord[] {
    if (this.#committed.length < this.#records.length) {
      const larger = new Uint32Array(2 * this.#records.length);
      larger.set(this.#committed);
      this.#committed = larger;
    }
    const witnesses: WitnessRecord[] = [];
    const stack = [leader];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      if (row === 0 || this.#committed[row - this.#base] !== 0) continue;
      this.#committed[row - this.#base] = index;
      this.columns.setCommitted(row);
      const record = this.record(row);
      if (record.kind === 'witness') witnesses.push(record);
      for (const parent of this.parents(row)) stack.push(parent);
    }
    return witnesses;
  }

  /** A commit up to number `index` has the row in its leader's past. */
  committedBy(row: number, index: number): boolean {
    const at = this.#committed[row - this.#base] ?? 0;
    return row < this.#base || (at !== 0 && at <= index);
  }

  /** The first row, in order of attachment, of the round or a later one; `size` when there is none yet. */
  firstRowOf(round: Round): number {
    return Math.max(this.#base, this.#roundStarts[Math.max(0, round - this.#roundBase)] ?? this.size);
  }

  /** The branch's witness of `round` has these rows in its past and its predecessor had not. */
  cover(branch: Branch, round: Round, rows: Iterable<number>): void {
    for (const row of rows) {
      const at = row - this.#base;
      // A chain that starts anew finds rows that the branch had covered long before.
      if (!this.#covered.said(branch, at, 1, round)) this.#covered.set(branch, at, round);
    }
  }

  /** A copy of the vector clock of the witness at `selfRow`; an empty one for the genesis. */
  clockOf(selfRow: number): Clock {
    const self = this.record(selfRow);
    return new Clock(this.branches.validators, self?.kind === 'witness' ? self.clock : undefined);
  }

  /**
   * Forgets the rows before the first one of `round`.
   * @returns what was forgotten, oldest first.
   */
  forget(round: Round): VertexRecord[] {
    const before = this.firstRowOf(round);
    const count = before - this.#base;
    if (count <= 0) return [];
    const forgotten = this.#records.slice(0, count);
    this.#records = this.#records.slice(count);
    for (let row = Math.max(1, this.#base); row < before; row++) {
      this.#rowOf.delete(hex(this.columns.id(row)) as VertexId);
    }
    this.#covered.shift(count);
    this.#committed.copyWithin(0, count);
    this.#committed.fill(0, Math.max(0, this.#committed.length - count));
    for (const [branch, rows] of this.#witnesses) {
      const kept = rows.findIndex((row) => row >= before);
      this.#witnesses.set(branch, kept < 0 ? [] : rows.slice(kept));
    }
    const rounds = Math.min(round - this.#roundBase, this.#roundStarts.length - 1);
    this.#roundStarts.splice(0, rounds);
    this.#roundBase += rounds;
    this.#base = before;
    this.columns.forget(before);
    return forgotten;
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
    this.tryAdd(row, () => true);
  }

  /** Adds the row with its past, or, when something new in that will not do, nothing. */
  tryAdd(row: number, willDo: (row: number) => boolean): boolean {
    const { columns } = this.#tangle;
    const added: number[] = [];
    const stack = [row];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (this.has(next)) continue;
      if (!willDo(next)) {
        for (const one of added) this.rows.delete(one);
        return false;
      }
      added.push(next);
      this.rows.add(next);
      for (let i = columns.parents(next) - 1; i >= 0; i--) stack.push(columns.parent(next, i));
    }
    return true;
  }
}
