import assert from 'node:assert/strict';
import type { Payment } from '../../../ledger/index.ts';
import { Contest } from '../../../node/doublespend/contest.ts';
import { describeReport, type RunFacts, reportOf } from '../../../node/doublespend/report.ts';
import type { DecidedBy } from '../../../node/load/node-ear.ts';
import { keysOf, TestNetwork } from '../../dsl/network.ts';

const NET = new TestNetwork({ weights: [1], funds: { alice: 10, bob: 10 }, signed: false });
const FACTS: RunFacts = {
  nodes: ['a', 'b'],
  rivals: 2,
  spread: true,
  gossiped: 0,
  refusals: {},
  honest: undefined,
};

function rivals(owner: string): [Payment, Payment] {
  const draft = (name: string): Payment =>
    NET.payment({
      from: owner,
      previous: keysOf(owner).address,
      sequence: 1,
      transfers: [{ to: 'carol', amount: 1 }],
      name,
    });
  return [draft('one'), draft('two')];
}

const [A1, A2] = rivals('alice');
const [B1, B2] = rivals('bob');

/** What nodes say, as `node payment by ms round`. */
function report(...rows: readonly (readonly [number, Payment, DecidedBy, number, number])[]) {
  const contest = new Contest(2);
  contest.add([A1, A2]);
  contest.add([B1, B2]);
  contest.sent(A1.id, 100, 5);
  contest.sent(B1.id, 200, 6);
  for (const [node, { id }, by, ms, round] of rows)
    assert.ok(contest.final(node, id, by, { atMs: ms, round }));
  return { contest, report: reportOf(contest.results(), FACTS) };
}

describe('the report of a double spend', () => {
  it('is good when every node has proven the same winner of every slot', () => {
    const { contest, report: good } = report(
      [0, A2, 'commit', 150, 9],
      [1, A2, 'certificates', 190, 11],
      [0, B1, 'certificates', 230, 8],
      // The same again changes nothing.
      [0, A2, 'certificates', 900, 90],
      [1, B1, 'certificates', 210, 8],
    );
    assert.ok(contest.settled && good.ok);
    assert.deepEqual([good.resolved, good.unresolved, good.disagreements], [2, 0, 0]);
    assert.deepEqual([good.byCertificates, good.byCommit], [1, 1]);
    const [alice, bob] = good.slots;
    assert.deepEqual(
      [alice!.winner, alice!.ms, alice!.rounds, alice!.firstMs, alice!.by],
      [A2.id, 90, 6, 50, 'commit'],
    );
    assert.deepEqual([bob!.winner, bob!.ms, bob!.rounds, bob!.firstMs], [B1.id, 30, 2, 10]);
    assert.deepEqual(good.resolutionMs, { p50: 30, p99: 90, max: 90 });
    const text = describeReport(good).join('\n');
    assert.match(
      text,
      /2 of 2 slots have one winner, the same on all 2 nodes \(1 by certificates, 1 by a commit\)/,
    );
    assert.doesNotMatch(text, /DISAGREE|NOT RESOLVED/);
  });

  it('is bad when a node has proven nothing', () => {
    const { contest, report: bad } = report(
      [0, A1, 'commit', 150, 9],
      [1, A1, 'commit', 150, 9],
      [0, B1, 'commit', 230, 8],
    );
    assert.ok(!contest.settled && !bad.ok);
    assert.deepEqual([bad.resolved, bad.unresolved, bad.disagreements, contest.settledCount], [1, 1, 0, 1]);
    assert.deepEqual(contest.untold(1), [B1.id, B2.id]);
    assert.deepEqual(contest.untold(0), []);
    assert.deepEqual(bad.slots[1]!.winners, [B1.id, null]);
    assert.match(describeReport(bad).join('\n'), /NOT RESOLVED in time: 1 slots/);
  });

  it('is bad when two nodes have different winners, or one node two', () => {
    for (const second of [
      [1, B2],
      [0, B2],
    ] as const) {
      const { report: bad } = report(
        [0, A1, 'commit', 150, 9],
        [1, A1, 'commit', 150, 9],
        [0, B1, 'commit', 230, 8],
        [second[0], second[1], 'commit', 240, 8],
        [1, B1, 'commit', 250, 8],
      );
      assert.ok(!bad.ok);
      assert.equal(bad.disagreements, 1);
      assert.ok(bad.slots[1]!.disagreed && bad.slots[1]!.winner === null);
      assert.match(describeReport(bad).join('\n'), /DISAGREEMENT about 1 slots/);
    }
  });

  it('is not good for nothing, and knows its own payments', () => {
    assert.ok(!reportOf([], FACTS).ok);
    assert.ok(!new Contest(2).final(0, A1.id, 'commit', { atMs: 1, round: 1 }));
  });
});
