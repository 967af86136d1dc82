/** Lets the ledger take a random DAG vertex by vertex and compares what it says with the oracle. */
import assert from 'node:assert/strict';
import type { PaymentId, Vertex, VertexId, Witness } from '../../ledger/index.ts';
import { drawnNames } from '../dsl/draw.ts';
import { type JudgedCommit, judged, LedgerJudge } from '../dsl/judge.ts';
import { keysOf } from '../dsl/network.ts';
import type { RandomDag } from '../generators/random-dag.ts';
import { OWNERS } from '../generators/random-owners.ts';
import { withDrawing } from '../generators/sample.ts';
import { before as ancestors } from './branches.ts';
import { isLinked, type OracleCommit, parentsOf, paymentsOf } from './oracle.ts';

/** Called after (or, to try something that must leave no trace, before) a vertex has been attached. */
export type Visit = (judge: LedgerJudge, vertex: Vertex, known: readonly Vertex[]) => void;

export interface Visits {
  readonly before?: Visit;
  readonly after?: Visit;
}

/**
 * Attaches the vertices in this order; none may be refused, but for what is older than all that a ledger keeps, and what
 * stands on such. A check that fails prints the past of the vertex, which is all that an answer about it may depend on.
 * @returns how many were attached.
 */
export function attachInOrder(dag: RandomDag, order: readonly Vertex[], visits: Visits): number {
  const judge = new LedgerJudge(dag.genesis, dag.oracle.epochRounds);
  const known: Vertex[] = [];
  const forgotten = new Set<VertexId>();
  for (const vertex of order) {
    const lost = parentsOf(vertex).filter((id) => forgotten.has(id) || judge.lacks(id));
    if (lost.length > 0) {
      // What it has forgotten by rule, or could not take for this reason.
      const young = lost.filter(
        (id) => !forgotten.has(id) && !isForgotten(dag, dag.oracle.vertex(id), known),
      );
      assert.deepEqual(young, [], 'nothing is forgotten early');
      forgotten.add(vertex.id);
      continue;
    }
    const shown = [...dag.oracle.past(vertex)] as Vertex[];
    withDrawing(dag, shown, () => {
      visits.before?.(judge, vertex, known);
      const refusal = judge.attach(vertex);
      if (refusal?.code === 'stale' && isForgotten(dag, vertex, known)) {
        forgotten.add(vertex.id);
        return;
      }
      assert.equal(refusal, undefined, `refused: ${JSON.stringify(refusal)}`);
      known.push(vertex);
      visits.after?.(judge, vertex, known);
    });
  }
  assert.ok(known.length > order.length / 3, `${known.length} of ${order.length} were attached`);
  return known.length;
}

/**
 * "A node drops vertices of rounds < round(last commit) - 3.5E", and can no longer judge a witness for which something counts
 * that is older.
 */
function isForgotten(dag: RandomDag, vertex: Vertex, known: readonly Vertex[]): boolean {
  const { oracle } = dag;
  const { round } = oracle.lastCommitAmong(known.filter((x) => x.kind === 'witness'));
  const oldest = vertex.kind === 'witness' ? oracle.votes.horizon(vertex) : oracle.roundOf(vertex);
  return Math.max(0, oldest) < round - 3.5 * oracle.epochRounds;
}

/** Ids as the names that a printed drawing of the whole DAG has for them. */
export function named(dag: RandomDag, ids: Iterable<PaymentId>): string[] {
  const names = drawnNames(dag.genesis, dag.vertices).payments;
  return [...ids].map((id) => names.get(id) ?? id).sort();
}

/** Acceptances and new certificates of one witness. */
export function compareVotes(dag: RandomDag, judge: LedgerJudge, witness: Witness): void {
  const at = (what: string): string => `${what} by validator ${witness.validator} in round ${witness.round}`;
  const { accepts, certifies } = {
    accepts: named(dag, dag.oracle.accepts(witness)),
    certifies: named(dag, dag.oracle.newlyCertifies(witness)),
  };
  assert.deepEqual(named(dag, judge.acceptedBy(witness.id)), accepts, at('accepted'));
  assert.deepEqual(named(dag, judge.certifiedBy(witness.id)), certifies, at('certified'));
}

/** What is final and what everybody has, for a node that knows these vertices. */
export function compareFinality(dag: RandomDag, judge: LedgerJudge, known: readonly Vertex[]): void {
  const { oracle } = dag;
  const final = oracle.finalAmong(known.filter((x) => x.kind === 'witness'));
  const kept = keptPayments(dag, known);
  const remembered = [...final].filter((id) => kept.has(id) || !judge.forgets(id));
  const settled = remembered.filter((id) => !judge.forgets(id));
  assert.deepEqual(named(dag, judge.finals()), named(dag, settled), 'final');
  for (const id of remembered.filter((each) => judge.forgets(each))) {
    assert.equal(judge.ledger.statusOf(id), 'settled', `${named(dag, [id])[0]} is forgotten early`);
  }
  for (const owner of OWNERS) {
    const { address } = keysOf(owner);
    const expected = oracle.balanceOf(address, final, oracle.payments());
    assert.equal(judge.balanceOf(address), expected, `balance of ${owner}`);
  }
}

