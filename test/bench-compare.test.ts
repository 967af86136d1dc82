import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Comparison, compare } from '../bench/compare.ts';
import { runCompare } from '../bench/compare-command.ts';
import { median } from '../bench/harness.ts';
import { factorInterval, waysOfU } from '../bench/noise.ts';
import type { BenchResult, Measurement } from '../bench/result.ts';

/** Numbers from 0 to 1, the same for the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

/** Samples around a value, with a tail upwards as times have. */
function samplesAround(value: number, count: number, next: () => number): readonly number[] {
  return Array.from({ length: count }, () => value * (1 + 0.1 * next() + (next() > 0.9 ? next() : 0)));
}

function figure(samples: readonly number[], more: Partial<Measurement> = {}): Measurement {
  const spread = [Math.min(...samples), Math.max(...samples)] as const;
  return {
    operation: 'a payment',
    unit: 'ms',
    median: median(samples),
    spread,
    samples,
    digest: 'd',
    ...more,
  };
}

function result(measurements: readonly Measurement[], more: Partial<BenchResult> = {}): BenchResult {
  return {
    bench: 'fake',
    question: 'What?',
    full: true,
    machine: { cpu: 'Abacus', cores: 2, node: 'v24.0.0', load: 0 },
    commit: 'abc',
    began: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    measurements,
    series: [],
    skipped: [],
    ...more,
  };
}

const FIVE = [10, 10.1, 10.2, 10.3, 10.4];
const scaled = (factor: number): readonly number[] => FIVE.map((sample) => sample * factor);

/** What is said of one figure. */
function verdict(before: Measurement, after: Measurement, margin?: number): string {
  const [change] = compare([result([before])], [result([after])], margin).changes;
  return change!.verdict;
}

describe('comparing two results', () => {
  it('counts the orders of samples as they can be counted one by one', () => {
    // Each order of 3 samples of one kind and 4 of the other is a choice of 3 places out of 7.
    const counted = new Array<number>(13).fill(0);
    for (let places = 0; places < 128; places++) {
      const bits = [...places.toString(2).padStart(7, '0')].map(Number);
      if (bits.filter((bit) => bit === 1).length !== 3) continue;
      const u = bits.flatMap((bit, i) =>
        bit === 1 ? bits.slice(0, i).filter((one) => one === 0) : [],
      ).length;
      counted[u]!++;
    }
    assert.deepEqual(waysOfU(3, 4), counted);
  });

  it('knows the interval of five and five samples, and none of fewer', () => {
    const interval = factorInterval(FIVE, scaled(2));
    assert.ok(Math.abs(interval!.low - 20 / 10.4) < 1e-9 && Math.abs(interval!.high - 20.8 / 10) < 1e-9);
    assert.equal(factorInterval(FIVE, FIVE.slice(1)), undefined);
  });

  it('has an interval that narrows with more samples, also beyond those that are counted out', () => {
    const next = dice(3);
    const widths = [5, 20, 60, 2_500].map((count) => {
      const interval = factorInterval(samplesAround(1, count, next), samplesAround(1, count, next))!;
      assert.ok(interval.low < 1.02 && interval.high > 0.98);
      return interval.high / interval.low;
    });
    assert.deepEqual(
      widths,
      widths.toSorted((a, b) => b - a),
    );
  });

  // 60 and 60 are more pairs than are counted out.
  for (const count of [20, 60])
    it(`tells what is slower, and does not tell noise, of ${count} samples`, () => {
      const next = dice(1);
      const runs = 200;
      let [alarms, missed] = [0, 0];
      for (let i = 0; i < runs; i++) {
        const before = figure(samplesAround(10, count, next));
        if (verdict(before, figure(samplesAround(10, count, next)), 0) !== 'same') alarms++;
        if (verdict(before, figure(samplesAround(12.5, count, next))) !== 'worse') missed++;
      }
      // One in a hundred is what the confidence grants.
      assert.ok(alarms <= 6, `${alarms} of ${runs} were noise`);
      assert.ok(missed <= 6, `${missed} of ${runs} were missed`);
    });

  const rows: readonly (readonly [what: string, before: Measurement, after: Measurement, verdict: string])[] =
    [
      ['a longer time is worse', figure(FIVE), figure(scaled(1.2)), 'worse'],
      ['a shorter time is better', figure(FIVE), figure(scaled(0.8)), 'better'],
      ['a change within the margin is none', figure(FIVE), figure(scaled(1.06)), 'same'],
      [
        'a lower rate is worse',
        figure(FIVE, { unit: 'a second' }),
        figure(scaled(0.8), { unit: 'a second' }),
        'worse',
      ],
      [
        'a goal says which way is better',
        figure(FIVE, { unit: 'ratio', goal: { atLeast: 1 } }),
        figure(scaled(0.8), { unit: 'ratio', goal: { atLeast: 1 } }),
        'worse',
      ],
      [
        'a word of the figure does too',
        figure(FIVE, { unit: 'count', better: 'less' }),
        figure(scaled(0.8), { unit: 'count', better: 'less' }),
        'better',
      ],
      [
        'without one it is a change',
        figure(FIVE, { unit: '%' }),
        figure(scaled(2), { unit: '%' }),
        'changed',
      ],
      [
        'from nothing to something is a change too',
        figure([0, 0, 0, 0, 0], { unit: 'MB' }),
        figure(FIVE, { unit: 'MB' }),
        'worse',
      ],
      ['nothing stays the same', figure([0, 0, 0, 0, 0]), figure([0, 0, 0, 0, 0]), 'same'],
    ];
  for (const [what, before, after, expected] of rows)
    it(`says that ${what}`, () => assert.equal(verdict(before, after), expected));

  it('is not sure of a change on a busy machine, unless five runs of each side agree', () => {
    const busy = { machine: { cpu: 'Abacus', cores: 2, node: 'v24.0.0', load: 1 } };
    const runs = (factor: number, count: number, more: Partial<BenchResult> = {}): readonly BenchResult[] =>
      Array.from({ length: count }, () => result([figure(scaled(factor))], more));
    const verdictOf = (a: readonly BenchResult[], b: readonly BenchResult[]) =>
      compare(a, b).changes[0]!.verdict;
    assert.equal(verdictOf(runs(1, 4), runs(1.5, 4, busy)), 'unsure');
    assert.equal(verdictOf(runs(1, 5), runs(1.5, 5, busy)), 'worse');
    assert.equal(verdictOf(runs(1, 4), runs(1, 4, busy)), 'same');
    assert.equal(verdictOf(runs(1, 5), [...runs(1.5, 4), ...runs(1, 1)]), 'same', 'one does not agree');
  });

  it('warns of other machines, sizes, versions and of busy ones, and names what only one side has', () => {
    const other = { machine: { cpu: 'Engine', cores: 4, node: 'v25.0.0', load: 3 }, full: false };
    const { warnings, onlyBefore, onlyAfter } = compare(
      [result([figure(FIVE)])],
      [result([figure(FIVE, { operation: 'another' })], other)],
    );
    for (const word of ['Abacus', 'Engine', 'v25.0.0', 'full before, small after', '3.0 cores'])
      assert.ok(warnings.join().includes(word), word);
    assert.deepEqual([onlyBefore, onlyAfter], [['fake: a payment (ms)'], ['fake: another (ms)']]);
    assert.deepEqual(compare([result([])], [result([])]).warnings, []);
  });
});

