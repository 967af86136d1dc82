/**
 * Sessions like the public ones, for a machine that has no file of real ones.
 *
 * Fitted to 16,113 public sessions (Dundee City Council, March to June 2018): median 7.6 kWh in 35 minutes, 13 kW, 99 of
 * 100 below 46.5 kW, 133 sessions a day over 57 charge points. Left out on purpose: their long tail of cars that stay
 * plugged in over night after they are full, as it would only make a replay wait.
 */
import { createChance } from './chance.ts';
import type { RecordedSession } from './recorded-session.ts';

const MEDIAN_ENERGY_WH = 7_600;
const MEDIAN_MINUTES = 35;

/**
 * Energy and time are log-normal with one deviation, so that all energy over all time is as 7.6 kWh to 35 minutes: 13 kW.
 * Their correlation sets the spread of the power: 13 kW * exp(2.326 * 0.75 * sqrt(2 * (1 - 0.733))) = 46.5 kW.
 */
const LOG_DEVIATION = 0.75;
const CORRELATION = 0.733;

/** 133 sessions a day. */
const MEAN_GAP_MS = 86_400_000 / 133;

/** Of the public charge points the busiest six carry half of all sessions; a generated town has no more. */
const CHARGE_POINTS = 6;
const CONNECTORS = 2;

/** Monday 5 March 2018, 08:00, as in the public data. */
const FIRST_START_MS = Date.UTC(2018, 2, 5, 8);

/** `count` sessions ordered by start; the same `seed` (an integer) gives the same ones. */
export function generateSessions(options: {
  readonly count: number;
  readonly seed: number;
}): readonly RecordedSession[] {
  const chance = createChance(options.seed);
  let startMs = FIRST_START_MS;
  return Array.from({ length: options.count }, () => {
    const first = chance.normal();
    const second = CORRELATION * first + Math.sqrt(1 - CORRELATION ** 2) * chance.normal();
    const energyWh = Math.max(1, Math.round(MEDIAN_ENERGY_WH * Math.exp(LOG_DEVIATION * first)));
    const minutes = MEDIAN_MINUTES * Math.exp(LOG_DEVIATION * second);
    const session: RecordedSession = {
      // Drawing the lesser of two numbers makes the first charge points busier than the last ones.
      chargePoint: `CP${1 + Math.floor(CHARGE_POINTS * Math.min(chance.uniform(), chance.uniform()))}`,
      connector: `${1 + Math.floor(CONNECTORS * chance.uniform())}`,
      startMs: Math.round(startMs),
      endMs: Math.round(startMs + Math.max(1, minutes) * 60_000),
      energyWh,
    };
    startMs += -Math.log(1 - chance.uniform()) * MEAN_GAP_MS;
    return session;
  });
}
