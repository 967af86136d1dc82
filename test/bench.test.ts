import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchNames, runBenches } from '../bench/command.ts';
import {
  type Bench,
  type BenchResult,
  histogram,
  median,
  percentile,
  type Run,
  runBench,
  SAMPLES_MIN,
} from '../bench/harness.ts';
import { barText, writeLines } from '../bench/progress.ts';
import { formatResult } from '../bench/text.ts';

/** Exit code and what was written. */
async function run(...args: readonly string[]) {
  const out: string[] = [];
  const notes: string[] = [];
  const note = (text: string): number => notes.push(text);
  const progress = writeLines(note);
  const code = await runBenches(args, { out: (text) => out.push(text), note, progress });
  return { code, out: out.join(''), notes: notes.join('') };
}

/** The result of a bench that does only this. */
function resultOf(run: Bench['run'], full = true): Promise<BenchResult> {
  return runBench({ question: 'What?', run }, { name: 'fake', full }, { progress: () => {} });
}

const FIVE = [1, 2, 3, 4, 5];

/** A figure with five samples. */
function figure(operation: string): Parameters<Run['record']>[0] {
  return { operation, unit: 'ms', samples: FIVE, digest: 'd' };
}

describe('benches', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-bench-test-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('are there, and a list says what each asks', async () => {
    assert.ok(benchNames().length > 0);
    const { code, out } = await run('--list');
    assert.equal(code, 0);
    for (const name of benchNames()) assert.match(out, new RegExp(`^${name}: .+\\?$`, 'm'));
  });

  it('are in the table of docs/performance.md', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../docs/performance.md'), 'utf8');
    for (const name of benchNames()) assert.ok(page.includes(`\n| \`${name}\` | `), name);
  });

  for (const name of benchNames()) {
    it(`${name} runs with small parameters, and prints all of every figure`, async function () {
      // Other programs may have the cores; alone it takes a tenth of it.
      this.timeout(100_000);
      const folder = path.join(dir, name);
      const { code, out, notes } = await run(name, '--json', '--out', folder);
      assert.equal(code, 0, notes);
      assert.match(notes, new RegExp(`^\\[1 of 1\\] ${name}: `));
      const result = JSON.parse(out) as BenchResult;
      assert.equal(result.bench, name);
      assert.equal(result.full, false);
      assert.ok(result.machine.cpu !== '' && result.machine.cores > 0 && result.commit !== '');
      assert.ok(result.measurements.length + result.skipped.length > 0);
      assert.deepEqual(JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8')), result);
      assert.match(await readFile(path.join(folder, 'report.html'), 'utf8'), new RegExp(`id="${name}"`));
      const plots = new Set(result.series.map(({ plot }) => plot));
      const pictures = (await readdir(folder)).filter((file) => file.endsWith('.svg'));
      assert.equal(pictures.length, plots.size, 'a picture for each plot');
      const text = formatResult(result);
      assert.ok(text.includes(result.commit) && text.includes(result.machine.cpu), text);
      for (const { operation, median: middle, spread, samples, digest } of result.measurements) {
        assert.ok(samples.length >= SAMPLES_MIN, operation);
        assert.ok(Number.isFinite(middle) && spread[0] <= spread[1], operation);
        assert.ok(digest !== '', operation);
        const line = text.split('\n').find((one) => one.startsWith(`  ${operation}  `));
        assert.ok(line?.includes(`${samples.length} samples`) && line.endsWith(digest), text);
      }
    });
  }

  it('that do not exist are refused with the nearest name of those that do', async () => {
    const { code, out, notes } = await run('state-tree', 'finalty');
    assert.equal(code, 2);
    assert.equal(out, '', 'and nothing runs');
    assert.match(notes, /no bench finalty; did you mean finality\?/);
    for (const name of benchNames()) assert.ok(notes.includes(name), notes);
  });

  it('refuse flags that there are not, and a folder that cannot be made', async () => {
    for (const args of [['--fast'], ['--out'], ['--out', '/dev/null/results']]) {
      const { code, out, notes } = await run(...args);
      assert.equal(code, 2, notes);
      assert.equal(out, '');
      assert.match(notes, /Usage: npm run bench/);
    }
  });

  it('that leave a result among other files of JSON say that there is no report', async () => {
    const folder = await mkdtemp(path.join(dir, 'other-'));
    await writeFile(path.join(folder, 'other.json'), '{}');
    const { code, notes } = await run('state-tree', '--out', folder);
    assert.equal(code, 1);
    assert.match(notes, /no report: .*other\.json: this is no result of a bench/);
  });

  it('that measure nothing fail; one whose peers are all absent does not', async () => {
    await assert.rejects(
      resultOf(async () => {}),
      /measured nothing/,
    );
    const { skipped } = await resultOf(async ({ skip }) => skip('PostgreSQL', 'not installed'));
    assert.deepEqual(skipped, [{ what: 'PostgreSQL', why: 'not installed' }]);
  });

  it('cannot record what would mislead', async () => {
    const wrong: readonly (readonly [what: Bench['run'], sentence: RegExp])[] = [
      [async (to) => void to.record({ ...figure('a'), samples: [1, 2, 3, 4] }), /5 samples or more/],
      [async (to) => void to.record({ ...figure('a'), samples: [1, 2, 3, 4, Number.NaN] }), /5 samples/],
      [async (to) => void to.record({ ...figure('a'), whole: Number.POSITIVE_INFINITY }), /no figure/],
      [async (to) => [figure('a'), figure('a')].forEach(to.record), /recorded twice/],
      [async (to) => to.series({ plot: 'p', x: 'x', y: 'y', mark: 'line', points: [] }), /has points/],
      [
        async (to) => to.series({ plot: 'p', x: 'x', y: 'y', mark: 'line', log: 'y', points: [[1, 0]] }),
        /above 0 on a logarithmic axis/,
      ],
      [
        async (to) => {
          to.series({ plot: 'p', name: 'a', x: 'x', y: 'ms', mark: 'line', points: [[1, 1]] });
          to.series({ plot: 'p', name: 'b', x: 'x', y: 'MB', mark: 'line', points: [[1, 1]] });
        },
        /other axes/,
      ],
    ];
    for (const [what, sentence] of wrong) await assert.rejects(resultOf(what), sentence);
  });

  it('say a ratio of two figures with its own spread, and whether a goal is reached', async () => {
    const measure: Bench['run'] = async (to) => {
      const base = to.record({ ...figure('base'), whole: 2 });
      const twice = to.record({
        ...figure('twice'),
        samples: FIVE.map((one) => one * 4),
        whole: 8,
        ratioTo: base,
      });
      to.ratio({ operation: 'over', of: twice, to: base, goal: { atLeast: 4 } });
      to.ratio({ operation: 'under', of: base, to: twice, goal: { atMost: 0.2 } });
    };
    const result = await resultOf(measure);
    const [, twice, over, under] = result.measurements;
    assert.deepEqual(twice!.ratio, { to: 'base', value: 4 });
    assert.deepEqual([over!.median, over!.spread, over!.unit], [4, [4, 4], 'ratio']);
    assert.equal(under!.median, 0.25);
    const text = formatResult(result);
    assert.match(text, /over .*at least 4: reached/);
    assert.match(text, /under .*at most 0\.2: missed/);
    assert.doesNotMatch(formatResult(await resultOf(measure, false)), /reached|missed/, 'small sizes');
  });

  it('show how far they are', () => {
    const step = { bench: 'work', index: 1, count: 4, text: 'tries', share: 0 };
    assert.match(barText({ ...step, share: 1 }, 61_500), /^█{12}░{12} {2}2 of 4 {2}work {2}1:01\n {2}tries$/);
    assert.match(barText(step, 0), /^█{6}░{18} /);
  });

  it('count values in ranges, each value once', () => {
    assert.deepEqual(histogram([0, 1, 1, 9, 10], 2), [
      [0, 3],
      [5, 2],
    ]);
    assert.deepEqual(histogram([7, 7], 1), [[7, 2]]);
  });

  it('take medians and percentiles as they are defined', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((share) => percentile(hundred, share)),
      [1, 50, 99, 100],
    );
  });
});
