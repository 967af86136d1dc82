/**
 * The ledger of one node: takes vertices whose parents are known, holds them to the structural rules, and keeps what follows
 * from them. It answers questions; it decides nothing (see validator.ts) and asks nobody (see core.ts).
 */
import { type Account, type PaymentRecord, type Standing, settledIn } from './account.ts';
import { Accounts } from './accounts.ts';
import { assert } from './assert.ts';
import { Checkpoints, type Commit, type Committed, type Divergence } from './checkpoints.ts';
import { CommitRule, type Outcome } from './commit-rule.ts';
import { Committee } from './committee.ts';
import { Forgetting } from './forgetting.ts';
import { DEPTH_ROUNDS_MAX, EPOCH_ROUNDS, WITNESS_HEADER_BYTES } from './limits.ts';
import { exact } from './lists.ts';
import { PlaceRules } from './place-rules.ts';
import type { FinalityProof } from './proof.ts';
import { type Certificates, Proofs } from './proofs.ts';
import type { Refusal } from './refusal.ts';
import { deadBy } from './resolution.ts';
import type { Said, Snapshot } from './snapshot-state.ts';
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
  Slot,
  Units,
  Vertex,
  VertexId,
  Witness,
} from './types.ts';
import { type Coverage, type Vote, Votes } from './votes.ts';

/** A witness that has passed every check, ready to be written down. */
interface Checked {
  readonly parents: readonly number[];
  readonly coverage: Coverage;
  readonly vote: Vote;
  /** Predecessors first. */
  readonly certified: readonly PaymentRecord[];
  /** The same, ascending by id. */
  readonly leaves: readonly PaymentRecord[];
  readonly past: NewPast;
}

export interface LedgerOptions {
  /** Vertices that the tangle has room for. */
  readonly verticesMax: number;
  /** E; every node of a network has the same. Less than EPOCH_ROUNDS is for tests, which want to see votes lapse. */
  readonly epochRounds?: number;
}

/** What follows from a vertex that has been attached. */
export interface Attached {
  /** Payments that became final by it, predecessors first. */
  readonly finals: readonly PaymentRecord[];
  /** Leaders that it commits, oldest first. */
  readonly commits: readonly Committed[];
  /** The witness says of a commit something else than what this node has. */
  readonly divergence?: Divergence | undefined;
}

const NOTHING: Attached = { finals: [], commits: [] };

/** Two million vertices: an hour of a busy network; memory is used as it fills. */
export const LEDGER_DEFAULTS: LedgerOptions = { verticesMax: 2_000_000 };

export class Ledger {
  readonly genesis: Genesis;
  readonly committee: Committee;
  readonly accounts: Accounts;
  readonly tangle: Tangle;
  readonly votes: Votes;
  readonly checkpoints: Checkpoints;
  readonly commitRule: CommitRule;
  readonly epochRounds: number;
  readonly rules: PlaceRules;
  readonly #data = new Set<DataId>();
  /** What a snapshot says, while the vertices that it speaks of are read back. */
  #reading:
    | { readonly payments: readonly PaymentRecord[]; readonly vertices: Map<VertexId, Said | undefined> }
    | undefined;
  readonly #forgetting: Forgetting;
  readonly #proofs: Proofs;

