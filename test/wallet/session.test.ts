import assert from 'node:assert/strict';
import { hex, type Units } from '../../ledger/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { dayOf, memorySpendingLog } from '../../wallet/policy.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { runCarSession } from '../../wallet/session-car-driver.ts';
import { serveChargerSession } from '../../wallet/session-charger-driver.ts';
import { leapingClock, pacedClock } from '../../wallet/session-clock.ts';
import type { SessionResult } from '../../wallet/session-ports.ts';
import { readSessionMemo } from '../../wallet/session-terms.ts';
import { amountDue } from '../../wallet/tariff.ts';
import { GENEROUS, Play, START_MS, TARIFF } from './session-play.ts';
import { streamPair } from './session-world.ts';

/** Both sides agree on everything, to the unit, and both receipts prove it to anybody. */
function assertSettled(play: Play, charger: SessionResult, car: SessionResult): void {
  assert.equal(charger.session, car.session);
  assert.equal(charger.energyWh, car.energyWh);
  assert.equal(charger.unitsDue, car.unitsDue);
  assert.equal(charger.unitsPaid, charger.unitsDue);
  assert.equal(car.unitsPaid, car.unitsDue);
  assert.deepEqual(charger.payments, car.payments);
  for (const { receipt } of [charger, car]) {
    const { ok, problems, summary } = verifyReceipt(play.genesis, receipt!);
    assert.deepEqual(problems, []);
    assert.ok(ok && summary!.settled);
    assert.equal(summary!.unitsPaid, car.unitsPaid);
  }
  assert.equal(play.time.sleeping, 0, 'somebody still waits');
}

