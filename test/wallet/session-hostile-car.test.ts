import assert from 'node:assert/strict';
import { decodePayment, type Payment, type Units } from '../../ledger/index.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { serveChargerSession } from '../../wallet/session-charger-driver.ts';
import type { ServeChargerDeps, ServeChargerOptions } from '../../wallet/session-options.ts';
import type { SessionResult } from '../../wallet/session-ports.ts';
import { sessionMemo } from '../../wallet/session-terms.ts';
import { Play } from './session-play.ts';
import { PuppetCar } from './session-puppet.ts';
import { signerOf, streamPair } from './session-world.ts';

interface Outcome {
  readonly play: Play;
  readonly charger: SessionResult;
  readonly car: PuppetCar;
}

/** Runs a true charger against a scripted car. */
async function against(
  script: (car: PuppetCar) => Promise<void>,
  options: Partial<ServeChargerOptions> = {},
  deps: Partial<ServeChargerDeps> = {},
  play = new Play(),
): Promise<Outcome> {
  const pair = streamPair();
  const car = new PuppetCar(play, pair.car);
  const played = script(car).then(() => car.hearAll());
  const charger = serveChargerSession(play.chargerOptions(options), play.chargerDeps(pair.charger, deps));
  const [result] = await play.time.until(Promise.all([charger, played]));
  assert.equal(play.time.sleeping, 0, 'somebody still waits');
  return { play, charger: result, car };
}

/** The first step is paid truly: 250 Wh cost 112 units, and 41 seconds cost 4. */
async function oneStep(car: PuppetCar): Promise<void> {
  await car.agree();
  await car.reading();
  const { due } = await car.reading();
  assert.equal(due, STEP);
  await car.pay(due);
  assert.equal((await car.hear('counted'))!.cumulative, STEP);
  await car.reading();
}

const STEP = 116;

