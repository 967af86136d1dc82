/** Shapes that several messages share, and how a checked message becomes what the program works with. */
import { z } from 'zod';
import { HASH_BYTES, isRefusal, type Refusal } from '../ledger/index.ts';

/** Bytes of at most `max`. */
export function bytes(max: number): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= max);
}

/** 64 lower-case hex characters, as the brand that the field has. */
export function hash<H extends string>(): z.ZodType<H> {
  return z.custom<H>((value) => typeof value === 'string' && HASH.test(value));
}

const HASH = new RegExp(`^[0-9a-f]{${2 * HASH_BYTES}}$`);

/** 0 to 2^53 - 1. */
export const count = z.int().min(0);

/** A refusal as another participant words it: a known code, and short explanations. */
export const refusal = z
  .record(z.string().max(32), z.union([z.string().max(256), z.number()]))
  .refine(isRefusal) as unknown as z.ZodType<Refusal>;

/** What ends an answer that was not given. */
export const notAnswered = z.union([
  z.strictObject({ refusal }),
  z.strictObject({ failed: z.literal(true) }),
]);
