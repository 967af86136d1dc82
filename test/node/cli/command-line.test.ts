import assert from 'node:assert/strict';
import { ravel } from '../../end-to-end/ravel-process.ts';
import { run } from './run.ts';

const COMMANDS: readonly (readonly string[])[] = [
  ['up'],
  ['init'],
  ['node'],
  ['wallet', 'new'],
  ['wallet', 'restore'],
  ['wallet', 'address'],
  ['wallet', 'balance'],
  ['wallet', 'pay'],
  ['wallet', 'history'],
  ['wallet', 'verify-balance'],
  ['wallet', 'verify-receipt'],
  ['car'],
  ['charger'],
];

describe('the command line', () => {
  it('names every command, and every exit code, in its help', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const [name] of COMMANDS) assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
    for (const exit of [0, 1, 2, 3, 4, 5, 130]) assert.match(stdout, new RegExp(`^ +${exit}  \\w`, 'm'));
  });

  for (const command of COMMANDS) {
    it(`teaches ${command.join(' ')} with examples, in 80 columns`, async () => {
      const { code, stdout } = await run([...command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, /\nExamples:\n {2}\$ ravel /);
      assert.match(stdout, /--json/);
      const [, examples = ''] = stdout.split('\nExamples:\n');
      assert.match(examples, new RegExp(`\\$ (RAVEL_\\w+=\\S+ )?ravel ${command.join(' ')}`));
      const long = stdout.split('\n').filter((line) => line.length > 80 && !/^ +(--|\$)/.test(line));
      assert.deepEqual(long, []);
      assert.deepEqual((await run(['help', ...command.slice(0, 1)])).code, 0);
    });
  }

  const wrong: readonly (readonly [args: string, words: RegExp])[] = [
    ['', /Usage: ravel/],
    ['upp', /unknown command 'upp'\n\(Did you mean up\?\)/],
    ['up --carz 3', /unknown option '--carz'/],
    ['up --cars 0', /'--cars <n>' argument '0' is invalid. Give a whole number from 1 to 200/],
    ['up --cars 2.5', /Give a whole number/],
    ['up --speed fast', /Give a number above 0 and at most 1000000, like 200/],
    ['up --speed -1', /Give a number/],
    ['up --mode slowly', /Allowed choices are stream, settle/],
    ['up --limit -3', /Give a whole number/],
    ['up extra', /too many arguments/],
    ['wallet pay', /missing required argument 'address'/],
    ['wallet pay a 0', /Give a whole number from 1/],
    ['wallet pay a 1 --timeout soon', /Give a time, like 500ms, 30s or 2m/],
    ['wallet steal', /unknown command 'steal'/],
    ['car', /missing required argument 'station'/],
    ['car x --modes never', /Give stream, settle or both/],
    ['init', /required option '--dir <folder>' not specified/],
    ['node', /There are no settings. Name a folder made by `ravel init` with --dir/],
    ['node --dir /nowhere', /\/nowhere\/node.json cannot be read/],
    ['wallet balance', /There is no wallet at wallet.json/],
    ['wallet verify-balance b.proof', /Name its genesis with --genesis FILE/],
    ['wallet verify-receipt r.json', /Name its genesis with --genesis FILE/],
    ['up --sessions /nowhere.csv', /The file of sessions cannot be read .*Check --sessions/],
  ];
  for (const [args, words] of wrong) {
    it(`refuses "ravel ${args}" as wrong, with the cure`, async () => {
      const { code, stdout, stderr } = await run(args.split(' ').filter((word) => word !== ''));
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, words);
      if (args !== '') assert.match(stderr, /^ravel: /);
      assert.doesNotMatch(stderr, /\n\s+at |undefined|bug/);
    });
  }

  it('shows where an error came from when it is asked to', async () => {
    const { code, stderr } = await run(['wallet', 'balance', '--wallet', '/nowhere.json', '--verbose']);
    assert.equal(code, 2);
    assert.match(stderr, /^ravel: There is no wallet[^\n]*\n/);
    assert.match(stderr, /\n\s+at /);
  });

  it('takes settings from the environment, and says so in the help', async () => {
    assert.match((await run(['wallet', 'balance', '--help'])).stdout, /env: RAVEL_WALLET/);
    const { code, stderr } = await ravel(['wallet', 'balance'], { RAVEL_WALLET: '/elsewhere.json' });
    assert.equal(code, 2);
    assert.match(stderr, /There is no wallet at \/elsewhere\.json/);
  });

  it('is a process that answers with its version', async () => {
    assert.deepEqual(await ravel(['--version']), { code: 0, signal: null, stdout: '0.3.1\n', stderr: '' });
  });
});
