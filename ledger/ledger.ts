/**
 * The ledger of one node: takes vertices whose parents are known, holds them to the structural rules, and keeps what follows
 * from them. It answers questions; it decides nothing (see validator.ts) and asks nobody (see core.ts).
 */
import { type Account, Accounts, type PaymentRecord } from './accounts.ts';
import { assert } from './assert.ts';
import type { Chain } from './branches.ts';
import { Committee } from './committee.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';
import { MerkleTree } from './merkle.ts';
import type { FinalityProof } from './proof.ts';
import type { Refusal } from './refusal.ts';
import { NewPast, Tangle, type WitnessRecord } from './tangle.ts';
import type {
  Address,
  Block,
  Data,
  DataId,
  Genesis,
  Payment,
  PaymentId,
  Round,
  Units,
  Vertex,
  VertexId,
  Witness,
} from './types.ts';
import { type Coverage, type Vote, Votes } from './votes.ts';
import { headerBytes } from './witness.ts';

/** A witness that has passed every check, ready to be written down. */
interface Checked {
  readonly parents: readonly number[];
  readonly coverage: Coverage;
  readonly vote: Vote;
  readonly certified: readonly PaymentRecord[];
  readonly past: NewPast;
}

export interface LedgerOptions {
  /** Vertices that the tangle has room for. */
  readonly verticesMax: number;
}

/** Two million vertices: an hour of a busy network; memory is used as it fills. */
export const LEDGER_DEFAULTS: LedgerOptions = { verticesMax: 2_000_000 };

export class Ledger {
  readonly genesis: Genesis;
  readonly committee: Committee;
  readonly accounts: Accounts;
  readonly tangle: Tangle;
  readonly votes: Votes;
  readonly #data = new Set<DataId>();
  /** Merkle trees of witnesses whose proofs were asked for last. */
  readonly #trees = new Map<number, MerkleTree>();

  constructor(genesis: Genesis, options: LedgerOptions = LEDGER_DEFAULTS) {
    this.genesis = genesis;
    this.committee = new Committee(genesis.committee);
    this.accounts = new Accounts(genesis);
    this.tangle = new Tangle(genesis, options);
    this.votes = new Votes(this.tangle, this.accounts, this.committee);
  }

  /** Parents of a vertex that are not known, `self` among them. */
  missing(vertex: Vertex): VertexId[] {
    return parentIds(vertex).filter((id) => !this.tangle.has(id));
  }

  /**
   * Takes a vertex that is new, has passed the stateless check, and whose parents are all known.
   * @returns payments that became final by it, predecessors first, or why it is structurally invalid.
   */
  attach(vertex: Vertex): readonly PaymentRecord[] | Refusal {
    assert(!this.tangle.has(vertex.id), 'a vertex is attached once');
    const ids = parentIds(vertex);
    if (this.tangle.columns.full(ids.length)) {
      return { code: 'tangle_full', vertices: this.tangle.size, max: this.tangle.columns.capacity };
    }
    const parents = ids.map((id) => this.tangle.row(id));
    assert(!parents.includes(undefined), 'a vertex is attached when its parents are known');
    return vertex.kind === 'block'
      ? this.#attachBlock(vertex, parents as number[])
      : this.#attachWitness(vertex, parents as number[]);
  }

  /** The payload is in the tangle and needs no other block: final, accepted by a quorum, or carried by a block that is not too old. */
  alive(payload: Pick<Payment, 'kind' | 'id'> | Pick<Data, 'kind' | 'id'>, round: Round): boolean {
    if (payload.kind === 'data') return this.#data.has(payload.id);
    const payment = this.accounts.get(payload.id);
    if (payment === undefined) return false;
    if (payment.final || payment.acceptWeight >= this.committee.quorum) return true;
    return round - this.tangle.round(payment.carrier.row) <= DEPTH_ROUNDS_MAX;
  }

