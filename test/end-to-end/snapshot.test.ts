import assert from 'node:assert/strict';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../../node/config.ts';
import type { NodeLog } from '../../node/log.ts';
import { type RunningNode, runNode } from '../../node/run-node.ts';
import { eventually } from './deadline.ts';
import { Load } from './load.ts';
import { RealNetwork } from './real-network.ts';

const VALIDATORS = [0, 1, 2, 3];

/** E, a little above D: what takes an hour of an idle network otherwise is seen in seconds. */
const EPOCH_ROUNDS = 70;

/** Nodes of this process, so that they may have other rules, and what they have logged. */
class Nodes implements AsyncDisposable {
  readonly #network: RealNetwork;
  readonly #running = new Map<number, RunningNode>();
  readonly lines: string[] = [];

  constructor(network: RealNetwork) {
    this.#network = network;
  }

  #log(node: number): NodeLog {
    const line = (data: object, message: string): void => {
      this.lines.push(`${node} ${message} ${JSON.stringify(data)}`);
    };
    const log: NodeLog = { debug: () => {}, info: line, warn: line, error: line, child: () => log };
    return log;
  }

  async start(node: number, flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const config = await loadConfig({
      flags: { roundFloorMs: '1', roundLingerMs: '5', idleBeatMs: '2', ...flags },
      environment: {},
      filePath: node < VALIDATORS.length ? path.join(this.#network.folder(node), 'node.json') : undefined,
    });
    const running = await runNode(config, this.#log(node), { epochRounds: EPOCH_ROUNDS });
    this.#running.set(node, running);
    void running.failed.then((reason) => this.lines.push(`${node} had to stop: ${reason}`));
  }

  async stop(node: number): Promise<void> {
    await this.#running.get(node)?.[Symbol.asyncDispose]();
    this.#running.delete(node);
  }

  heard(pattern: RegExp): boolean {
    return this.lines.some((line) => pattern.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of [...this.#running.keys()]) await this.stop(node);
  }
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('a network that forgets', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  let nodes: Nodes;

  before(async () => {
    network = await RealNetwork.create({
      name: 'snapshots',
      validators: 4,
      funds: { early: 1_000, middle: 1_000, late: 1_000, last: 1_000 },
    });
    nodes = new Nodes(network);
    for (const node of VALIDATORS) await nodes.start(node);
  });

  after(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  afterEach(function () {
    const lines = nodes.lines.filter(
      (line) => !/^\d (Made a snapshot|a configured peer|the gossip handler)/.test(line),
    );
    if (this.currentTest?.state === 'failed') process.stderr.write(`${lines.slice(-60).join('\n')}\n`);
    assert.ok(!nodes.heard(/^\d had to stop/));
  });

  async function pay(name: string, payments: number): Promise<void> {
    const client = await network.client();
    await Promise.all(VALIDATORS.map((node) => client.link(node)));
    const owners = [network.owner(name)];
    await using load = new Load(client, { owners, window: 1, to: 'zoe', nodes: VALIDATORS });
    await load.more(payments);
    await load.finish();
    client.assertNoLies();
  }

  /** All validators make so many more rounds. */
  async function rounds(count: number): Promise<void> {
    const { round } = await network.status(0);
    await eventually(`${count} rounds have passed`, async () => {
      const views = await Promise.all(VALIDATORS.map((node) => network.glance(node)));
      return views.every((view) => view !== undefined && view.round >= round + count);
    });
  }

  it('makes snapshots, and its disks stop growing', async () => {
    await pay('early', 5);
    await rounds(5 * EPOCH_ROUNDS);
    for (const node of VALIDATORS)
      assert.ok(nodes.heard(new RegExp(`^${node} Made a snapshot`)), `node ${node}`);
    const view = await network.status(0);
    assert.ok(view.vertices > 0);
    assert.ok((await bytesIn(path.join(network.folder(0), 'db'))) < 50_000_000);
  });

  it('goes on from its snapshots after a restart', async () => {
    const before = await network.status(2);
    await nodes.stop(2);
    await nodes.start(2);
    await eventually('node 2 votes', async () => (await network.status(0)).rounds[2]! > before.round + 5);
    await pay('middle', 3);
  });

  it('lets a validator join from a snapshot that has lost its disk, and vote again', async () => {
    await nodes.stop(3);
    await rm(path.join(network.folder(3), 'db'), { recursive: true });
    const before = await network.status(0);
    await nodes.start(3);
    await eventually('node 3 votes again', async () => {
      const view = await network.glance(0);
      return view !== undefined && view.rounds[3]! > before.round + 5;
    });
    await eventually('node 3 says so', async () => nodes.heard(/^3 Joined from a snapshot/));
    assert.ok(nodes.heard(/^3 The last round is known/));
    await pay('late', 3);
    assert.ok(!nodes.heard(/signed two witnesses/));
  });

  it('lets a validator catch up that was away for longer than the others remember', async () => {
    await nodes.stop(1);
    const { round } = await network.status(0);
    await eventually('many rounds have passed', async () => {
      const view = await network.glance(0);
      return view !== undefined && view.round > round + 6 * EPOCH_ROUNDS;
    });
    nodes.lines.length = 0;
    await nodes.start(1);
    await eventually('node 1 votes again', async () => {
      const view = await network.glance(0);
      return view !== undefined && view.rounds[1]! > round + 6 * EPOCH_ROUNDS;
    });
    await eventually('node 1 says so', async () => nodes.heard(/^1 Joined from a snapshot/));
    await pay('last', 3);
    assert.ok(!nodes.heard(/signed two witnesses/));
  });
});
