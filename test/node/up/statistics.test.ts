import assert from 'node:assert/strict';
import { createStatistics } from '../../../node/up/statistics.ts';

describe('statistics of a replay', () => {
  it('measure finality from submission to verification, whichever message comes first', () => {
    const statistics = createStatistics();
    statistics.submitted('a', 1_000);
    statistics.verified('a', 10, 1_100);
    statistics.verified('b', 20, 1_500);
    statistics.submitted('b', 1_200);
    assert.equal(statistics.payments, 2);
    assert.equal(statistics.unitsPaid, 30);
    assert.deepEqual(statistics.finality, { p50: 100, p99: 300 });
    assert.equal(statistics.meanRate, 4);
  });

  it('have no finality before the first payment', () => {
    const statistics = createStatistics();
    statistics.submitted('a', 1_000);
    assert.equal(statistics.finality, undefined);
    assert.equal(statistics.meanRate, 0);
  });

  it('do not count what was paid before the replay', () => {
    const statistics = createStatistics();
    statistics.verified('of yesterday', 10, 1_000);
    assert.deepEqual([statistics.payments, statistics.unitsPaid], [0, 0]);
  });

  it('forget what is older than the window of the rate', () => {
    const statistics = createStatistics();
    for (let index = 0; index < 10; index++) {
      statistics.submitted(`${index}`, 0);
      statistics.verified(`${index}`, 1, 1_000 + index * 1_000);
    }
    assert.equal(statistics.rate(10_000), 1);
    assert.equal(statistics.rate(20_000), 0);
  });

  it('know the percentiles of a spread', () => {
    const statistics = createStatistics();
    for (let ms = 1; ms <= 100; ms++) {
      statistics.submitted(`${ms}`, 0);
      statistics.verified(`${ms}`, 1, ms);
    }
    assert.deepEqual(statistics.finality, { p50: 50, p99: 99 });
  });
});
