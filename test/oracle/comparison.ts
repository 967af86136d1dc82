/** Lets the ledger take a random DAG vertex by vertex and compares what it says with the oracle. */
import assert from 'node:assert/strict';
import type { PaymentId, Vertex, Witness } from '../../ledger/index.ts';
import { drawnNames } from '../dsl/draw.ts';
import { LedgerJudge } from '../dsl/judge.ts';
import { keysOf } from '../dsl/network.ts';
import type { RandomDag } from '../generators/random-dag.ts';
import { OWNERS } from '../generators/random-owners.ts';
import { withDrawing } from '../generators/sample.ts';

/** Called after (or, to try something that must leave no trace, before) a vertex has been attached. */
export type Visit = (judge: LedgerJudge, vertex: Vertex, known: readonly Vertex[]) => void;

export interface Visits {
  readonly before?: Visit;
  readonly after?: Visit;
}

/**
 * Attaches the vertices in this order, none of which may be refused. A check that fails prints the past of the vertex,
 * which is all that an answer about it may depend on.
 */
export function attachInOrder(dag: RandomDag, order: readonly Vertex[], visits: Visits): void {
  const judge = new LedgerJudge(dag.genesis);
  order.forEach((vertex, i) => {
    const shown = [...dag.oracle.past(vertex)] as Vertex[];
    withDrawing(dag, shown, () => {
      visits.before?.(judge, vertex, order.slice(0, i));
      const refusal = judge.attach(vertex);
      assert.equal(refusal, undefined, `refused: ${JSON.stringify(refusal)}`);
      visits.after?.(judge, vertex, order.slice(0, i + 1));
    });
  });
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
  assert.deepEqual(named(dag, judge.finals()), named(dag, final), 'final');
  for (const owner of OWNERS) {
    const { address } = keysOf(owner);
    const expected = oracle.balanceOf(address, final, oracle.payments());
    assert.equal(judge.balanceOf(address), expected, `balance of ${owner}`);
  }
}