describe('a charging session', () => {
  it('in mode stream pays after each step, and exactly the tariff in the end', async () => {
    const play = new Play();
    const { charger, car } = await play.run();
    assert.equal(charger.ended.reason, 'full');
    assert.deepEqual(car.ended, charger.ended);
    assert.equal(charger.energyWh, 11_000);
    assert.equal(charger.unitsDue, amountDue(TARIFF, 11_000, 1_800_000));
    assert.equal(play.car.paid, charger.unitsDue);
    // 11 kWh in steps of 250 Wh; the last step ends with the session.
    assert.equal(car.payments.length, 44);
    assertSettled(play, charger, car);
  });

  it('in mode settle pays once, at the end', async () => {
    const play = new Play();
    const { charger, car } = await play.run({ charger: { modes: ['settle'] } });
    assert.equal(charger.ended.reason, 'full');
    assert.equal(car.payments.length, 1);
    assert.equal(play.car.paid, amountDue(TARIFF, 11_000, 1_800_000));
    assertSettled(play, charger, car);
  });

  it('writes session, reading and head into the memo of each payment', async () => {
    const play = new Play();
    const { car } = await play.run();
    const memos = play.car.made.map(({ memo }) => readSessionMemo(memo)!);
    assert.deepEqual(new Set(memos.map(({ session }) => session)), new Set([car.session]));
    assert.equal(car.session, hex(new Uint8Array(16).fill(1)));
    assert.deepEqual(
      memos.map(({ seq }) => seq),
      Array.from({ length: 44 }, (_, i) => i + 1),
    );
    assert.equal(new Set(memos.map(({ head }) => head)).size, 44);
  });

  it('costs nothing and pays nothing for a free charger', async () => {
    const play = new Play();
    const free = { ...TARIFF, unitsPerKwh: 0, unitsPerMinute: 0 };
    const { charger, car } = await play.run({ charger: { tariff: free } });
    assert.equal(charger.energyWh, 11_000);
    assert.equal(play.car.made.length, 0);
    assertSettled(play, charger, car);
  });

  it('charges for time while a car that is nearly full takes next to nothing', async () => {
    const play = new Play();
    play.source = recordedEnergy({ wh: 3, durationMs: 600_000 });
    const { charger, car } = await play.run();
    assert.equal(charger.unitsDue, 1 + 70);
    assert.equal(car.payments.length, 10);
    assertSettled(play, charger, car);
  });

  it('does not charge for the time in which the charger waits for a payment', async () => {
    const play = new Play();
    play.ledger.fate = () => ({ finalMs: 20_000 });
    const { charger, car } = await play.run();
    assert.ok(play.time.nowMs() - START_MS > 1_800_000 + 43 * 20_000);
    assert.equal(charger.unitsDue, amountDue(TARIFF, 11_000, 1_800_000));
    assertSettled(play, charger, car);
  });

  it('goes on without pause while what is unpaid stays within what the charger allows', async () => {
    const play = new Play();
    const { charger, car } = await play.run({ charger: { unpaidMax: 230 as Units } });
    // The last payment's finality alone comes after the half hour.
    assert.ok(play.time.nowMs() - START_MS < 1_800_000 + 2000);
    assertSettled(play, charger, car);
  });

  it('ends where the car wanted it to', async () => {
    const play = new Play();
    const { charger, car } = await play.run({ car: { energyWantedWh: 3000 } });
    assert.deepEqual([charger.ended.reason, charger.ended.by], ['energy_reached', 'charger']);
    assert.ok(charger.energyWh >= 3000 && charger.energyWh < 3010, `${charger.energyWh}`);
    assertSettled(play, charger, car);
  });

  for (const side of ['car', 'charger'] as const) {
    it(`ends in order when the ${side} stops it`, async () => {
      const play = new Play();
      const stop = new AbortController();
      play.time.after(600_500, () => stop.abort());
      const deps = { signal: stop.signal };
      const { charger, car } = await play.run(side === 'car' ? { carDeps: deps } : { chargerDeps: deps });
      assert.equal(charger.ended.reason, `stopped_by_${side}`);
      assert.deepEqual([charger.ended.by, car.ended.by], [side, side]);
      assert.ok(charger.energyWh > 3000 && charger.energyWh < 4000, `${charger.energyWh}`);
      assertSettled(play, charger, car);
    });
  }

  it('in mode settle ends before more is due than the charger gives on credit', async () => {
    const play = new Play();
    const creditMax = 2000 as Units;
    const { charger, car } = await play.run({ charger: { modes: ['settle'], creditMax } });
    assert.equal(charger.ended.reason, 'credit_spent');
    assert.ok(charger.unitsDue > 1700 && charger.unitsDue <= 2000, `${charger.unitsDue}`);
    assertSettled(play, charger, car);
  });

  for (const mode of ['stream', 'settle'] as const) {
    it(`in mode ${mode} never costs more than the car's budget for a session`, async () => {
      const play = new Play();
      play.policy = { ...GENEROUS, modes: [mode], unitsPerSessionMax: 1500 };
      const { charger, car } = await play.run();
      assert.equal(charger.ended.reason, 'budget_spent');
      assert.equal(charger.ended.by, 'car');
      assert.match(charger.ended.detail, /\d+ units are due, \d+ may follow, and 1500 are allowed/);
      assert.ok(charger.unitsDue > 900 && charger.unitsDue <= 1500, `${charger.unitsDue}`);
      assertSettled(play, charger, car);
    });
  }

  it('stays within what is left of the day, and the next session within what that one left', async () => {
    const play = new Play();
    play.policy = { ...GENEROUS, unitsPerDayMax: 7000 };
    const first = await play.run();
    assert.equal(first.car.unitsPaid, 5160);
    play.source = recordedEnergy({ wh: 11_000, durationMs: 1_800_000 });
    const second = await play.run();
    assert.equal(second.car.ended.reason, 'budget_spent');
    assert.ok(second.car.unitsPaid > 1000 && second.car.unitsPaid <= 7000 - 5160, `${second.car.unitsPaid}`);
    assert.equal(play.spending.spentOn(dayOf(START_MS)), 5160 + second.car.unitsPaid);
    assertSettled(play, second.charger, second.car);
  });

  it('stops when another session of the car has spent the budget of the day meanwhile', async () => {
    const play = new Play();
    play.policy = { ...GENEROUS, unitsPerDayMax: 7000 };
    const spending = memorySpendingLog();
    play.spending = spending;
    play.time.after(900_000, () => void spending.add(dayOf(START_MS), 4380 as Units));
    const { charger, car } = await play.run();
    assert.equal(car.ended.reason, 'budget_spent');
    assert.ok(car.unitsPaid <= 7000 - 4380);
    assert.ok(spending.spentOn(dayOf(START_MS)) <= 7000);
    // What one step has cost beyond the budget stays unpaid, and both say so.
    assert.ok(charger.unitsDue - charger.unitsPaid <= 115);
    assert.ok(verifyReceipt(play.genesis, charger.receipt!).ok);
    assert.equal(JSON.parse(car.receipt!).final, true, 'it stops in order');
  });

  it('counts a payment that becomes final after the charger has given up the wait for it', async () => {
    const play = new Play();
    play.ledger.fate = () => ({ finalMs: 9000 });
    const { charger, car } = await play.run({ charger: { verifyMs: 2000, unpaidMax: 230 as Units } });
    assert.equal(charger.ended.reason, 'full', charger.ended.detail);
    assertSettled(play, charger, car);
  });

  it('has its own time in a replay at any speed', async () => {
    const play = new Play();
    const tariff = { ...TARIFF, validUntilMs: 2 ** 47 };
    const pace = pacedClock(play.time, 600, Date.UTC(2018, 2, 1));
    play.meter = () => play.source.readWh(pace.nowMs());
    const { charger, car } = await play.run({
      charger: { tariff, unpaidMax: 5000 as Units },
      chargerDeps: { pace },
      carDeps: { pace },
    });
    // Half an hour in three seconds, and then the last payment.
    assert.ok(play.time.nowMs() - START_MS < 4000, `${play.time.nowMs() - START_MS}`);
    assert.equal(charger.unitsDue, 5160);
    assert.equal(verifyReceipt(play.genesis, car.receipt!).summary!.startedAtMs, Date.UTC(2018, 2, 1));
    assertSettled(play, charger, car);
  });

  it('replays without waiting for anything but payments', async () => {
    const play = new Play();
    const pace = leapingClock(START_MS, () => play.time.sleep(0, new AbortController().signal));
    play.meter = () => play.source.readWh(pace.nowMs());
    const { charger, car } = await play.run({ chargerDeps: { pace }, carDeps: { pace } });
    const elapsedMs = play.time.nowMs() - START_MS;
    assert.equal(elapsedMs, 44 * 820);
    assert.equal(charger.unitsDue, 5160);
    assertSettled(play, charger, car);
  });

  it('runs many times at once for one charging account, and no payment counts elsewhere', async () => {
    const play = new Play();
    const cars = ['car', 'other car', 'third car', 'fourth car'].map((name) => play.ledger.wallet(name));
    const results = cars.map((car, i) => {
      const source = recordedEnergy({ wh: 4000 + 1000 * i, durationMs: 900_000 });
      const pair = streamPair();
      const charger = serveChargerSession(
        play.chargerOptions(),
        play.chargerDeps(pair.charger, { energySource: source }),
      );
      const { signer } = car;
      const meter = () => source.readWh(play.time.nowMs());
      const spending = memorySpendingLog();
      const deps = { client: car, signer, meter, spending };
      return Promise.all([charger, runCarSession(play.carOptions(), play.carDeps(pair.car, deps))]);
    });
    const ended = await play.time.until(Promise.all(results));
    for (const [i, [charger, car]] of ended.entries()) {
      assert.equal(charger.energyWh, 4000 + 1000 * i);
      assertSettled(play, charger, car);
    }
    assert.equal(new Set(ended.flatMap(([charger]) => charger.payments)).size, 16 + 20 + 24 + 28);
  });
});

