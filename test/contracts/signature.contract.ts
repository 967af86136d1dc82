/** What every implementation of Ed25519 behind the door `#crypto` answers: the rule of ledger/sign.ts, case by case. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hex, unhex } from '../../ledger/bytes.ts';
import type * as native from '../../ledger/crypto-native.ts';
import { encodingsOf, forge, L, littleEndian, TORSION } from './signature-forger.ts';

/** The door `#crypto`; crypto-native.ts is what TypeScript checks callers against. */
export type SignatureDoor = typeof native;

interface Vector {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

function vectors<V extends Vector>(file: string): readonly V[] {
  const text = readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { vectors: readonly V[] }).vectors;
}

const RFC_8032 = vectors<Vector & { readonly name: string; readonly seed: string }>('ed25519-rfc8032.json');

/** The cases of "Taming the many EdDSAs", table 5, in its order, and what Ravel says to each. */
const SPECCHECK: readonly (readonly [verdict: boolean, why: string])[] = [
  [false, 'A and R of small order, S = 0: any message passes without rule 3'],
  [false, 'A of small order: one signature for many messages'],
  [false, 'R of small order, A of mixed order'],
  [true, 'A and R of mixed order, and the equation holds even without cofactor'],
  [false, 'A and R of mixed order: holds only when multiplied by the cofactor'],
  [
    false,
    'A of mixed order, R not: holds only when multiplied by the cofactor, and not when 8k is reduced first',
  ],
  [false, 'S above L'],
  [false, 'S far above L'],
  [false, 'R of small order and not canonical; the challenge hashes R as canonical'],
  [false, 'R of small order and not canonical; the challenge hashes R as it came'],
  [false, 'A of small order and not canonical; the challenge hashes A as canonical'],
  [false, 'A of small order and not canonical; the challenge hashes A as it came'],
];

const MESSAGE = new TextEncoder().encode('ravel');

/** Two scalars without meaning. */
const a = 0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdefn % L;
const r = 0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321n % L;

const PLAIN = {
  a,
  r,
  keyTorsion: 0,
  nonceTorsion: 0,
  keyEncoding: 0,
  nonceEncoding: 0,
  negateNonce: false,
  shift: 0n,
  grind: true,
  message: MESSAGE,
};

