import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type AccountState,
  BALANCE_PROOF_BYTES_MAX,
  blake3Hex,
  encodeBalanceProof,
  type PaymentId,
  type Units,
} from '../../../ledger/index.ts';
import { formatGenesis } from '../../../node/network-files.ts';
import { formatAddress } from '../../../wallet/index.ts';
import { keysOf, TestNetwork } from '../../dsl/network.ts';
import { TestState } from '../../dsl/state.ts';
import { run } from './run.ts';

describe('ravel wallet verify-balance', () => {
  const { genesis } = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 1000 }, signed: true });
  const head = blake3Hex<PaymentId>(Uint8Array.of(1));
  const stateOf = (name: string, state: Partial<AccountState>): AccountState => {
    const { address } = keysOf(name);
    return { address, balance: 0 as Units, sequence: 0, head: address, ...state };
  };
  const state = new TestState(genesis, [
    stateOf('alice', { balance: 600 as Units, sequence: 2, head }),
    stateOf('bob', { balance: 400 as Units }),
  ]);

  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-balance-'));
    await writeFile(path.join(folder, 'genesis.json'), formatGenesis(genesis));
  });
  after(() => rm(folder, { recursive: true }));

  async function verify(bytes: Uint8Array, ...flags: readonly string[]) {
    const file = path.join(folder, 'balance.proof');
    await writeFile(file, bytes);
    return run(['wallet', 'verify-balance', file, '--dir', folder, ...flags]);
  }

  const proofOf = (name: string, validators: readonly number[] = [0, 2, 3]): Uint8Array =>
    encodeBalanceProof(state.proof(keysOf(name).address, validators));

  const rows: readonly (readonly [string, object])[] = [
    ['alice', { account: true, balance: 600, sequence: 2, head }],
    ['bob', { account: true, balance: 400, sequence: 0, head: null }],
    ['carol', { account: false, balance: 0, sequence: 0, head: null }],
  ];
  for (const [name, expected] of rows) {
    it(`says what ${name} has, and when validators said so`, async () => {
      const address = formatAddress(genesis.prefix, keysOf(name).address);
      const { code, stdout } = await verify(proofOf(name), '--json');
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(stdout), {
        ok: true,
        address,
        ...expected,
        round: 30,
        time: '1970-01-01T00:00:01.000Z',
      });
      const told = (await verify(proofOf(name))).stdout;
      for (const word of [address, 'after round 30', '1970-01-01T00:00:01.000Z'])
        assert.ok(told.includes(word), told);
    });
  }

  it('ends with 1 and the reason when the proof is false', async () => {
    const wrong: readonly (readonly [Uint8Array, string])[] = [
      [proofOf('alice', [0, 2]), 'quorum_missing'],
      [proofOf('alice').with(40, 1), 'path_wrong'],
      [proofOf('alice').slice(0, -1), 'malformed'],
      [new Uint8Array(), 'malformed'],
    ];
    for (const [bytes, reason] of wrong) {
      const { code, stdout } = await verify(bytes, '--json');
      assert.equal(code, 1, reason);
      const { ok, problem, ...rest } = JSON.parse(stdout) as { ok: boolean; problem: { code: string } };
      assert.deepEqual([ok, problem.code, rest], [false, reason, {}]);
      const told = await verify(bytes);
      assert.equal(told.code, 1);
      assert.match(told.stdout, new RegExp(`^THE PROOF IS FALSE:\n.*${reason}.*\n$`));
    }
  });

  it('ends with 2 when the file is none', async () => {
    const large = await verify(new Uint8Array(BALANCE_PROOF_BYTES_MAX + 1));
    assert.equal(large.code, 2);
    assert.match(large.stderr, /too large for a balance proof/);
    const missing = await run(['wallet', 'verify-balance', path.join(folder, 'nothing'), '--dir', folder]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /there is no file/);
  });
});
