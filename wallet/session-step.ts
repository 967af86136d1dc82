/** What a look at the charger's meter means: the step goes on, it ends with a reading, or the session ends. */
import type { ReadingChain } from './session-chain.ts';
import { METER_WH_MAX, READINGS_MAX } from './session-decoder.ts';
import type { EndReason } from './session-messages.ts';
import { amountDue, SESSION_MS_MAX, SESSION_WH_MAX, stepCost } from './tariff.ts';

interface LastStep {
  readonly reason: EndReason;
  readonly detail: string;
}

/**
 * @param chain With reading 0 at least.
 * @param meterWh What the meter shows; anything when it is broken.
 * @param ms Time charged for until now.
 * @param done The car takes no more.
 */
export function lookAtMeter(
  chain: ReadingChain,
  meterWh: number,
  ms: number,
  done: boolean,
): 'on' | 'step' | LastStep {
  const first = chain.readings[0]!;
  const last = chain.last!;
  const { stepWh, stepMs, energyWantedWh, mode, tariff, creditMax } = chain.terms;
  const wh = meterWh - first.meterWh;
  // Written so that NaN is no reading.
  if (!(meterWh >= last.meterWh && meterWh <= METER_WH_MAX)) {
    return { reason: 'reading_wrong', detail: `the meter went from ${last.meterWh} to ${meterWh} Wh` };
  }
  if (wh >= SESSION_WH_MAX || ms >= SESSION_MS_MAX || chain.readings.length >= READINGS_MAX - 1) {
    return { reason: 'limit_reached', detail: `${wh} Wh, ${ms} ms, ${chain.readings.length} readings` };
  }
  if (done) return { reason: 'full', detail: `the car takes no more after ${wh} Wh` };
  if (energyWantedWh > 0 && wh >= energyWantedWh) {
    return { reason: 'energy_reached', detail: `${wh} of ${energyWantedWh} Wh were delivered` };
  }
  if (meterWh - last.meterWh < stepWh && ms - last.ms < stepMs) return 'on';
  const due = amountDue(tariff, wh, ms);
  if (mode === 'settle' && due + stepCost(tariff, chain.terms) > creditMax) {
    return { reason: 'credit_spent', detail: `${due} units are due, and ${creditMax} are given on credit` };
  }
  return 'step';
}
