import assert from 'node:assert/strict';
import { drawDag } from '../dsl/draw-dag.ts';
import { judgeDrawing, LedgerJudge } from '../dsl/judge.ts';
import { DRAWN_COMMITS } from '../oracle/drawn-commits.ts';
import { DRAWN_DECISIONS } from '../oracle/drawn-decisions.ts';
import { DRAWN_LAPSES } from '../oracle/drawn-lapses.ts';

describe('commits: the ledger finds in drawn DAGs what was worked out by hand', () => {
  for (const { rule, text } of [...DRAWN_COMMITS, ...DRAWN_DECISIONS, ...DRAWN_LAPSES]) {
    it(rule, () => {
      const drawing = drawDag(text);
      judgeDrawing(drawing, new LedgerJudge(drawing.network.genesis, drawing.oracle.epochRounds));
    });
  }

  it('a chain that has ended before the horizon cannot be continued: its validator starts anew', () => {
    const drawing = drawDag(`
      epoch 6
      fund alice 1
      A1 B1 C1 D1:
      rounds 2-11: A B C
      D12: * self=genesis`);
    const { network, oracle } = drawing;
    const judge = new LedgerJudge(network.genesis, oracle.epochRounds);
    const anew = drawing.witness('D12');
    for (const vertex of oracle.vertices())
      if (vertex !== anew) assert.equal(judge.attach(vertex), undefined);
    const on = network.witness(oracle, { ...anew, self: drawing.witness('D1').id }, 1);
    assert.equal(judge.attach(on)?.code, 'past_too_old');
    assert.equal(judge.attach(anew), undefined);
  });
});
