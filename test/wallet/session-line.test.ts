import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { runCarSession } from '../../wallet/session-car-driver.ts';
import { serveChargerSession } from '../../wallet/session-charger-driver.ts';
import { SessionLine } from '../../wallet/session-line.ts';
import type { SessionResult } from '../../wallet/session-ports.ts';
import { resuming } from '../../wallet/session-terms.ts';
import { GENEROUS, Play } from './session-play.ts';
import { PuppetCar } from './session-puppet.ts';
import { BREAK, type OnTheWay, streamPair } from './session-world.ts';

/** A short session: 1 kWh in four steps. */
function shortPlay(): Play {
  const play = new Play();
  play.source = recordedEnergy({ wh: 1000, durationMs: 120_000, registerWh: 50 });
  return play;
}

const DUE = 450 + 14;

/** Breaks the line at the n-th message, before or after it arrived; counts the messages. */
function breakAt(n: number, arrives: boolean): { readonly onTheWay: OnTheWay; count: number } {
  const counter = {
    count: 0,
    onTheWay: ((message) => {
      counter.count++;
      if (counter.count === n + (arrives ? 1 : 0)) return BREAK;
      return message;
    }) as OnTheWay,
  };
  return counter;
}

/** What holds after any end: money, energy and receipts agree as far as they can. */
function assertSound(play: Play, charger: SessionResult, car: SessionResult): void {
  assert.equal(play.time.sleeping, 0, 'somebody still waits');
  assert.ok(charger.unitsPaid <= play.car.paid, 'the charger counts no more than was paid');
  assert.ok(play.car.paid <= charger.unitsDue, 'the car pays no more than is due');
  assert.equal(car.unitsPaid, play.car.paid, 'the car has the proof of each payment');
  assert.ok(
    charger.unitsDue - charger.unitsPaid <= 100 + 116,
    `${charger.unitsDue - charger.unitsPaid} unpaid`,
  );
  const register = play.source.readWh(play.time.nowMs() + 1_000_000);
  const energyWh = charger.receipt === undefined ? 0 : charger.energyWh;
  assert.ok(register - 50 - energyWh <= 9, 'no energy flows after the end');
  for (const { receipt } of [charger, car]) {
    if (receipt !== undefined) assert.deepEqual(verifyReceipt(play.genesis, receipt).problems, []);
  }
}

describe('a session whose line breaks', () => {
  it('has 4 steps and no more than 20 messages when it does not break', async () => {
    const play = shortPlay();
    const counter = breakAt(0, false);
    play.onTheWay = counter.onTheWay;
    const { charger, car } = await play.run();
    assert.equal(charger.unitsPaid, DUE);
    assert.equal(car.payments.length, 4);
    assert.equal(counter.count, 3 + 3 * 3 + 3);
  });

  for (let n = 1; n <= 15; n++) {
    for (const arrives of [false, true]) {
      it(`ends soundly at message ${n}, which ${arrives ? 'arrives' : 'is lost'}`, async () => {
        const play = shortPlay();
        play.onTheWay = breakAt(n, arrives).onTheWay;
        const { charger, car } = await play.run();
        assertSound(play, charger, car);
        if (n < 15) {
          // From message 12 on the car is full, and what matters is whether it has heard so, and paid.
          const reasons = n < 12 ? ['disconnected'] : ['disconnected', 'full', 'unpaid'];
          assert.ok(reasons.includes(charger.ended.reason), charger.ended.reason);
          assert.ok(reasons.includes(car.ended.reason), car.ended.reason);
          assert.equal(charger.ended.reason === 'full', charger.unitsPaid === DUE);
        }
      });
    }
  }
});

/** A charger that takes new lines, as one behind `handleStream` does, and a car that comes back after each break. */
async function withReturns(play: Play, lines: readonly OnTheWay[], graceMs = 60_000) {
  const served: Promise<SessionResult>[] = [];
  let opened = 0;
  const open = () => {
    const pair = streamPair(lines[opened++]);
    served.push(serveChargerSession(play.chargerOptions({ graceMs }), play.chargerDeps(pair.charger)));
    return pair.car;
  };
  const car = runCarSession(play.carOptions(), play.carDeps(open(), { reopen: async () => open() }));
  const result = await play.time.until(car);
  const results = await play.time.until(Promise.all(served));
  return { car: result, charger: results[0]!, visits: results.slice(1) };
}