describe('the drivers of a charging session', () => {
  it('let no energy flow when the charger’s signer fails', async () => {
    const play = new Play();
    let signed = 0;
    const { signer } = play.charger;
    const failing = {
      ...signer,
      sign: async (message: Uint8Array) => {
        if (++signed > 3) throw new Error('the secure element does not answer');
        return signer.sign(message);
      },
    };
    let flowing = false;
    const { source } = play;
    play.source = {
      start: () => {
        flowing = true;
        source.start();
      },
      pause: () => {
        flowing = false;
        source.pause();
      },
      resume: () => {
        flowing = true;
        source.resume();
      },
      readWh: (nowMs) => source.readWh(nowMs),
      get done() {
        return source.done;
      },
    };
    const charger = { unpaidMax: 5000 as Units };
    await assert.rejects(play.run({ charger, chargerDeps: { signer: failing } }), /secure element/);
    assert.equal(signed, 4);
    assert.equal(flowing, false);
  });

  const rejects = (play: Play, more: object, code: string, sentence: RegExp) =>
    assert.rejects(play.run(more), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
      return true;
    });

  it('refuse an offer that no car could accept', async () => {
    await rejects(new Play(), { charger: { stepWh: 0 } }, 'bad_offer', /stepWh is no integer from 1/);
    await rejects(new Play(), { charger: { unpaidMax: Number.NaN } }, 'bad_offer', /unpaidMax/);
    await rejects(new Play(), { charger: { creditMax: 100 } }, 'bad_offer', /credit of 100 units is less/);
  });

  it('refuse a policy whose limits limit nothing', async () => {
    const play = new Play();
    play.policy = { ...GENEROUS, unitsPerKwhMax: Number.NaN };
    await rejects(play, {}, 'bad_policy', /unitsPerKwhMax is NaN/);
  });
});
