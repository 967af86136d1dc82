import assert from 'node:assert/strict';
import { keysOf } from '../dsl/network.ts';
import { healedDag, type RandomDag } from '../generators/random-dag.ts';
import { ordersOf, sampleDags, withDrawing } from '../generators/sample.ts';
import { attachInOrder, compareFinality } from '../oracle/comparison.ts';
import { brokenInvariants } from '../oracle/correct.ts';
import { areRivals, creditsOf } from '../oracle/oracle.ts';

describe('finality: the ledger agrees with the slow votes on random DAGs', function () {
  this.timeout(600_000);

  it('has the same final payments and balances after every witness, whatever the order of arrival', () => {
    let final = 0;
    for (const dag of sampleDags()) {
      for (const order of ordersOf(dag, 2)) {
        attachInOrder(dag, order, {
          after(judge, vertex, known) {
            if (vertex.kind === 'witness') compareFinality(dag, judge, known);
          },
        });
      }
      final += dag.oracle.finals().size;
    }
    assert.ok(final > sampleDags().length, 'something became final');
  });
});

describe('finality: the rules keep what section 8 promises', function () {
  this.timeout(600_000);

  it('no rivals are final or certified, no balance is negative, the supply stays, correct validators break no rule', () => {
    for (const dag of sampleDags()) {
      withDrawing(dag, dag.vertices, () => assert.deepEqual(brokenInvariants(dag.oracle, dag.byzantine), []));
    }
  });

  it('after the network heals every payment of an honest, funded owner becomes final', () => {
    let settled = 0;
    for (const { seed } of sampleDags().filter((_, i) => i % 5 === 0)) {
      const dag = healedDag(seed, 5, 12);
      withDrawing(dag, dag.vertices, () => assert.deepEqual(stuck(dag), []));
      settled += dag.oracle.finals().size;
    }
    assert.ok(settled > sampleDags().length / 5, 'something became final');
  });
});

/** Payments of honest owners that are not final though all before them is and the money is there. */
function stuck(dag: RandomDag): string[] {
  const { oracle } = dag;
  const payments = oracle.payments();
  const final = oracle.finals();
  const settled = [...payments.values()].filter(({ id }) => final.has(id));
  const honest = new Set(dag.honest.map((owner) => keysOf(owner).address));
  const due = [...payments.values()].filter((payment) => {
    if (!honest.has(payment.account) || final.has(payment.id)) return false;
    assert.ok(![...payments.values()].some((other) => areRivals(payment, other, payments)), 'honest');
    if (payment.previous !== payment.account && !settled.some(({ id }) => id === payment.previous))
      return false;
    const spent = settled.filter(({ account }) => account === payment.account).map(({ total }) => total);
    const debits = spent.reduce((sum, total) => sum + total, payment.total as number);
    return creditsOf(dag.genesis, payment.account, settled) >= debits;
  });
  return due.map(({ memo }) => new TextDecoder().decode(memo));
}