export function signatureContract(name: string, door: SignatureDoor): void {
  const verdict = ({ publicKey, message, signature }: Record<keyof Vector, Uint8Array>) =>
    door.verifyEd25519(publicKey, message, signature);

  describe(`${name} decides signatures by the rule`, () => {
    it('signs and verifies as RFC 8032 section 7.1 says', () => {
      assert.equal(RFC_8032.length, 5);
      for (const { name, seed, publicKey, message, signature } of RFC_8032) {
        assert.equal(hex(door.publicKeyEd25519(unhex(seed))), publicKey, name);
        assert.equal(hex(door.signEd25519(unhex(seed), unhex(message))), signature, name);
        assert.equal(door.verifyEd25519(unhex(publicKey), unhex(message), unhex(signature)), true, name);
      }
    });

    it('says what Ravel says to the twelve cases in which libraries differ', () => {
      const cases = vectors('ed25519-speccheck.json');
      assert.equal(cases.length, SPECCHECK.length);
      for (const [i, { publicKey, message, signature }] of cases.entries()) {
        const [expected, why] = SPECCHECK[i]!;
        const given = door.verifyEd25519(unhex(publicKey), unhex(message), unhex(signature));
        assert.equal(given, expected, `case ${i}: ${why}`);
      }
    });

    it('refuses a key of small order, however encoded, although the equation holds', () => {
      let seen = 0;
      for (let keyTorsion = 0; keyTorsion < 8; keyTorsion++) {
        for (let keyEncoding = 0; keyEncoding < encodingsOf(keyTorsion).length; keyEncoding++) {
          for (let nonceTorsion = 0; nonceTorsion < 8; nonceTorsion++) {
            const forged = forge({ ...PLAIN, a: 0n, keyTorsion, keyEncoding, nonceTorsion });
            assert.equal(verdict(forged), false, `A = ${hex(forged.publicKey)}`);
            seen++;
          }
        }
      }
      assert.equal(seen, 14 * 8);
    });

    it('refuses an R of small order, however encoded, although the equation holds', () => {
      let seen = 0;
      for (let nonceTorsion = 0; nonceTorsion < 8; nonceTorsion++) {
        for (let nonceEncoding = 0; nonceEncoding < encodingsOf(nonceTorsion).length; nonceEncoding++) {
          for (let keyTorsion = 0; keyTorsion < 8; keyTorsion++) {
            const forged = forge({ ...PLAIN, r: 0n, nonceTorsion, nonceEncoding, keyTorsion });
            assert.equal(verdict(forged), false, `R = ${hex(forged.signature.subarray(0, 32))}`);
            seen++;
          }
        }
      }
      assert.equal(seen, 14 * 8);
    });

    it('takes points of mixed order exactly when the equation holds without the cofactor', () => {
      const seen = { true: 0, false: 0 };
      for (let keyTorsion = 0; keyTorsion < TORSION.length; keyTorsion++) {
        for (let nonceTorsion = 0; nonceTorsion < TORSION.length; nonceTorsion++) {
          for (const grind of [true, false]) {
            const forged = forge({ ...PLAIN, keyTorsion, nonceTorsion, grind });
            assert.equal(verdict(forged), forged.verdict, `A + ${keyTorsion} T, R + ${nonceTorsion} T`);
            seen[`${forged.verdict}`]++;
          }
        }
      }
      assert.ok(seen.true > 20 && seen.false > 20, JSON.stringify(seen));
    });

    it('refuses -R in the place of R, which differs in one bit', () => {
      assert.equal(verdict(forge(PLAIN)), true);
      assert.equal(verdict(forge({ ...PLAIN, negateNonce: true })), false);
    });

    it('refuses S + L, S + 2L and so on, as far as 32 bytes hold them', () => {
      assert.equal(verdict(forge(PLAIN)), true);
      for (let shift = 1n; shift < 16n; shift++) {
        const forged = forge({ ...PLAIN, shift });
        assert.equal(forged.reduced, false, 'the shifted S fits 32 bytes');
        assert.equal(verdict(forged), false, `S + ${shift}L`);
      }
    });

    it('refuses S = 0, S = L and S of all ones', () => {
      const { publicKey, message, signature } = forge(PLAIN);
      for (const s of [0n, 1n, L - 1n, L, L + 1n, (1n << 252n) - 1n, 1n << 252n, (1n << 256n) - 1n]) {
        const other = signature.slice();
        other.set(littleEndian(s), 32);
        assert.equal(door.verifyEd25519(publicKey, message, other), false, `S = ${s}`);
      }
    });

    it('refuses after any one bit of key, message or signature was flipped', () => {
      const { publicKey, message, signature } = RFC_8032[1]!;
      const parts = [unhex(publicKey), unhex(message), unhex(signature)] as const;
      let flips = 0;
      for (const part of parts) {
        for (let bit = 0; bit < part.length * 8; bit++) {
          part[bit >> 3]! ^= 1 << (bit & 7);
          assert.equal(door.verifyEd25519(...parts), false, `bit ${bit}`);
          part[bit >> 3]! ^= 1 << (bit & 7);
          flips++;
        }
      }
      assert.equal(flips, (32 + 1 + 64) * 8);
      assert.equal(door.verifyEd25519(...parts), true);
    });

    it('refuses keys and signatures of wrong length, without throwing', () => {
      const { publicKey, message, signature } = forge(PLAIN);
      const longer = (bytes: Uint8Array) => new Uint8Array([...bytes, 0]);
      for (const length of [0, 1, 31]) {
        assert.equal(door.verifyEd25519(publicKey.subarray(0, length), message, signature), false);
      }
      for (const length of [0, 32, 63]) {
        assert.equal(door.verifyEd25519(publicKey, message, signature.subarray(0, length)), false);
      }
      assert.equal(door.verifyEd25519(longer(publicKey), message, signature), false);
      assert.equal(door.verifyEd25519(publicKey, message, longer(signature)), false);
      assert.equal(door.verifyEd25519(publicKey, message, signature), true);
    });

    it('reads its arguments as windows of larger and of shared memory', () => {
      const { publicKey, message, signature } = forge(PLAIN);
      for (const buffer of [new ArrayBuffer(512), new SharedArrayBuffer(512)]) {
        const window = (at: number, bytes: Uint8Array) => {
          const view = new Uint8Array(buffer, at, bytes.length);
          view.set(bytes);
          return view;
        };
        const parts = [window(3, publicKey), window(101, message), window(203, signature)] as const;
        assert.equal(door.verifyEd25519(...parts), true);
        new Uint8Array(buffer)[204]! ^= 1;
        assert.equal(door.verifyEd25519(...parts), false);
      }
    });
  });
}
