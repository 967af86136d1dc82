import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Units } from '../../ledger/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import type { EnergySource } from '../../wallet/session-ports.ts';
import { amountDue, stepCost } from '../../wallet/tariff.ts';
import { GENEROUS, Play } from './session-play.ts';

const nat = (max: number, min = 0) => fc.integer({ min, max });

/** A session of any size and any price, on a network of any speed. */
const SESSIONS = fc.record({
  unitsPerKwh: fc.oneof(nat(2000), nat(1_000_000)),
  unitsPerMinute: fc.oneof(fc.constant(0), nat(200)),
  wh: nat(6000),
  durationMs: nat(1_200_000, 30_000),
  stepWh: nat(700, 30),
  stepMs: nat(120_000, 2000),
  steps: nat(3),
  sampleMs: nat(900, 300),
  finalMs: fc.array(nat(9000), { minLength: 1, maxLength: 8 }),
  queueMs: nat(700),
  registerWh: nat(1_000_000_000),
  cutMessage: fc.option(nat(120, 3)),
});

type Session = typeof SESSIONS extends fc.Arbitrary<infer T> ? T : never;

interface Watched {
  readonly source: EnergySource;
  /** The most that was unpaid beyond what may be, seen at each look at the meter. */
  worst: number;
}

/** Looks over the charger's shoulder: what has flowed by now and is not counted. */
function watched(session: Session, play: Play, allowed: number): Watched {
  const { wh, durationMs, registerWh } = session;
  const inner = recordedEnergy({ wh, durationMs, registerWh });
  let flowingMs = 0;
  let sinceMs: number | undefined;
  const watch: Watched = {
    worst: Number.NEGATIVE_INFINITY,
    source: {
      start: () => {
        sinceMs = play.time.nowMs();
        inner.start();
      },
      pause: () => {
        if (sinceMs !== undefined) flowingMs += play.time.nowMs() - sinceMs;
        sinceMs = undefined;
        inner.pause();
      },
      resume: () => {
        sinceMs = play.time.nowMs();
        inner.resume();
      },
      readWh: (nowMs) => {
        const reading = inner.readWh(nowMs);
        const ms = flowingMs + (sinceMs === undefined ? 0 : play.time.nowMs() - sinceMs);
        const due = amountDue(tariffOf(session), reading - registerWh, ms);
        watch.worst = Math.max(watch.worst, due - counted - allowed);
        return reading;
      },
      get done() {
        return inner.done;
      },
    },
  };
  let counted = 0;
  play.onCounted = (units) => {
    counted = units;
  };
  return watch;
}

function tariffOf({ unitsPerKwh, unitsPerMinute }: Session) {
  return { ...play0.chargerOptions().tariff, unitsPerKwh, unitsPerMinute };
}
const play0 = new Play();

/** What can flow between two looks at the meter, and what a step costs that ends at the latest then. */
function slack(session: Session): number {
  const { wh, durationMs, sampleMs, stepWh, stepMs } = session;
  const sampleWh = Math.ceil((wh * sampleMs) / durationMs) + 1;
  return stepCost(tariffOf(session), { stepWh: stepWh + sampleWh, stepMs: stepMs + sampleMs });
}

function prepare(session: Session): { play: Play; watch: Watched; unpaidMax: Units } {
  const play = new Play();
  const { finalMs, steps } = session;
  const unpaidMax = (steps * stepCost(tariffOf(session), session)) as Units;
  const watch = watched(session, play, unpaidMax + slack(session));
  play.source = watch.source;
  play.policy = { ...GENEROUS, powerMaxW: 10_000_000 };
  play.car.queueMs = session.queueMs;
  play.ledger.fate = () => ({ finalMs: finalMs[play.car.made.length % finalMs.length]! });
  // The car's meter must not look over the same shoulder.
  const own = recordedEnergy({ wh: session.wh, durationMs: session.durationMs });
  own.start();
  play.meter = () => own.readWh(play.time.nowMs());
  return { play, watch, unpaidMax };
}

describe('any session in mode stream', () => {
  it('costs exactly what the tariff says for the last reading, and never has more than the allowed and a step unpaid', async () => {
    let payments = 0;
    await fc.assert(
      fc.asyncProperty(SESSIONS, async (session) => {
        const { play, watch, unpaidMax } = prepare(session);
        const { stepWh, stepMs, sampleMs } = session;
        const charger = {
          tariff: tariffOf(session),
          unpaidMax,
          stepWh,
          stepMs,
          sampleMs,
          modes: ['stream'] as const,
        };
        const result = await play.run({
          charger,
          chargerDeps: { onProgress: (p) => play.onCounted(p.unitsPaid) },
        });
        assert.equal(result.charger.ended.reason, 'full', result.charger.ended.detail);
        assert.equal(result.charger.energyWh, session.wh);
        const { summary, problems } = verifyReceipt(play.genesis, result.charger.receipt!);
        assert.deepEqual(problems, []);
        assert.equal(play.car.paid, amountDue(charger.tariff, session.wh, summary!.durationMs));
        assert.equal(result.charger.unitsPaid, play.car.paid);
        assert.equal(result.car.unitsPaid, play.car.paid);
        assert.ok(watch.worst <= 0, `${watch.worst} units beyond`);
        payments += result.car.payments.length;
      }),
      { seed: 5, numRuns: 25 },
    );
    assert.ok(payments > 300, `${payments} payments`);
  }).timeout(60_000);

  it('leaves no more than that unpaid when its line is cut', async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(SESSIONS, async (session) => {
        const { play, watch, unpaidMax } = prepare(session);
        let messages = 0;
        const { cutMessage } = session;
        play.cutWhen = () => ++messages === cutMessage;
        const { stepWh, stepMs, sampleMs } = session;
        const charger = {
          tariff: tariffOf(session),
          unpaidMax,
          stepWh,
          stepMs,
          sampleMs,
          modes: ['stream'] as const,
        };
        const result = await play.run({
          charger,
          chargerDeps: { onProgress: (p) => play.onCounted(p.unitsPaid) },
        });
        if (result.charger.ended.reason === 'disconnected') cuts++;
        assert.ok(watch.worst <= 0, `${watch.worst} units beyond`);
        assert.equal(result.charger.unitsPaid, play.car.paid, 'what was paid counts');
        assert.ok(play.car.paid <= result.charger.unitsDue);
        assert.ok(result.charger.unitsDue - play.car.paid <= unpaidMax + slack(session));
      }),
      { seed: 6, numRuns: 40 },
    );
    assert.ok(cuts > 10, `${cuts} cuts`);
  }).timeout(60_000);
});
