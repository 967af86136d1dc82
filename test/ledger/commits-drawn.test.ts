import { drawDag } from '../dsl/draw-dag.ts';
import { judgeDrawing, LedgerJudge } from '../dsl/judge.ts';
import { DRAWN_COMMITS } from '../oracle/drawn-commits.ts';
import { DRAWN_DECISIONS } from '../oracle/drawn-decisions.ts';

describe('commits: the ledger finds in drawn DAGs what was worked out by hand', () => {
  for (const { rule, text } of [...DRAWN_COMMITS, ...DRAWN_DECISIONS]) {
    it(rule, () => {
      const drawing = drawDag(text);
      judgeDrawing(drawing, new LedgerJudge(drawing.network.genesis, drawing.oracle.epochRounds));
    });
  }
});
