/** Who signs. Secure hardware implements the same narrow interface: the key never has to leave it. */
import { type Address, addressOf, publicKeyOf, type Scheme, sign } from '../ledger/index.ts';

export interface Signer {
  readonly scheme: Scheme;
  readonly publicKey: Uint8Array;
  readonly address: Address;
  /** Signature over the whole message (an essence), in the form of the scheme: 64 bytes for Ed25519. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A key in memory. @param seed 32 bytes, as `deriveKey` gives them; copied. */
export function createSeedSigner(seed: Uint8Array): Signer {
  const secret = seed.slice();
  const publicKey = publicKeyOf(secret);
  return {
    scheme: 0,
    publicKey,
    address: addressOf(0, publicKey),
    async sign(message) {
      return sign(secret, message);
    },
  };
}
