import assert from 'node:assert/strict';
import { draw } from '../dsl/draw.ts';
import { drawDag } from '../dsl/draw-dag.ts';
import { judgeDrawing, OracleJudge } from '../dsl/judge.ts';
import { DRAWN_ACCEPTANCES } from './drawn-acceptances.ts';
import { DRAWN_CERTIFICATES } from './drawn-certificates.ts';
import { DRAWN_COMMITS } from './drawn-commits.ts';
import { DRAWN_DECISIONS } from './drawn-decisions.ts';
import { DRAWN_LAPSES } from './drawn-lapses.ts';
import { brokenInvariants } from './invariants.ts';
import { Oracle } from './oracle.ts';

const DRAWN = [
  ...DRAWN_CERTIFICATES,
  ...DRAWN_ACCEPTANCES,
  ...DRAWN_COMMITS,
  ...DRAWN_DECISIONS,
  ...DRAWN_LAPSES,
];

describe('oracle: the slow votes find what was worked out by hand', () => {
  for (const { rule, text } of DRAWN) {
    it(rule, () => {
      const drawing = drawDag(text);
      judgeDrawing(drawing, new OracleJudge(new Oracle(drawing.network.genesis, drawing.oracle)));
    });
  }

  it('a printed drawing makes the same vertices again', () => {
    for (const { text } of DRAWN) {
      const drawing = drawDag(text);
      const again = drawDag(draw(drawing.network.genesis, drawing.vertices, drawing.oracle.epochRounds));
      assert.deepEqual(
        again.vertices.map(({ id }) => id),
        drawing.vertices.map(({ id }) => id),
      );
    }
  });
});

describe('oracle: the checker of invariants', () => {
  const REVERSED = `
    fund alice 10
    pay p1: alice -> bob 6
    pay p1x: alice -> carol 6
    block b1: genesis | p1
    block b1x: genesis | p1x
    A1 B1 C1: b1
    A1' B1' D1: b1x
    A2: B1 C1
    B2: A1 C1
    C2: A1 B1
    A2': B1' D1
    B2': A1' D1
    D2: A1' B1'
    expect final p1 p1x`;

  it('sees two final rivals, an overdraft and twins when half of the committee is Byzantine', () => {
    const { oracle } = drawDag(REVERSED);
    const broken = brokenInvariants(oracle, new Set([0, 1])).join('\n');
    assert.match(broken, /both final/);
    assert.match(broken, /both certified/);
    assert.match(broken, /balance is negative/);
    assert.match(brokenInvariants(oracle, new Set()).join('\n'), /validator 0 has two witnesses of round 1/);
  });

  it('sees what a correct validator should not have accepted', () => {
    const { oracle } = drawDag(`
      fund alice 10
      pay p1: alice -> bob 11
      block b1: genesis | p1
      A1 B1: b1
      C1: b1 -p1`);
    assert.match(brokenInvariants(oracle, new Set([0])).join('\n'), /unfunded/);
    assert.deepEqual(brokenInvariants(oracle, new Set([0, 1])), []);
  });
});
