/**
 * What charging costs, and the one rounding rule. Car and charger both compute it, and a third party computes it again
 * from the receipt; a difference of one unit is an error, never a negotiation.
 */
import type { Units } from '../ledger/index.ts';

/** A price that a charger offers. Accepted once, it holds to the end of the session. */
export interface Tariff {
  /** 0 to UNITS_PER_KWH_MAX. */
  readonly unitsPerKwh: number;
  /** 0 to UNITS_PER_MINUTE_MAX, for the time in which energy was on offer; pauses that the charger makes cost nothing. */
  readonly unitsPerMinute: number;
  /** What a unit stands for, for people: 1 to CURRENCY_LENGTH_MAX printable ASCII characters, such as `microEUR`. */
  readonly currency: string;
  /** Last moment at which the offer may be accepted, milliseconds since 1970. */
  readonly validUntilMs: number;
}

/** 1,000 currency units a kWh when a unit is a millionth of one. */
export const UNITS_PER_KWH_MAX = 1_000_000_000;

/** 10 currency units a minute when a unit is a millionth of one: more than any blocking fee. */
export const UNITS_PER_MINUTE_MAX = 10_000_000;

/** 5 MWh: a lorry at 1 MW for five hours. */
export const SESSION_WH_MAX = 5_000_000;

/** A week: a car left at an airport. */
export const SESSION_MS_MAX = 7 * 24 * 3_600_000;

/** `microEUR`, `kWh-credits`. */
export const CURRENCY_LENGTH_MAX = 16;

// Both products in amountDue stay exact integers in a double: 5e15 and 6.1e15, under 2^53 = 9.007e15.

/** The quotient without its remainder. Math.floor(a / b) would round first; this is exact for all safe integers. */
function quotient(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}

/**
 * due = floor(wh * unitsPerKwh / 1000) + floor(ms * unitsPerMinute / 60000)
 *
 * @param wh Energy since the session began, an integer from 0 to SESSION_WH_MAX.
 * @param ms Time since the session began less the charger's pauses, an integer from 0 to SESSION_MS_MAX.
 */
export function amountDue(tariff: Tariff, wh: number, ms: number): Units {
  return (quotient(wh * tariff.unitsPerKwh, 1000) + quotient(ms * tariff.unitsPerMinute, 60_000)) as Units;
}

/**
 * The most by which one step can raise the amount due: the energy of a full step within the longest time of a step, and
 * one unit for each of the two roundings.
 */
export function stepCost(tariff: Tariff, step: { readonly stepWh: number; readonly stepMs: number }): Units {
  return (amountDue(tariff, step.stepWh, step.stepMs) + 2) as Units;
}
