import assert from 'node:assert/strict';
import { hex, unhex } from '../../ledger/bytes.ts';
import { blake3 } from '../../ledger/hash.ts';
import type { Address, NetworkId, PaymentId } from '../../ledger/types.ts';
import { checkWork, searchWork, workBits, workSeed } from '../../ledger/work.ts';

const NETWORK = Uint8Array.from({ length: 16 }, (_, i) => i) as NetworkId;
const ACCOUNT = '11'.repeat(32) as Address;
const PREVIOUS = '22'.repeat(32) as PaymentId;
const SEED = workSeed(NETWORK, ACCOUNT, ACCOUNT);

/** Frozen: a change here is a change of the protocol. */
const SEEDS = [
  { previous: ACCOUNT, seed: '15e3944eb695db92a337b41c96bbf998c8e148c900747c6cadb9ce20d003a04c' },
  { previous: PREVIOUS, seed: 'd3842fa022d5d5cc46e12e73b954db2aa0fdf6b179ab47ffc29d3861f86188c1' },
];

/** The first nonce from 0 with so many bits, over the first seed, and the bits that it has. */
const NONCES = [
  { bits: 0, nonce: '0000000000000000', has: 0 },
  { bits: 8, nonce: '2e00000000000000', has: 9 },
  { bits: 12, nonce: 'b70f000000000000', has: 14 },
  { bits: 16, nonce: '9e35000000000000', has: 18 },
];

describe('work', () => {
  it('is done over kind 05, network, previous and account, and over nothing else of the payment', () => {
    for (const { previous, seed } of SEEDS) {
      assert.equal(hex(workSeed(NETWORK, previous, ACCOUNT)), seed);
      const message = [Uint8Array.of(5), NETWORK, unhex(previous), unhex(ACCOUNT)];
      assert.equal(hex(blake3(...message)), seed);
    }
  });

  it('differs for another network, slot and account', () => {
    const otherNetwork = NETWORK.slice() as NetworkId;
    otherNetwork[15]! ^= 1;
    const seeds = [
      workSeed(NETWORK, PREVIOUS, ACCOUNT),
      workSeed(otherNetwork, PREVIOUS, ACCOUNT),
      workSeed(NETWORK, ACCOUNT, ACCOUNT),
      workSeed(NETWORK, PREVIOUS, '33'.repeat(32) as Address),
    ];
    assert.equal(new Set(seeds.map(hex)).size, seeds.length);
  });

  it('is the number of leading zero bits of BLAKE3 over seed and little-endian nonce', () => {
    for (const { bits, nonce, has } of NONCES) {
      assert.equal(workBits(SEED, unhex(nonce)), has);
      const digest = hex(blake3(SEED, unhex(nonce)));
      const binary = [...digest]
        .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
        .join('');
      assert.equal(binary.indexOf('1'), has, `the first one of ${binary}`);
      assert.ok(has >= bits);
    }
  });

  it('is enough or refused with the bits it has and the bits it needs', () => {
    const nonce = unhex('b70f000000000000');
    assert.equal(checkWork(SEED, nonce, 0), undefined);
    assert.equal(checkWork(SEED, nonce, 14), undefined);
    assert.deepEqual(checkWork(SEED, nonce, 15), { code: 'too_little_work', bits: 14, required: 15 });
  });
});

describe('the search for work', () => {
  it('finds the first nonce that is good enough', () => {
    for (const { bits, nonce } of NONCES) {
      assert.equal(hex(searchWork(SEED, bits, 0, 20_000) ?? new Uint8Array()), nonce);
    }
  });

  it('ends after its tries, so that a caller can stop it', () => {
    const first = 0x2e;
    assert.equal(searchWork(SEED, 8, 0, first), undefined);
    assert.notEqual(searchWork(SEED, 8, 0, first + 1), undefined);
    assert.equal(searchWork(SEED, 8, 0, 0), undefined);
  });

  it('begins where it is told, so that slices join without gap or overlap', () => {
    const whole = searchWork(SEED, 16, 0, 20_000);
    let sliced: Uint8Array | undefined;
    for (let start = 0; sliced === undefined; start += 1000) sliced = searchWork(SEED, 16, start, 1000);
    assert.deepEqual(sliced, whole);
    assert.equal(hex(searchWork(SEED, 8, 0x2en, 1) ?? new Uint8Array()), '2e00000000000000');
  });

  it('goes on at nonce 0 after the last one', () => {
    const last = 2n ** 64n - 1n;
    assert.equal(hex(searchWork(SEED, 0, last, 1) ?? new Uint8Array()), 'ffffffffffffffff');
    assert.equal(hex(searchWork(SEED, 16, last - 9n, 20_000) ?? new Uint8Array()), '9e35000000000000');
  });
});
