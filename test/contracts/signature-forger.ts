/**
 * Makes the signatures that no honest signer makes: with keys and nonces of mixed order, encodings outside the canon and
 * shifted scalars, each with the verdict that follows from how it was made.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;

/** Order of the base point. */
export const L = Point.Fn.ORDER;
const P = Point.Fp.ORDER;

/** A point of order 8; its multiples 0 to 7 are all points of small order. */
const TORSION_BASE = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

/** The eight points of small order: `TORSION[i]` is i times a point of order 8. */
export const TORSION: readonly Point[] = Array.from({ length: 8 }, (_, i) =>
  TORSION_BASE.multiplyUnsafe(BigInt(i)),
);

export function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

/** Every encoding that some decoder reads as the point `torsion`; the first one is the canonical one. */
export function encodingsOf(torsion: number): Uint8Array[] {
  const { x, y } = TORSION[torsion]!.toAffine();
  const sign = (x & 1n) << 255n;
  const values = [y | sign];
  if (x === 0n) values.push(y | (1n << 255n));
  // y < 19 fits a second time below 2^255.
  if (y < 19n) values.push((y + P) | sign);
  if (y < 19n && x === 0n) values.push((y + P) | (1n << 255n));
  return values.map(littleEndian);
}

export interface Forgery {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** By the rule of ledger/sign.ts. */
  readonly verdict: boolean;
  /** The equation holds without the cofactor; times 8 it always does. */
  readonly balanced: boolean;
  /** S is less than L. */
  readonly reduced: boolean;
}

export interface ForgeryPlan {
  /** A = a * B + keyTorsion; a = 0 makes a key of small order. */
  readonly a: bigint;
  /** R = r * B + nonceTorsion; r = 0 makes an R of small order. */
  readonly r: bigint;
  readonly keyTorsion: number;
  readonly nonceTorsion: number;
  /** Which of the encodings of a small-order A and R, if there are as many. */
  readonly keyEncoding: number;
  readonly nonceEncoding: number;
  /** Write, and hash, -R in the place of R. */
  readonly negateNonce: boolean;
  /** Multiples of L added to S, as long as S fits 32 bytes. */
  readonly shift: bigint;
  /** Try messages until the equation holds without cofactor. */
  readonly grind: boolean;
  readonly message: Uint8Array;
}

function mod(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

function encode(scalar: bigint, torsion: number, choice: number): { bytes: Uint8Array; canonical: boolean } {
  if (scalar % L === 0n) {
    const encodings = encodingsOf(torsion);
    const index = choice % encodings.length;
    return { bytes: encodings[index]!, canonical: index === 0 };
  }
  return {
    bytes: Point.BASE.multiplyUnsafe(mod(scalar, L)).add(TORSION[torsion]!).toBytes(),
    canonical: true,
  };
}

function challenge(R: Uint8Array, A: Uint8Array, message: Uint8Array): bigint {
  const digest = sha512.create().update(R).update(A).update(message).digest();
  let value = 0n;
  for (let i = digest.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digest[i]!);
  return value % L;
}

/** S = r + k * a always solves the equation times 8; without the cofactor the torsion of R + k * A decides. */
export function forge(plan: ForgeryPlan): Forgery {
  const A = encode(plan.a, plan.keyTorsion, plan.keyEncoding);
  const R = encode(plan.r, plan.nonceTorsion, plan.nonceEncoding);
  if (plan.negateNonce) R.bytes[31]! ^= 0x80;
  const message = new Uint8Array(plan.message.length + 1);
  message.set(plan.message);
  for (let tries = 0; ; tries++) {
    message[plan.message.length] = tries;
    const k = challenge(R.bytes, A.bytes, message);
    const balanced = (BigInt(plan.nonceTorsion) + k * BigInt(plan.keyTorsion)) % 8n === 0n;
    if (plan.grind && !balanced && tries < 255) continue;
    const s = mod(plan.r + k * plan.a, L);
    const shifted = s + plan.shift * L < 1n << 256n ? s + plan.shift * L : s;
    const signature = new Uint8Array(64);
    signature.set(R.bytes);
    signature.set(littleEndian(shifted), 32);
    const small = plan.a % L === 0n || plan.r % L === 0n;
    const reduced = shifted < L;
    const verdict = balanced && reduced && !small && !plan.negateNonce && A.canonical && R.canonical;
    return { publicKey: A.bytes, message, signature, verdict, balanced, reduced };
  }
}
