import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../../node/up/ports.ts';
import { within } from '../../end-to-end/deadline.ts';
import { type Ended, RavelProcess, ravel } from '../../end-to-end/ravel-process.ts';

const PATIENCE_MS = 90_000;
const SUPPLY = 1_000_000_000;

interface SessionLine {
  readonly event?: string;
  readonly energyWh: number;
  readonly unitsDue: number;
  readonly unitsPaid: number;
  readonly payments: readonly string[];
  readonly settled: boolean;
  readonly ended: { readonly reason: string; readonly detail: string };
}

/** What a command printed last with --json. */
function last<T>({ stdout, stderr }: Ended): T {
  const line = stdout.trimEnd().split('\n').at(-1)!;
  assert.notEqual(line, '', stderr);
  return JSON.parse(line) as T;
}

describe('a network from the command line alone', function () {
  this.timeout(2 * PATIENCE_MS);
  let folder: string;
  let validator: RavelProcess;
  let owner: string;
  let station: string;

  const file = (name: string): string => path.join(folder, name);
  const network = (): readonly string[] => ['--dir', file('net')];
  const wallet = (name: string): readonly string[] => [
    '--wallet',
    file(`${name}.json`),
    '--password-file',
    file('password'),
  ];
  const run = (...args: readonly string[]): Promise<Ended> =>
    within(`ravel ${args.join(' ')} has ended`, ravel([...args, '--json']), PATIENCE_MS);

  async function makeWallet(name: string): Promise<string> {
    const made = await run('wallet', 'new', ...wallet(name));
    assert.equal(made.code, 0, made.stderr);
    return last<{ address: string }>(made).address;
  }

  async function balanceOf(name: string): Promise<number> {
    const asked = await run('wallet', 'balance', '--wallet', file(`${name}.json`), ...network());
    assert.equal(asked.code, 0, asked.stderr);
    return last<{ balance: number }>(asked).balance;
  }

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-paying-'));
    await writeFile(file('password'), 'correct horse');
    [owner, station] = (await Promise.all([makeWallet('owner'), makeWallet('station')])) as [string, string];
    const [port] = await freePorts(1, '127.0.0.1');
    const made = await run(
      'init',
      ...network(),
      '--validators',
      '1',
      '--work-bits',
      '8',
      '--port',
      `${port}`,
      '--allocate',
      `${owner}=${SUPPLY}`,
    );
    assert.equal(made.code, 0, made.stderr);
    assert.equal(last<{ supply: number }>(made).supply, SUPPLY);
    validator = new RavelProcess(['node', '--dir', path.join(file('net'), 'validators', '0'), '--json']);
    await validator.ready();
  });
  after(async () => {
    await validator?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it('pays, and says when the wallet has verified that it is final', async () => {
    assert.equal(await balanceOf('owner'), SUPPLY);
    const paid = await run(
      'wallet',
      'pay',
      ...wallet('owner'),
      ...network(),
      station,
      '700',
      '--memo',
      'for nothing',
    );
    assert.equal(paid.code, 0, paid.stderr);
    const { payment, balance } = last<{ payment: string; balance: number }>(paid);
    assert.equal(balance, SUPPLY - 700);
    assert.equal(await balanceOf('station'), 700);
    const history = await run('wallet', 'history', '--wallet', file('station.json'), ...network());
    assert.equal(history.code, 0, history.stderr);
    const { payments } = last<{ payments: readonly Record<string, unknown>[] }>(history);
    const { verifiedAt, ...entry } = payments[0]!;
    assert.match(String(verifiedAt), /^20\d\d-/);
    assert.deepEqual(entry, {
      id: payment,
      direction: 'in',
      units: 700,
      from: owner,
      to: [{ address: station, units: 700 }],
      sequence: 1,
      memo: 'for nothing',
    });
  });

  const refused: readonly (readonly [
    rule: string,
    to: () => string,
    units: string,
    exit: number,
    words: RegExp,
  ])[] = [
    [
      'more than there is',
      () => station,
      `${2 * SUPPLY}`,
      1,
      /^ravel: .* are to be paid and .* are spendable/m,
    ],
    [
      'an address with a mistake',
      () => `${station.slice(0, -1)}${station.endsWith('q') ? 'p' : 'q'}`,
      '1',
      2,
      /^ravel: The checksum of the address is wrong/m,
    ],
    ['an address of another network', () => 'other1qqq', '1', 2, /^ravel: The address starts with other1/m],
  ];
  for (const [rule, to, units, exit, words] of refused) {
    it(`does not pay ${rule}`, async () => {
      const { code, stdout, stderr } = await run(
        'wallet',
        'pay',
        ...wallet('owner'),
        ...network(),
        to(),
        units,
      );
      assert.equal(code, exit, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, words);
    });
  }

  it('says which node could not be reached, and that this was the trouble', async () => {
    const genesis = path.join(file('net'), 'genesis.json');
    const nowhere = ['--genesis', genesis, '--node', '/ip4/127.0.0.1/tcp/1', '--timeout', '3s'];
    const { code, stderr } = await run('wallet', 'balance', '--wallet', file('station.json'), ...nowhere);
    assert.equal(code, 3);
    assert.match(stderr, /^ravel: node \/ip4\/127\.0\.0\.1\/tcp\/1: /m);
  });

  it('has a car charge at a station in both modes, decline a price, and both keep true receipts', async () => {
    const receipts = file('receipts');
    await using charger = new RavelProcess([
      'charger',
      ...wallet('station'),
      ...network(),
      '--json',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      '--speed',
      '200',
      '--power-kw',
      '50',
      '--sessions',
      '2',
      '--receipts',
      receipts,
    ]);
    const [place = ''] = await charger.ready();
    const drive = (...flags: readonly string[]): Promise<Ended> =>
      run('car', place, ...wallet('owner'), ...network(), '--speed', '200', '--power-kw', '100', ...flags);

    const declined = await drive('--kwh', '2', '--max-per-kwh', '100');
    assert.equal(declined.code, 1);
    const { ended } = last<SessionLine>(declined);
    assert.equal(ended.reason, 'declined');
    assert.match(ended.detail, /450000 units a kWh are more than the limit of 100/);

    const streamed = await drive(
      '--kwh',
      '3',
      '--modes',
      'stream',
      '--payee',
      station,
      '--receipt',
      file('mine.json'),
    );
    assert.equal(streamed.code, 0, streamed.stderr);
    const stream = last<SessionLine>(streamed);
    assert(stream.settled && stream.payments.length > 1, JSON.stringify(stream));
    assert(stream.energyWh >= 3_000 && stream.energyWh < 3_700);
    assert.equal(stream.unitsPaid, Math.floor((stream.energyWh * 450_000) / 1000));

    const settled = await drive('--kwh', '2', '--modes', 'settle');
    assert.equal(settled.code, 0, settled.stderr);
    assert.equal(last<SessionLine>(settled).payments.length, 1);

    const { code, stdout } = await within('the station has ended', charger.ended, PATIENCE_MS);
    assert.equal(code, 0);
    const sessions = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as SessionLine & { session: string });
    assert.deepEqual(
      sessions.map(({ event }) => event),
      ['ready', 'session', 'session'],
    );
    for (const { session } of sessions.slice(1)) await verify(path.join(receipts, `${session}.json`), 0);
    await verify(file('mine.json'), 0);
    const text = await readFile(file('mine.json'), 'utf8');
    await writeFile(file('false.json'), text.replace(/"unitsPerKwh":450000/, '"unitsPerKwh":400000'));
    await verify(file('false.json'), 1);
  });

  async function verify(receipt: string, exit: number): Promise<void> {
    const checked = await run('wallet', 'verify-receipt', receipt, ...network());
    assert.equal(checked.code, exit, checked.stderr);
    const { ok, problems } = last<{ ok: boolean; problems: readonly string[] }>(checked);
    assert.equal(ok, exit === 0);
    assert.equal(problems.length > 0, exit !== 0);
  }
});
