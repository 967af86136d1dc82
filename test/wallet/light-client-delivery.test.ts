import assert from 'node:assert/strict';
import { decodeBlock } from '../../ledger/index.ts';
import { charger, LightWorld, to } from './light-world.ts';

describe('a light client delivers', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  it('moves on with the same bytes when a node dies or does not answer', async () => {
    world.a.mute = true;
    const client = await world.start({ tuning: { linksMax: 1, restoreNodesMin: 1 } });
    const sent = await world.time.result(client.pay(to(charger, 1)));
    assert.equal(world.a.submitted.length, 0);
    assert.equal(world.b.submitted.length, 1);
    world.b.die();
    await world.time.until('the next node has it', () => world.c.submitted.length > 0);
    assert.deepEqual(world.c.submitted[0], sent.bytes);
    assert.equal(world.distinctSubmitted.size, 1);
    // The first one is tried again and again, but ever more seldom.
    const dials = world.a.dials;
    assert.ok(dials >= 1);
    await world.time.advance(600_000);
    assert.ok(world.a.dials - dials < 25, `${world.a.dials} dials`);
  });

  it('leaves a node that stops to answer, though its link stays up', async () => {
    const client = await world.start({ tuning: { linksMax: 1, restoreNodesMin: 1 } });
    await world.time.result(client.ready({ timeoutMs: 1000 }));
    world.a.mute = true;
    await world.time.result(client.pay(to(charger, 1)), 15_000);
    assert.equal(world.a.links.size, 0);
    assert.equal(world.b.submitted.length, 1);
  });

  it('dials nodes that are away ever more seldom', async () => {
    for (const node of world.nodes) node.up = false;
    await world.start();
    await world.time.advance(600_000);
    for (const { dials } of world.nodes) assert.ok(dials > 8 && dials < 20, `${dials} dials in ten minutes`);
  });

  it('waits for nodes that are all away, and delivers when one comes back', async () => {
    const client = await world.start();
    await world.time.until('the wallet is ready', () => client.problem === undefined);
    for (const node of world.nodes) node.die();
    await world.time.settle();
    const paying = client.pay(to(charger, 5));
    const message = /signed and stored.*do not pay again/;
    const error = await world.failure(paying);
    assert.equal(error.code, 'still_sending');
    assert.match(error.message, message);
    assert.deepEqual(
      client.underWay.map(({ id }) => id),
      [error.payment],
    );
    assert.equal(client.balance, 995);
    world.b.up = true;
    await world.time.until('it is delivered', () => world.b.submitted.length > 0, 120_000);
    world.finalizeAccepted();
    const verified = await world.time.result(client.waitFinal(error.payment!, { timeoutMs: 60_000 }));
    assert.equal(verified.payment.total, 5);
    assert.equal(world.distinctSubmitted.size, 1);
  });

  describe('when nodes keep a payment to themselves', () => {
    it('it is offered to the next node, then gossiped in a block of its own, on tips and on signed headers in turn', async () => {
      const client = await world.start();
      world.peers.reach = 5;
      world.peers.header(world.network.header(2, 20));
      const { id, bytes } = await world.time.result(client.pay(to(charger, 1)));
      await world.time.until('every node has it', () =>
        world.nodes.every(({ submitted }) => submitted.length > 0),
      );
      assert.equal(world.peers.published.length, 0);
      await world.time.until('blocks of its own', () => world.peers.published.length === 2);
      assert.ok(world.distinctSubmitted.size === 1);
      const blocks = world.peers.published.map((block) => decodeBlock(block, world.network.genesis.network));
      for (const block of blocks) {
        assert.ok('payloads' in block);
        assert.deepEqual(
          block.payloads.map((payload) => payload.id),
          [id],
        );
        const [payload] = block.payloads;
        assert.ok(payload?.kind === 'payment');
        assert.deepEqual(payload.bytes, bytes);
      }
      const parents = blocks.map((block) => 'parents' in block && block.parents);
      assert.deepEqual(parents, [world.a.tipIds, [world.network.genesis.id]]);
      world.finalizeAccepted();
      await world.time.until('it is final', () => client.underWay.length === 0);
      await world.time.advance(120_000);
      assert.equal(world.peers.published.length, 2);
    });

    it('with no node at all, gossip and signed headers are enough', async () => {
      const client = await world.start();
      await world.time.until('the wallet is ready', () => client.problem === undefined);
      for (const node of world.nodes) node.die();
      world.peers.reach = 1;
      world.peers.header(world.network.header(0, 20));
      const { id } = await world.time.result(client.pay(to(charger, 1)));
      assert.equal(world.peers.published.length, 1);
      assert.deepEqual(
        client.underWay.map((payment) => payment.id),
        [id],
      );
    });

    it('a proof that is not pushed is asked for', async () => {
      const client = await world.start();
      const { final } = await world.time.result(client.pay(to(charger, 1)));
      for (const node of world.nodes) for (const link of node.links) link.onPush(() => {});
      world.finalizeAccepted();
      const verified = await world.time.result(final, 10_000);
      assert.equal(verified.payment.total, 1);
    });
  });
});
