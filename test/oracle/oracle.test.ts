import assert from 'node:assert/strict';
import { draw } from '../dsl/draw.ts';
import { drawDag } from '../dsl/draw-dag.ts';
import { judgeDrawing, OracleJudge } from '../dsl/judge.ts';
import { DRAWN_ACCEPTANCES } from './drawn-acceptances.ts';
import { DRAWN_CERTIFICATES } from './drawn-certificates.ts';
import { Oracle } from './oracle.ts';

describe('oracle: the slow votes find what was worked out by hand', () => {
  for (const { rule, text } of [...DRAWN_CERTIFICATES, ...DRAWN_ACCEPTANCES]) {
    it(rule, () => {
      const drawing = drawDag(text);
      judgeDrawing(drawing, new OracleJudge(new Oracle(drawing.network.genesis)));
    });
  }

  it('a printed drawing makes the same vertices again', () => {
    for (const { text } of [...DRAWN_CERTIFICATES, ...DRAWN_ACCEPTANCES]) {
      const drawing = drawDag(text);
      const again = drawDag(draw(drawing.network.genesis, drawing.vertices));
      assert.deepEqual(
        again.vertices.map(({ id }) => id),
        drawing.vertices.map(({ id }) => id),
      );
    }
  });
});
