/** The three functions of sodium-native (libsodium) that crypto-native.ts uses; the package ships no types. */
declare module 'sodium-native' {
  const sodium: {
    /** Fills `publicKey` (32 bytes) and `secretKey` (64 bytes) from `seed` (32 bytes). */
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
    crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  };
  export = sodium;
}
