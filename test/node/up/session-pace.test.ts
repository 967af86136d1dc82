import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SessionFacts } from '../../../node/up/fleet-messages.ts';
import {
  carMeter,
  carWaits,
  chargerWaits,
  offerOf,
  paceOf,
  policyOf,
} from '../../../node/up/session-pace.ts';
import { amountDue, judgeOffer, type Offer } from '../../../wallet/index.ts';

const MINUTE = 60_000;

const anyFacts: fc.Arbitrary<SessionFacts> = fc.record({
  session: fc.nat(),
  member: fc.nat(),
  energyWh: fc.integer({ min: 1, max: 5_000_000 }),
  durationMs: fc.integer({ min: 1, max: 6 * 24 * 60 * MINUTE }),
  speed: fc.oneof(fc.constant('max' as const), fc.double({ min: 0.1, max: 1_000_000, noNaN: true })),
  mode: fc.constantFrom('stream' as const, 'settle' as const),
  stepWh: fc.integer({ min: 10, max: 100_000 }),
});

function offer(facts: SessionFacts): Offer {
  const charger = { scheme: 0 as const, publicKey: new Uint8Array(32) };
  return { type: 'offer', version: 1, session: '00'.repeat(16), charger, startedAtMs: 0, ...offerOf(facts) };
}

describe('a replayed session', () => {
  it('is on terms that its car accepts, whatever its energy, time and speed', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const means = { paceMs: Date.now(), dayLeft: Number.MAX_SAFE_INTEGER, balance: 1_000_000_000_000 };
        assert.deepEqual(judgeOffer(policyOf(facts), offer(facts), means), {
          accepted: true,
          mode: facts.mode,
        });
      }),
    );
  });

  it('gives credit for all of its energy in mode settle', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { tariff, creditMax } = offerOf(facts);
        assert(creditMax > amountDue(tariff, facts.energyWh, facts.durationMs));
      }),
    );
  });

  it('is metered several times a step, but no process looks at a meter all the time', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { sampleMs } = chargerWaits(facts);
        assert(sampleMs >= 1);
        if (facts.speed !== 'max')
          assert(sampleMs / facts.speed >= 20 - 1e-6, 'twenty milliseconds of real time');
      }),
    );
    const usual = {
      session: 0,
      member: 0,
      energyWh: 7_600,
      durationMs: 35 * MINUTE,
      mode: 'stream',
      stepWh: 500,
    } as const;
    const stepMs = (500 / 7_600) * 35 * MINUTE;
    for (const speed of ['max', 1, 200] as const) {
      assert(Math.abs(chargerWaits({ ...usual, speed }).sampleMs - stepMs / 4) < 1);
    }
  });

  it('lets a car wait longer for a reading than a station may take for one', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const stepMs = facts.speed === 'max' ? 0 : offerOf(facts).stepMs / facts.speed;
        assert(carWaits(facts).silenceMs > stepMs + chargerWaits(facts).unpaidMs);
      }),
    );
  });

  it("has a car's meter that never lags behind the recorded power", () => {
    const facts = {
      session: 0,
      member: 0,
      energyWh: 36_000,
      durationMs: 60 * MINUTE,
      speed: 60,
      mode: 'stream',
      stepWh: 500,
    } as const;
    let nowMs = 1_000;
    const meter = carMeter(facts, { nowMs: () => nowMs, sleep: async () => {} });
    assert.equal(meter(), 0);
    nowMs += 30 * MINUTE;
    assert.equal(meter(), 18_000);
  });

  it('at max has a clock that leaps instead of waiting', async () => {
    const facts = {
      session: 0,
      member: 0,
      energyWh: 36_000,
      durationMs: 60 * MINUTE,
      speed: 'max',
      mode: 'stream',
      stepWh: 500,
    } as const;
    const pace = paceOf(facts);
    const beganMs = pace.nowMs();
    await pace.sleep(60 * MINUTE, new AbortController().signal);
    assert.equal(pace.nowMs() - beganMs, 60 * MINUTE);
  });
});
