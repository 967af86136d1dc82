/** Whether a car believes a reading that a charger sent. */
import { verify } from '../ledger/index.ts';
import type { ChargingPolicy } from './policy.ts';
import type { ReadingChain } from './session-chain.ts';
import type { EndReason, Tick } from './session-messages.ts';
import { statement } from './session-terms.ts';

/** What the car itself sees. */
export interface CarView {
  /** Its own meter, Wh. */
  readonly ownWh: number;
  /** Billing time, milliseconds since 1970. */
  readonly paceMs: number;
}

interface Doubt {
  readonly reason: EndReason;
  readonly detail: string;
}

const MS_PER_HOUR = 3_600_000;

/** Comparisons are written so that a NaN from a broken meter is a doubt. */
function meterDoubt(
  wh: number,
  ms: number,
  policy: ChargingPolicy,
  start: CarView,
  now: CarView,
): Doubt | undefined {
  const { meterToleranceRatio, meterToleranceWh, powerMaxW, clockToleranceMs } = policy;
  const own = now.ownWh - start.ownWh;
  if (!(wh <= own * (1 + meterToleranceRatio) + meterToleranceWh)) {
    return {
      reason: 'meter_differs',
      detail: `the charger's meter shows ${wh} Wh, the car has seen ${own} Wh`,
    };
  }
  const possible = (powerMaxW * ms * (1 + meterToleranceRatio)) / MS_PER_HOUR + meterToleranceWh;
  if (!(wh <= possible)) {
    return { reason: 'meter_differs', detail: `${wh} Wh in ${ms} ms are more than ${powerMaxW} W` };
  }
  const elapsed = now.paceMs - start.paceMs;
  if (clockToleranceMs !== undefined && !(ms <= elapsed + clockToleranceMs)) {
    return { reason: 'reading_wrong', detail: `${ms} ms are counted, and ${elapsed} ms went by` };
  }
  return undefined;
}

/**
 * The first thing that is wrong with the next reading: its numbers, its place, the car's own meter and clock, the
 * charger's signature; in this order, cheapest first.
 */
export function tickProblem(
  chain: ReadingChain,
  tick: Pick<Tick, 'seq' | 'meterWh' | 'ms' | 'due' | 'signature'>,
  final: boolean,
  policy: ChargingPolicy,
  start: CarView,
  now: CarView,
): Doubt | undefined {
  const problem = chain.problem(tick);
  if (problem !== undefined) return problem;
  const { stepWh, stepMs, charger } = chain.terms;
  const { last } = chain;
  if (last !== undefined && !final) {
    const wh = tick.meterWh - last.meterWh;
    const ms = tick.ms - last.ms;
    if (wh < stepWh && ms < stepMs) {
      return { reason: 'reading_wrong', detail: `reading ${tick.seq} came after ${wh} Wh and ${ms} ms only` };
    }
  }
  const first = chain.readings[0] ?? tick;
  const doubt = meterDoubt(tick.meterWh - first.meterWh, tick.ms, policy, start, now);
  if (doubt !== undefined) return doubt;
  const message = statement(chain.network, chain.headOf(tick), final);
  if (verify(charger.scheme, charger.publicKey, message, tick.signature)) return undefined;
  return { reason: 'signature_wrong', detail: `reading ${tick.seq} is not signed by the charger` };
}
