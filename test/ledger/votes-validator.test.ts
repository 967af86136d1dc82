import assert from 'node:assert/strict';
import { CoreValidator } from '../generators/core-validator.ts';
import { type RandomDag, randomDag } from '../generators/random-dag.ts';
import { sampleDags, withDrawing } from '../generators/sample.ts';
import { attachInOrder, compareFinality, compareVotes } from '../oracle/comparison.ts';
import { brokenInvariants } from '../oracle/correct.ts';
import { stuck } from '../oracle/liveness.ts';

describe("votes: the ledger's own validators keep the rules in a hostile network", function () {
  this.timeout(600_000);

  let dags: readonly RandomDag[] = [];
  before(() => {
    const seeds = sampleDags()
      .map(({ seed }) => seed)
      .filter((seed) => seed % 3 === 0);
    dags = seeds.map((seed) =>
      randomDag(seed, {
        cycles: 7,
        healing: 12,
        correct: (network, validator) => new CoreValidator(network.genesis, validator),
      }),
    );
  });

  it('accept nothing that they must not, and leave nothing acceptable aside', () => {
    for (const dag of dags) {
      withDrawing(dag, dag.vertices, () => assert.deepEqual(brokenInvariants(dag.oracle, dag.byzantine), []));
    }
  });

  it('settle every payment of an honest, funded owner once they hear each other', () => {
    let settled = 0;
    for (const dag of dags) {
      withDrawing(dag, dag.vertices, () => assert.deepEqual(stuck(dag), []));
      settled += dag.oracle.finals().size;
    }
    assert.ok(settled > dags.length, 'something became final');
  });

  it('agree with the slow votes about their own DAG', () => {
    for (const dag of dags) {
      attachInOrder(dag, dag.vertices, {
        after(judge, vertex, known) {
          if (vertex.kind !== 'witness') return;
          compareVotes(dag, judge, vertex);
          compareFinality(dag, judge, known);
        },
      });
    }
  });
});
