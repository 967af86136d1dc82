import assert from 'node:assert/strict';
import { type RandomDag, randomDag } from '../generators/random-dag.ts';
import { ordersOf, sampleDags } from '../generators/sample.ts';
import { attachInOrder, compareCommits, compareFinality } from '../oracle/comparison.ts';

describe('commits: the ledger agrees with the slow rules on random DAGs', function () {
  this.timeout(600_000);

  let dags: readonly RandomDag[] = [];
  before(() => {
    const seeds = sampleDags()
      .map(({ seed }) => seed)
      .filter((_, i) => i % 2 === 0);
    dags = seeds.map((seed, i) =>
      i % 5 === 0
        ? randomDag(seed, { cycles: 36, epochRounds: 8, absence: true })
        : randomDag(seed, { cycles: 30, healing: i % 5 === 1 ? 12 : 0 }),
    );
  });

  it('has the same commits, roots, decided and dead payments after every commit, whatever the order of arrival', () => {
    const seen = { attached: 0, commits: 0, skipped: 0, resolved: 0, dead: 0, lapsed: 0, anew: 0 };
    for (const dag of dags) {
      for (const order of ordersOf(dag, 2)) {
        let last = 0;
        seen.attached += attachInOrder(dag, order, {
          after(judge, vertex, known) {
            const commits = judge.ledger.lastCommit.index;
            if (vertex.kind !== 'witness' || (commits === last && known.length % 8 > 0)) return;
            last = commits;
            compareCommits(dag, judge, known);
            compareFinality(dag, judge, known);
          },
        });
      }
      const { oracle } = dag;
      const commits = oracle.commitsAmong(oracle.witnesses());
      seen.commits += commits.length;
      seen.skipped += (commits.at(-1)?.round ?? 0) / 3 - commits.length;
      seen.resolved += commits.flatMap(({ resolved }) => resolved).length;
      seen.dead += oracle.deadAmong(dag.vertices, oracle.payments()).size;
      const correct = oracle.witnesses().filter(({ validator }) => !dag.byzantine.has(validator));
      seen.lapsed += correct.filter((w) => oracle.votes.horizon(w) > 1).length;
      seen.anew += correct.filter((w) => w.round > 1 && w.self === dag.genesis.id).length;
    }
    const all = dags.reduce((sum, dag) => sum + 3 * dag.vertices.length, 0);
    assert.ok(seen.attached > 0.9 * all, `${seen.attached} of ${all} vertices were attached`);
    for (const [what, times] of Object.entries(seen)) {
      assert.ok(times >= dags.length / (what === 'anew' ? 20 : 5), `${times} times ${what}`);
    }
  });
});
