import assert from 'node:assert/strict';
import { drawDag } from '../dsl/draw-dag.ts';
import { CoreValidator } from '../generators/core-validator.ts';
import { type RandomDag, randomDag } from '../generators/random-dag.ts';
import { sampleDags, withDrawing } from '../generators/sample.ts';
import { attachInOrder, compareCommits, compareFinality, compareVotes } from '../oracle/comparison.ts';
import { violations } from '../oracle/correct.ts';
import { brokenInvariants } from '../oracle/invariants.ts';
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
        healing: 36,
        correct: (oracle, validator) => new CoreValidator(oracle.genesis, validator, oracle.epochRounds),
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
          compareCommits(dag, judge, known);
        },
      });
    }
  });
});

describe("votes: one of the ledger's own validators", () => {
  it('accepts on a branch that is final though it has accepted the rival', () => {
    const drawing = drawDag(`
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      pay p2: alice -> bob 6 after p1
      block b1x: genesis | p1x
      block b1: genesis | p1
      A1 B1 C1: b1
      A2 B2 C2: *
      block b3: b1 | p2`);
    const { genesis } = drawing.network;
    const d = new CoreValidator(genesis, 3, drawing.oracle.epochRounds);
    const hear = (...names: string[]): void =>
      d.hear(names.map((name) => (/[a-z]/.test(name) ? drawing.block(name) : drawing.witness(name))));
    const says = (): string[] => {
      const witness = d.turn();
      assert.ok(witness !== undefined);
      drawing.oracle.add(witness);
      assert.deepEqual(violations(drawing.oracle, witness), []);
      return [...drawing.oracle.accepts(witness)];
    };
    hear('b1x');
    assert.deepEqual(says(), [drawing.payment('p1x').id]);
    hear('b1', 'A1', 'B1', 'C1');
    assert.deepEqual(says(), []);
    hear('A2', 'B2', 'C2', 'b3');
    assert.deepEqual(says(), [drawing.payment('p2').id]);
  });
});
