/**
 * Signatures. Two nodes that disagree about one signature disagree for ever, so the verdict on every byte string is part
 * of the protocol, not of a library. The rule for scheme 0, Ed25519 (RFC 8032) without prehash and context:
 *
 *   The public key is 32 bytes A, the signature 64 bytes R and S, and L the order of the base point B.
 *   1. S, read little-endian, is less than L.
 *   2. A is the canonical encoding of a point: y is less than 2^255 - 19, and x = 0 has no sign.
 *   3. Neither A nor R is one of the eight points of small order.
 *   4. R equals, byte for byte, the encoding of [S]B - [k]A, with k = SHA-512(R, A, message) mod L over the bytes as
 *      they came. (Cofactorless; that R is canonical follows.)
 *
 * A point of mixed order is no error by itself: rule 4 decides. This is what libsodium decides in sodium-native 5.1.0,
 * and what OpenSSL decides apart from rule 3. "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020) has the cases in which
 * libraries differ; test/contracts/signature.contract.ts says our verdict on each.
 */
import { publicKeyEd25519, signEd25519, verifyEd25519 } from '#crypto';
import type { Scheme } from './types.ts';

const SEED_BYTES = 32;

/**
 * True when `signature` is `publicKey`'s over `message` by the rule above. Takes any bytes from anybody and never throws:
 * wrong lengths and schemes that do not exist yet (1, 2; a decoder refuses them first) are false.
 */
export function verify(
  scheme: Scheme,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return scheme === 0 && verifyEd25519(publicKey, message, signature);
}

/**
 * Ed25519 signature of 64 bytes, the same each time.
 * @param seed 32 secret bytes. Throws `seed_length` otherwise.
 */
export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  checkSeed(seed);
  return signEd25519(seed, message);
}

/**
 * The Ed25519 public key, 32 bytes, of a secret seed.
 * @param seed 32 secret bytes. Throws `seed_length` otherwise.
 */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  checkSeed(seed);
  return publicKeyEd25519(seed);
}

function checkSeed(seed: Uint8Array): void {
  if (seed.length === SEED_BYTES) return;
  const message = `an Ed25519 seed has ${SEED_BYTES} bytes, this one ${seed.length}: pass the seed, not the 64-byte secret key`;
  throw Object.assign(new RangeError(message), { code: 'seed_length' });
}
