import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bench, histogram, type Run, runBench } from '../bench/harness.ts';
import { writeReport, writeResult } from '../bench/results.ts';

const BENCH: Bench = {
  question: 'How long is <fast> & "good"?',
  comparable: 'With itself.',
  notComparable: 'With others.',
  async run(run) {
    const record = (operation: string, value: number, more: Partial<Parameters<Run['record']>[0]>) =>
      run.record({
        operation,
        unit: 'ratio',
        samples: new Array<number>(5).fill(value),
        digest: 'd',
        ...more,
      });
    record('one that is there', 2, { goal: { atLeast: 1 } });
    record('one that is not', 2, { goal: { atMost: 1 } });
    record('one without goal', 1234, { unit: 'a second' });
    for (const name of ['p50', 'p99'])
      run.series({
        plot: 'Latency against load',
        name,
        x: 'payments a second',
        y: 'ms',
        mark: 'line',
        log: 'xy',
        points: [
          [1, 1],
          [1_000, 10],
        ],
      });
    run.series({ plot: 'Spread', x: 'ms', y: 'payments', mark: 'bars', points: histogram([1, 2, 2, 3], 3) });
    run.series({ plot: 'Cloud', x: 'ms', y: 'MB', mark: 'points', points: [[1, 2]] });
    run.skip('A peer', 'not installed: apt-get install peer');
  },
};

describe('the report of benches', () => {
  let dir: string;
  let page: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-report-test-'));
    for (const full of [true, false]) {
      const name = full ? 'whole' : 'little';
      await writeResult(dir, await runBench(BENCH, { name, full }, { progress: () => {} }));
    }
    page = await readFile(await writeReport(dir), 'utf8');
  });
  after(() => rm(dir, { recursive: true }));

  /** From the heading of a bench to the end of its section. */
  const sectionOf = (name: string): string =>
    page.split(`<section id="${name}">`)[1]!.split('</section>')[0]!;

  it('needs nothing beside it: no script, and nothing that is fetched', () => {
    assert.doesNotMatch(page, /<script|<link|<img|@import|url\(|src=/);
    const places = [...page.matchAll(/https?:\/\/[^\s"'<]+/g)].map(([place]) => place);
    assert.ok(
      places.every((place) => place.startsWith('http://www.w3.org/')),
      places.join(),
    );
  });

  it('has for each bench the question, what is comparable, and every figure', () => {
    const section = sectionOf('whole');
    for (const text of [
      'How long is &lt;fast&gt; &amp; &quot;good&quot;?',
      'With itself.',
      'With others.',
      'one without goal',
      '1,234 a second',
    ])
      assert.ok(section.includes(text), text);
    assert.ok(!page.includes('<fast>'));
  });

  it('judges goals of full sizes, missed ones first, and does not judge small ones', () => {
    const goals = page.split('What it must reach')[1]!.split('</section>')[0]!;
    const row = (text: string): number => goals.indexOf(text);
    assert.ok(row('✗ missed') >= 0 && row('✗ missed') < row('✓ reached'));
    assert.doesNotMatch(sectionOf('little'), /reached|missed/);
    assert.match(page, /class="warning">Small sizes[^<]*little/);
  });

  it('says what was skipped, and the cure', () => {
    assert.match(page, /A peer, not installed: apt-get install peer/);
  });

  it('has a plot for each title, in the page and as a file', async () => {
    const section = sectionOf('whole');
    assert.equal(section.split('<svg').length - 1, 3);
    // Drawn in the colour of the text around it, on light as on dark.
    assert.match(section, /fill="currentColor"/);
    assert.doesNotMatch(section, /NaN|undefined/);
    for (const word of ['p50', 'p99', 'payments a second']) assert.ok(section.includes(`>${word}<`), word);
    const files = (await readdir(dir)).filter((file) => file.startsWith('whole-')).toSorted();
    assert.deepEqual(files, ['whole-cloud.svg', 'whole-latency-against-load.svg', 'whole-spread.svg']);
    for (const file of files) assert.match(await readFile(path.join(dir, file), 'utf8'), /^<svg .*<\/svg>$/s);
  });
});
