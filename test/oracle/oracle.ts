/**
 * The rules of docs/protocol.md, sections 6 and 7, computed as slowly and as literally as they are written there: every
 * question is answered from the whole past by plain set operations. The fast code of ledger/ is held to this.
 *
 * The rules stand in `leaders.ts`, `votes.ts` and `commits.ts`; this is the door, and what follows for a node.
 */
import type {
  Address,
  Checkpoint,
  Genesis,
  Payment,
  PaymentId,
  Round,
  Slot,
  Vertex,
  VertexId,
  Witness,
} from '../../ledger/index.ts';
import { creditsOf, deadAmong } from './branches.ts';
import { Commits, type OracleCommit } from './commits.ts';
import { type Ballot, Dag, type Known, type Payments, sum } from './dag.ts';
import { type Leader, Leaders } from './leaders.ts';
import type { State } from './states.ts';
import { Votes } from './votes.ts';

export { areRivals, creditsOf, isLinked, isVoid } from './branches.ts';
export type { OracleCommit } from './commits.ts';
export { type Ballot, type Known, parentsOf, paymentsOf, sum } from './dag.ts';

export interface OracleOptions {
  /** E: for how many rounds votes count. */
  readonly epochRounds: number;
}

/** E of a network in earnest. */
export const ORACLE_DEFAULTS: OracleOptions = { epochRounds: 1000 };

export class Oracle {
  readonly genesis: Genesis;
  readonly epochRounds: number;
  readonly dag: Dag;
  readonly leaders: Leaders;
  readonly votes: Votes;
  readonly commits: Commits;

  constructor(genesis: Genesis, { epochRounds }: OracleOptions = ORACLE_DEFAULTS) {
    this.genesis = genesis;
    this.epochRounds = epochRounds;
    const dag = new Dag(genesis);
    const leaders = new Leaders(dag);
    const stateAfter = (leader: Leader): State => this.commits.of(leader).state;
    this.dag = dag;
    this.leaders = leaders;
    this.votes = new Votes({ dag, leaders, epochRounds, stateAfter });
    this.commits = new Commits({ dag, leaders, votes: this.votes, epochRounds });
  }

  /** Makes a vertex known. Its parents must be known. */
  add(vertex: Vertex): void {
    this.dag.add(vertex);
  }

  vertex(id: VertexId): Vertex {
    return this.dag.vertex(id);
  }

  vertices(): readonly Vertex[] {
    return this.dag.vertices();
  }

  witnesses(): readonly Witness[] {
    return this.dag.witnesses();
  }

  past(x: Known): ReadonlySet<Known> {
    return this.dag.past(x);
  }

  ballotsIn(x: Known): readonly Ballot[] {
    return this.dag.ballotsIn(x);
  }

  paymentsIn(x: Known): Payments {
    return this.dag.paymentsIn(x);
  }

  payments(): Payments {
    return this.dag.payments();
  }

  roundOf(x: Known): Round {
    return this.dag.roundOf(x);
  }

  covers(w: Ballot): ReadonlySet<PaymentId> {
    return this.votes.covers(w);
  }

  accepts(w: Ballot): ReadonlySet<PaymentId> {
    return this.votes.accepts(w);
  }

  certifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.votes.certifies(w);
  }

  newlyCertifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.votes.newlyCertifies(w);
  }

  /** "header.checkpoint of w: round and leader of C(w), and the state root after it." */
  checkpoint(w: Ballot): Checkpoint {
    const { leader, round, root } = this.commits.of(this.leaders.committedAt(w));
    return { round, leader: leader?.id ?? this.genesis.id, root };
  }

  /** The commits of a node that knows these witnesses, oldest first, without the genesis. */
  commitsAmong(ballots: readonly Ballot[]): readonly OracleCommit[] {
    return this.leaders.sequence(this.leaders.highestIn(ballots)).map((leader) => this.commits.of(leader));
  }

  /** Its last commit; the genesis' when there is no other. */
  lastCommitAmong(ballots: readonly Ballot[]): OracleCommit {
    return this.commits.of(this.leaders.highestIn(ballots));
  }

  /** "Final for a node: certified by known authors of weight >= q, or decided by a commit", when these are all there are. */
  finalAmong(ballots: readonly Ballot[]): ReadonlySet<PaymentId> {
    const { decided } = this.lastCommitAmong(ballots).state;
    return new Set([...this.votes.certifiedFinal(ballots), ...decided]);
  }

  /** What is final for a node that knows all vertices added so far. */
  finals(): ReadonlySet<PaymentId> {
    return this.finalAmong(this.witnesses());
  }

  /** Of the payments that a node knows, those that can never be decided any more. */
  deadAmong(known: readonly Vertex[], payments: Payments): ReadonlySet<PaymentId> {
    const witnesses = known.filter((x) => x.kind === 'witness');
    return deadAmong(payments, this.lastCommitAmong(witnesses).state.decided);
  }

  /** Which payment of a slot is decided after a commit. */
  winnerOf(slot: Slot, commit: OracleCommit): Payment | undefined {
    const payments = this.payments();
    return [...commit.state.decided].map((id) => payments.get(id)!).find(({ previous }) => previous === slot);
  }

  /** Allocation plus credits, less debits, of the payments in `final`; it may come out negative. */
  balanceOf(address: Address, final: ReadonlySet<PaymentId>, payments: Payments): number {
    const settled = [...payments.values()].filter((payment) => final.has(payment.id));
    const debits = settled.filter((payment) => payment.account === address).map((payment) => payment.total);
    return creditsOf(this.genesis, address, settled) - sum(debits);
  }
}
