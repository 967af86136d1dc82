import assert from 'node:assert/strict';
import { benchNames, runBenches } from '../bench/command.ts';
import { type BenchResult, median, percentile, SAMPLES_MIN } from '../bench/harness.ts';
import { writeLines } from '../bench/progress.ts';
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

describe('benches', () => {
  it('are there, and a list says what each asks', async () => {
    assert.ok(benchNames().length > 0);
    const { code, out } = await run('--list');
    assert.equal(code, 0);
    for (const name of benchNames()) assert.match(out, new RegExp(`^${name}: .+\\?$`, 'm'));
  });

  for (const name of benchNames()) {
    it(`${name} runs with small parameters, and prints all of every figure`, async function () {
      // Other programs may have the cores; alone it takes a tenth of it.
      this.timeout(100_000);
      const { code, out, notes } = await run(name, '--json');
      assert.equal(code, 0, notes);
      assert.match(notes, new RegExp(`^\\[1 of 1\\] ${name}: `));
      const result = JSON.parse(out) as BenchResult;
      assert.equal(result.bench, name);
      assert.equal(result.full, false);
      assert.ok(result.machine.cpu !== '' && result.machine.cores > 0 && result.commit !== '');
      assert.ok(result.measurements.length + result.skipped.length > 0);
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

  it('that do not exist are refused with the names of those that do', async () => {
    for (const args of [['finalty'], ['--fast']]) {
      const { code, out, notes } = await run(...args);
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.ok(notes.includes(args[0]!) && notes.includes('Usage: npm run bench'), notes);
    }
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
