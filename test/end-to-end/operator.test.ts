import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { keysOf } from '../dsl/network.ts';
import { eventually } from './deadline.ts';
import { type Ended, RavelProcess, ravel } from './ravel-process.ts';
import { RealNetwork } from './real-network.ts';

type Words = readonly (string | RegExp)[];

/** From the table that `ravel --help` prints. */
const WRONG = 2;
const TAKEN = 5;

describe('an operator', function () {
  this.timeout(120_000);

  /** One validator that runs. */
  let network: RealNetwork;
  /** Another network of one, which does not. */
  let other: RealNetwork;
  let scratch: string;
  let folders = 0;

  before(async () => {
    network = await RealNetwork.create({ name: 'operator', validators: 1, funds: { ann: 100 } });
    other = await RealNetwork.create({ name: 'other operator', validators: 1, funds: { ann: 100 } });
    scratch = path.join(network.dir, 'scratch');
    await mkdir(scratch);
    await network.start();
  });

  after(async () => {
    await network?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
  });

  function freshFolder(): string {
    return path.join(scratch, String(folders++));
  }

  /** A full node of its own folder, but for what is said otherwise. */
  function fullNode(flags: Readonly<Record<string, string>>): Promise<Ended> {
    const all = {
      genesis: path.join(network.dir, 'genesis.json'),
      'data-dir': freshFolder(),
      listen: '/ip4/127.0.0.1/tcp/0',
      ...flags,
    };
    return ravel(['node', ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])]);
  }

  /** It ended with the code, and with words that name cause and cure, and none for programmers. */
  function assertTold({ code, signal, stderr, stdout }: Ended, exit: number, ...words: Words): void {
    const told = stderr
      .split('\n')
      .filter((line) => !line.startsWith('{'))
      .join('\n');
    assert.match(told, /^ravel: /, told);
    assert.doesNotMatch(told, /\n\s+at /, 'a stack trace is nothing for an operator');
    assert.doesNotMatch(told, /bug|undefined|\[object/, told);
    for (const word of words) assert.match(told, typeof word === 'string' ? new RegExp(escaped(word)) : word);
    assert.equal(stdout, '');
    assert.deepEqual({ code, signal }, { code: exit, signal: null }, told);
  }

  /** Commands that run beside one another; all of them are refused as wrong. */
  async function assertAllTold(rows: readonly (readonly [Promise<Ended>, ...Words])[]): Promise<void> {
    const all = await Promise.all(rows.map(([ended]) => ended));
    for (const [i, ended] of all.entries()) {
      const [, ...words] = rows[i]!;
      assertTold(ended, WRONG, ...words);
    }
  }

  it('is told of a port in use, and to choose another', async () => {
    const port = network.port(0);
    const ended = await fullNode({ listen: network.address(0) });
    assertTold(ended, TAKEN, String(port), /in use/, /another|free/);
  });

  it('is told of a second node on one folder, and which process has it', async () => {
    const ended = await ravel(['node', '--dir', network.folder(0)]);
    assertTold(
      ended,
      TAKEN,
      network.folder(0),
      String(network.process(0).pid),
      /[Ss]top it/,
      /another folder/,
    );
    // The first one does not mind.
    assert.equal((await network.status(0)).validator, 0);
  });

  it('is told of a folder that belongs to another network', async () => {
    const folder = freshFolder();
    await other.start();
    await other.stop(0);
    await cp(path.join(other.folder(0), 'db'), path.join(folder, 'db'), { recursive: true });
    const ended = await fullNode({ 'data-dir': folder });
    assertTold(ended, WRONG, folder, other.genesis.id, network.genesis.id, /[Cc]hoose another/);
  });

  it('is told of a genesis that is not there, no JSON, changed, or a folder', async () => {
    const genesis = path.join(network.dir, 'genesis.json');
    const text = await readFile(genesis, 'utf8');
    const missing = path.join(scratch, 'nowhere.json');
    const cut = path.join(scratch, 'cut.json');
    await writeFile(cut, text.slice(0, 200));
    const changed = path.join(scratch, 'changed.json');
    await writeFile(changed, text.replaceAll('100', '200'));
    await assertAllTold([
      [fullNode({ genesis: missing }), missing, /no such file/, /ravel init/],
      [fullNode({ genesis: cut }), cut, /not JSON/, /handed out/],
      [fullNode({ genesis: changed }), changed, /was changed/, /handed out/],
      [fullNode({ genesis: network.dir }), network.dir, /directory|folder/],
    ]);
  });

  it('is told of a validator key of nobody, of one that others can read, and of one that is none', async () => {
    const secret = `${Buffer.from(keysOf('mal').secret).toString('hex')}\n`;
    const [strange, open, empty, missing] = ['strange', 'open', 'empty', 'missing'].map((name) =>
      path.join(scratch, `${name}.key`),
    ) as [string, string, string, string];
    await writeFile(strange, secret, { mode: 0o600 });
    await writeFile(open, secret, { mode: 0o644 });
    await writeFile(empty, 'secret\n', { mode: 0o600 });
    await assertAllTold([
      [fullNode({ 'validator-key': strange }), strange, /nobody in this network/, /leave validatorKey out/],
      [fullNode({ 'validator-key': open }), open, 'chmod 600'],
      [fullNode({ 'validator-key': empty }), empty, /64 hex digits/],
      [fullNode({ 'validator-key': missing }), missing],
    ]);
  });

  it('is told of settings that do not exist and of values that cannot be, with the place of each', async () => {
    const folder = freshFolder();
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, 'node.json');
    const settings = {
      genesis: path.join(network.dir, 'genesis.json'),
      dataDir: '.',
      validatorKeys: 'x',
      mdns: 'yes',
    };
    await writeFile(file, JSON.stringify(settings));
    const variables = { RAVEL_LISTENS: 'x' };
    await assertAllTold([
      [ravel(['node', '--dir', folder]), file, 'validatorKeys', '"validatorKey"', 'mdns', 'true or false'],
      [ravel(['node', '--config', file], variables), 'RAVEL_LISTENS', '"RAVEL_LISTEN"'],
      [fullNode({ 'round-flor-ms': '5' }), '--round-flor-ms', '--round-floor-ms'],
      [fullNode({ 'round-floor-ms': '0' }), /round-floor-ms/, /1 to 60000/],
      [fullNode({ listen: 'localhost:80' }), 'localhost:80', '/ip4/0.0.0.0/tcp/7300'],
      [fullNode({ listen: '/ip4/127.0.0.1/tcp/http' }), '/ip4/127.0.0.1/tcp/http'],
      [ravel(['node']), '--dir', '--config'],
    ]);
  });

  it('is told of an address that this machine does not have', async () => {
    const address = '/ip4/192.0.2.1/tcp/17300';
    assertTold(await fullNode({ listen: address }), WRONG, address, /this machine/);
  });

  it('is told of a folder that is a file', async () => {
    const file = path.join(scratch, 'file');
    await writeFile(file, '');
    assertTold(await fullNode({ 'data-dir': path.join(file, 'data') }), WRONG, file);
  });

  it('is told that init would go over a network that is there', async () => {
    const allocation = 'test1qqqq=100';
    const args = ['init', '--dir', network.dir, '--prefix', 'test', '--allocate'];
    assertTold(await ravel([...args, allocation]), WRONG, /checksum of the address/, /Copy it again/);
    const genesis = JSON.parse(await readFile(path.join(network.dir, 'genesis.json'), 'utf8')) as {
      allocations: { address: string }[];
    };
    const address = genesis.allocations[0]!.address;
    const ended = await ravel([...args, `${address}=100`]);
    assertTold(ended, WRONG, path.join(network.dir, 'genesis.json'), /there already/, /another folder/);
  });
});

