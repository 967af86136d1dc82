/**
 * What @libp2p/noise computes with, by libsodium and node:crypto, in place of its own choice.
 *
 * Its default encrypts frames below 1,200 bytes in WebAssembly and larger ones by `createCipheriv` with the raw key, which
 * makes a key object for each frame. Encrypting one frame took, in microseconds, with 28, 300, 1,200, 2,500, 8,000 and 65,000
 * bytes: default 1.1, 3.9, 21, 22, 25, 78; `createCipheriv` with a kept key object 4.9, 5.0, 6.4, 7.4, 13, 59; libsodium 0.6,
 * 1.0, 1.7, 3.1, 8.4, 66. Most frames are small.
 */
import { createHash, hkdfSync } from 'node:crypto';
import type { ICryptoInterface, KeyPair } from '@libp2p/noise';
import sodium from 'sodium-native';

/** The functions that are used here, as sodium-native declares none. They throw for what has a wrong length or does not hold. */
interface Sodium {
  crypto_box_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void;
  crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
  crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void;
  crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: Uint8Array,
    plain: Uint8Array,
    additional: Uint8Array | null,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    plain: Uint8Array,
    unused: null,
    sealed: Uint8Array,
    additional: Uint8Array | null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void;
}

const libsodium = sodium as unknown as Sodium;

/** Of keys, hashes and shared secrets. */
const KEY_BYTES = 32;

const TAG_BYTES = 16;

/** Noise asks for three keys at once. */
const HKDF_BYTES = 3 * KEY_BYTES;

export const noiseCrypto: ICryptoInterface = {
  hashSHA256: (data) => createHash('sha256').update(data.subarray()).digest(),

  getHKDF(chainingKey, input) {
    const made = new Uint8Array(hkdfSync('sha256', input, chainingKey, new Uint8Array(0), HKDF_BYTES));
    return [
      made.subarray(0, KEY_BYTES),
      made.subarray(KEY_BYTES, 2 * KEY_BYTES),
      made.subarray(2 * KEY_BYTES),
    ];
  },

  generateX25519KeyPair(): KeyPair {
    const pair = { publicKey: new Uint8Array(KEY_BYTES), privateKey: new Uint8Array(KEY_BYTES) };
    libsodium.crypto_box_keypair(pair.publicKey, pair.privateKey);
    return pair;
  },

  generateX25519KeyPairFromSeed(seed): KeyPair {
    const publicKey = new Uint8Array(KEY_BYTES);
    libsodium.crypto_scalarmult_base(publicKey, seed);
    return { publicKey, privateKey: seed };
  },

  /** Throws for a public key of small order, with which all would share the same secret. */
  generateX25519SharedKey(privateKey, publicKey) {
    const shared = new Uint8Array(KEY_BYTES);
    libsodium.crypto_scalarmult(shared, privateKey.subarray(), publicKey.subarray());
    return shared;
  },

  chaCha20Poly1305Encrypt(plain, nonce, additional, key) {
    const sealed = new Uint8Array(plain.byteLength + TAG_BYTES);
    libsodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed,
      plain.subarray(),
      orNull(additional),
      null,
      nonce,
      key,
    );
    return sealed;
  },

  chaCha20Poly1305Decrypt(sealed, nonce, additional, key) {
    const plain = new Uint8Array(Math.max(0, sealed.byteLength - TAG_BYTES));
    libsodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      plain,
      null,
      sealed.subarray(),
      orNull(additional),
      nonce,
      key,
    );
    return plain;
  },
};

/** libsodium takes no empty array where it takes nothing. */
function orNull(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : bytes;
}
