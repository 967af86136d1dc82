import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Config,
  ConfigError,
  configKeys,
  loadConfig,
  readConfig,
  verifyThreadsOf,
} from '../../node/config.ts';

const REQUIRED = { dataDir: '/d', genesis: '/g.json' };

function read(
  flags: Record<string, unknown>,
  environment: Record<string, string> = {},
  file?: unknown,
): Config {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  return readConfig({
    flags,
    environment,
    file: file === undefined ? undefined : { path: '/etc/ravel/node.json', text },
  });
}

function problemsOf(work: () => Config): readonly string[] {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'config_invalid');
    assert.equal(error.message, error.problems.join('\n'));
    return error.problems;
  }
  return [];
}

describe('the configuration', () => {
  it('has defaults for all but what only the operator knows', () => {
    const config = read(REQUIRED);
    assert.deepEqual(
      [config.roundFloorMs, config.roundLingerMs, config.idleBeatMs, config.tipParents, config.tipStrategy],
      [40, 25, 1000, 3, 'uniform'],
    );
    assert.deepEqual([config.validatorKey, config.peers, config.mdns], [undefined, [], false]);
    const problems = problemsOf(() => read({}));
    assert.deepEqual(problems, [
      'dataDir is required: give the flag --data-dir, the environment variable RAVEL_DATA_DIR, or "dataDir" in the file',
      'genesis is required: give the flag --genesis, the environment variable RAVEL_GENESIS, or "genesis" in the file',
    ]);
  });

  it('takes flags over environment over file over defaults, each key by itself', () => {
    const file = { ...REQUIRED, roundFloorMs: 1, roundLingerMs: 2, idleBeatMs: 300 };
    const config = read(
      { roundFloorMs: '11', mdns: undefined },
      { RAVEL_ROUND_FLOOR_MS: '21', RAVEL_ROUND_LINGER_MS: '22', PATH: 'x' },
      file,
    );
    assert.deepEqual(
      [config.roundFloorMs, config.roundLingerMs, config.idleBeatMs, config.tipParents],
      [11, 22, 300, 3],
    );
  });

  it('reads lists, switches and numbers from text', () => {
    const config = read(
      { ...REQUIRED, mdns: true, listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'], tipAlpha: '0.5' },
      { RAVEL_PEERS: '/ip4/1.2.3.4/tcp/1, /dns4/a.b/tcp/2', RAVEL_ANNOUNCE: '' },
    );
    assert.deepEqual(config.listen, ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0']);
    assert.deepEqual(config.peers, ['/ip4/1.2.3.4/tcp/1', '/dns4/a.b/tcp/2']);
    assert.deepEqual([config.announce, config.mdns, config.tipAlpha], [[], true, 0.5]);
    assert.equal(read(REQUIRED, { RAVEL_MDNS: 'true' }).mdns, true);
  });

  it('takes paths of a file from where the file is, and others from where the program was started', () => {
    const config = read(
      { dataDir: 'data' },
      { RAVEL_VALIDATOR_KEY: 'v.key' },
      { genesis: '../genesis.json', identityKey: '/abs.key' },
    );
    assert.deepEqual(
      [config.dataDir, config.validatorKey, config.genesis, config.identityKey],
      [path.resolve('data'), path.resolve('v.key'), '/etc/genesis.json', '/abs.key'],
    );
  });

  it('refuses keys that it does not know and names the nearest one', () => {
    const problems = problemsOf(() =>
      read(
        { ...REQUIRED, roundFlorMs: '1' },
        { RAVEL_ROUNDS_FLOOR_MS: '1' },
        { tipsParents: 3, __proto__x: 1 },
      ),
    );
    assert.deepEqual(problems.slice(0, 3), [
      'flags: there is no setting "--round-flor-ms"; did you mean "--round-floor-ms"?',
      'environment: there is no setting "RAVEL_ROUNDS_FLOOR_MS"; did you mean "RAVEL_ROUND_FLOOR_MS"?',
      'file /etc/ravel/node.json: there is no setting "tipsParents"; did you mean "tipParents"?',
    ]);
    assert.equal(problems.length, 4);
    assert.equal(problemsOf(() => read(REQUIRED, {}, '{"constructor": 1}')).length, 1);
  });

  it('lets names of other programs be', () => {
    const environment = { RAVEL_PASSWORD: 'x' };
    assert.ok(readConfig({ flags: REQUIRED, environment, foreignNames: ['RAVEL_PASSWORD'] }));
    assert.throws(() => readConfig({ flags: REQUIRED, environment }), ConfigError);
  });

  const rows: [key: string, value: string, allowed: string][] = [
    ['roundFloorMs', 'soon', 'a whole number of milliseconds from 1 to 60000'],
    ['roundFloorMs', '0', 'a whole number of milliseconds from 1 to 60000'],
    ['roundFloorMs', '1.5', 'a whole number of milliseconds from 1 to 60000'],
    ['roundFloorMs', '', 'a whole number of milliseconds from 1 to 60000'],
    ['roundFloorMs', '0x10', 'a whole number of milliseconds from 1 to 60000'],
    ['tipParents', '9', 'a whole number of parents from 1 to 8'],
    ['tipStrategy', 'random', 'one of uniform, walk'],
    ['mdns', 'maybe', 'true or false'],
    ['logLevel', 'INFO', 'one of debug, info, warn, error, silent'],
    ['tipAlpha', '11', 'a number from 0 to 10'],
  ];
  for (const [key, value, allowed] of rows) {
    it(`refuses ${key} = "${value}" and says what is allowed and where it came from`, () => {
      const shown = /^-?\d+(\.\d+)?$/.test(value) ? value : JSON.stringify(value);
      const flag = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
      assert.deepEqual(
        problemsOf(() => read({ ...REQUIRED, [key]: value })),
        [`flag ${flag}: ${shown} is not allowed; allowed is ${allowed}`],
      );
    });
  }

  it('takes no text for a number in a file, and says so', () => {
    assert.deepEqual(
      problemsOf(() => read(REQUIRED, {}, { roundFloorMs: '40', listen: 'x', mdns: 1 })),
      [
        'file /etc/ravel/node.json, key "listen": "x" is not allowed; allowed is a list of multiaddrs such as /ip4/0.0.0.0/tcp/7300',
        'file /etc/ravel/node.json, key "mdns": 1 is not allowed; allowed is true or false',
        'file /etc/ravel/node.json, key "roundFloorMs": "40" is not allowed; allowed is a whole number of milliseconds from 1 to 60000',
      ],
    );
    assert.match(
      problemsOf(() => read(REQUIRED, {}, '{ nonsense'))[0]!,
      /^file \/etc\/ravel\/node.json: not JSON \(/,
    );
    assert.match(problemsOf(() => read(REQUIRED, {}, '[]'))[0]!, /not a JSON object/);
  });

  it('refuses an idle beat that is faster than the floor', () => {
    assert.match(
      problemsOf(() => read({ ...REQUIRED, roundFloorMs: '500', idleBeatMs: '100' }))[0]!,
      /idleBeatMs \(100\) is less/,
    );
  });

  it('describes every key: flag, variable, default, what is allowed and what it is good for', () => {
    const keys = configKeys();
    assert.ok(keys.length >= 20);
    assert.equal(new Set(keys.map(({ variable }) => variable)).size, keys.length);
    for (const { key, doc, allowed, flag } of keys) {
      assert.match(doc, /^[A-Zp].*\.$/, key);
      assert.ok(allowed.length > 3 && flag.startsWith('--'), key);
    }
    const shown = Object.fromEntries(keys.map((one) => [one.key, one.default]));
    assert.deepEqual(
      [shown.dataDir, shown.validatorKey, shown.roundFloorMs, shown.peers, shown.listen],
      ['required', 'none', '40', 'none', '/ip4/0.0.0.0/tcp/7300'],
    );
  });

  it('loads a file, and says which file it could not read', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'ravel-config-'));
    try {
      const filePath = path.join(folder, 'node.json');
      await writeFile(filePath, JSON.stringify({ dataDir: '.', genesis: 'g.json' }));
      const config = await loadConfig({ flags: {}, environment: {}, filePath });
      assert.equal(config.genesis, path.join(folder, 'g.json'));
      const missing = loadConfig({ flags: {}, environment: {}, filePath: `${filePath}x` });
      await assert.rejects(missing, { code: 'config_unreadable', message: /node\.jsonx cannot be read/ });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('takes one verify thread for each core beyond the second unless told otherwise', () => {
    assert.equal(verifyThreadsOf(read({ ...REQUIRED, verifyThreads: '7' })), 7);
    assert.ok(verifyThreadsOf(read(REQUIRED)) >= 1);
  });
});