describe('a car that comes back on a new line', () => {
  // Before reading 0 there is nothing to go on with.
  for (let n = 3; n <= 15; n++) {
    for (const arrives of [false, true]) {
      if (n === 3 && !arrives) continue;
      it(`goes on where it was, broken at message ${n}, which ${arrives ? 'arrived' : 'was lost'}`, async () => {
        const play = shortPlay();
        const { car, charger, visits } = await withReturns(play, [breakAt(n, arrives).onTheWay]);
        assertSound(play, charger, car);
        assert.equal(charger.ended.reason, 'full', charger.ended.detail);
        assert.equal(charger.unitsPaid, charger.unitsDue);
        assert.equal(charger.unitsPaid, DUE);
        assert.equal(car.unitsPaid, DUE);
        for (const visit of visits) assert.match(visit.ended.reason, /^(resumed|disconnected)$/);
        if (n < 15) {
          assert.equal(car.ended.reason, 'full', car.ended.detail);
          assert.equal(verifyReceipt(play.genesis, car.receipt!).summary!.settled, true);
        }
      });
    }
  }

  it('survives a line that breaks again and again', async () => {
    const play = shortPlay();
    const lines = Array.from({ length: 30 }, () => breakAt(6, false).onTheWay);
    const { car, charger } = await withReturns(play, lines);
    assert.equal(charger.ended.reason, 'full');
    assert.equal(charger.unitsPaid, DUE);
    assertSound(play, charger, car);
  });

  it('is not charged for the time in which the line was broken', async () => {
    const play = shortPlay();
    let broken = false;
    const { car, charger } = await withReturns(play, [
      (message) => {
        broken ||= message.type === 'counted';
        return broken ? BREAK : message;
      },
    ]);
    assert.equal(charger.unitsDue, DUE);
    assertSound(play, charger, car);
  });

  it('is given up by a charger that it does not reach in time', async () => {
    const play = shortPlay();
    const pair = streamPair(breakAt(8, false).onTheWay);
    const charger = serveChargerSession(
      play.chargerOptions({ graceMs: 20_000 }),
      play.chargerDeps(pair.charger),
    );
    let tries = 0;
    const reopen = () => {
      tries++;
      return Promise.reject(new Error('no route to the charger'));
    };
    const car = runCarSession(play.carOptions({ graceMs: 15_000 }), play.carDeps(pair.car, { reopen }));
    const [chargerResult, carResult] = await play.time.until(Promise.all([charger, car]));
    assert.equal(chargerResult.ended.reason, 'disconnected');
    assert.match(chargerResult.ended.detail, /did not come back within 20000 ms/);
    assert.equal(carResult.ended.reason, 'disconnected');
    assert.equal(tries, 14);
    assertSound(play, chargerResult, carResult);
  });

  it('gives up when the charger has forgotten the session', async () => {
    const play = shortPlay();
    const pairs = [streamPair(breakAt(8, false).onTheWay)];
    const deps = play.chargerDeps(pairs[0]!.charger);
    const forgetful = { open() {}, close() {}, handOver: () => false } as unknown as typeof deps.desk;
    const served = [serveChargerSession(play.chargerOptions(), { ...deps, desk: forgetful })];
    const reopen = async () => {
      const pair = streamPair();
      served.push(
        serveChargerSession(play.chargerOptions(), { ...play.chargerDeps(pair.charger), desk: forgetful }),
      );
      return pair.car;
    };
    const car = runCarSession(play.carOptions(), play.carDeps(pairs[0]!.car, { reopen }));
    const result = await play.time.until(car);
    const visits = await play.time.until(Promise.all(served));
    assert.equal(result.ended.reason, 'disconnected');
    assert.equal(visits[0]!.ended.reason, 'disconnected');
    for (const visit of visits.slice(1)) assert.equal(visit.ended.reason, 'resumed');
    assertSound(play, visits[0]!, result);
  });

  it('leaves another charger that answers in its charger’s place', async () => {
    const play = shortPlay();
    const pair = streamPair(breakAt(8, false).onTheWay);
    const charger = serveChargerSession(play.chargerOptions(), play.chargerDeps(pair.charger));
    const others: Promise<SessionResult>[] = [];
    const reopen = async () => {
      const line = streamPair();
      const { signer } = play.ledger.wallet('another charger');
      others.push(serveChargerSession(play.chargerOptions(), play.chargerDeps(line.charger, { signer })));
      return line.car;
    };
    const car = runCarSession(play.carOptions(), play.carDeps(pair.car, { reopen }));
    const [chargerResult, carResult] = await play.time.until(Promise.all([charger, car]));
    await play.time.until(Promise.all(others));
    assert.equal(others.length, 1);
    assert.equal(carResult.ended.reason, 'disconnected');
    assert.match(carResult.ended.detail, /another charger answered/);
    assertSound(play, chargerResult, carResult);
  });

  it('is not lost again by the old line, which breaks in the same moment', async () => {
    const play = shortPlay();
    const pair = streamPair();
    const line = streamPair();
    const visitor = new SessionLine(line.charger, play.time, 1000, async () => {});
    const car = new PuppetCar(play, pair.car);
    const { signer } = play.charger;
    let signed = 0;
    const busy = {
      ...signer,
      // While the charger signs its second reading the car comes in by another line, and the old one breaks.
      sign: async (message: Uint8Array) => {
        if (++signed === 2) {
          const { session } = car.chain.terms;
          const offered = 'ee'.repeat(16);
          const signature = await play.car.signer.sign(resuming(play.genesis.network, session, offered));
          assert.ok(play.desk.handOver(session, { line: visitor, offered, signature }));
          pair.cut();
          await play.time.sleep(50, new AbortController().signal);
        }
        return signer.sign(message);
      },
    };
    const deps = play.chargerDeps(pair.charger, { signer: busy });
    const charger = serveChargerSession(play.chargerOptions({ unpaidMax: 5000 as Units }), deps);
    const again = new PuppetCar(play, line.car);
    const script = async () => {
      await car.agree();
      await car.reading();
      await again.hearAll();
    };
    const [result] = await play.time.until(Promise.all([charger, script()]));
    assert.equal(result.ended.reason, 'unpaid');
    assert.equal(result.energyWh, 1000);
    const heard = again.heard.map(({ type }) => type);
    assert.deepEqual(heard, ['tick', 'counted', 'tick', 'tick', 'end']);
  });

  it('cannot be played by somebody who only knows the session', async () => {
    const play = shortPlay();
    play.policy = { ...GENEROUS, modes: ['settle'] };
    const pair = streamPair();
    const charger = serveChargerSession(play.chargerOptions(), play.chargerDeps(pair.charger));
    const car = runCarSession(play.carOptions(), play.carDeps(pair.car));
    let visit: Promise<SessionResult> | undefined;
    let heard: unknown[] = [];
    play.time.after(60_500, () => {
      const line = streamPair();
      visit = serveChargerSession(play.chargerOptions(), play.chargerDeps(line.charger));
      void (async () => {
        await line.car.send({ type: 'resume', session: '01'.repeat(16), signature: new Uint8Array(64) });
        try {
          for await (const message of line.car.receive()) heard = [...heard, message];
        } catch {
          // The charger breaks the line.
        }
      })();
    });
    const [chargerResult, carResult] = await play.time.until(Promise.all([charger, car]));
    assert.equal((await play.time.until(visit!)).ended.reason, 'resumed');
    assert.equal(heard.length, 1, 'an offer, as anybody gets it');
    assert.equal(chargerResult.ended.reason, 'full');
    assert.equal(carResult.unitsPaid, DUE as Units);
    assertSound(play, chargerResult, carResult);
  });
});
