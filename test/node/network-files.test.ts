import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Address, hex, publicKeyOf, type Units } from '../../ledger/index.ts';
import { loadConfig } from '../../node/config.ts';
import {
  evenAllocations,
  type InitOptions,
  initNetwork,
  loadGenesis,
  loadKey,
  loadOrMakeKey,
  makeKey,
  parseGenesis,
} from '../../node/network-files.ts';

const FAUCET = 'ab'.repeat(32) as Address;
const OTHER = 'cd'.repeat(32) as Address;

/** Keys that a test knows: 1, 2, 3, ... */
function countingDeps() {
  let next = 1;
  return { randomBytes: (length: number) => new Uint8Array(length).fill(next++) };
}

describe('the files of a network', () => {
  let base: string;
  let dir: string;

  beforeEach(async () => {
    base = await mkdtemp(path.join(tmpdir(), 'ravel-init-'));
    dir = path.join(base, 'net');
  });

  afterEach(() => rm(base, { recursive: true }));

  function options(more: Partial<InitOptions> = {}): InitOptions {
    const allocations = [{ address: FAUCET, amount: 1_000_000 as Units }];
    return { dir, validators: 4, prefix: 'ravel', workBits: 8, allocations, ...more };
  }

  it('make a genesis that loads as it was made, for people to read', async () => {
    const made = await initNetwork(
      options({ allocations: evenAllocations([FAUCET, OTHER], 11), weights: [1, 2, 3, 4] }),
      countingDeps(),
    );
    const file = path.join(dir, 'genesis.json');
    assert.deepEqual(await loadGenesis(file), made);
    assert.deepEqual(
      made.committee.map(({ weight }) => weight),
      [1, 2, 3, 4],
    );
    assert.equal(made.supply, 11);
    const text = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual([text.id, text.supply, text.committee[3].scheme], [made.id, 11, 'ed25519']);
    assert.match(text.allocations[0].address, /^ravel1[a-z0-9]+$/);
    assert.deepEqual(
      text.allocations.map(({ amount }: { amount: number }) => amount),
      [6, 5],
    );
  });

  it('make a folder for each validator that its node runs from, with keys for its owner alone', async () => {
    const made = await initNetwork(options(), countingDeps());
    for (const i of [0, 1, 2, 3]) {
      const folder = path.join(dir, 'validators', String(i));
      const config = await loadConfig({
        flags: {},
        environment: {},
        filePath: path.join(folder, 'node.json'),
      });
      assert.deepEqual([config.dataDir, config.genesis], [folder, path.join(dir, 'genesis.json')]);
      assert.deepEqual(config.listen, [`/ip4/127.0.0.1/tcp/${7300 + i}`]);
      assert.equal(config.peers.length, 3);
      assert.ok(!config.peers.includes(config.listen[0]!));
      const key = await loadKey(config.validatorKey!);
      assert.equal(hex(publicKeyOf(key)), hex(made.committee[i]!.publicKey));
      const identity = await loadKey(config.identityKey!);
      assert.notEqual(hex(identity), hex(key));
      for (const file of ['validator.key', 'identity.key']) {
        assert.equal((await stat(path.join(folder, file))).mode & 0o777, 0o600);
      }
    }
  });

  it('are never written over, not even half of them', async () => {
    await initNetwork(options(), countingDeps());
    const before = await readFile(path.join(dir, 'genesis.json'), 'utf8');
    await assert.rejects(initNetwork(options(), countingDeps()), {
      code: 'network_exists',
      message: /genesis\.json is there already/,
    });
    await rm(path.join(dir, 'genesis.json'));
    await assert.rejects(initNetwork(options(), countingDeps()), {
      code: 'network_exists',
      message: /validators is there already/,
    });
    assert.match(before, /"prefix": "ravel"/);
  });

  it('are not made of what no genesis can say, and nothing is left behind', async () => {
    const rows: [Partial<InitOptions>, RegExp][] = [
      [{ validators: 0 }, /committee/],
      [{ validators: 65 }, /committee/],
      [{ prefix: 'Ravel' }, /prefix/],
      [{ workBits: 49 }, /work bits/],
      [{ workBits: 300 }, /whole numbers/],
      [{ weights: [1, 1] }, /4 validators and 2 weights/],
      [{ weights: [1, 1, 1, 1.5] }, /whole numbers/],
      [{ addresses: [] }, /4 validators and 0 addresses/],
      [{ allocations: [] }, /allocations/],
      [{ allocations: [{ address: FAUCET, amount: 0 as Units }] }, /amount_out_of_range/],
      [{ allocations: [{ address: FAUCET, amount: -1 as Units }] }, /amount|whole/],
      [{ allocations: [{ address: FAUCET, amount: 0.5 as Units }] }, /amount|whole/],
      [
        {
          allocations: [
            { address: FAUCET, amount: 1 as Units },
            { address: FAUCET, amount: 1 as Units },
          ],
        },
        /ascending/,
      ],
    ];
    for (const [more, message] of rows) {
      await assert.rejects(
        initNetwork(options(more), countingDeps()),
        { code: 'genesis_invalid', message },
        JSON.stringify(more),
      );
      await assert.rejects(stat(dir), { code: 'ENOENT' });
    }
  });

  it('are refused when the genesis was changed', async () => {
    await initNetwork(options(), countingDeps());
    const file = path.join(dir, 'genesis.json');
    const text = await readFile(file, 'utf8');
    const rows: [from: string | RegExp, to: string, message: RegExp][] = [
      ['"workBits": 8', '"workBits": 9', /it was changed/],
      ['"weight": 1', '"weight": 2', /it was changed/],
      ['"amount": 1000000', '"amount": 1000001', /sum to 1000001, not to the supply of 1000000/],
      ['"prefix": "ravel"', '"prefix": "navel"', /starts with ravel1/],
      [/"ravel1[a-z0-9]{8}/, '"ravel1qqqqqqqq', /checksum/],
      ['"prefix"', '"perfix"', /prefix|perfix/],
      ['{', '{ "fee": 1,', /fee/],
      ['{', '', /not JSON/],
    ];
    for (const [from, to, message] of rows) {
      assert.notEqual(text.replace(from, to), text);
      assert.throws(
        () => parseGenesis(text.replace(from, to), 'genesis.json'),
        { code: 'genesis_invalid', message },
        to,
      );
    }
    assert.ok(parseGenesis(text, 'genesis.json'));
    await assert.rejects(loadGenesis(path.join(dir, 'nowhere.json')), {
      code: 'genesis_unreadable',
      message: /ravel init/,
    });
  });

  it('hold keys that nobody else can read', async () => {
    const file = path.join(base, 'x.key');
    const key = await makeKey(file, countingDeps());
    assert.deepEqual(await loadKey(file), key);
    assert.deepEqual(await loadOrMakeKey(file, countingDeps()), key);
    await assert.rejects(makeKey(file, countingDeps()), { code: 'EEXIST' });
    await chmod(file, 0o644);
    await assert.rejects(loadKey(file), { code: 'key_invalid', message: /chmod 600/ });
    await chmod(file, 0o600);
    await writeFile(file, 'not a key');
    await assert.rejects(loadKey(file), { code: 'key_invalid', message: /64 hex digits/ });
    assert.equal((await loadOrMakeKey(path.join(base, 'y.key'), countingDeps())).length, 32);
  });
});
