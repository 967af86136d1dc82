/** Shape and bounds of a receipt: exactly its fields, each within what a session allows. */
import { UNITS_MAX } from '../ledger/index.ts';
import type { Receipt } from './receipt.ts';
import {
  AMOUNT,
  DETAIL,
  ENERGY_WANTED,
  hexText,
  integer,
  list,
  METERED,
  MODE,
  object,
  oneOf,
  PAYMENT_BYTES_MAX,
  READINGS_MAX,
  REASON,
  STEP_TERMS,
  TIME_MS_MAX,
} from './session-decoder.ts';
import { SESSION_MS_MAX, SESSION_WH_MAX } from './tariff.ts';

/** Text of a receipt: a thousand payments with proofs of seven validators take about 8 million characters. */
export const RECEIPT_LENGTH_MAX = 256 * 1024 * 1024;

/** 64 certificates with paths of 32 siblings. */
const PROOF_BYTES_MAX = 96 * 1024;

const SIGNATURE = hexText(64, 2420);
const BY = oneOf(['car', 'charger']);
const PARTY = object({ address: hexText(32), scheme: integer(0, 2), publicKey: hexText(32, 1312) });

const PAYMENT = object({
  id: hexText(32),
  seq: integer(0, READINGS_MAX - 1),
  amount: integer(1, UNITS_MAX),
  bytes: hexText(1, PAYMENT_BYTES_MAX),
  proof: hexText(1, PROOF_BYTES_MAX),
});

const RECEIPT = object({
  version: oneOf([1]),
  network: hexText(16),
  holder: BY,
  charger: PARTY,
  car: PARTY,
  mode: MODE,
  energyWantedWh: ENERGY_WANTED,
  ...STEP_TERMS,
  carSignature: SIGNATURE,
  readings: list(object(METERED), 1, READINGS_MAX),
  chargerSignature: SIGNATURE,
  final: oneOf([true, false]),
  payments: list(PAYMENT, 0, READINGS_MAX),
  totals: object({
    wh: integer(0, SESSION_WH_MAX),
    ms: integer(0, SESSION_MS_MAX),
    due: AMOUNT,
    paid: AMOUNT,
  }),
  ended: object({ reason: REASON, by: BY, detail: DETAIL, atMs: integer(0, TIME_MS_MAX) }),
  signature: SIGNATURE,
});

/** The receipt in a text, or what keeps it from being one. */
export function parseReceipt(text: string): { readonly receipt: Receipt } | { readonly problem: string } {
  if (text.length > RECEIPT_LENGTH_MAX) {
    return { problem: `${text.length} characters are more than a receipt has (${RECEIPT_LENGTH_MAX})` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'this is not JSON' };
  }
  const problem = RECEIPT(value);
  if (problem !== undefined) return { problem: `receipt ${problem}` };
  return { receipt: value as Receipt };
}