describe('bench:compare', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-compare-test-'));
    const write = async (folder: string, measurements: readonly Measurement[], more = {}) => {
      await mkdir(path.join(dir, folder), { recursive: true });
      await writeFile(path.join(dir, folder, 'fake.json'), JSON.stringify(result(measurements, more)));
    };
    await write('before', [figure(FIVE)]);
    await write('noisy', [figure(FIVE.toReversed(), { digest: 'e' })]);
    await write('slow', [figure(scaled(1.5))]);
    await write('other', [figure(FIVE, { operation: 'another' })]);
    // A machine that is now fast, now slow.
    await write('drift/1', [figure(scaled(1.5))]);
    await write('drift/2', [figure(FIVE)]);
    await write('busy', [figure(scaled(1.5))], {
      machine: { cpu: 'Abacus', cores: 2, node: 'v24.0.0', load: 2 },
    });
    await writeFile(path.join(dir, 'broken.json'), '{"bench": 1}');
  });
  after(() => rm(dir, { recursive: true }));

  /** Exit code and what was written; arguments that begin with / are in the folder. */
  async function run(...args: readonly string[]) {
    const [out, notes] = [[] as string[], [] as string[]];
    const host = { out: (text: string) => out.push(text), note: (text: string) => notes.push(text) };
    const code = await runCompare(
      args.map((arg) => (arg.startsWith('/') ? path.join(dir, arg) : arg)),
      host,
    );
    return { code, out: out.join(''), notes: notes.join('') };
  }

  it('ends with 1 when something is slower, and says by how much', async () => {
    const { code, out } = await run('/before', '/slow');
    assert.equal(code, 1);
    assert.match(out, /fake: a payment +10\.2 ms -> 15\.3 ms +\+50\.0 % +\(\+44\.2 % to \+56\.0 %\) +slower/);
  });

  it('ends with 0 when nothing is, and says when the operation itself did something else', async () => {
    assert.equal((await run('/slow', '/before')).code, 0);
    const { code, out } = await run('/before', '/noisy/fake.json');
    assert.equal(code, 0);
    assert.match(out, /same within noise; its digest is another one/);
    assert.equal((await run('/before', '/slow', '--margin', '60')).code, 0);
  });

  it('ends with 3 when a busy machine may have made the change', async () => {
    const { code, out } = await run('/before', '/busy');
    assert.equal(code, 3);
    assert.match(out, /Warning: Others were busy.*unsure: the machine was busy/s);
  });

  it('takes several runs of one side together', async () => {
    const { code, out } = await run('/before', '/drift', '--json');
    assert.equal(code, 0);
    const { changes } = JSON.parse(out) as Comparison;
    assert.deepEqual(
      changes.map(({ verdict: word, after: value }) => [word, value]),
      [['same', (10.2 + 15.3) / 2]],
    );
  });

  it('ends with 2 for what it cannot understand, with cause and cure', async () => {
    const wrong: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
      [['/before'], /Two results are compared.*Usage/s],
      [['/before', '/before', '--margin', 'much'], /--margin much is no number.*Usage/s],
      [['/before', '/nowhere'], /nowhere: there is no such file/],
      [['/before', '/broken.json'], /broken\.json: this is no result of a bench; take what/],
      [['/before', '/other'], /no figure in common/],
    ];
    for (const [args, sentence] of wrong) {
      const { code, out, notes } = await run(...args);
      assert.equal(code, 2, notes);
      assert.equal(out, '');
      assert.match(notes, sentence);
    }
  });
});