  #attachBlock(block: Block, parents: readonly number[]): readonly PaymentRecord[] | Refusal {
    const round = Math.max(...parents.map((row) => this.tangle.round(row)));
    const deep = this.#tooDeep(round, parents);
    if (deep !== undefined) return deep;
    // From here on nothing may fail.
    const row = this.tangle.size;
    const payments: PaymentRecord[] = [];
    for (const payload of block.payloads) {
      if (payload.kind === 'payment') {
        const start = payload.bytes.byteOffset - block.bytes.byteOffset;
        payments.push(this.accounts.register(payload, { row, start, end: start + payload.bytes.length }));
      } else {
        this.#data.add(payload.id);
      }
    }
    this.tangle.append({ kind: 'block', row, id: block.id, payments }, round, parents);
    return [];
  }

  /** "A parent is at most D = 64 rounds older than its child." */
  #tooDeep(round: Round, parents: readonly number[]): Refusal | undefined {
    for (const row of parents) {
      const rounds = round - this.tangle.round(row);
      if (rounds > DEPTH_ROUNDS_MAX) {
        return { code: 'too_deep', parent: this.tangle.record(row).id, rounds, max: DEPTH_ROUNDS_MAX };
      }
    }
    return undefined;
  }

  /** The chain that a witness says it continues; "self-parent is a validity rule". */
  #chainOf(witness: Pick<Witness, 'validator' | 'self'>): Chain | undefined {
    const self = this.tangle.find(witness.self);
    if (self?.kind === 'genesis') return { of: this.tangle.branches.main(witness.validator), round: 0 };
    if (self?.kind !== 'witness' || self.validator !== witness.validator) return undefined;
    return { of: self.branch, round: self.round };
  }

  #attachWitness(witness: Witness, parents: readonly number[]): readonly PaymentRecord[] | Refusal {
    const checked = this.#checkWitness(witness, parents);
    return 'code' in checked ? checked : this.#record(witness, checked);
  }

  #checkWitness(witness: Witness, parents: readonly number[]): Checked | Refusal {
    const chain = this.#chainOf(witness);
    if (chain === undefined) return { code: 'self_parent', self: witness.self };
    const [selfRow, ...others] = parents as [number, ...number[]];
    const refusal =
      this.#checkOrder(witness, selfRow) ??
      this.#checkParents(witness, selfRow, others) ??
      this.#checkpoint(witness);
    if (refusal !== undefined) return refusal;
    const past = new NewPast(this.tangle, chain);
    for (const row of others) past.add(row);
    const coverage = this.votes.coverage(chain, selfRow, witness.round, past);
    const vote = this.votes.vote(coverage, witness.defers, witness.accepts);
    if ('code' in vote) return vote;
    const certified = this.votes.certify(coverage, vote, witness.freezes);
    const root = this.certifiedRoot(certified);
    if (root !== witness.certifiedRoot || certified.length !== witness.certifiedCount) {
      return {
        code: 'certified_root_wrong',
        expected: `${certified.length}:${root}`,
        received: `${witness.certifiedCount}:${witness.certifiedRoot}`,
      };
    }
    return { parents, coverage, vote, certified, past };
  }

  #checkOrder(witness: Witness, selfRow: number): Refusal | undefined {
    const self = this.tangle.record(selfRow);
    const selfRound = this.tangle.round(selfRow);
    if (witness.round <= selfRound)
      return { code: 'round_order', round: witness.round, parentRound: selfRound };
    if (self.kind === 'witness' && witness.timeMs < self.timeMs) {
      return { code: 'time_order', timeMs: witness.timeMs, selfTimeMs: self.timeMs };
    }
    return undefined;
  }

  /** Witnesses of others and of lower rounds, weight >= q in the round before; blocks not ahead of the witness; depth. */
  #checkParents(witness: Witness, selfRow: number, others: readonly number[]): Refusal | undefined {
    const before = new Set<number>();
    const { round, validator } = witness;
    if (this.tangle.round(selfRow) === round - 1) before.add(validator);
    for (const [i, row] of others.entries()) {
      const parent = this.tangle.record(row);
      const parentRound = this.tangle.round(row);
      if (i < witness.witnesses.length) {
        if (parent.kind !== 'witness' || parent.validator === validator)
          return { code: 'parent_kind', parent: parent.id };
        if (parentRound >= round) return { code: 'round_order', round, parentRound };
        if (parentRound === round - 1) before.add(parent.validator);
      } else {
        if (parent.kind !== 'block') return { code: 'parent_kind', parent: parent.id };
        if (parentRound > round) return { code: 'round_order', round, parentRound };
      }
    }
    const weight = round === 1 ? this.committee.total : this.committee.weight(before);
    const required = this.committee.quorum;
    if (weight < required) return { code: 'quorum_missing', weight, required };
    return this.#tooDeep(round, others);
  }

  /** Until leaders are committed, the genesis is everybody's latest checkpoint. */
  #checkpoint({ checkpoint }: Witness): Refusal | undefined {
    const { round, leader, root } = this.genesis.checkpoint;
    const same = checkpoint.round === round && checkpoint.leader === leader && checkpoint.root === root;
    return same ? undefined : { code: 'checkpoint_wrong', round: checkpoint.round };
  }

  /** From here on nothing may fail. */
  #record(witness: Witness, checked: Checked): PaymentRecord[] {
    const { parents, coverage, vote, certified, past } = checked;
    const { round } = witness;
    const branch = this.tangle.branches.continue(coverage.chain);
    const row = this.tangle.size;
    coverage.clock.raise(branch, round);
    const record: WitnessRecord = {
      kind: 'witness',
      row,
      id: witness.id,
      validator: witness.validator,
      round,
      timeMs: witness.timeMs,
      branch,
      clock: coverage.clock,
      accepted: [...vote.accepted],
      deferred: vote.deferred,
      certified: ascending(certified),
      header: headerBytes(witness).slice(),
    };
    this.tangle.append(record, round, parents);
    this.tangle.cover(branch, round, past.rows);
    this.tangle.cover(branch, round, [row]);
    branch.tipRow = row;
    branch.tipRound = round;
    return this.votes.record(branch, round, vote, certified, witness.freezes);
  }

  /** Merkle root over the ids in ascending order, as it stands in a witness header. */
  certifiedRoot(certified: readonly PaymentRecord[]) {
    const ids = ascending(certified).map((payment) => payment.id);
    return new MerkleTree(this.genesis.network, ids).root;
  }

  #tree(witness: WitnessRecord): MerkleTree {
    let tree = this.#trees.get(witness.row);
    if (tree === undefined) {
      const ids = witness.certified.map((payment) => payment.id);
      tree = new MerkleTree(this.genesis.network, ids);
      if (this.#trees.size >= 4 * this.committee.size)
        this.#trees.delete(this.#trees.keys().next().value as number);
      this.#trees.set(witness.row, tree);
    }
    return tree;
  }

  /** Headers and Merkle paths of validators of weight >= q that certify a payment; undefined while it is not final. */
  proof(id: PaymentId): FinalityProof | undefined {
    const payment = this.accounts.get(id);
    if (!payment?.final) return undefined;
    const certificates: FinalityProof['certificates'][number][] = [];
    let weight = 0;
    for (const row of payment.certifiers) {
      const witness = this.tangle.record(row) as WitnessRecord;
      const index = witness.certified.indexOf(payment);
      certificates.push({ header: witness.header, index, path: this.#tree(witness).path(index) });
      weight += this.committee.weightOf(witness.validator);
      if (weight >= this.committee.quorum) break;
    }
    return { payment: id, certificates };
  }

  #paymentsOf(witness: VertexId, list: 'accepted' | 'certified'): readonly PaymentId[] {
    const record = this.tangle.find(witness);
    assert(record?.kind === 'witness', 'asked of a known witness');
    return record[list].map((payment) => payment.id);
  }

  acceptedBy(witness: VertexId): readonly PaymentId[] {
    return this.#paymentsOf(witness, 'accepted');
  }

  /** Payments that the witness certifies and its chain did not before. */
  certifiedBy(witness: VertexId): readonly PaymentId[] {
    return this.#paymentsOf(witness, 'certified');
  }

  isFinal(id: PaymentId): boolean {
    return this.accounts.get(id)?.final ?? false;
  }

  /** Final balance of an address, 0 when it has never been heard of. */
  balanceOf(address: Address): Units {
    const account: Account | undefined = this.accounts.peek(address);
    return account === undefined ? (0 as Units) : this.accounts.balanceOf(account);
  }
}

function parentIds(vertex: Vertex): VertexId[] {
  return vertex.kind === 'block' ? [...vertex.parents] : [vertex.self, ...vertex.witnesses, ...vertex.tips];
}

function ascending(payments: readonly PaymentRecord[]): PaymentRecord[] {
  return [...payments].sort((a, b) => (a.id < b.id ? -1 : 1));
}
