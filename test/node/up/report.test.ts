import assert from 'node:assert/strict';
import { describeReport, isGood, makeReport } from '../../../node/up/report.ts';
import { createStatistics } from '../../../node/up/statistics.ts';

const totals = { sessions: 2, settled: 2, energyWh: 15_250 };
const agreement = { supply: 1_000_000, supplyExpected: 1_000_000, agree: true, differences: [] };

function statistics() {
  const filled = createStatistics();
  filled.submitted('a', 0);
  filled.verified('a', 6_800, 100);
  filled.submitted('b', 100);
  filled.verified('b', 62, 300);
  return filled;
}

describe('the report of a replay', () => {
  it('has the fields that programs rely on, in one order', () => {
    assert.equal(
      JSON.stringify(makeReport(totals, statistics(), agreement)),
      '{"sessions":2,"settled":2,"payments":2,"energyWh":15250,"unitsPaid":6862,"finalityMs":{"p50":100,"p99":200},' +
        '"paymentsPerSecond":6.7,"supply":1000000,"supplyExpected":1000000,"validatorsAgree":true}',
    );
  });

  it('says nothing about the finality of no payments', () => {
    const report = makeReport(totals, createStatistics(), agreement);
    assert.deepEqual(report.finalityMs, { p50: null, p99: null });
    assert.equal(describeReport(report, 1_000, [])[1], '0 payments, 0 a second.');
  });

  it('is good only when all is settled, the supply is right and the validators agree', () => {
    assert(isGood(makeReport(totals, statistics(), agreement)));
    assert(!isGood(makeReport({ ...totals, settled: 1 }, statistics(), agreement)));
    assert(!isGood(makeReport(totals, statistics(), { ...agreement, supply: 999_999 })));
    assert(!isGood(makeReport(totals, statistics(), { ...agreement, supply: undefined })));
    assert(!isGood(makeReport(totals, statistics(), { ...agreement, agree: false })));
  });

  it('is told in sentences', () => {
    assert.deepEqual(describeReport(makeReport(totals, statistics(), agreement), 65_000, []), [
      '2 of 2 sessions settled in 1:05: 15.3 kWh for 6,862 units.',
      '2 payments, 6.7 a second; final in 100 ms (median; p99 200 ms), measured from',
      "the car's submission to the station's own check of the proof.",
      'The supply is 1,000,000 units, as in the genesis.',
      'The validators agree about every balance.',
    ]);
  });
});
