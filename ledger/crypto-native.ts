/**
 * Ed25519 by libsodium: what Node gets behind the door `#crypto`. Verdicts must be those of crypto-noble.ts on every
 * input; the rule stands in sign.ts, and test/contracts/signature.contract.ts holds both files to it.
 *
 * The libsodium inside sodium-native 5.1.0 decides by that very rule. Libraries taken from libsodium's later sources do
 * not: they multiply the equation by the cofactor. So the package's version is exact, and an upgrade that brings such a
 * change fails the contract suite instead of splitting the network.
 */
import sodium from 'sodium-native';
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from './limits.ts';

/** `publicKey` 32 bytes, `signature` 64 bytes, or the verdict is false. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  // libsodium reads a longer signature as if it ended after 64 bytes.
  if (publicKey.length !== ED25519_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

/** `seed` 32 bytes; the signature has 64. Deterministic (RFC 8032, section 5.1.6). */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  const { secretKey } = keyPair(seed);
  const signature = new Uint8Array(ED25519_SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, message, secretKey);
  secretKey.fill(0);
  return signature;
}

/** The 32-byte public key of a 32-byte seed. */
export function publicKeyEd25519(seed: Uint8Array): Uint8Array {
  const { publicKey, secretKey } = keyPair(seed);
  secretKey.fill(0);
  return publicKey;
}

function keyPair(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  const publicKey = new Uint8Array(ED25519_KEY_BYTES);
  // libsodium's secret key is the seed followed by the public key.
  const secretKey = new Uint8Array(2 * ED25519_KEY_BYTES);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return { publicKey, secretKey };
}