describe('a node that is told to end', function () {
  this.timeout(120_000);

  let network: RealNetwork;

  before(async () => {
    network = await RealNetwork.create({ name: 'ending', validators: 1, funds: { ann: 1_000 } });
  });

  after(() => network?.[Symbol.asyncDispose]());

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal} ends with 0, has let go of folder and port, and starts again at once`, async () => {
      // As a person has it: no channel to a parent.
      const args = ['node', '--dir', network.folder(0), '--json'];
      await using first = new RavelProcess(args, { channel: false });
      await first.ready();
      const client = await network.client();
      const ann = network.owner('ann');
      const { head, sequence } = await (await client.link(0)).account(ann.address);
      await client.watch([ann.address]);
      const payment = ann.pay({ to: 'zoe', amount: 1, previous: head, sequence: sequence + 1 });
      await client.submit(0, payment);
      await client.untilFinal([payment]);
      first.signal(signal);
      const { code, signal: by, stderr } = await first.ended;
      assert.deepEqual({ code, by }, { code: 0, by: null }, stderr);
      assert.match(stderr, new RegExp(`ravel: ${signal}: ending in order`));
      await assert.rejects(readFile(path.join(network.folder(0), 'ravel.lock')), { code: 'ENOENT' });
      await assert.rejects(client.link(0));

      await using second = new RavelProcess(args, { channel: false });
      await second.ready();
      assert.equal(await client.isFinal(0, payment.id), true);
      await second.stop();
    });
  }

  it('while it starts ends too, whenever that is', async () => {
    await using child = new RavelProcess(['node', '--dir', network.folder(0), '--json'], { channel: false });
    await eventually('it writes its first line', () => child.stderr.includes('\n'));
    child.signal('SIGTERM');
    const { code, stderr } = await child.ended;
    assert.equal(code, 0, stderr);
  });

  it('a second time ends at once with 130', async () => {
    await using child = new RavelProcess(['node', '--dir', network.folder(0), '--json'], { channel: false });
    await child.ready();
    child.signal('SIGINT');
    child.signal('SIGTERM');
    const { code } = await child.ended;
    // It may have been faster than the second signal.
    assert.ok(code === 130 || code === 0, String(code));
    // Either way the next one starts.
    await using next = new RavelProcess(['node', '--dir', network.folder(0), '--json']);
    await next.ready();
    await next.stop();
  });

  it('because its parent is gone ends in order', async () => {
    const child = new RavelProcess(['node', '--dir', network.folder(0), '--json']);
    await child.ready();
    child.disconnect();
    assert.equal((await child.ended).code, 0);
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