  constructor(genesis: Genesis, options: LedgerOptions = LEDGER_DEFAULTS) {
    this.genesis = genesis;
    this.committee = new Committee(genesis.committee);
    this.accounts = new Accounts(genesis);
    this.epochRounds = options.epochRounds ?? EPOCH_ROUNDS;
    this.tangle = new Tangle(genesis, { ...options, epochRounds: this.epochRounds });
    this.commitRule = new CommitRule(this.committee);
    const { tangle, accounts, committee, epochRounds, commitRule: rule } = this;
    const decidedBy = (index: number) => this.checkpoints.decidedBy(index);
    this.votes = new Votes({ tangle, accounts, committee, commits: rule, decidedBy, epochRounds });
    this.checkpoints = new Checkpoints({
      genesis,
      committee,
      tangle,
      accounts,
      rule,
      votes: this.votes,
      epochRounds,
    });
    this.#proofs = new Proofs({ network: genesis.network, tangle, accounts, committee });
    const { votes, checkpoints } = this;
    this.#forgetting = new Forgetting({
      tangle,
      accounts,
      votes,
      commitRule: rule,
      checkpoints,
      data: this.#data,
      epochRounds,
    });
    this.rules = new PlaceRules({ tangle, committee, checkpoints, epochRounds });
  }

  /** Parents of a vertex that are not known, `self` among them. */
  missing(vertex: Vertex): VertexId[] {
    return parentIds(vertex).filter((id) => !this.tangle.has(id));
  }

  /**
   * Takes a vertex that is new, has passed the stateless check, and whose parents are all known.
   * @returns what follows from it, or why it is structurally invalid.
   */
  attach(vertex: Vertex): Attached | Refusal {
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
    if (settledIn(payment, this.lastCommit.index)) return true;
    if (payment.final || payment.acceptWeight >= this.committee.quorum) return true;
    return round - this.tangle.round(payment.carrierRow) <= DEPTH_ROUNDS_MAX;
  }

  #attachBlock(block: Block, parents: readonly number[]): Attached | Refusal {
    const round = Math.max(...parents.map((row) => this.tangle.round(row)));
    const deep = this.rules.tooDeep(round, parents);
    if (deep !== undefined) return deep;
    this.#appendBlock(block, round, parents);
    return NOTHING;
  }

  /** From here on nothing may fail. */
  #appendBlock(block: Block, round: Round, parents: readonly number[]): void {
    const row = this.tangle.size;
    const payments: PaymentRecord[] = [];
    const data: DataId[] = [];
    for (const payload of block.payloads) {
      if (payload.kind === 'payment') payments.push(this.accounts.register(payload, row));
      else {
        this.#data.add(payload.id);
        data.push(payload.id);
      }
    }
    const said = { payments: exact(payments), data: exact(data) };
    this.tangle.append({ kind: 'block', row, id: block.id, ...said }, round, parents);
  }

  #attachWitness(witness: Witness, parents: readonly number[]): Attached | Refusal {
    const checked = this.#checkWitness(witness, parents);
    return 'code' in checked ? checked : this.#record(witness, checked);
  }

  #checkWitness(witness: Witness, parents: readonly number[]): Checked | Refusal {
    const chain = this.rules.chainOf(witness);
    if (chain === undefined) return { code: 'self_parent', self: witness.self };
    const [selfRow, ...others] = parents as [number, ...number[]];
    const refusal = this.rules.check(witness, selfRow, others);
    if (refusal !== undefined) return refusal;
    const past = new NewPast(this.tangle, chain);
    for (const row of others) past.add(row);
    const coverage = this.votes.coverage(chain, selfRow, witness.round, past);
    const wrong = this.rules.checkPast(witness, selfRow, coverage, past);
    if (wrong !== undefined) return wrong;
    const vote = this.votes.vote(coverage, witness);
    if ('code' in vote) return vote;
    const certified = this.votes.certify(coverage, vote);
    const { leaves, root } = this.certificates(certified);
    if (root !== witness.certifiedRoot || certified.length !== witness.certifiedCount) {
      return {
        code: 'certified_root_wrong',
        expected: `${certified.length}:${root}`,
        received: `${witness.certifiedCount}:${witness.certifiedRoot}`,
      };
    }
    return { parents, coverage, vote, certified, leaves, past };
  }

  /** From here on nothing may fail. */
  #record(witness: Witness, checked: Checked): Attached {
    const { parents, coverage, vote, certified, leaves, past } = checked;
    const branch = this.tangle.branches.continue(coverage.chain, coverage.horizon);
    const { clock, commit } = coverage;
    const said = { ...vote, accepted: exact(vote.accepted.payments), certified: leaves, commit };
    const record = this.#append(witness, parents, { ...said, clock, branch }, past);
    const finals = this.votes.record(branch, witness.round, vote, certified);
    const divergence = this.checkpoints.compare(record, witness.checkpoint);
    return { ...this.#commit(record, finals), divergence };
  }

  #append(
    { id, validator, round, timeMs, bytes }: Witness,
    parents: readonly number[],
    rest: Omit<WitnessRecord, 'kind' | 'row' | 'id' | 'validator' | 'round' | 'timeMs' | 'header'>,
    past: NewPast,
  ): WitnessRecord {
    const row = this.tangle.size;
    const { branch, clock } = rest;
    clock.raise(branch, round);
    const header = bytes.slice(0, WITNESS_HEADER_BYTES);
    const record: WitnessRecord = { kind: 'witness', row, id, validator, round, timeMs, header, ...rest };
    this.tangle.append(record, round, parents);
    this.tangle.cover(branch, round, past.rows);
    this.tangle.cover(branch, round, [row]);
    branch.tipRow = row;
    branch.tipRound = round;
    return record;
  }

  #commit(record: WitnessRecord, finals: PaymentRecord[]): Omit<Attached, 'divergence'> {
    const commits = this.checkpoints.add(record).map((commit) => {
      const dead = commit.decided.flatMap((payment) => deadBy(payment, this.accounts));
      for (const payment of commit.decided) {
        if (payment.final) continue;
        this.accounts.finalise(payment);
        finals.push(payment);
      }
      return { commit, dead };
    });
    if (commits.length > 0 && this.#forgetting.run()) this.#proofs.forget();
    return { finals, commits };
  }

  /**
   * Begins with a snapshot instead of the genesis; the vertices that it speaks of are to follow, each through `readBack`,
   * then `readBackDone`. Throws a RangeError when the parts of the snapshot do not fit together.
   */
  adopt(snapshot: Snapshot): void {
    assert(this.tangle.size === 1, 'a snapshot comes before everything else');
    const payments = this.accounts.adopt(snapshot);
    this.checkpoints.adopt(snapshot.commits, payments);
    this.tangle.startAt(snapshot.floor);
    this.#reading = { payments, vertices: new Map(snapshot.vertices) };
  }

  /** The snapshot speaks of this vertex, and it has not come yet. */
  awaits(id: VertexId): boolean {
    return this.#reading?.vertices.has(id) ?? false;
  }

  /** Vertices that the snapshot speaks of and that have not come yet. */
  get awaited(): number {
    return this.#reading?.vertices.size ?? 0;
  }

  /** Takes a vertex that the snapshot speaks of; its parents may be forgotten. */
  readBack(vertex: Vertex): Refusal | undefined {
    const { payments, vertices } = this.#reading!;
    const said = vertices.get(vertex.id);
    vertices.delete(vertex.id);
    const parents = parentIds(vertex).map((id) => this.tangle.row(id) ?? -1);
    if (vertex.kind === 'block') {
      const rounds = parents.map((row) => (row < 0 ? this.tangle.floor : this.tangle.round(row)));
      this.#appendBlock(vertex, Math.max(...rounds), parents);
      return undefined;
    }
    if (said === undefined) return { code: 'malformed', what: 'snapshot: a witness that says nothing' };
    const list = (indices: readonly number[]): PaymentRecord[] => indices.map((index) => payments[index]!);
    const certified = list(said.certified);
    if (this.certificates(certified).root !== vertex.certifiedRoot) {
      return { code: 'malformed', what: 'snapshot: certificates that the witness does not name' };
    }
    this.#readBackWitness(vertex, parents, {
      accepted: list(said.accepted),
      deferred: list(said.deferred),
      certified,
      commit: said.commit,
    });
    return undefined;
  }

  #readBackWitness(
    witness: Witness,
    parents: readonly number[],
    said: Pick<WitnessRecord, 'accepted' | 'deferred' | 'certified' | 'commit'>,
  ): void {
    const chain = this.rules.chainOf(witness) ?? {
      of: this.tangle.branches.main(witness.validator),
      round: 0,
    };
    const past = new NewPast(this.tangle, chain);
    for (const row of parents.slice(1)) if (row >= 0) past.add(row);
    const clock = this.tangle.clockOf(chain.round === 0 ? 0 : parents[0]!);
    for (const row of past.rows) {
      const record = this.tangle.record(row);
      if (record.kind === 'witness') clock.raise(record.branch, record.round);
    }
    const branch = this.tangle.branches.continue(chain, this.votes.horizonAfter(said.commit));
    const record = this.#append(witness, parents, { ...said, clock, branch, freezes: witness.freezes }, past);
    this.votes.adopt(branch, witness.round, record, record.certified);
    if (!this.checkpoints.readBack(record)) throw new RangeError('commits that the vertices do not make');
  }

  /** A snapshot is being read back. */
  get reading(): boolean {
    return this.#reading !== undefined;
  }

  /** Everything that the snapshot speaks of has come, as far as it is to be had. */
  readBackDone(): void {
    const { payments } = this.#reading!;
    this.#reading = undefined;
    this.checkpoints.readBackDone();
    for (const payment of payments) {
      if (payment.carrierEnd === 0) this.#forgetting.watch(payment);
    }
  }

  /** Certified payments in ascending order of their ids, and the Merkle root over these, as it stands in a witness header. */
  certificates(certified: readonly PaymentRecord[]): Certificates {
    return this.#proofs.certificates(certified);
  }

  /** Certificates of validators of weight >= q; undefined while it is not final, and when no such are remembered. */
  proof(id: PaymentId): FinalityProof | undefined {
    return this.#proofs.proof(id);
  }

  /** The youngest commits, ascending by number. */
  get commits(): readonly Commit[] {
    return this.checkpoints.all;
  }

  outcome(round: Round): Outcome {
    return this.commitRule.outcome(round);
  }

  /** Who has the slot by a commit; undefined while it is open, and when that is long ago. */
  winnerOf(slot: Slot): PaymentId | undefined {
    return this.accounts.rivalsFor(slot).find(({ decidedAt }) => decidedAt !== 0)?.id;
  }

  /** Rounds of commits between two times at which something is forgotten. */
  get forgetStep(): number {
    return this.#forgetting.stepRounds;
  }

  get lastCommit(): Commit {
    return this.checkpoints.last;
  }

  /** The state after the last commit. */
  decidedOf(address: Address): { readonly balance: Units; readonly sequence: number; readonly head: Slot } {
    const decided = this.accounts.peek(address)?.decided;
    if (decided === undefined) return { balance: 0 as Units, sequence: 0, head: address };
    const { balance, sequence, head } = decided;
    return { balance: balance as Units, sequence, head };
  }

  statusOf(id: PaymentId): Standing {
    return this.accounts.standingOf(id, this.lastCommit.index);
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
