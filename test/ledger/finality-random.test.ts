import assert from 'node:assert/strict';
import { randomDag } from '../generators/random-dag.ts';
import { ordersOf, sampleDags, withDrawing } from '../generators/sample.ts';
import { attachInOrder, compareFinality } from '../oracle/comparison.ts';
import { brokenInvariants } from '../oracle/invariants.ts';
import { stuck } from '../oracle/liveness.ts';

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

  it('after the network heals all is settled: honest payments final, contested slots decided, what is final decided', () => {
    let settled = 0;
    for (const { seed } of sampleDags().filter((_, i) => i % 5 === 0)) {
      const dag = randomDag(seed, { cycles: 8, healing: 36 });
      withDrawing(dag, dag.vertices, () => assert.deepEqual(stuck(dag), []));
      settled += dag.oracle.finals().size;
    }
    assert.ok(settled > sampleDags().length / 5, 'something became final');
  });
});
