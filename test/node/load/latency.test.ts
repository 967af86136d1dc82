import assert from 'node:assert/strict';
import { Latency } from '../../../node/load/latency.ts';
import { openLoop } from '../../../node/load/pacing.ts';
import { isWatched } from '../../../node/load/traffic.ts';

describe('times of payments', () => {
  it('are kept to a thousandth, whatever their number', () => {
    const latency = new Latency();
    assert.deepEqual(latency.percentiles, { p50: null, p90: null, p95: null, p99: null, max: null });
    assert.deepEqual(latency.bars, []);
    for (let ms = 1; ms <= 1_000; ms++) latency.record(ms);
    const { p50, p90, p95, p99, max } = latency.percentiles;
    for (const [found, wanted] of [
      [p50, 500],
      [p90, 900],
      [p95, 950],
      [p99, 990],
      [max, 1_000],
    ] as const)
      assert.ok(Math.abs(found! - wanted) <= wanted / 500, `${found} is about ${wanted}`);
  });

  it('stand in bars without gaps, each a quarter longer than the one before', () => {
    const latency = new Latency();
    for (const ms of [110, 125, 126, 400, 0.01, 9e9]) latency.record(ms);
    const { bars } = latency;
    assert.equal(
      bars.reduce((sum, { count }) => sum + count, 0),
      6,
    );
    for (const [i, { fromMs, untilMs }] of bars.entries()) {
      assert.equal(fromMs, bars[i - 1]?.untilMs ?? 0);
      assert.ok(untilMs > fromMs);
    }
    assert.deepEqual(
      bars.filter(({ count }) => count > 0).map(({ untilMs, count }) => [untilMs, count]),
      [
        [1, 1],
        [125, 2],
        [160, 1],
        [400, 1],
        [800_000, 1],
      ],
    );
  });
});

describe('an open loop', () => {
  it('has every payment due at its own time, in turns, and knows how many are', () => {
    const pacing = openLoop({ rate: 10, lanes: 3, startMs: 500, seconds: 1 });
    const due = [0, 1, 2].map((lane) => [0, 1, 2, 3, 4].map((index) => pacing.dueMs(lane, index, 0, 0)));
    assert.deepEqual(due, [
      [500, 800, 1100, 1400, undefined],
      [600, 900, 1200, undefined, undefined],
      [700, 1000, 1300, undefined, undefined],
    ]);
    assert.deepEqual(
      [499, 500, 650, 1400, 9e9].map((nowMs) => pacing.dueBy(nowMs)),
      [0, 1, 2, 10, 10],
    );
    assert.equal(pacing.endMs, 1_500);
  });
});

describe('payments whose proofs are checked', () => {
  it('are one in n, none too far from the next, and not those of all accounts at the same time', () => {
    const [accounts, payments, every] = [256, 64, 4];
    const byNumber = new Array<number>(payments).fill(0);
    for (let lane = 0; lane < accounts; lane++) {
      for (let number = 0, gap = 0; number < payments; number++) {
        const watched = isWatched(lane, number, every, gap);
        gap = watched ? 0 : gap + 1;
        assert.ok(gap < 2 * every);
        if (watched) byNumber[number]! += 1;
      }
    }
    const mean = accounts / every;
    const all = byNumber.reduce((sum, count) => sum + count, 0);
    // The bound on the distance adds some.
    assert.ok(all >= mean * payments * 0.95 && all <= mean * payments * 1.25, `${all}`);
    for (const count of byNumber) assert.ok(count > mean / 2 && count < mean * 2, `${byNumber}`);
    assert.ok(isWatched(3, 7, 1, 0), 'all of them when every one is asked for');
  });
});