describe('a charger', () => {
  it('serves an honest scripted car, so that the rows below fail for their own reason', async () => {
    const { charger, play } = await against(async (car) => {
      await oneStep(car);
      await car.say({ type: 'stop', reason: 'stopped_by_car', detail: '' });
      const { due } = await car.reading();
      await car.pay(due - STEP);
    });
    assert.equal(charger.ended.reason, 'stopped_by_car');
    assert.equal(charger.unitsPaid, charger.unitsDue);
    assert.ok(verifyReceipt(play.genesis, charger.receipt!).summary!.settled);
  });

  it('stops delivering to a car that does not pay, after one step beyond what it allows', async () => {
    let delivering = false;
    const play = new Play();
    const { source } = play;
    play.source = {
      start: () => {
        delivering = true;
        source.start();
      },
      pause: () => {
        delivering = false;
        source.pause();
      },
      resume: () => assert.fail('nothing was paid'),
      readWh: (nowMs) => source.readWh(nowMs),
      get done() {
        return source.done;
      },
    };
    const { charger } = await against((car) => car.agree(), {}, {}, play);
    assert.equal(charger.ended.reason, 'unpaid');
    assert.match(charger.ended.detail, /116 units were unpaid for 30000 ms/);
    assert.ok(charger.energyWh < 260, `${charger.energyWh} Wh`);
    assert.equal(delivering, false);
    const { ok, summary } = verifyReceipt(play.genesis, charger.receipt!);
    assert.ok(ok && !summary!.settled);
    assert.equal(summary!.unitsPaid, 0);
  });

  type Lie = (car: PuppetCar) => Promise<unknown>;
  /** `counts`: what does in the end; a true payment does, whatever is said about it. */
  type Row = readonly [rule: string, reason: string, sentence: RegExp, lie: Lie, counts?: number];
  const otherSession = '99'.repeat(16);
  const ROWS: readonly Row[] = [
    [
      'a payment to somebody else',
      'payment_wrong',
      /pays nothing to the charger/,
      (car) => car.pay(STEP, { to: signerOf('other car').address }),
    ],
    [
      'a payment without a word about what it is for',
      'payment_wrong',
      /names no session/,
      (car) => car.pay(STEP, { memo: new Uint8Array() }),
    ],
    [
      'a payment for another session',
      'payment_wrong',
      /is for session 9999/,
      (car) => car.pay(STEP, { memo: sessionMemo(otherSession, 2, car.chain.head) }),
    ],
    [
      'a payment for a reading that was not made',
      'payment_wrong',
      /a reading 3 that was not made/,
      (car) => car.pay(STEP, { memo: sessionMemo(car.chain.terms.session, 3, car.chain.head) }),
    ],
    [
      'a payment for other readings than it has signed',
      'payment_wrong',
      /a reading 2 that was not made/,
      (car) => car.pay(STEP, { memo: sessionMemo(car.chain.terms.session, 2, new Uint8Array(32)) }),
    ],
    [
      'a payment from another account',
      'payment_wrong',
      /comes from [0-9a-f]{64}, not from the car/,
      (car) => car.pay(STEP, { wallet: car.play.ledger.wallet('other car') }),
    ],
    [
      'a payment that is said to be more',
      'payment_wrong',
      /payments make 232 units, the car says 233/,
      (car) => car.pay(STEP, { cumulative: 233 }),
      2 * STEP,
    ],
    [
      'a payment of more than is due',
      'payment_wrong',
      /payments make 316 units, the car says 316, 234 are due/,
      (car) => car.pay(200),
    ],
    [
      'a payment under another one’s id',
      'payment_wrong',
      /is in truth/,
      async (car) => {
        const sent = await car.pay(STEP, { silent: true });
        await car.tell('cd'.repeat(32), sent.bytes, STEP);
      },
      2 * STEP,
    ],
    [
      'bytes that are no payment',
      'payment_wrong',
      /is malformed/,
      (car) => car.tell('cd'.repeat(32), new Uint8Array(200), STEP),
    ],
    [
      'a payment whose rival is final',
      'payment_dead',
      /payment is payment_dead/,
      async (car) => {
        car.play.ledger.fate = () => ({ deadMs: 900 });
        await car.pay(STEP);
      },
    ],
    [
      'a payment that does not become final in time',
      'unpaid',
      /118 units were unpaid for 30000 ms/,
      async (car) => {
        car.play.ledger.fate = () => ({});
        await car.pay(STEP);
      },
    ],
    [
      'a payment that was never sent',
      'unpaid',
      /118 units were unpaid for 30000 ms/,
      async (car) => {
        const memo = sessionMemo(car.chain.terms.session, 2, car.chain.head);
        const to = car.play.charger.address;
        const bytes = car.play.car.draft([{ to, amount: STEP as never }], memo);
        const { id } = decodePayment(bytes, car.play.genesis.network) as Payment;
        await car.tell(id, bytes, STEP);
      },
    ],
    ['garbage', 'protocol', /no known type/, (car) => car.say('\u0000')],
    ['nothing at all', 'protocol', /no known type/, (car) => car.say(null)],
    [
      'an amount that is no integer',
      'protocol',
      /cumulative is no integer/,
      (car) => car.say({ type: 'paid', payment: 'cd'.repeat(32), bytes: new Uint8Array(9), cumulative: 0.5 }),
    ],
    [
      'a second acceptance',
      'protocol',
      /accept came out of turn/,
      async (car) => {
        const { scheme, publicKey } = car.play.car.signer;
        const signature = new Uint8Array(64);
        const accept = { type: 'accept', car: { scheme, publicKey }, mode: 'settle', energyWantedWh: 0 };
        await car.say({ ...accept, signature });
      },
    ],
    [
      'a message of the charger’s side',
      'protocol',
      /counted came out of turn/,
      (car) => car.say({ type: 'counted', cumulative: 1_000_000 }),
    ],
    [
      'a line that breaks',
      'disconnected',
      /aborted|broke/,
      async (car) => car.stream.abort(new Error('the car drives off')),
    ],
  ];
  for (const [rule, reason, sentence, lie, counts = STEP] of ROWS) {
    it(`does not take ${rule}, and stops`, async () => {
      const { charger, play, car } = await against(async (puppet) => {
        await oneStep(puppet);
        await lie(puppet);
      });
      assert.equal(charger.ended.reason, reason, charger.ended.detail);
      assert.match(charger.ended.detail, sentence);
      assert.equal(charger.unitsPaid, counts);
      assert.ok(charger.energyWh < 520);
      const end = car.heard.find((message) => message.type === 'end');
      if (reason !== 'disconnected') assert.equal(end?.type === 'end' && end.reason, reason);
      const { ok, problems, summary } = verifyReceipt(play.genesis, charger.receipt!);
      assert.deepEqual(problems, []);
      assert.ok(ok && !summary!.settled);
    });
  }

  it('counts no payment twice, in how many sessions and messages it may be named', async () => {
    const first = await against(async (car) => {
      await oneStep(car);
      const [payment] = car.play.car.made;
      const said = car.heard.length;
      await car.tell(payment!.id, new Uint8Array(9), 0);
      await car.sleep(5000);
      assert.equal(car.heard.length, said, 'a known payment is passed over');
      await car.say({ type: 'stop', reason: 'stopped_by_car', detail: '' });
    });
    assert.equal(first.charger.unitsPaid, STEP);
    // Even with the same session drawn again and the same readings made, what was counted is counted.
    const { play } = first;
    const random = () => new Uint8Array(16).fill(1);
    const claims = { claim: () => false };
    const again = await against(
      async (car) => {
        await car.agree();
        await car.reading();
        const { due } = await car.reading();
        await car.pay(due);
      },
      {},
      { random, claims },
      new Play(),
    );
    assert.equal(again.charger.ended.reason, 'payment_wrong');
    assert.match(again.charger.ended.detail, /was counted before/);
    assert.equal(again.charger.unitsPaid, 0);
    assert.ok(play.claims.claim('00'.repeat(32) as never));
    assert.ok(!play.claims.claim(first.charger.payments[0]!));
  });

  it('goes on only when enough is paid', async () => {
    const { charger } = await against(async (car) => {
      await car.agree();
      await car.reading();
      await car.reading();
      await car.pay(15);
      assert.equal((await car.hear('counted'))!.cumulative, 15);
    });
    assert.equal(charger.ended.reason, 'unpaid');
    assert.match(charger.ended.detail, /101 units were unpaid/);
    assert.ok(charger.energyWh < 260, `${charger.energyWh} Wh`);
  });

  it('looks at what was verified, not at what was said', async () => {
    const play = new Play();
    const wrong = play.ledger.watch(play.charger.address);
    // A client that answers with another payment: final, but not for this session.
    const client = {
      onIncoming: () => () => {},
      waitFinal: async (id: never, options: { timeoutMs: number }) => {
        const final = await wrong.waitFinal(id, options);
        return { ...final, payment: { ...final.payment, memo: new Uint8Array() } };
      },
    };
    const { charger } = await against(
      async (car) => {
        await car.agree();
        await car.reading();
        await car.pay((await car.reading()).due);
      },
      {},
      { client },
      play,
    );
    assert.equal(charger.ended.reason, 'payment_wrong');
    assert.equal(charger.unitsPaid, 0);
  });

  it('waits for no more than 64 payments of a session', async () => {
    const { charger } = await against(
      async (car) => {
        await car.agree();
        await car.reading();
        await car.reading();
        car.play.ledger.fate = () => ({});
        for (let i = 0; i < 65; i++) await car.pay(1);
      },
      { unpaidMax: 5000 as Units },
    );
    assert.equal(charger.ended.reason, 'protocol', charger.ended.detail);
    assert.match(charger.ended.detail, /64 payments wait/);
  });

  const accepts: readonly (readonly [string, RegExp, (car: PuppetCar) => Promise<void>])[] = [
    [
      'terms that the car has not signed',
      /not signed by the car/,
      (car) => car.agree('stream', { signature: new Uint8Array(64) }),
    ],
    [
      'a signature over other terms',
      /not signed by the car/,
      (car) => car.agree('stream', { energyWantedWh: 5 }),
    ],
    ['a mode that it did not offer', /mode settle was not offered/, (car) => car.agree('settle')],
    [
      'its own account as the car',
      /one account/,
      async (car) => {
        const { scheme, publicKey } = car.play.charger.signer;
        await car.agree('stream', { car: { scheme, publicKey } });
      },
    ],
  ];
  for (const [what, sentence, lie] of accepts) {
    it(`does not begin with ${what}`, async () => {
      const { charger } = await against(lie, { modes: ['stream'] });
      assert.match(charger.ended.detail, sentence);
      assert.equal(charger.energyWh, 0);
      assert.equal(charger.receipt, undefined);
    });
  }

  it('does not wait for ever for an answer', async () => {
    const { charger, play } = await against(async () => {});
    assert.equal(charger.ended.reason, 'silent');
    assert.ok(play.time.nowMs() - play.chargerOptions().tariff.validUntilMs < 0);
  });

  it('is not held up by a car that takes no messages', async () => {
    const play = new Play();
    const pair = streamPair();
    const car = new PuppetCar(play, pair.car);
    let sent = 0;
    const stuck = {
      ...pair.charger,
      send: (message: unknown) => (++sent > 2 ? new Promise<void>(() => {}) : pair.charger.send(message)),
    };
    void car.agree();
    const charger = serveChargerSession(play.chargerOptions(), play.chargerDeps(stuck));
    const result = await play.time.until(charger);
    assert.equal(result.ended.reason, 'disconnected');
    assert.ok(result.energyWh < 260);
  });

  it('believes its last good reading when its meter falls or breaks', async () => {
    for (const broken of [4_000_000, Number.NaN, Number.POSITIVE_INFINITY]) {
      const play = new Play();
      const { source } = play;
      play.source = {
        start: () => source.start(),
        pause: () => source.pause(),
        resume: () => source.resume(),
        get done() {
          return source.done;
        },
        readWh: (nowMs) => {
          const wh = source.readWh(nowMs);
          return wh > 4_000_123 + 300 ? broken : wh;
        },
      };
      const unpaidMax = 5000 as Units;
      const { charger } = await against((car) => car.agree(), { unpaidMax }, {}, play);
      assert.equal(charger.ended.reason, 'reading_wrong');
      assert.ok(charger.energyWh >= 250 && charger.energyWh <= 300, `${charger.energyWh} Wh`);
      assert.ok(verifyReceipt(play.genesis, charger.receipt!).ok);
    }
  });
});
