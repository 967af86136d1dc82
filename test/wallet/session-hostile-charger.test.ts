import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { runCarSession } from '../../wallet/session-car-driver.ts';
import type { RunCarOptions } from '../../wallet/session-options.ts';
import type { SessionResult } from '../../wallet/session-ports.ts';
import { GENEROUS, Play, START_MS, TARIFF } from './session-play.ts';
import { PuppetCharger } from './session-puppet.ts';
import { signerOf, streamPair } from './session-world.ts';

interface Outcome {
  readonly play: Play;
  readonly car: SessionResult;
  readonly charger: PuppetCharger;
}

/** Runs a true car against a scripted charger. */
async function against(
  script: (charger: PuppetCharger) => Promise<void>,
  options: Partial<RunCarOptions> = {},
): Promise<Outcome> {
  const play = new Play();
  const pair = streamPair();
  const charger = new PuppetCharger(play, pair.charger);
  play.meter = () => charger.ownWh;
  const played = script(charger).then(() => charger.hearAll());
  const car = runCarSession(play.carOptions(options), play.carDeps(pair.car));
  const [result] = await play.time.until(Promise.all([car, played]));
  assert.equal(play.time.sleeping, 0, 'somebody still waits');
  return { play, car: result, charger };
}

/** Two honest steps of 250 Wh, paid; then what the row does. */
async function twoSteps(charger: PuppetCharger): Promise<void> {
  await charger.agree();
  await charger.reading(0, 0);
  for (const [wh, ms] of [
    [250, 30_000],
    [500, 60_000],
  ] as const) {
    await charger.honest(wh, ms);
    await charger.hear('paid');
  }
}

/** floor(500 * 450 / 1000) + floor(60000 * 7 / 60000) */
const PAID = 225 + 7;

