import assert from 'node:assert/strict';
import { bech32, bech32m } from '@scure/base';
import fc from 'fast-check';
import { type Address, hex } from '../../ledger/index.ts';
import { formatAddress, parseAddress } from '../../wallet/address.ts';

const ADDRESS = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff' as Address;
const TEXT = formatAddress('ravel', ADDRESS);

describe('addresses', () => {
  it('every 32 bytes come back under every prefix, in both cases', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const prefix = fc.stringMatching(/^[a-z]{1,16}$/);
    fc.assert(
      fc.property(prefix, bytes, (prefix, bytes) => {
        const address = hex(bytes) as Address;
        const text = formatAddress(prefix, address);
        assert.equal(parseAddress(prefix, text), address);
        assert.equal(parseAddress(prefix, ` ${text.toUpperCase()}\n`), address);
      }),
    );
  });

  it('any one wrong character of the body is found', () => {
    const characters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
    let tried = 0;
    for (let at = 'ravel1'.length; at < TEXT.length; at++) {
      for (const character of characters) {
        if (character === TEXT[at]) continue;
        const wrong = TEXT.slice(0, at) + character + TEXT.slice(at + 1);
        assert.throws(() => parseAddress('ravel', wrong), { code: 'address_checksum' }, wrong);
        tried++;
      }
    }
    assert.ok(tried > 1000);
  });

  it('each kind of mistake has its own code, cause and cure', () => {
    const short = bech32m.encode('ravel', bech32m.toWords(new Uint8Array(20)), 90);
    const padded = bech32m.encode('ravel', [...bech32m.toWords(new Uint8Array(32)).slice(0, -1), 1], 90);
    const bitcoin = bech32.encode('ravel', bech32.toWords(new Uint8Array(32)), 90);
    const rows: [string, string, RegExp][] = [
      ['', 'address_format', /Copy the whole address/],
      ['hello', 'address_format', /start with ravel1/],
      [TEXT.replace('r', 'R'), 'address_format', /all lower or all upper/],
      [`${TEXT.slice(0, 9)} ${TEXT.slice(9)}`, 'address_format', /Copy/],
      ['x'.repeat(1_000_000), 'address_format', /Copy/],
      [formatAddress('other', ADDRESS), 'address_prefix', /starts with other1.*with ravel1/],
      [TEXT.slice(0, -1), 'address_checksum', /Copy it again/],
      [bitcoin, 'address_checksum', /checksum/],
      [short, 'address_length', /20 bytes/],
      [padded, 'address_length', /no whole bytes/],
    ];
    for (const [text, code, message] of rows) {
      assert.throws(
        () => parseAddress('ravel', text),
        { name: 'WalletError', code, message },
        text.slice(0, 90),
      );
    }
  });
});
