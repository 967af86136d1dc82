import { drawDag } from '../dsl/draw-dag.ts';
import { judgeDrawing, LedgerJudge } from '../dsl/judge.ts';
import { DRAWN_ACCEPTANCES } from '../oracle/drawn-acceptances.ts';
import { DRAWN_CERTIFICATES } from '../oracle/drawn-certificates.ts';

describe('votes: the ledger finds in drawn DAGs what was worked out by hand', () => {
  for (const { rule, text } of [...DRAWN_CERTIFICATES, ...DRAWN_ACCEPTANCES]) {
    it(rule, () => {
      const drawing = drawDag(text);
      judgeDrawing(drawing, new LedgerJudge(drawing.network.genesis, drawing.oracle.epochRounds));
    });
  }
});
