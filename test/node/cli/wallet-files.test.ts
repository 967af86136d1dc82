import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newPhrase } from '../../../wallet/index.ts';
import { run } from './run.ts';

describe('the wallet commands', function () {
  // Each password costs a second of Argon2id.
  this.timeout(60_000);
  let folder: string;
  let password: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-wallet-'));
    password = path.join(folder, 'password');
    await writeFile(password, 'correct horse\n');
  });
  after(() => rm(folder, { recursive: true }));

  const inFolder = (name: string): string => path.join(folder, name);

  it('make a wallet that its owner alone can read, show the phrase once, and make the same one again from it', async () => {
    const wallet = inFolder('car.json');
    const made = await run(['wallet', 'new', '--wallet', wallet, '--password-file', password, '--json']);
    assert.equal(made.code, 0);
    const { address } = JSON.parse(made.stdout) as { address: string };
    assert.match(address, /^ravel1/);
    assert.equal((await stat(wallet)).mode & 0o777, 0o600);
    const words = made.stderr
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .join(' ')
      .trim()
      .split(/\s+/);
    assert.equal(words.length, 24);
    assert(!made.stdout.includes(words.slice(0, 3).join(' ')), 'what a program reads holds no words');

    const phrase = inFolder('phrase');
    await writeFile(phrase, `${words.slice(0, 12).join(' ')}\n${words.slice(12).join('  ')}\n`);
    const restored = await run([
      'wallet',
      'restore',
      '--wallet',
      inFolder('again.json'),
      '--phrase-file',
      phrase,
      '--password-file',
      password,
      '--json',
    ]);
    assert.equal(restored.code, 0);
    assert.equal((JSON.parse(restored.stdout) as { address: string }).address, address);

    const shown = await run(['wallet', 'address', '--wallet', wallet]);
    assert.equal(shown.stdout, `${address}\n`);
    const second = await run([
      'wallet',
      'address',
      '--wallet',
      wallet,
      '--account',
      '1',
      '--password-file',
      password,
    ]);
    assert.match(second.stdout, /^ravel1/);
    assert.notEqual(second.stdout, shown.stdout);
    const foreign = await run(['wallet', 'address', '--wallet', wallet, '--prefix', 'other']);
    assert.match(foreign.stdout, /^other1/);
  });

  it('never replace a wallet', async () => {
    const wallet = inFolder('kept.json');
    await writeFile(wallet, 'somebody needs this', { mode: 0o600 });
    const { code, stderr } = await run(['wallet', 'new', '--wallet', wallet, '--password-file', password]);
    assert.equal(code, 2);
    assert.match(stderr, /^ravel: .*kept.json exists. A wallet is never overwritten/);
    assert.equal(await readFile(wallet, 'utf8'), 'somebody needs this');
  });

  it('refuse a wrong password with a code of its own', async () => {
    const wallet = inFolder('locked.json');
    assert.equal((await run(['wallet', 'new', '--wallet', wallet, '--password-file', password])).code, 0);
    const wrong = inFolder('wrong');
    await writeFile(wrong, 'battery staple');
    const { code, stderr } = await run([
      'wallet',
      'address',
      '--wallet',
      wallet,
      '--account',
      '1',
      '--password-file',
      wrong,
    ]);
    assert.equal(code, 4);
    assert.match(stderr, /^ravel: The password does not open this wallet/);
  });

  it('refuse a phrase with a mistake, and say which', async () => {
    const phrase = inFolder('mistaken');
    await writeFile(phrase, newPhrase().replace(/^\S+/, 'ravell'));
    const { code, stderr } = await run([
      'wallet',
      'restore',
      '--wallet',
      inFolder('x.json'),
      '--phrase-file',
      phrase,
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /^ravel: Word 1 is not on the English BIP-39 list/);
  });

  it('refuse a short password for a new wallet', async () => {
    const short = inFolder('short');
    await writeFile(short, 'abc\n');
    const { code, stderr } = await run([
      'wallet',
      'new',
      '--wallet',
      inFolder('y.json'),
      '--password-file',
      short,
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /has 3 characters. Choose one with at least 8/);
  });
});
