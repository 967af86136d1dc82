import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { eventually } from './deadline.ts';
import { Load } from './load.ts';
import { RealNetwork } from './real-network.ts';

const OTHERS = [0, 1, 2];
const NODES = [...OTHERS, 3];

/** A limit on the size of files is a full disk for one process, and may be set and lifted while it runs. */
function limitFiles(pid: number, bytes: string): void {
  const { status } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
  assert.equal(status, 0, 'prlimit works');
}

describe('a validator whose disk is full', function () {
  this.timeout(120_000);

  it('says so, serves what it has, and votes again by itself when there is room', async function () {
    if (process.platform !== 'linux') this.skip();
    await using network = await RealNetwork.create({
      name: 'a full disk',
      validators: 4,
      funds: { before: 1_000, during: 1_000, after: 1_000 },
    });
    await network.start();
    await network.connected();
    const client = await network.client();
    await Promise.all(NODES.map((node) => client.link(node)));
    const pay = async (name: string, payments: number, nodes: readonly number[]) => {
      const owners = [network.owner(name)];
      await using load = new Load(client, { owners, window: 1, to: 'zoe', nodes });
      await load.more(payments);
      await load.finish();
    };
    await pay('before', 3, NODES);
    const told = [...client.final].find(([, nodes]) => [...nodes].includes(3));
    assert.ok(told !== undefined);

    const { pid } = network.process(3);
    limitFiles(pid, '1');
    await eventually('it says so', async () => (await network.status(3)).trouble === 'disk_full');
    const full = await network.status(3);
    assert.match(network.process(3).stderr, /The disk is full: the node takes and votes nothing/);
    await pay('during', 5, OTHERS);
    const later = await network.status(3);
    assert.deepEqual([later.round, later.finalPayments], [full.round, full.finalPayments]);
    assert.ok((await network.status(0)).round > full.round + 5);
    assert.equal(await client.isFinal(3, told[0]), true);

    limitFiles(pid, 'unlimited');
    await eventually('it votes again', async () => {
      const { rounds } = await network.status(0);
      return rounds[3]! > full.round + 5;
    });
    await pay('after', 3, NODES);
    await network.agreement();
    assert.equal((await network.status(3)).trouble, undefined);
    client.assertNoLies();
    for (const { code } of await network.stop(...NODES)) assert.equal(code, 0);
    const rounds = (await network.storedWitnesses(0)).filter(({ validator }) => validator === 3);
    assert.equal(new Set(rounds.map(({ round }) => round)).size, rounds.length);
  });
});
