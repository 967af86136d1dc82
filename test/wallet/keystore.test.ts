import assert from 'node:assert/strict';
import { hex } from '../../ledger/index.ts';
import { checkCost, type Kdf, type KdfCost } from '../../wallet/kdf.ts';
import { argon2id as nobleArgon2id } from '../../wallet/kdf-noble.ts';
import { argon2id as nodeArgon2id } from '../../wallet/kdf-node.ts';
import { deriveKey, newPhrase } from '../../wallet/keys.ts';
import { openKeystore, readKeystoreHeader, sealKeystore } from '../../wallet/keystore.ts';
import { createSeedSigner } from '../../wallet/signer.ts';

const CHEAP: KdfCost = { memoryKib: 8 * 1024, passes: 1, lanes: 1 };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The reference implementation's test.c, Argon2id v19: memory, passes, lanes, password, salt, tag. */
const ARGON2ID: [number, number, number, string, string, string][] = [
  [65536, 2, 1, 'password', 'somesalt', '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'],
  [256, 2, 1, 'password', 'somesalt', '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'],
  [256, 2, 2, 'password', 'somesalt', '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037'],
];

for (const [name, argon2id] of Object.entries({ node: nodeArgon2id, noble: nobleArgon2id }) as [
  string,
  Kdf,
][]) {
  describe(`argon2id by ${name}`, () => {
    it('gives the reference tags', async function () {
      this.timeout(20_000);
      for (const [memoryKib, passes, lanes, password, salt, tag] of ARGON2ID) {
        if (name === 'noble' && memoryKib > 1024) continue;
        const key = await argon2id(utf8(password), utf8(salt), { memoryKib, passes, lanes }, 32);
        assert.equal(hex(key), tag);
      }
    });

    it('gives what the other one gives, at 64 bytes, several lanes and awkward passwords', async () => {
      for (const password of ['', 'ü€𝄞', 'x'.repeat(300)]) {
        const cost = { memoryKib: 100, passes: 2, lanes: 3 };
        const key = await argon2id(utf8(password), utf8('0123456789abcdef'), cost, 64);
        const other = name === 'node' ? nobleArgon2id : nodeArgon2id;
        assert.equal(hex(key), hex(await other(utf8(password), utf8('0123456789abcdef'), cost, 64)));
      }
    });

    it('opens a keystore that the other one sealed', async () => {
      const phrase = newPhrase();
      const other = name === 'node' ? nobleArgon2id : nodeArgon2id;
      const text = await sealKeystore(phrase, 'secret', { cost: CHEAP, kdf: other });
      assert.equal(await openKeystore(text, 'secret', { kdf: argon2id }), phrase);
    });
  });
}

describe('keystore', () => {
  const phrase = newPhrase();
  let text: string;
  before(async () => {
    text = await sealKeystore(phrase, 'Straße 1', { cost: CHEAP });
  });

  it('opens with the password in any Unicode form, and tells its address before', async () => {
    assert.equal(await openKeystore(text, 'Straße 1'.normalize('NFD')), phrase);
    assert.equal(readKeystoreHeader(text).address, createSeedSigner(deriveKey(phrase, 0)).address);
    assert.doesNotMatch(text, new RegExp(phrase.split(' ').slice(0, 2).join('|')));
  });

  it('two seals of one phrase share neither salt nor nonce nor secret', async () => {
    const a = JSON.parse(text);
    const b = JSON.parse(await sealKeystore(phrase, 'Straße 1', { cost: CHEAP }));
    for (const part of ['secret', 'check']) assert.notEqual(a[part], b[part]);
    assert.notEqual(a.kdf.salt, b.kdf.salt);
    assert.notEqual(a.cipher.nonce, b.cipher.nonce);
  });

  it('a wrong password is said to be one', async () => {
    await assert.rejects(openKeystore(text, 'straße 1'), {
      code: 'keystore_password',
      message: /Check capitals/,
    });
    await assert.rejects(sealKeystore(phrase, '', { cost: CHEAP }), { code: 'keystore_password' });
  });

  it('every changed field is found', async () => {
    const flip = (value: string) => (value[0] === '0' ? '1' : '0') + value.slice(1);
    const flipEnd = (value: string) => value.slice(0, -1) + flip(value.slice(-1));
    const file: Record<string, unknown> = JSON.parse(text);
    const kdf = file.kdf as Record<string, unknown>;
    const nonce = flip((file.cipher as { nonce: string }).nonce);
    const changes: [Record<string, unknown>, string][] = [
      [{ address: flip(String(file.address)) }, 'keystore_tampered'],
      [{ cipher: { name: 'aes-256-gcm', nonce } }, 'keystore_tampered'],
      [{ secret: flip(String(file.secret)) }, 'keystore_tampered'],
      [{ secret: flipEnd(String(file.secret)) }, 'keystore_tampered'],
      // These change what the password gives, so that they look like a wrong one.
      [{ kdf: { ...kdf, salt: flip(String(kdf.salt)) } }, 'keystore_password'],
      [{ kdf: { ...kdf, passes: 2 } }, 'keystore_password'],
      [{ kdf: { ...kdf, lanes: 2 } }, 'keystore_password'],
      [{ kdf: { ...kdf, memoryKib: 9 * 1024 } }, 'keystore_password'],
      [{ check: flip(String(file.check)) }, 'keystore_password'],
    ];
    for (const [change, code] of changes) {
      const changed = JSON.stringify({ ...file, ...change });
      await assert.rejects(openKeystore(changed, 'Straße 1'), { code }, JSON.stringify(change));
    }
  });

  it('a hostile file is refused before anything is computed', async () => {
    const never: Kdf = () => assert.fail('the cost was not checked first');
    const hostile: [string, unknown, string][] = [
      ['memoryKib', 100 * 1024 * 1024, 'keystore_cost'],
      ['memoryKib', 1024, 'keystore_cost'],
      ['memoryKib', 2 ** 40, 'keystore_cost'],
      ['memoryKib', 8192.5, 'keystore_cost'],
      ['memoryKib', '65536', 'keystore_format'],
      ['passes', 1e9, 'keystore_cost'],
      ['passes', 0, 'keystore_cost'],
      ['lanes', 1000, 'keystore_cost'],
      ['salt', '00'.repeat(1e6), 'keystore_format'],
      ['salt', '0x', 'keystore_format'],
      ['name', 'argon2d', 'keystore_format'],
    ];
    for (const [field, value, code] of hostile) {
      const file = JSON.parse(text);
      file.kdf[field] = value;
      const opened = openKeystore(JSON.stringify(file), 'x', { kdf: never });
      await assert.rejects(opened, { name: 'WalletError', code }, `${field} ${value}`.slice(0, 60));
    }
    assert.throws(() => checkCost({ memoryKib: 1024 * 1024, passes: 16, lanes: 1 }), {
      code: 'keystore_cost',
    });
  });

  it('anything else is no keystore, and a newer version says so', async () => {
    for (const other of ['', '{', '[]', 'null', '{}', '{"kind":"ravel-keystore"}', ' '.repeat(20_000)]) {
      await assert.rejects(openKeystore(other, 'x'), { code: 'keystore_format' }, other.slice(0, 30));
    }
    const newer = JSON.stringify({ ...JSON.parse(text), version: 2 });
    await assert.rejects(openKeystore(newer, 'x'), { code: 'keystore_version', message: /version 2/ });
  });
});
