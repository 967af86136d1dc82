import assert from 'node:assert/strict';
import { keysOf } from '../dsl/network.ts';
import type { Client } from './client.ts';
import { eventually } from './deadline.ts';
import { Load } from './load.ts';
import { MeasuredNetwork } from './measured-network.ts';
import { Owner } from './owner.ts';
import { shortEpoch } from './short-epoch.ts';

/** E: a fiftieth of what it is, so that seconds are what minutes are else. */
const EPOCH_ROUNDS = 20;

/** A snapshot of each epoch after the second. */
const SNAPSHOTS = 7;

const OWNERS = ['ann', 'ben', 'cid', 'dot'];

describe(`four validators under load, with epochs of ${EPOCH_ROUNDS} rounds`, function () {
  this.timeout(170_000);

  let network: MeasuredNetwork;
  let client: Client;
  let load: Load;
  const owners: Owner[] = [];

  before(async () => {
    network = await MeasuredNetwork.create({
      validators: 4,
      workBits: 8,
      owners: OWNERS.map((name) => keysOf(name).address),
      unitsEach: 1_000_000,
      environment: shortEpoch(EPOCH_ROUNDS),
    });
    await network.start();
    await network.connected();
    client = await network.client();
    owners.push(...OWNERS.map((name) => new Owner(name, network.genesis)));
  });

  after(async () => {
    await load?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  it('make snapshots, and forget what came before, while every payment becomes final', async () => {
    load = new Load(client, { owners, window: 2, to: 'zoe', nodes: network.nodes });
    await eventually(
      () =>
        `every node has made ${SNAPSHOTS} snapshots: ${network.nodes.map((node) => network.snapshots(node).length)}`,
      () => network.nodes.every((node) => network.snapshots(node).length >= SNAPSHOTS),
      120_000,
    );
    await load.finish();
    assert.equal(load.proven.length, load.made.length);
    await network.agreement();
    await settled();
  });

  /** Of what is forgotten the sum remains: every account has come as far as its owner. */
  async function settled(): Promise<void> {
    for (const node of network.nodes) {
      const link = await client.link(node);
      for (const owner of owners) {
        const { finalSequence, finalHead } = await link.account(owner.address);
        assert.deepEqual(
          [finalSequence, finalHead],
          [owner.sequence, owner.slot],
          `${owner.name} at node ${node}`,
        );
      }
      const { balance } = await link.account(keysOf('zoe').address);
      assert.equal(
        balance,
        owners.reduce((sum, { sequence }) => sum + sequence, 0),
      );
    }
  }

  it('are back with the same accounts when all are killed, from what little their disks have kept', async () => {
    const before = await network.agreement();
    await network.kill();
    for (const node of network.nodes) {
      const { first, length, ledger } = await network.stored(node);
      assert.ok(first > 0, `node ${node} has forgotten nothing of ${length} vertices`);
      assert.ok(ledger.tangle.floor > 0 && ledger.lastCommit.round > ledger.tangle.floor, `node ${node}`);
      let supply = 0;
      for (const account of ledger.accounts.all()) supply += ledger.accounts.balanceOf(account);
      assert.equal(supply, network.genesis.supply);
    }
    await network.start();
    const after = await network.agreement();
    assert.equal(after.root, before.root);
    load = new Load(client, { owners, window: 1, to: 'zoe', nodes: network.nodes });
    await load.more(8);
    await load.finish();
    await network.agreement();
    await settled();
  });

  it('never called each other liars', () => {
    for (const node of network.nodes) {
      const { stderr } = network.process(node);
      assert.doesNotMatch(stderr, /A vertex was refused|cut a peer|signed two witnesses/, `node ${node}`);
    }
  });
});
