import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  amountDue,
  SESSION_MS_MAX,
  SESSION_WH_MAX,
  stepCost,
  UNITS_PER_KWH_MAX,
  UNITS_PER_MINUTE_MAX,
} from '../../wallet/tariff.ts';

const of = (unitsPerKwh: number, unitsPerMinute: number) => ({
  unitsPerKwh,
  unitsPerMinute,
  currency: 'unit',
  validUntilMs: 0,
});

/** The rule in integers of any size. */
function exactly(unitsPerKwh: number, unitsPerMinute: number, wh: number, ms: number): bigint {
  return (BigInt(wh) * BigInt(unitsPerKwh)) / 1000n + (BigInt(ms) * BigInt(unitsPerMinute)) / 60_000n;
}

describe('the tariff', () => {
  // units a kWh, units a minute, Wh, ms -> due
  const ROWS: readonly (readonly [number, number, number, number, number])[] = [
    [0, 0, 5000, 5000, 0],
    [300, 0, 1000, 0, 300],
    [300, 0, 999, 0, 299],
    [300, 0, 3, 0, 0],
    [300, 0, 4, 0, 1],
    [0, 60, 0, 999, 0],
    [0, 60, 0, 1000, 1],
    [7, 7, 1999, 119_999, 26],
    // Each part loses its own fraction: 0.5 and 0.5 do not make 1.
    [500, 30, 1, 1000, 0],
  ];
  for (const [kwh, minute, wh, ms, due] of ROWS) {
    it(`asks ${due} for ${wh} Wh at ${kwh} a kWh and ${ms} ms at ${minute} a minute`, () => {
      assert.equal(amountDue(of(kwh, minute), wh, ms), due);
    });
  }

  it('is exact to the unit up to its limits', () => {
    const nat = (max: number) => fc.oneof(fc.integer({ min: 0, max }), fc.integer({ min: max - 2000, max }));
    fc.assert(
      fc.property(
        nat(UNITS_PER_KWH_MAX),
        nat(UNITS_PER_MINUTE_MAX),
        nat(SESSION_WH_MAX),
        nat(SESSION_MS_MAX),
        (kwh, minute, wh, ms) => {
          assert.equal(BigInt(amountDue(of(kwh, minute), wh, ms)), exactly(kwh, minute, wh, ms));
        },
      ),
      { seed: 1, numRuns: 5000 },
    );
  });

  it('never asks less for more, and for one step never more than a step costs', () => {
    const nat = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(
        nat(1_000_000),
        nat(100_000),
        nat(100_000),
        nat(10_000_000),
        nat(500),
        nat(60_000),
        (...values) => {
          const [kwh, minute, wh, ms, stepWh, stepMs] = values;
          const tariff = of(kwh, minute);
          const rise = amountDue(tariff, wh + stepWh, ms + stepMs) - amountDue(tariff, wh, ms);
          assert.ok(rise >= 0);
          assert.ok(rise <= stepCost(tariff, { stepWh, stepMs }));
        },
      ),
      { seed: 2, numRuns: 2000 },
    );
  });
});
