import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import {
  type ChargingPolicy,
  dayOf,
  judgeOffer,
  type Means,
  memorySpendingLog,
  reserveOf,
} from '../../wallet/policy.ts';
import type { Offer } from '../../wallet/session-messages.ts';
import { stepCost } from '../../wallet/tariff.ts';
import { signerOf } from './session-world.ts';

const NOW_MS = Date.UTC(2026, 4, 1, 12);

const POLICY: ChargingPolicy = {
  unitsPerKwhMax: 500,
  unitsPerMinuteMax: 10,
  unitsPerSessionMax: 10_000,
  unitsPerDayMax: 20_000,
  modes: ['settle', 'stream'],
  powerMaxW: 22_000,
  meterToleranceRatio: 0.1,
  meterToleranceWh: 10,
  clockToleranceMs: 60_000,
};

const { scheme, publicKey, address } = signerOf('charger');

const OFFER: Offer = {
  type: 'offer',
  version: 1,
  session: '00'.repeat(16),
  charger: { scheme, publicKey },
  tariff: { unitsPerKwh: 500, unitsPerMinute: 10, currency: 'unit', validUntilMs: NOW_MS },
  modes: ['stream', 'settle'],
  unpaidMax: 200 as Units,
  creditMax: 9000 as Units,
  stepWh: 100,
  stepMs: 60_000,
  startedAtMs: NOW_MS,
};

const MEANS: Means = { paceMs: NOW_MS, dayLeft: 20_000, balance: 50_000 };

describe('a charging policy', () => {
  type Row = readonly [
    what: string,
    policy: Partial<ChargingPolicy>,
    offer: Partial<Offer>,
    means: Partial<Means>,
    verdict: 'stream' | 'settle' | RegExp,
  ];
  const { tariff } = OFFER;
  const ROWS: readonly Row[] = [
    ['at every limit, in the car’s favourite mode', {}, {}, {}, 'settle'],
    ['in the one mode that both allow', {}, { modes: ['stream'] }, {}, 'stream'],
    ['in the one mode that the car allows', { modes: ['stream'] }, {}, {}, 'stream'],
    [
      'in no common mode',
      { modes: ['settle'] },
      { modes: ['stream'] },
      {},
      /the charger offers stream; allowed: settle/,
    ],
    [
      'a unit a kWh too dear',
      {},
      { tariff: { ...tariff, unitsPerKwh: 501 } },
      {},
      /501 units a kWh are more than the limit of 500/,
    ],
    [
      'a unit a minute too dear',
      {},
      { tariff: { ...tariff, unitsPerMinute: 11 } },
      {},
      /11 units a minute are more than the limit of 10/,
    ],
    ['a price of yesterday', {}, {}, { paceMs: NOW_MS + 1 }, /the price was valid until \d+, and it is \d+/],
    ['a clock that is a minute off', {}, { startedAtMs: NOW_MS - 60_000 }, {}, 'settle'],
    ['a clock that is more off', {}, { startedAtMs: NOW_MS - 60_001 }, {}, /the charger's clock shows \d+/],
    ['a clock ahead', {}, { startedAtMs: NOW_MS + 60_001 }, {}, /the charger's clock shows \d+/],
    // A step costs 50 + 10 + 2 = 62. Settle needs three of them, stream 200 more.
    ['just enough to begin', {}, {}, { balance: 186 }, 'settle'],
    ['a unit too little', {}, {}, { balance: 185 }, /186 units are needed to begin; .* balance 185/],
    ['just enough to begin to stream', { modes: ['stream'] }, {}, { dayLeft: 386 }, 'stream'],
    [
      'too little left of the day',
      { modes: ['stream'] },
      {},
      { dayLeft: 385 },
      /386 units are needed to begin; session budget 10000, left today 385, balance 50000/,
    ],
    ['a day overspent', {}, {}, { dayLeft: -5 }, /left today -5/],
    ['a budget too small', { unitsPerSessionMax: 185 }, {}, {}, /session budget 185/],
  ];
  for (const [what, policy, offer, means, verdict] of ROWS) {
    it(`${verdict instanceof RegExp ? 'declines' : `accepts in mode ${verdict}`}: ${what}`, () => {
      const judged = judgeOffer({ ...POLICY, ...policy }, { ...OFFER, ...offer }, { ...MEANS, ...means });
      if (verdict instanceof RegExp) {
        assert.ok(!judged.accepted);
        assert.match(judged.detail, verdict);
      } else assert.deepEqual(judged, { accepted: true, mode: verdict });
    });
  }

  it('pays only the charger that it expects', () => {
    assert.ok(judgeOffer(POLICY, OFFER, MEANS, address).accepted);
    const judged = judgeOffer(POLICY, OFFER, MEANS, signerOf('car').address);
    assert.ok(!judged.accepted);
    assert.match(judged.detail, new RegExp(`the charger is ${address}`));
  });

  it('does not look at the clock when there is none in common', () => {
    const { clockToleranceMs: _, ...policy } = POLICY;
    assert.ok(judgeOffer(policy, { ...OFFER, startedAtMs: 0 }, MEANS).accepted);
  });

  it('keeps back what the charger may leave unpaid, and two steps', () => {
    assert.equal(stepCost(tariff, OFFER), 62);
    assert.equal(reserveOf(OFFER, 'stream'), 200 + 2 * 62);
    assert.equal(reserveOf(OFFER, 'settle'), 2 * 62);
  });
});

describe('a spending log', () => {
  it('adds up by days of UTC', async () => {
    const log = memorySpendingLog();
    const day = dayOf(NOW_MS);
    assert.equal(day, dayOf(Date.UTC(2026, 4, 1)));
    assert.equal(day + 1, dayOf(Date.UTC(2026, 4, 2)));
    assert.equal(log.spentOn(day), 0);
    const added = log.add(day, 5 as Units);
    assert.equal(log.spentOn(day), 5, 'at once');
    await added;
    await log.add(day + 1, 7 as Units);
    await log.add(day, 6 as Units);
    assert.deepEqual([log.spentOn(day), log.spentOn(day + 1)], [11, 7]);
  });
});