/** The payments that some vertex carries which a node does not forget. */
function keptPayments(dag: RandomDag, known: readonly Vertex[]): ReadonlySet<PaymentId> {
  const { oracle } = dag;
  const { round } = oracle.lastCommitAmong(known.filter((x) => x.kind === 'witness'));
  const floor = round - 2 * oracle.epochRounds;
  const young = known.filter((x) => x.kind === 'block' && oracle.roundOf(x) >= floor);
  return new Set(young.flatMap((x) => (x.kind === 'block' ? paymentsOf(x).map(({ id }) => id) : [])));
}

/** The commits, all that they decided, and what is dead by them, for a node that knows these vertices. */
export function compareCommits(dag: RandomDag, judge: LedgerJudge, known: readonly Vertex[]): void {
  const { oracle } = dag;
  const witnesses = known.filter((x) => x.kind === 'witness');
  const commits = oracle.commitsAmong(witnesses);
  const last = oracle.lastCommitAmong(witnesses);
  compareCommitLists(dag, judge, commits);
  const rounds = Math.max(0, ...witnesses.map(({ round }) => round));
  const floor = last.round - 2 * oracle.epochRounds;
  for (let round = 3; round <= rounds; round += 3) {
    if (round < floor) continue;
    const outcome = oracle.leaders.outcome(round, last.leader);
    assert.equal(judge.outcome(round), outcome, `outcome of round ${round}`);
  }
  for (const owner of OWNERS) {
    const { address } = keysOf(owner);
    assert.deepEqual({ ...judge.decidedOf(address) }, last.state.account(address), `decided of ${owner}`);
  }
  compareFates(dag, judge, known);
}

/** The ledger keeps the youngest commits only; those that it has are the same. */
function compareCommitLists(dag: RandomDag, judge: LedgerJudge, commits: readonly OracleCommit[]): void {
  const expected = commits.map((commit) => readable(dag, judged(commit, dag.genesis)));
  const actual = judge.commits().map((commit) => readable(dag, commit));
  const last = commits.at(-1)?.round ?? 0;
  const kept = commits.filter(({ round }) => round >= last - 2 * dag.oracle.epochRounds).length;
  assert.ok(actual.length >= kept, `${actual.length} commits are kept`);
  assert.deepEqual(actual, expected.slice(expected.length - actual.length), 'commits');
}

/** The same with names in the place of ids, for the reader of a failure. */
function readable(dag: RandomDag, commit: JudgedCommit): object {
  const slots = new Map([...dag.oracle.payments().values()].map(({ id, previous }) => [previous, id]));
  const resolved = named(
    dag,
    commit.resolved.map((slot) => slots.get(slot)!),
  );
  const { vertices } = drawnNames(dag.genesis, dag.vertices);
  const leader = vertices.get(commit.leader) ?? commit.leader;
  return { ...commit, leader, decided: named(dag, commit.decided), resolved };
}

/** Decided and dead are the same payments, and each slot has the same winner, but for what may be forgotten. */
function compareFates(dag: RandomDag, judge: LedgerJudge, known: readonly Vertex[]): void {
  const { oracle } = dag;
  const blocks = known.filter((x) => x.kind === 'block');
  const payments = new Map(blocks.flatMap((block) => paymentsOf(block).map((each) => [each.id, each])));
  const last = oracle.lastCommitAmong(known.filter((x) => x.kind === 'witness'));
  const { decided } = last.state;
  const dead = oracle.deadAmong(known, payments);
  const kept = keptPayments(dag, known);
  const commits = oracle.commitsAmong(known.filter((x) => x.kind === 'witness'));
  const old = commits.findLast(({ round }) => round < last.round - oracle.epochRounds);
  const long = old?.state ?? oracle.commits.of(undefined).state;
  const fates = (of: (id: PaymentId) => string): object =>
    Object.fromEntries([...kept].map((id) => [named(dag, [id])[0], of(id)]));
  const expected = (id: PaymentId): string => {
    if (decided.has(id)) return 'decided';
    return dead.has(id) ? 'dead' : 'open';
  };
  const actual = (id: PaymentId): string => {
    const status = judge.ledger.statusOf(id);
    const payment = payments.get(id)!;
    // Whether it or a rival was decided may be forgotten, though a young block brings it once more. A void one has no fate.
    const untold = long.settles(payment) || !isLinked(payment, payments);
    if (status === 'settled' && last.state.settles(payment) && untold) return expected(id);
    if (status === 'decided' || status === 'dead' || status === 'settled') return status;
    // Nor need it know that what it stands on has lost.
    const lost = ancestors(payment, payments).some((each) => judge.forgets(each.id));
    return lost ? expected(id) : 'open';
  };
  assert.deepEqual(fates(actual), fates(expected), 'what has become of each payment');
  for (const id of [...kept].filter((each) => decided.has(each) && !judge.forgets(each))) {
    const { previous } = payments.get(id)!;
    // The slot of a payment that stands on a forgotten one may be forgotten too.
    if (payments.has(previous as PaymentId) && judge.forgets(previous as PaymentId)) continue;
    assert.equal(judge.ledger.winnerOf(previous), id, 'the winner of a slot');
  }
}
