/**
 * Ed25519 by noble, in JavaScript alone: what a browser gets behind the door `#crypto`, and the oracle of
 * crypto-native.ts. It runs 20 times slower.
 *
 * noble's own `verify` is not used: it multiplies the equation by the cofactor and takes an R of small order, so it
 * accepts signatures that libsodium and OpenSSL refuse. The rule of sign.ts is written out here with noble's points.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { equalBytes } from './bytes.ts';
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from './limits.ts';

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

/** `publicKey` 32 bytes, `signature` 64 bytes, or the verdict is false. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false;
  const encodedR = signature.subarray(0, ED25519_KEY_BYTES);
  const s = integer(signature.subarray(ED25519_KEY_BYTES));
  if (s >= ORDER) return false;
  const A = decode(publicKey);
  if (A === undefined || A.isSmallOrder()) return false;
  const k = integer(sha512.create().update(encodedR).update(publicKey).update(message).digest()) % ORDER;
  const R = Point.BASE.multiplyUnsafe(s).subtract(A.multiplyUnsafe(k));
  // R comes out canonical, so comparing encodings refuses a non-canonical R too.
  return equalBytes(R.toBytes(), encodedR) && !R.isSmallOrder();
}

/** `seed` 32 bytes; the signature has 64. Deterministic (RFC 8032, section 5.1.6). */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}

/** The 32-byte public key of a 32-byte seed. */
export function publicKeyEd25519(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** The point of a canonical encoding (RFC 8032, section 5.1.3), undefined when there is none. */
function decode(bytes: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

/** Little-endian. */
function integer(bytes: Uint8Array): bigint {
  let value = 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.length - 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}
