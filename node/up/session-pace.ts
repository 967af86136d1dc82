/**
 * How the physical side of a recorded session is played: the clocks by which energy flows and is charged for, how often
 * the meter is read, and what cars and stations of a replay agree to.
 */
import type { Units } from '../../ledger/index.ts';
import {
  amountDue,
  CAR_WAITS,
  CHARGER_WAITS,
  type ChargerOffer,
  type ChargingPolicy,
  leapingClock,
  pacedClock,
  type SessionClock,
  systemClock,
  type Tariff,
} from '../../wallet/index.ts';
import type { SessionFacts } from './fleet-messages.ts';

/** 0.45 of a currency for a kWh, a usual price in public; nothing for time, so that a replay costs the same at any speed. */
const UNITS_PER_KWH = 450_000;
const CURRENCY = 'microEUR';

/** An hour: a slow session is metered at least so often, and no more often than that. */
const STEP_MS = 3_600_000;

/** The meter is looked at so often while a step flows; the step ends within that share of itself. */
const SAMPLES_PER_STEP = 4;

/** Real time between two looks at a meter: dozens of stations share one process. */
const SAMPLE_REAL_MS_MIN = 20;

/** Steps that may be unpaid while charging: enough for the energy to flow on while payments become final. */
const UNPAID_STEPS = 2;

/** A message between two processes of a busy machine may take so long, in which the two meters drift apart. */
const SKEW_REAL_MS = 2_000;

/** A payment or a proof may take this long while a validator is being restarted. */
const PATIENCE_MS = 120_000;

/** The same times, with other values. */
type Waits<T> = { readonly [K in keyof T]: number };

/** Mean power in W. */
function powerW(facts: SessionFacts): number {
  return (facts.energyWh * 3_600_000) / facts.durationMs;
}

/** The clock by which energy flows: faster than life, or leaping from one look at the meter to the next. */
export function paceOf(facts: SessionFacts): SessionClock {
  const nowMs = systemClock.nowMs();
  if (facts.speed !== 'max') return pacedClock(systemClock, facts.speed, nowMs);
  return leapingClock(nowMs, () => new Promise((resolve) => setImmediate(resolve)));
}

/** The same tariff at every station. */
export function tariffOf(nowMs: number): Tariff {
  // A session that runs faster than life may begin when its own clock is days ahead.
  const validUntilMs = nowMs + 30 * 24 * 3_600_000;
  return { unitsPerKwh: UNITS_PER_KWH, unitsPerMinute: 0, currency: CURRENCY, validUntilMs };
}

/** What a station offers for a session. */
export function offerOf(facts: SessionFacts): ChargerOffer {
  const tariff = tariffOf(systemClock.nowMs());
  const { stepWh } = facts;
  const unpaidMax = amountDue(tariff, UNPAID_STEPS * stepWh, 0);
  // Mode settle is on credit: the whole session, and a step for the meter.
  const creditMax = amountDue(tariff, facts.energyWh + 2 * stepWh, 0);
  return {
    tariff,
    modes: [facts.mode],
    unpaidMax,
    creditMax: (creditMax + 2) as Units,
    stepWh,
    stepMs: STEP_MS,
  };
}

/** How long a station waits for what, and how often it looks at the meter. */
export function chargerWaits(facts: SessionFacts): Waits<typeof CHARGER_WAITS> {
  const stepTimeMs = Math.min(STEP_MS, (facts.stepWh * 3_600_000) / powerW(facts));
  const least = facts.speed === 'max' ? 0 : SAMPLE_REAL_MS_MIN * facts.speed;
  const sampleMs = Math.max(least, stepTimeMs / SAMPLES_PER_STEP, 1);
  return { ...CHARGER_WAITS, unpaidMs: PATIENCE_MS, verifyMs: PATIENCE_MS, settleMs: PATIENCE_MS, sampleMs };
}

/** How long a car waits for what. */
export function carWaits(facts: SessionFacts): Waits<typeof CAR_WAITS> {
  const stepRealMs = facts.speed === 'max' ? 0 : STEP_MS / facts.speed;
  return {
    ...CAR_WAITS,
    settleMs: PATIENCE_MS,
    silenceMs: 2 * stepRealMs + PATIENCE_MS + CAR_WAITS.silenceMs,
  };
}

/**
 * What a car agrees to. Its budgets are as large as its money: a replay is about payments, not about refusing them. There
 * is no common clock when time runs faster than life.
 */
export function policyOf(facts: SessionFacts): ChargingPolicy {
  const skewWh =
    facts.speed === 'max' ? facts.energyWh : (powerW(facts) * facts.speed * SKEW_REAL_MS) / 3_600_000;
  return {
    unitsPerKwhMax: UNITS_PER_KWH,
    unitsPerMinuteMax: 0,
    unitsPerSessionMax: Number.MAX_SAFE_INTEGER,
    unitsPerDayMax: Number.MAX_SAFE_INTEGER,
    modes: [facts.mode],
    powerMaxW: powerW(facts) * 2 + 1_000,
    meterToleranceRatio: 0.1,
    meterToleranceWh: facts.stepWh + skewWh,
  };
}

/** The car's own meter: it sees the recorded power for as long as it is asked. */
export function carMeter(facts: SessionFacts, pace: SessionClock): () => number {
  const beganMs = pace.nowMs();
  return () => Math.floor((powerW(facts) * (pace.nowMs() - beganMs)) / 3_600_000);
}
