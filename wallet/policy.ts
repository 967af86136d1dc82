/** What a car agrees to pay for without asking anybody: prices, budgets, and how far it trusts a charger's meter. */
import type { Address, Units } from '../ledger/index.ts';
import type { Offer, SessionMode } from './session-messages.ts';
import { addressOfParty } from './session-terms.ts';
import { stepCost } from './tariff.ts';

export interface ChargingPolicy {
  readonly unitsPerKwhMax: number;
  readonly unitsPerMinuteMax: number;
  readonly unitsPerSessionMax: number;
  /** By days of UTC, over all sessions. */
  readonly unitsPerDayMax: number;
  /** Allowed modes, in the car's order of preference. */
  readonly modes: readonly SessionMode[];
  /** The most that the car can take. Readings that grow faster stop payment. */
  readonly powerMaxW: number;
  /** How much more than the car's own meter the charger's may show: losses in cable and converter, as 0.1 for 10 %, */
  readonly meterToleranceRatio: number;
  /** and this much on top, for rounding and for readings under way. */
  readonly meterToleranceWh: number;
  /** How far the charger's time may run ahead of the car's; undefined when there is no common clock (a fast replay). */
  readonly clockToleranceMs?: number;
}

/** What was spent on each day; the caller keeps it over restarts. */
export interface SpendingLog {
  /** Units spent on a day, as `dayOf` numbers them. */
  spentOn(day: number): Units;
  /** Counts at once, so that a second session sees it, and resolves when it would survive a restart. */
  add(day: number, units: Units): Promise<void>;
}

/** Days since 1970-01-01 in UTC. */
export function dayOf(nowMs: number): number {
  return Math.floor(nowMs / 86_400_000);
}

/** Forgets with the process. */
export function memorySpendingLog(): SpendingLog {
  const days = new Map<number, number>();
  return {
    spentOn: (day) => (days.get(day) ?? 0) as Units,
    add: async (day, units) => {
      days.set(day, (days.get(day) ?? 0) + units);
    },
  };
}

/** What the car can spend at this moment. */
export interface Means {
  /** Billing time, milliseconds since 1970. */
  readonly paceMs: number;
  /** unitsPerDayMax less what was spent today. */
  readonly dayLeft: number;
  readonly balance: number;
}

export type Judgement =
  | { readonly accepted: true; readonly mode: SessionMode }
  | { readonly accepted: false; readonly detail: string };

/**
 * What the car must be able to pay beyond the latest reading when it asks the charger to stop: what the charger may leave
 * unpaid, the step that it is in, and one more for a reading under way.
 */
export function reserveOf(
  offer: Pick<Offer, 'tariff' | 'stepWh' | 'stepMs' | 'unpaidMax'>,
  mode: SessionMode,
): number {
  return (mode === 'stream' ? offer.unpaidMax : 0) + 2 * stepCost(offer.tariff, offer);
}

function objection(policy: ChargingPolicy, offer: Offer, means: Means, charger: Address | undefined) {
  const { unitsPerKwh, unitsPerMinute, validUntilMs } = offer.tariff;
  const address = addressOfParty(offer.charger);
  if (charger !== undefined && address !== charger) return `the charger is ${address}, not ${charger}`;
  if (unitsPerKwh > policy.unitsPerKwhMax) {
    return `${unitsPerKwh} units a kWh are more than the limit of ${policy.unitsPerKwhMax}`;
  }
  if (unitsPerMinute > policy.unitsPerMinuteMax) {
    return `${unitsPerMinute} units a minute are more than the limit of ${policy.unitsPerMinuteMax}`;
  }
  if (validUntilMs < means.paceMs) {
    return `the price was valid until ${validUntilMs}, and it is ${means.paceMs}`;
  }
  const { clockToleranceMs } = policy;
  if (clockToleranceMs !== undefined && Math.abs(offer.startedAtMs - means.paceMs) > clockToleranceMs) {
    return `the charger's clock shows ${offer.startedAtMs}, and it is ${means.paceMs}`;
  }
  return undefined;
}

/**
 * Whether to accept an offer, and in which mode; or why not, with the numbers.
 *
 * @param charger The account that the car expects (from a code on the charger), when it knows one.
 */
export function judgeOffer(policy: ChargingPolicy, offer: Offer, means: Means, charger?: Address): Judgement {
  const detail = objection(policy, offer, means, charger);
  if (detail !== undefined) return { accepted: false, detail };
  const mode = policy.modes.find((allowed) => offer.modes.includes(allowed));
  if (mode === undefined) {
    return {
      accepted: false,
      detail: `the charger offers ${offer.modes.join(', ')}; allowed: ${policy.modes.join(', ')}`,
    };
  }
  const left = Math.min(policy.unitsPerSessionMax, means.dayLeft, means.balance);
  const needed = reserveOf(offer, mode) + stepCost(offer.tariff, offer);
  if (left < needed) {
    const detail =
      `${needed} units are needed to begin; session budget ${policy.unitsPerSessionMax}, ` +
      `left today ${means.dayLeft}, balance ${means.balance}`;
    return { accepted: false, detail };
  }
  return { accepted: true, mode };
}
