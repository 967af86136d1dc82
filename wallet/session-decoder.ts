/**
 * Shapes and bounds of session messages. The counterpart may be hostile: a message has exactly the fields of its type,
 * each within its bounds, or it is refused as a whole.
 */
import { type Refusal, UNITS_MAX } from '../ledger/index.ts';
import { END_REASONS, type SessionMessage } from './session-messages.ts';
import {
  CURRENCY_LENGTH_MAX,
  SESSION_MS_MAX,
  SESSION_WH_MAX,
  UNITS_PER_KWH_MAX,
  UNITS_PER_MINUTE_MAX,
} from './tariff.ts';

/** A sentence for a log. */
export const DETAIL_LENGTH_MAX = 200;

/** At most DETAIL_LENGTH_MAX printable characters, or the counterpart refuses the message. */
export function clip(detail: string): string {
  return detail.slice(0, DETAIL_LENGTH_MAX).replaceAll(/\p{C}/gu, ' ');
}

/** 1 TWh: what a meter's register may show. */
export const METER_WH_MAX = 1_000_000_000_000;

/** The largest payment has 16 transfers and 256 bytes of memo: 1,061 bytes; other schemes may double it. */
export const PAYMENT_BYTES_MAX = 8192;

/** Readings of a session. A step of a second for half a day, or of 100 Wh for 5 MWh. */
export const READINGS_MAX = 50_000;

/** More often than this, readings cost more than they tell. */
export const STEP_MS_MIN = 100;

/** A reading is also the sign of life. */
export const STEP_MS_MAX = 3_600_000;

/** Until the year 10889: 48 bits. */
export const TIME_MS_MAX = 2 ** 48 - 1;

/** Undefined when the value is right, else what is wrong with it. */
type Check = (value: unknown) => string | undefined;
type Shape = Readonly<Record<string, Check>>;

/** An integer within bounds; neither NaN nor -0 nor a bigint is one. */
export function integer(min: number, max: number): Check {
  return (value) =>
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    !Object.is(value, -0) &&
    value >= min &&
    value <= max
      ? undefined
      : `is no integer from ${min} to ${max}`;
}

/** Lower-case hex of exactly, or of at most, so many bytes. */
export function hexText(bytesMin: number, bytesMax = bytesMin): Check {
  return (value) =>
    typeof value === 'string' &&
    value.length % 2 === 0 &&
    value.length >= 2 * bytesMin &&
    value.length <= 2 * bytesMax &&
    /^[0-9a-f]*$/.test(value)
      ? undefined
      : `is no lower-case hex of ${bytesMin} to ${bytesMax} bytes`;
}

/** Printable text: what ends in a log or on a display must not steer it. */
export function text(lengthMin: number, lengthMax: number, pattern = /^[^\p{C}]*$/u): Check {
  return (value) =>
    typeof value === 'string' &&
    value.length >= lengthMin &&
    value.length <= lengthMax &&
    pattern.test(value) &&
    value.isWellFormed()
      ? undefined
      : `is no printable text of ${lengthMin} to ${lengthMax} characters`;
}

export function oneOf(values: readonly unknown[]): Check {
  return (value) => (values.includes(value) ? undefined : `is none of ${values.join(', ')}`);
}

/** Exactly these fields. */
export function object(shape: Shape): Check {
  const fields = Object.keys(shape);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no object';
    for (const field of fields) {
      if (!Object.hasOwn(value, field)) return `has no ${field}`;
      const problem = shape[field]!((value as Record<string, unknown>)[field]);
      if (problem !== undefined) return `.${field} ${problem}`;
    }
    const extra = Object.keys(value).find((field) => !Object.hasOwn(shape, field));
    return extra === undefined ? undefined : `has an unknown field ${JSON.stringify(extra.slice(0, 40))}`;
  };
}

/** So many items, each right. */
export function list(item: Check, min: number, max: number): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'is no list';
    if (value.length < min || value.length > max) return `has ${value.length} items, not ${min} to ${max}`;
    for (let i = 0; i < value.length; i++) {
      const problem = item(value[i]);
      if (problem !== undefined) return `[${i}] ${problem}`;
    }
    return undefined;
  };
}

function bytes(min: number, max: number): Check {
  return (value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
      ? undefined
      : `is not ${min} to ${max} bytes`;
}

/** Scheme 0 alone is in use; the signature check refuses the reserved ones. */
const SCHEME = integer(0, 2);
/** Ed25519 to ML-DSA-44. */
const SIGNATURE = bytes(64, 2420);

export const AMOUNT = integer(0, UNITS_MAX);
const SESSION_ID = hexText(16);
export const MODE = oneOf(['stream', 'settle']);
export const DETAIL = text(0, DETAIL_LENGTH_MAX);
export const REASON = oneOf(END_REASONS);

export const TARIFF: Shape = {
  unitsPerKwh: integer(0, UNITS_PER_KWH_MAX),
  unitsPerMinute: integer(0, UNITS_PER_MINUTE_MAX),
  currency: text(1, CURRENCY_LENGTH_MAX, /^[\x20-\x7e]*$/),
  validUntilMs: integer(0, TIME_MS_MAX),
};

/** Fields of the offer that are the same in a receipt, where keys are hex. */
export const STEP_TERMS: Shape = {
  session: SESSION_ID,
  tariff: object(TARIFF),
  unpaidMax: AMOUNT,
  creditMax: AMOUNT,
  stepWh: integer(1, SESSION_WH_MAX),
  stepMs: integer(STEP_MS_MIN, STEP_MS_MAX),
  startedAtMs: integer(0, TIME_MS_MAX),
};

export const ENERGY_WANTED = integer(0, SESSION_WH_MAX);

export const METERED: Shape = {
  meterWh: integer(0, METER_WH_MAX),
  ms: integer(0, SESSION_MS_MAX),
  due: AMOUNT,
};

const PARTY = object({ scheme: SCHEME, publicKey: bytes(32, 1312) });
const READING: Shape = { seq: integer(0, READINGS_MAX - 1), ...METERED, signature: SIGNATURE };

const SHAPES = {
  offer: { version: oneOf([1]), charger: PARTY, modes: list(MODE, 1, 2), ...STEP_TERMS },
  accept: { car: PARTY, mode: MODE, energyWantedWh: ENERGY_WANTED, signature: SIGNATURE },
  decline: { detail: DETAIL },
  resume: { session: SESSION_ID, signature: SIGNATURE },
  tick: READING,
  end: { ...READING, reason: REASON, detail: DETAIL },
  paid: { payment: hexText(32), bytes: bytes(1, PAYMENT_BYTES_MAX), cumulative: AMOUNT },
  counted: { cumulative: AMOUNT },
  stop: { reason: REASON, detail: DETAIL },
} as const satisfies Record<SessionMessage['type'], Shape>;

const CHECKS = new Map(
  Object.entries(SHAPES).map(([type, shape]) => [type, object({ type: oneOf([type]), ...shape })]),
);

/** What came over the stream as a message, or a `malformed` that names the field. */
export function decodeSessionMessage(value: unknown): SessionMessage | Refusal {
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  const check = typeof type === 'string' ? CHECKS.get(type) : undefined;
  if (check === undefined) return { code: 'malformed', what: 'session message of no known type' };
  const problem = check(value);
  if (problem !== undefined) return { code: 'malformed', what: `session message ${type} ${problem}` };
  return value as SessionMessage;
}
