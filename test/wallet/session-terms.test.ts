import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hex, type Units } from '../../ledger/index.ts';
import type { Reading } from '../../wallet/session-messages.ts';
import {
  agreement,
  hashOfTerms,
  headAfter,
  readSessionMemo,
  receiptStatement,
  resuming,
  type SessionTerms,
  sessionMemo,
  statement,
} from '../../wallet/session-terms.ts';
import { signerOf, testGenesis } from './session-world.ts';

const { network } = testGenesis();
const other = testGenesis(3).network;
const party = ({ scheme, publicKey }: ReturnType<typeof signerOf>) => ({ scheme, publicKey });

const TERMS: SessionTerms = {
  session: 'ab'.repeat(16),
  charger: party(signerOf('charger')),
  car: party(signerOf('car')),
  tariff: { unitsPerKwh: 450, unitsPerMinute: 7, currency: 'unit', validUntilMs: 1_700_000_000_000 },
  mode: 'stream',
  unpaidMax: 100 as Units,
  creditMax: 200 as Units,
  stepWh: 250,
  stepMs: 60_000,
  energyWantedWh: 3000,
  startedAtMs: 1_700_000_000_000,
};

const READING: Reading = { seq: 3, meterWh: 5000, ms: 90_000, due: 347 as Units };

describe('the terms of a session', () => {
  it('have another hash when anything in them differs, or the network does', () => {
    const { tariff } = TERMS;
    const changes: readonly Partial<SessionTerms>[] = [
      {},
      { session: 'ac'.repeat(16) },
      { charger: TERMS.car },
      { car: TERMS.charger },
      { charger: { ...TERMS.charger, scheme: 1 } },
      { tariff: { ...tariff, unitsPerKwh: 451 } },
      { tariff: { ...tariff, unitsPerMinute: 8 } },
      { tariff: { ...tariff, currency: 'units' } },
      { tariff: { ...tariff, validUntilMs: 1 } },
      { mode: 'settle' },
      { unpaidMax: 101 as Units },
      { creditMax: 201 as Units },
      { stepWh: 251 },
      { stepMs: 60_001 },
      { energyWantedWh: 3001 },
      { startedAtMs: 2 },
    ];
    const hashes = changes.map((change) => hex(hashOfTerms(network, { ...TERMS, ...change })));
    hashes.push(hex(hashOfTerms(other, TERMS)));
    assert.equal(new Set(hashes).size, changes.length + 1);
    // A field that is added to the terms has to be added above.
    const covered = new Set(changes.flatMap((change) => Object.keys(change)));
    assert.deepEqual([...covered].sort(), Object.keys(TERMS).sort());
  });

  it('and all readings make another head when anything in one differs', () => {
    const before = hashOfTerms(network, TERMS);
    const heads = [
      headAfter(network, before, READING),
      headAfter(other, before, READING),
      headAfter(network, new Uint8Array(32), READING),
      headAfter(network, before, { ...READING, seq: 4 }),
      headAfter(network, before, { ...READING, meterWh: 5001 }),
      headAfter(network, before, { ...READING, ms: 90_001 }),
      headAfter(network, before, { ...READING, due: 348 as Units }),
    ];
    assert.equal(new Set(heads.map(hex)).size, heads.length);
  });

  it('are signed in messages of which none is another', () => {
    const head = new Uint8Array(32).fill(5);
    const messages = [
      agreement(network, head),
      statement(network, head, false),
      statement(network, head, true),
      resuming(network, 'ab'.repeat(16), 'cd'.repeat(16)),
      resuming(network, 'cd'.repeat(16), 'ab'.repeat(16)),
      receiptStatement(network, '{}'),
      receiptStatement(network, '{"a":1}'),
      agreement(other, head),
    ];
    assert.equal(new Set(messages.map(hex)).size, messages.length);
    // No message begins with the kind byte of anything else that an account's key signs.
    for (const message of messages) assert.equal(message[0], 0x0a);
  });
});

describe('the memo of a session payment', () => {
  it('is read as it was written', () => {
    const head = new Uint8Array(32).fill(5);
    const memo = sessionMemo('ab'.repeat(16), 49_999, head);
    assert.equal(memo.length, 55);
    assert.deepEqual(readSessionMemo(memo), { session: 'ab'.repeat(16), seq: 49_999, head: hex(head) });
  });

  it('is nothing but itself', () => {
    const memo = sessionMemo('ab'.repeat(16), 1, new Uint8Array(32));
    assert.equal(readSessionMemo(memo.subarray(1)), undefined);
    assert.equal(readSessionMemo(new Uint8Array([...memo, 0])), undefined);
    assert.equal(readSessionMemo(memo.with(0, 0)), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        assert.equal(readSessionMemo(bytes), undefined);
      }),
      { seed: 7 },
    );
  });
});
