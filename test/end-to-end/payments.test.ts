import assert from 'node:assert/strict';
import { encodeBlock, type Payment } from '../../ledger/index.ts';
import type { Client } from './client.ts';
import { eventually } from './deadline.ts';
import { Load } from './load.ts';
import type { Owner } from './owner.ts';
import { RealNetwork } from './real-network.ts';

const NODES = [0, 1, 2, 3];

describe('four validators, each a process of its own', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  let client: Client;

  before(async () => {
    const payers = ['ann', 'ben', 'cid', 'dot', 'eve', 'fay'];
    const two = Array.from({ length: 6 }, (_, i) => `two-faced ${i}`);
    const funds = Object.fromEntries([...payers, ...two].map((name) => [name, 100_000]));
    network = await RealNetwork.create({ name: 'payments', validators: 4, funds });
    await network.start();
    client = await network.client();
    await network.connected();
  });

  after(() => network?.[Symbol.asyncDispose]());

  // Each test finds all four alive, whatever the one before has left.
  beforeEach(() => network.start());
  afterEach(() => client.assertNoLies());

  it('make payments final, prove it to clients, and agree on the state; the supply stays', async () => {
    const ann = network.owner('ann');
    const zoe = network.owner('zoe');
    await client.watch([ann.address, zoe.address]);
    const payments: Payment[] = [];
    for (const node of [...NODES, ...NODES]) {
      const payment = ann.pay({ to: 'zoe', amount: 10 + payments.length });
      payments.push(payment);
      const [reply] = await client.submit(node, payment);
      assert.deepEqual(reply, { id: payment.id, status: 'queued' });
      // The receiver spends at once what it has just been given.
      await client.untilFinal([payment]);
    }
    const back = zoe.pay({ to: 'ann', amount: 30 });
    await client.submit(2, back);
    await client.untilFinal([back]);
    payments.push(back);

    const view = await network.agreement();
    assert.equal(view.finalPayments, payments.length);
    const sum = payments.slice(0, -1).reduce((total, { transfers }) => total + transfers[0]!.amount, 0);
    for (const node of NODES) {
      const link = await client.link(node);
      const { balance, finalSequence, finalHead } = await link.account(zoe.address);
      assert.deepEqual(
        { balance, finalSequence, finalHead },
        { balance: sum - 30, finalSequence: 1, finalHead: back.id },
      );
      const history = await link.history(ann.address, -1, 100);
      assert.deepEqual(
        history.map((entry) => client.take(node, entry)),
        payments.map(({ id }) => id),
      );
      // Every one of them told it by itself, too.
      await eventually(`node ${node} has told all`, () =>
        payments.every(({ id }) => client.final.get(id)?.has(node)),
      );
    }
  });

  it('go on when one of them is killed, which catches up when it is back, and whose votes count again', async () => {
    const owners = ['ben', 'cid', 'dot'].map((name) => network.owner(name));
    await using load = new Load(client, { owners, window: 3, to: 'zoe', nodes: NODES });
    await load.more(30);
    await network.kill(3);
    const killed = (await network.status(0)).rounds[3]!;
    await load.more(60);

    await network.start(3);
    await eventually('node 3 has caught up and votes on', async () => {
      const [other, back] = await Promise.all([network.glance(0), network.glance(3)]);
      if (other === undefined || back === undefined) return false;
      return (
        other.rounds[3]! > killed && other.rounds[3]! >= other.round - 2 && back.round >= other.round - 2
      );
    });

    // A quorum is three of four: without node 0 nothing becomes final unless node 3 votes.
    await network.kill(0);
    await load.more(30);
    await network.start(0);
    await load.finish();
    assert.equal(load.proven.length, load.made.length);
    await network.agreement();
    assert.ok(load.made.length > 120);
  });

  it('never make two rivals final, whoever gets which first, and serve everybody else meanwhile', async () => {
    const owners = Array.from({ length: 6 }, (_, i) => network.owner(`two-faced ${i}`));
    await using load = new Load(client, {
      owners: [network.owner('eve')],
      window: 2,
      to: 'zoe',
      nodes: NODES,
    });
    await load.more(4);
    await client.watch(owners.map(({ address }) => address));
    const pairs = owners.map((owner) => rivals(owner));
    // At once: most nodes take one before they have heard of the other.
    await Promise.all(
      pairs.map(async ([a, b], i) => {
        const [first, second] = [i % 4, (i + 1 + (i % 3)) % 4] as const;
        const replies = await Promise.all([client.submit(first, a), client.submit(second, b)]);
        for (const [j, [reply]] of replies.entries()) {
          if (reply === undefined || !('refusal' in reply)) continue;
          assert.equal(reply.refusal.code, 'slot_taken');
          await gossip(j === 0 ? a : b);
        }
      }),
    );

    const before = load.proven.length;
    const endMs = performance.now() + 3_000;
    let looks = 0;
    await eventually('3 seconds have passed', async () => {
      await assertOneOfEach(pairs);
      looks++;
      return performance.now() > endMs;
    });
    assert.ok(looks > 1);
    // They were rivals in earnest: every node has both, and none that is not final calls one of them undisputed.
    for (const node of NODES) {
      const link = await client.link(node);
      for (const { id } of pairs.flat()) {
        const reply = await link.proof(id);
        assert.ok(
          reply !== undefined && (!('status' in reply) || reply.status !== 'pending'),
          JSON.stringify(reply),
        );
      }
    }
    await load.more(Math.max(1, before + 20 - load.proven.length));
    await load.finish();
    assert.equal(load.proven.length, load.made.length);
    await network.agreement();
    await assertOneOfEach(pairs);
  });

  /** What nodes do not take as a submit, its owner may still gossip in a block of his own. */
  async function gossip(payment: Payment): Promise<void> {
    const parents = await (await client.link(0)).tips(2);
    const block = encodeBlock(network.genesis.network, parents, [payment.bytes]);
    assert.ok((await client.peers.publishBlock(block)) > 0);
  }

  /** Asks every node for every rival: no two nodes, and no node and a proof that it gave before, have different ones final. */
  async function assertOneOfEach(pairs: readonly (readonly [Payment, Payment])[]): Promise<void> {
    for (const pair of pairs) {
      const answers = await Promise.all(
        NODES.flatMap((node) =>
          pair.map(async ({ id }) => ((await client.isFinal(node, id)) ? id : undefined)),
        ),
      );
      const final = new Set([...answers, ...pair.map(({ id }) => (client.final.has(id) ? id : undefined))]);
      final.delete(undefined);
      assert.ok(final.size <= 1, `two rivals are final: ${[...final].join(', ')}`);
    }
  }

  function rivals(owner: Owner): [Payment, Payment] {
    return [owner.draft({ to: 'zoe', amount: 5 }), owner.draft({ to: 'ann', amount: 7 })];
  }

  it('refuse a rival of what they have, and say which payment has the slot', async () => {
    const fay = network.owner('fay');
    await client.watch([fay.address]);
    const [a, b] = rivals(fay);
    const link = await client.link(1);
    // In one submit: the first still waits for its block when the second comes.
    assert.deepEqual(await link.submit([a.bytes, b.bytes]), [
      { id: a.id, status: 'queued' },
      { refusal: { code: 'slot_taken', by: a.id } },
    ]);
    await client.untilFinal([a]);
    for (const node of NODES) {
      await eventually(`node ${node} knows`, () => client.isFinal(node, a.id));
      assert.deepEqual(await client.refusal(node, b.bytes), { code: 'slot_taken', by: a.id });
      // The same bytes again are no rival.
      assert.deepEqual(await client.submit(node, a), [{ id: a.id, status: 'final' }]);
    }
  });

  it('end in order on SIGTERM and are back at once with everything they called final', async () => {
    const { root, finalPayments } = await network.agreement();
    for (const { code, signal, stderr } of await network.stop(...NODES)) {
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    }
    await network.start();
    const after = await network.agreement();
    assert.deepEqual([after.root, after.finalPayments], [root, finalPayments]);
  });
});
