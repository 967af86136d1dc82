import assert from 'node:assert/strict';
import { Columns, ROW_KIND, TipPicker, type TipStrategy } from '../../ledger/index.ts';
import { Chance } from '../generators/chance.ts';

/** A tangle as columns: rows by number, no hashes. */
class Sketch {
  readonly columns = new Columns({ capacity: 200_000 });

  constructor() {
    this.columns.append(ROW_KIND.genesis, new Uint8Array(32), 0, []);
  }

  block(parents: readonly number[]): number {
    const round = Math.max(...parents.map((row) => this.columns.round(row)!));
    return this.columns.append(ROW_KIND.block, new Uint8Array(32), round, parents);
  }

  witness(round: number, parents: readonly number[]): number {
    return this.columns.append(ROW_KIND.witness, new Uint8Array(32), round, parents);
  }
}

function picker(sketch: Sketch, strategy: TipStrategy, parents = 3, alpha = 0.01): TipPicker {
  return new TipPicker(sketch.columns, { strategy, alpha, parents });
}

describe('tip selection', () => {
  it('starts from the genesis', () => {
    for (const strategy of ['uniform', 'walk'] as const) {
      assert.deepEqual(
        picker(new Sketch(), strategy).pick(() => 0),
        [0],
      );
    }
  });

  it('takes a witness of the last but one round first, then distinct tips', () => {
    for (const strategy of ['uniform', 'walk'] as const) {
      const sketch = new Sketch();
      const chance = new Chance(7);
      const w1 = sketch.witness(1, [0]);
      sketch.witness(2, [w1]);
      const tips = [1, 2, 3, 4, 5].map(() => sketch.block([w1]));
      const tipPicker = picker(sketch, strategy);
      for (let i = 0; i < 50; i++) {
        const [first, ...others] = tipPicker.pick(() => chance.next());
        assert.equal(first, w1);
        assert.equal(new Set(others).size, 2);
        assert.ok(others.every((row) => tips.includes(row)));
      }
    }
  });

  it('never takes a block that has a child, nor one older than D/2 rounds', () => {
    for (const strategy of ['uniform', 'walk'] as const) {
      const sketch = new Sketch();
      const chance = new Chance(8);
      const old = sketch.block([0]);
      let last = 0;
      for (let round = 1; round <= 40; round++) last = sketch.witness(round, [last]);
      const parent = sketch.block([last]);
      const tip = sketch.block([parent, last]);
      const tipPicker = picker(sketch, strategy, 8);
      for (let i = 0; i < 50; i++) {
        const rows = tipPicker.pick(() => chance.next());
        assert.ok(!rows.includes(old) && !rows.includes(parent), rows.join());
        assert.ok(rows.includes(tip), rows.join());
      }
    }
  });

  it('sees what was attached since the last look', () => {
    const sketch = new Sketch();
    const tipPicker = picker(sketch, 'uniform');
    assert.deepEqual(tipPicker.tips(), []);
    const a = sketch.block([0]);
    assert.deepEqual(tipPicker.tips(), [a]);
    const b = sketch.block([a]);
    assert.deepEqual(tipPicker.tips(), [b]);
  });

  // Popov, "The Tangle": k parents, rate lambda, delay h keep k * lambda * h / (k - 1) tips.
  for (const k of [2, 3, 4]) {
    it(`keeps the number of tips that theory expects for ${k} parents`, () => {
      const visible = new Columns({ capacity: 200_000 });
      visible.append(ROW_KIND.genesis, new Uint8Array(32), 0, []);
      // The witness that is always the first parent is no tip, so k + 1 parents in all.
      const tipPicker = new TipPicker(visible, { strategy: 'uniform', alpha: 0, parents: k + 1 });
      const chance = new Chance(9);
      const perDelay = 100;
      const counts: number[] = [];
      const unseen: number[][] = [];
      for (let i = 0; i < 20_000; i++) {
        const parents = tipPicker.pick(() => chance.next()).slice(1);
        unseen.push(parents.length > 0 ? parents : [0]);
        if (unseen.length > perDelay) visible.append(ROW_KIND.block, new Uint8Array(32), 0, unseen.shift()!);
        if (i > 5_000) counts.push(tipPicker.tips().length);
      }
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      const expected = (k * perDelay) / (k - 1);
      assert.ok(Math.abs(mean / expected - 1) < 0.05, `${mean} tips, ${expected} expected`);
    });
  }

  it('walks to heavier tips when alpha is great, to any when it is 0', () => {
    const sketch = new Sketch();
    const chance = new Chance(10);
    const light = sketch.block([0]);
    let heavy = sketch.block([0]);
    for (let i = 0; i < 30; i++) heavy = sketch.block([heavy]);
    const count = (alpha: number): number => {
      const tipPicker = picker(sketch, 'walk', 2, alpha);
      let lights = 0;
      for (let i = 0; i < 200; i++) if (tipPicker.pick(() => chance.next()).includes(light)) lights++;
      return lights;
    };
    assert.ok(count(0) > 60);
    assert.equal(count(5), 0);
  });

  it('are late for as long as what came late in their past is in no commit, and no longer', () => {
    const columns = new Columns({ capacity: 100 });
    const add = (parents: readonly number[], late = false): number =>
      columns.append(ROW_KIND.witness, new Uint8Array(32), 1, parents, late);
    columns.append(ROW_KIND.genesis, new Uint8Array(32), 0, []);
    const clean = add([0]);
    const [one, other] = [add([0], true), add([0], true)];
    const child = add([clean, one]);
    const both = add([child, other]);
    const last = add([clean, both]);
    const late = (): number[] => [clean, one, other, child, both, last].filter((row) => columns.late(row));
    assert.deepEqual(late(), [one, other, child, both, last]);
    columns.setCommitted(other);
    assert.deepEqual(late(), [one, child, both, last]);
    columns.setCommitted(one);
    assert.deepEqual(late(), []);
    assert.equal(columns.late(add([last])), false, 'what comes then inherits nothing');
  });
});
