import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as native from '../../ledger/crypto-native.ts';
import * as noble from '../../ledger/crypto-noble.ts';
import { publicKeyOf, sign, verify } from '../../ledger/sign.ts';
import { signatureContract } from '../contracts/signature.contract.ts';
import { forge, L } from '../contracts/signature-forger.ts';

signatureContract('crypto-native.ts (libsodium)', native);
signatureContract('crypto-noble.ts', noble);

const SEED = new Uint8Array(32).fill(7);
const MESSAGE = new TextEncoder().encode('ravel');

const torsion = fc.integer({ min: 0, max: 7 });
const encoding = fc.integer({ min: 0, max: 3 });
/** A tenth of the points are of small order. */
const scalar = fc.oneof({ weight: 9, arbitrary: fc.bigInt({ min: 1n, max: L - 1n }) }, fc.constant(0n));
const plan = fc.record({
  a: scalar,
  r: scalar,
  keyTorsion: torsion,
  nonceTorsion: torsion,
  keyEncoding: encoding,
  nonceEncoding: encoding,
  negateNonce: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  shift: fc.oneof({ weight: 5, arbitrary: fc.constant(0n) }, fc.bigInt({ min: 1n, max: 15n })),
  grind: fc.boolean(),
  message: fc.uint8Array({ maxLength: 40 }),
});

describe('both implementations of Ed25519 give one verdict', () => {
  it('on signatures made with mixed orders, other encodings and shifted scalars, and it is the expected one', () => {
    const seen = { taken: 0, onlyCofactored: 0, unreduced: 0, other: 0 };
    fc.assert(
      fc.property(plan, (drawn) => {
        const { publicKey, message, signature, verdict, balanced, reduced } = forge(drawn);
        assert.equal(native.verifyEd25519(publicKey, message, signature), verdict, 'libsodium');
        assert.equal(noble.verifyEd25519(publicKey, message, signature), verdict, 'noble');
        if (verdict) seen.taken++;
        else if (!reduced) seen.unreduced++;
        else if (!balanced) seen.onlyCofactored++;
        else seen.other++;
      }),
      { seed: 20_261_121, numRuns: 600 },
    );
    for (const [kind, count] of Object.entries(seen)) assert.ok(count >= 20, `${kind}: ${count}`);
  });

  it('on keys at the edges of the field, canonical or not', () => {
    const p = (1n << 255n) - 19n;
    const good = forge({ ...fixed, a: 5n, r: 7n });
    let points = 0;
    for (let y = 0n; y < 64n; y++) {
      for (const value of [y, p - 32n + y, y | (1n << 255n), (p - 32n + y) | (1n << 255n)]) {
        const key = new Uint8Array(32);
        for (let i = 0; i < 32; i++) key[i] = Number((value >> BigInt(8 * i)) & 0xffn);
        const verdict = native.verifyEd25519(key, good.message, good.signature);
        assert.equal(noble.verifyEd25519(key, good.message, good.signature), verdict, `y = ${value}`);
        const asR = good.signature.slice();
        asR.set(key);
        const verdictOfR = native.verifyEd25519(good.publicKey, good.message, asR);
        assert.equal(noble.verifyEd25519(good.publicKey, good.message, asR), verdictOfR, `R: y = ${value}`);
        points++;
      }
    }
    assert.equal(points, 256);
  });

  it('on bytes without sense', () => {
    fc.assert(
      fc.property(bytesOf(32), fc.uint8Array({ maxLength: 8 }), bytesOf(64), (key, message, signature) => {
        const verdict = native.verifyEd25519(key, message, signature);
        assert.equal(noble.verifyEd25519(key, message, signature), verdict);
      }),
      { seed: 20_261_122, numRuns: 200 },
    );
  });

  it('and one signature for one seed and message', () => {
    fc.assert(
      fc.property(bytesOf(32), fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        assert.deepEqual(native.publicKeyEd25519(seed), noble.publicKeyEd25519(seed));
        assert.deepEqual(native.signEd25519(seed, message), noble.signEd25519(seed, message));
      }),
      { seed: 20_261_123, numRuns: 60 },
    );
  });
});

const fixed = {
  a: 0n,
  r: 0n,
  keyTorsion: 0,
  nonceTorsion: 0,
  keyEncoding: 0,
  nonceEncoding: 0,
  negateNonce: false,
  shift: 0n,
  grind: false,
  message: MESSAGE,
};

function bytesOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

describe('a signature', () => {
  it('is of its scheme: what no scheme 1 or 2 exists for is refused', () => {
    const signature = sign(SEED, MESSAGE);
    assert.equal(verify(0, publicKeyOf(SEED), MESSAGE, signature), true);
    assert.equal(verify(1, publicKeyOf(SEED), MESSAGE, signature), false);
    assert.equal(verify(2, publicKeyOf(SEED), MESSAGE, signature), false);
  });

  it('is made from a seed of 32 bytes, and from nothing else', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => sign(new Uint8Array(length), MESSAGE), { code: 'seed_length' });
      assert.throws(() => publicKeyOf(new Uint8Array(length)), { code: 'seed_length' });
    }
  });

  it('leaves the seed as it was', () => {
    const seed = SEED.slice();
    sign(seed, MESSAGE);
    assert.deepEqual(seed, SEED);
  });
});
