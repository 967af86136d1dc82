/** How a charging session went, for people and for programs. */
import type { SessionResult } from '../../wallet/index.ts';

/** Everything that is due is paid, and final. A session that never began is not. */
export function isSettled(result: SessionResult): boolean {
  return result.receipt !== undefined && result.unitsPaid === result.unitsDue;
}

export function describeSession(result: SessionResult): string[] {
  const { session, energyWh, unitsDue, unitsPaid, payments, ended } = result;
  if (result.receipt === undefined)
    return [`No energy was delivered: ${ended.reason} (${ended.by}): ${ended.detail}.`];
  return [
    `Session ${session}: ${(energyWh / 1000).toFixed(3)} kWh, ${unitsPaid} of ${unitsDue} units paid in ${payments.length} payments.`,
    `It ended because: ${ended.reason} (${ended.by}): ${ended.detail}.`,
  ];
}

export function sessionJson(result: SessionResult): object {
  const { session, energyWh, unitsDue, unitsPaid, payments, ended } = result;
  return { session, energyWh, unitsDue, unitsPaid, payments, settled: isSettled(result), ended };
}
