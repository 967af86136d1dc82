import assert from 'node:assert/strict';
import { Latency } from '../../../node/load/latency.ts';
import { describeSpam, makeReport, type SpamFacts, type SpamResult } from '../../../node/spam/report.ts';
import { histogram, ms, renderSpam, type SpamView, spamLine } from '../../../node/spam/view.ts';
import { plainPainter } from '../../../node/up/terminal-text.ts';

function latencyOf(...times: readonly number[]): Latency {
  const latency = new Latency();
  for (const one of times) latency.record(one);
  return latency;
}

const VIEW: SpamView = {
  elapsedMs: 12_300,
  rate: 1_000,
  seconds: 30,
  nodes: 4,
  sent: 12_000,
  final: 11_500,
  waiting: 0,
  sentPerSecond: 998.2,
  finalPerSecond: 1_003,
  latency: latencyOf(90, 95, 110, 118, 121, 124, 150, 300),
  refusals: {},
};

const FACTS: SpamFacts = { nodes: ['a', 'b'], rate: 10, accounts: 5, seconds: 2, interrupted: false };
const GOOD: SpamResult = {
  totals: { sent: 20, final: 20, refusals: {} },
  stuck: [],
  unsent: 0,
  finalPerSecond: 9.87,
  latency: latencyOf(100, 200),
  lag: latencyOf(1, 2),
  disagreements: 0,
  lies: [],
};

describe('the picture of spam', () => {
  it('says how many, how fast, how long, and shows the times as bars', () => {
    const lines = renderSpam(VIEW, { columns: 80, rows: 23 }, plainPainter);
    assert.deepEqual(lines.slice(0, 3), [
      'ravel spam 0:12  ████░░░░░░  1,000 payments a second to 4 nodes',
      '12,000 sent, 998/s  11,500 final, 1,003/s  500 under way',
      'finality  p50 118 ms  p95 300 ms  p99 300 ms  max 300 ms',
    ]);
    const bars = lines.slice(4);
    assert.equal(bars.length, VIEW.latency.bars.length);
    assert.match(bars[0]!, /^ +up to 100 ms {2}2 {2}█+$/);
    const widths = bars.map((line) => line.split('█').length - 1);
    assert.equal(Math.max(...widths), widths[1], 'most took 100 to 125 ms');
    assert.ok(
      bars.some((line) => !line.includes('█')),
      'an empty bar shows that nothing was there',
    );
  });

  it('never leaves the terminal', () => {
    for (const [columns, rows] of [
      [20, 3],
      [40, 8],
      [200, 60],
      [1, 1],
    ] as const) {
      const lines = renderSpam({ ...VIEW, refusals: { queue_full: 3 } }, { columns, rows }, plainPainter);
      assert.ok(lines.length <= rows);
      for (const line of lines) assert.ok(line.length <= columns, line);
    }
  });

  it('joins bars where there are more than rows, and loses none', () => {
    const { bars } = latencyOf(1, 10, 100, 1_000, 10_000);
    const lines = histogram(bars, 80, 5);
    assert.ok(lines.length <= 5);
    const counts = lines.map(([, count]) => Number(String(count).trim()));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      5,
    );
  });

  it('is one line where there is no terminal', () => {
    assert.equal(
      spamLine({ ...VIEW, refusals: { queue_full: 3 } }),
      '0:12  12,000 sent at 998/s, 11,500 final at 1,003/s, 500 under way, finality p50 118 ms, p95 300 ms, p99 300 ms, max 300 ms, queue_full 3',
    );
    assert.deepEqual([null, 1.254, 12.54, 125.4, 1_254.2].map(ms), [
      '-',
      '1.25 ms',
      '12.5 ms',
      '125 ms',
      '1,254 ms',
    ]);
  });
});

describe('the report of spam', () => {
  it('is good when nothing is lost and nodes have the same, also when some found no node', () => {
    const report = makeReport(FACTS, {
      ...GOOD,
      unsent: 3,
      totals: { sent: 20, final: 20, refusals: { queue_full: 7 } },
    });
    assert.ok(report.ok);
    assert.deepEqual(
      [report.sent, report.final, report.lost, report.unsent, report.proofs],
      [20, 20, 0, 3, 2],
    );
    const text = describeSpam(report).join('\n');
    assert.match(text, /20 payments of 5 accounts to 2 nodes: 20 final, 10 a second\./);
    assert.match(text, /queue_full, 7 times: .+ Lower --rate/);
    assert.match(text, /3 payments that fell due found no node/);
    assert.doesNotMatch(text, /LOST|DISAGREE|FALSE/);
  });

  it('is bad when something is lost, nodes disagree, one lies, an account cannot go on, or nothing was sent', () => {
    for (const [change, said] of [
      [{ totals: { sent: 20, final: 19, refusals: {} } }, /LOST: 1 payment /],
      [{ disagreements: 2 }, /DISAGREEMENT: .* 2 accounts/],
      [{ lies: ['a: signature'] }, /FALSE: 1 proof /],
      [{ stuck: ['slot_taken'] }, /slot_taken, 1 times: .+ in use elsewhere/],
      [{ totals: { sent: 0, final: 0, refusals: {} } }, /0 payments/],
    ] as const) {
      const report = makeReport(FACTS, { ...GOOD, ...change });
      assert.ok(!report.ok);
      assert.match(describeSpam(report).join('\n'), said);
    }
  });
});