describe('a car', () => {
  it('pays an honest scripted charger, so that the rows below fail for their own reason', async () => {
    const { car, play } = await against(async (charger) => {
      await twoSteps(charger);
      await charger.honest(600, 70_000, 600, true);
      const paid = await charger.hear('paid');
      await charger.sleep(1000);
      await charger.say({ type: 'counted', cumulative: paid!.cumulative });
    });
    assert.equal(car.ended.reason, 'full');
    assert.equal(car.unitsPaid, 278);
    assert.ok(verifyReceipt(play.genesis, car.receipt!).summary!.settled);
  });

  type Row = readonly [
    rule: string,
    reason: string,
    sentence: RegExp,
    lie: (charger: PuppetCharger) => Promise<void>,
  ];
  const ROWS: readonly Row[] = [
    [
      'energy that it has not seen',
      'meter_differs',
      /shows 1500 Wh, the car has seen 500 Wh/,
      (charger) => charger.honest(1500, 90_000, 500),
    ],
    [
      'energy beyond losses in cable and converter',
      'meter_differs',
      /shows 807 Wh, the car has seen 749 Wh/,
      (charger) => charger.honest(807, 90_000, 749),
    ],
    [
      'more energy than it can take in the time, whatever its own meter shows',
      'meter_differs',
      /20000 Wh in 90000 ms are more than 400000 W/,
      (charger) => charger.honest(20_000, 90_000),
    ],
    [
      'anything when its own meter is broken',
      'meter_differs',
      /the car has seen NaN Wh/,
      (charger) => charger.honest(750, 90_000, Number.NaN),
    ],
    [
      'a unit too much',
      'due_wrong',
      /750 Wh and 90000 ms cost 347 units, and 348 are asked for/,
      async (charger) => {
        await charger.sleep(30_000);
        charger.ownWh = 777 + 750;
        await charger.reading(750, 90_000, { due: 348 as Units });
      },
    ],
    [
      'a unit too little, as nobody knows what that charger counts',
      'due_wrong',
      /cost 347 units, and 346 are asked for/,
      async (charger) => {
        await charger.sleep(30_000);
        charger.ownWh = 777 + 750;
        await charger.reading(750, 90_000, { due: 346 as Units });
      },
    ],
    [
      'another price in the middle of the session',
      'due_wrong',
      /cost 347 units, and 460 are asked for/,
      async (charger) => {
        charger.offered = { ...charger.offered, tariff: { ...TARIFF, unitsPerKwh: 600 } };
        await charger.honest(750, 90_000);
      },
    ],
    [
      'a second offer',
      'protocol',
      /offer came out of turn/,
      (charger) => charger.offer({ tariff: { ...TARIFF, unitsPerKwh: 600 } }),
    ],
    [
      'a meter that falls',
      'reading_wrong',
      /the meter fell from 5500 to 5400 Wh/,
      (charger) => charger.honest(400, 90_000),
    ],
    [
      'time that runs backwards',
      'reading_wrong',
      /the time fell from 60000 to 50000 ms/,
      (charger) => charger.reading(750, 50_000),
    ],
    [
      'time that runs ahead',
      'reading_wrong',
      /3600000 ms are counted, and 6\d{4} ms went by/,
      (charger) => charger.reading(500, 3_600_000),
    ],
    [
      'a reading left out',
      'reading_wrong',
      /reading 4 came instead of reading 3/,
      (charger) => charger.reading(500, 120_000, { seq: 4 }),
    ],
    [
      'readings for every watt-hour',
      'reading_wrong',
      /reading 3 came after 1 Wh and 1000 ms only/,
      (charger) => charger.honest(501, 61_000),
    ],
    [
      'a reading twice that is not the same',
      'reading_wrong',
      /reading 2 came twice and differs/,
      (charger) => charger.reading(501, 61_000, { seq: 2 }),
    ],
    [
      'a reading that nobody signed',
      'signature_wrong',
      /reading 3 is not signed by the charger/,
      async (charger) => {
        await charger.sleep(30_000);
        charger.ownWh += 250;
        await charger.reading(750, 90_000, { signature: new Uint8Array(64) });
      },
    ],
    [
      'more energy than any session has',
      'reading_wrong',
      /are more than a session may have/,
      (charger) => charger.reading(6_000_000, 90_000),
    ],
    [
      'a count of more than it has paid',
      'protocol',
      /233 units counted/,
      (charger) => charger.say({ type: 'counted', cumulative: 233 }),
    ],
    [
      'a count that falls',
      'protocol',
      /100 units counted, 232 before/,
      async (charger) => {
        await charger.say({ type: 'counted', cumulative: 232 });
        await charger.say({ type: 'counted', cumulative: 100 });
      },
    ],
    ['garbage', 'protocol', /no known type/, (charger) => charger.say([1, 2, 3])],
    [
      'a reading that is no number',
      'protocol',
      /tick \.meterWh is no integer/,
      (charger) =>
        charger.say({
          type: 'tick',
          seq: 3,
          meterWh: Number.NaN,
          ms: 0,
          due: 0,
          signature: new Uint8Array(64),
        }),
    ],
    [
      'a message of its own side',
      'protocol',
      /paid came out of turn/,
      (charger) =>
        charger.say({ type: 'paid', payment: 'aa'.repeat(32), bytes: new Uint8Array(9), cumulative: 1 }),
    ],
    [
      'readings after the last one',
      'protocol',
      /a reading came after the last one/,
      async (charger) => {
        await charger.honest(750, 90_000, 750, true);
        await charger.reading(1000, 120_000);
      },
    ],
    ['silence', 'silent', /nothing new came for 150000 ms/, async () => {}],
  ];
  for (const [rule, reason, sentence, lie] of ROWS) {
    it(`does not pay for ${rule}`, async () => {
      const { car, play, charger } = await against(async (puppet) => {
        await twoSteps(puppet);
        await lie(puppet);
      });
      assert.equal(car.ended.reason, reason, car.ended.detail);
      assert.match(car.ended.detail, sentence);
      assert.ok(play.car.paid <= PAID || reason === 'protocol', `${play.car.paid} units were paid`);
      // It says why, and its receipt holds what was true until then.
      const said = charger.heard.find((message) => message.type === 'stop');
      assert.equal(said?.type === 'stop' && said.reason, reason);
      const verdict = verifyReceipt(play.genesis, car.receipt!);
      assert.deepEqual(verdict.problems, []);
    });
  }

  it('takes a reading that comes twice for one', async () => {
    const { car, play } = await against(async (charger) => {
      await twoSteps(charger);
      const [, , reading] = charger.chain.readings;
      const signature = new Uint8Array(64);
      await charger.say({ type: 'tick', ...reading, signature });
      await charger.sleep(10_000);
    });
    assert.equal(car.ended.reason, 'silent');
    assert.equal(play.car.paid, PAID);
  });

  it('does not pay a charger that goes on after it was asked to stop', async () => {
    const stop = new AbortController();
    const play = new Play();
    const pair = streamPair();
    const charger = new PuppetCharger(play, pair.charger);
    play.meter = () => charger.ownWh;
    const script = async () => {
      await twoSteps(charger);
      stop.abort();
      for (let step = 3; step < 40; step++) {
        await charger.honest(250 * step, 30_000 * step).catch(() => {});
      }
      await charger.hearAll();
    };
    const car = runCarSession(play.carOptions(), play.carDeps(pair.car, { signal: stop.signal }));
    const [result] = await play.time.until(Promise.all([car, script()]));
    assert.equal(result.ended.reason, 'silent');
    assert.equal(play.car.paid, PAID);
    // Nor does that charger keep it there: silence is counted from the word to stop.
    assert.ok(JSON.parse(result.receipt!).ended.atMs < START_MS + 60_000 + 150_000 + 10_000);
  });

  it('pays no more than its budget, whatever the last reading says', async () => {
    const { car, play } = await against(
      async (charger) => {
        await charger.agree();
        await charger.reading(0, 0);
        await charger.honest(5000, 100_000, 5000, true);
      },
      { policy: { ...GENEROUS, unitsPerSessionMax: 1000 } },
    );
    assert.equal(car.ended.reason, 'budget_spent');
    assert.equal(play.car.paid, 1000);
    assert.equal(car.unitsDue, 2261);
  });

  it('goes without a word of thanks when the charger never counts what it was paid', async () => {
    const { car, play } = await against(async (charger) => {
      await twoSteps(charger);
      await charger.honest(750, 90_000, 750, true);
    });
    assert.equal(car.ended.reason, 'silent');
    assert.equal(play.car.paid, 347);
    assert.ok(
      verifyReceipt(play.genesis, car.receipt!).summary!.settled,
      'its receipt proves that all is paid',
    );
  });

  it('declines a charger that wants to be paid to the car’s own account, or to an unexpected one', async () => {
    const { scheme, publicKey } = signerOf('car');
    const own = await against((charger) => charger.offer({ charger: { scheme, publicKey } }));
    assert.equal(own.car.ended.reason, 'declined');
    assert.match(own.car.ended.detail, /account of the car/);
    const expected = signerOf('another charger').address;
    const other = await against((charger) => charger.offer(), { charger: expected });
    assert.equal(other.car.ended.reason, 'declined');
    assert.ok(other.car.ended.detail.includes(expected));
    assert.equal(other.car.receipt, undefined);
  });

  it('is not held up by a charger that takes no messages', async () => {
    const play = new Play();
    const pair = streamPair();
    const stuck = { ...pair.car, send: () => new Promise<void>(() => {}) };
    const charger = new PuppetCharger(play, pair.charger);
    const car = runCarSession(play.carOptions(), play.carDeps(stuck));
    await charger.offer();
    const result = await play.time.until(car);
    assert.equal(result.ended.reason, 'disconnected');
  });
});
