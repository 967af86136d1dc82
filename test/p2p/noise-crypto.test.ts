import assert from 'node:assert/strict';
import { pureJsCrypto } from '@libp2p/noise';
import fc from 'fast-check';
import { noiseCrypto } from '../../p2p/noise-crypto.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 3_000 });

function plain(data: { subarray(): Uint8Array }): Uint8Array {
  return new Uint8Array(data.subarray());
}

describe('what noise computes with', () => {
  it('seals and opens frames as noble does', () => {
    fc.assert(
      fc.property(bytes, nonce, fc.uint8Array({ maxLength: 40 }), key, (data, once, additional, secret) => {
        const expected = plain(pureJsCrypto.chaCha20Poly1305Encrypt(data, once, additional, secret));
        assert.deepEqual(
          plain(noiseCrypto.chaCha20Poly1305Encrypt(data, once, additional, secret)),
          expected,
        );
        assert.deepEqual(
          plain(noiseCrypto.chaCha20Poly1305Decrypt(expected, once, additional, secret)),
          data,
        );
      }),
    );
  });

  it('opens no frame that was changed or cut', () => {
    fc.assert(
      fc.property(bytes, nonce, key, fc.nat(), (data, once, secret, at) => {
        const none = new Uint8Array(0);
        const sealed = plain(noiseCrypto.chaCha20Poly1305Encrypt(data, once, none, secret));
        const changed = sealed.slice();
        changed[at % changed.length]! ^= 1;
        for (const bad of [changed, sealed.subarray(1), sealed.subarray(0, 15), none])
          assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(bad, once, none, secret));
      }),
    );
  });

  it('hashes and derives keys as noble does', () => {
    fc.assert(
      fc.property(bytes, key, (data, chainingKey) => {
        assert.deepEqual(plain(noiseCrypto.hashSHA256(data)), plain(pureJsCrypto.hashSHA256(data)));
        const expected = pureJsCrypto.getHKDF(chainingKey, data).map(plain);
        assert.deepEqual(noiseCrypto.getHKDF(chainingKey, data).map(plain), expected);
      }),
    );
  });

  it('agrees on the secret that noble agrees on', () => {
    fc.assert(
      fc.property(key, (seed) => {
        const mine = noiseCrypto.generateX25519KeyPairFromSeed(seed);
        assert.deepEqual(mine, pureJsCrypto.generateX25519KeyPairFromSeed(seed));
        const theirs = noiseCrypto.generateX25519KeyPair();
        const shared = plain(noiseCrypto.generateX25519SharedKey(mine.privateKey, theirs.publicKey));
        assert.deepEqual(
          shared,
          plain(pureJsCrypto.generateX25519SharedKey(theirs.privateKey, mine.publicKey)),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('shares no secret over a public key of small order', () => {
    const { privateKey } = noiseCrypto.generateX25519KeyPair();
    for (const first of [0, 1]) {
      const publicKey = new Uint8Array(32);
      publicKey[0] = first;
      assert.throws(() => noiseCrypto.generateX25519SharedKey(privateKey, publicKey));
    }
  });
});
