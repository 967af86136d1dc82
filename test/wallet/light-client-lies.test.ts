import assert from 'node:assert/strict';
import { type Payment, publicKeyOf, type Units } from '../../ledger/index.ts';
import type { HistoryEntry } from '../../p2p/index.ts';
import { FakeNetwork, seedOf } from './fake-network.ts';
import { FakeLink, type FakeNode } from './fake-peers.ts';
import { CAR, car, charger, LightWorld, STRANGER, stranger, to } from './light-world.ts';

/** No honest validator has these. */
const FORGERS = [201, 202, 203, 204].map(seedOf);

describe('a light client is lied to', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  function gift(sequence = 1, amount = 500): Payment {
    return world.network.payment(STRANGER, sequence, sequence === 1 ? undefined : gift(sequence - 1).id, [
      [car, amount],
    ]);
  }

  /** What a liar could send in the place of a true entry, for a payment that is not final. */
  const lies: Record<string, () => { payment: Uint8Array; proof: Uint8Array }> = {
    'a proof signed by other keys': () => {
      const payment = gift();
      return { payment: payment.bytes, proof: world.network.proof(payment.id, [0, 1, 2], FORGERS) };
    },
    'a proof by two of four validators': () => {
      const payment = gift();
      return { payment: payment.bytes, proof: world.network.proof(payment.id, [0, 1]) };
    },
    'a proof in which one validator stands twice': () => {
      const payment = gift();
      return { payment: payment.bytes, proof: world.network.proof(payment.id, [0, 1, 1]) };
    },
    'a true proof of another payment': () => {
      const other = world.network.payment(STRANGER, 1, undefined, [[charger, 1]]);
      return { payment: gift().bytes, proof: world.network.proof(other.id) };
    },
    'a payment whose amount was changed under its proof': () => {
      const payment = gift();
      return { payment: gift(1, 501).bytes, proof: world.network.proof(payment.id) };
    },
    'a payment whose signature was changed': () => {
      const payment = gift();
      const bytes = payment.bytes.slice();
      bytes[bytes.length - 1] = bytes.at(-1)! ^ 1;
      return { payment: bytes, proof: world.network.proof(payment.id) };
    },
    'a final payment of another network': () => {
      const other = new FakeNetwork([[stranger, 1000]], 'other');
      const payment = other.payment(STRANGER, 1, undefined, [[car, 500]]);
      return { payment: payment.bytes, proof: other.proof(payment.id) };
    },
    'a proof from another network with the same validators': () => {
      const payment = gift();
      const other = new FakeNetwork([[stranger, 1000]], 'other');
      return { payment: payment.bytes, proof: other.proof(payment.id) };
    },
    'a final payment between strangers': () => {
      const payment = world.network.payment(STRANGER, 1, undefined, [[charger, 1]]);
      return { payment: payment.bytes, proof: world.network.proof(payment.id) };
    },
    'bytes that are no payment': () => ({
      payment: Uint8Array.of(1, 2, 3),
      proof: world.network.proof(gift().id),
    }),
    'bytes that are no proof': () => ({ payment: gift().bytes, proof: new Uint8Array(5000) }),
  };

  for (const [name, lie] of Object.entries(lies)) {
    it(`${name}, in the history: not believed, and the node is left alone`, async () => {
      world.a.page = (entries) => [...entries, { index: 7, ...lie() }];
      const client = await world.start();
      await expectDisbelief(client, world.a);
    });

    it(`${name}, pushed: not believed, and the node is left alone`, async () => {
      const client = await world.start();
      const [link] = world.a.links;
      link!.push({ type: 'final', entry: { index: 7, ...lie() } });
      await expectDisbelief(client, world.a);
    });
  }

  async function expectDisbelief(
    client: Awaited<ReturnType<LightWorld['start']>>,
    node: FakeNode,
  ): Promise<void> {
    await world.time.until('the link has ended', () => node.links.size === 0);
    assert.equal(client.balance, 1000);
    assert.equal(client.historyLength, 0);
    assert.equal(world.store.history.length, 0);
    const { dials } = node;
    await world.time.advance(500_000);
    assert.equal(node.dials, dials, 'it was dialled again too soon');
    // The honest ones serve on.
    const { final } = await world.time.result(client.pay(to(charger, 1)));
    world.finalizeAccepted();
    await world.time.result(final);
    assert.equal(client.balance, 999);
  }

  it('a history without end, or out of order, or in pages that are too long: the node is left alone', async () => {
    const payment = gift();
    const claim = { payment: payment.bytes, proof: world.network.proof(payment.id) };
    let index = 0;
    world.a.page = () => [{ index: index++, ...claim }];
    world.b.page = (entries) => [...entries, { index: 5, ...claim }, { index: 5, ...claim }];
    const three = [1, 2, 3].map((amount, index): HistoryEntry => {
      const { id, bytes } = world.network.payment(STRANGER, 1, undefined, [[car, amount]]);
      return { index, payment: bytes, proof: world.network.proof(id) };
    });
    world.c.page = (entries) => (entries.length === 0 ? three : entries);
    const client = await world.start({ tuning: { historyPageEntries: 2 } });
    for (const node of world.nodes) {
      await world.time.until(`${node.address} is left alone`, () => node.links.size === 0);
      assert.ok((node.asked.history ?? 0) <= 3);
    }
    // The payment itself was true.
    assert.equal(client.balance, 1500);
  });

  it('an inflated balance is nobody’s money', async () => {
    for (const node of world.nodes) {
      node.view = (view) => ({ ...view, balance: 1e9 as Units, pending: 1e9 as Units });
    }
    const client = await world.start();
    await assert.rejects(world.time.result(client.pay(to(charger, 1001))), { code: 'insufficient_funds' });
    assert.equal(client.balance, 1000);
    assert.ok(world.nodes.every((node) => node.links.size === 1));
  });

  it('what one node keeps back, another one tells: the wallet knows the union', async () => {
    const first = gift(1, 10);
    const second = world.network.payment(STRANGER, 2, first.id, [[car, 20]]);
    world.a.behind = true;
    world.b.page = (entries) => entries.filter(({ payment }) => Buffer.compare(payment, second.bytes) !== 0);
    world.network.finalize(first);
    world.network.finalize(second);
    world.c.page = (entries) => entries.filter(({ index }) => index > 0);
    const client = await world.start();
    await world.time.until('both are known', () => client.balance === 1030);
    assert.equal(client.historyLength, 2);
  });

  it('a stale node does not turn the account back', async () => {
    const client = await world.start();
    const { id, final } = await world.time.result(client.pay(to(charger, 100)));
    world.a.behind = true;
    world.finalizeAccepted();
    await world.time.result(final);
    world.b.die();
    world.c.die();
    // Only the one that knows nothing of it is left, and the wallet starts again.
    await client[Symbol.asyncDispose]();
    const again = await world.start();
    assert.equal(again.balance, 900);
    assert.equal(again.head, id);
    const next = await world.time.result(again.pay(to(charger, 1)));
    assert.equal(world.network.decode(next.bytes).sequence, 2);
  });

  it('"final" without a proof is not final', async () => {
    const client = await world.start();
    for (const node of world.nodes) {
      node.status = () => 'final';
      node.proof = () => ({ status: 'final' });
    }
    const { id } = await world.time.result(client.pay(to(charger, 100)));
    const waiting = client.waitFinal(id, { timeoutMs: 20_000 });
    for (const node of world.nodes) {
      for (const link of node.links) link.push({ type: 'status', payment: id, status: 'final' });
    }
    await assert.rejects(world.time.result(waiting), { code: 'timeout' });
    assert.equal(client.underWay.length, 1);
    assert.equal(client.underWay[0]!.claimed, 'final');
  });

  it('an answer to a question about one payment with the proof of another is a lie', async () => {
    const client = await world.start();
    const other = gift();
    const claim = { payment: other.bytes, proof: world.network.proof(other.id) };
    for (const node of world.nodes) node.proof = () => ({ index: 1, ...claim });
    const { id } = await world.time.result(client.pay(to(charger, 100)));
    const waiting = client.waitFinal(id, { timeoutMs: 20_000 });
    await assert.rejects(world.time.result(waiting), { code: 'timeout' });
    assert.ok(world.nodes.every((node) => node.links.size === 0));
    assert.equal(client.underWay.length, 1);
  });

  it('tips that are none, and replies that do not fit the question', async () => {
    const client = await world.start();
    world.a.tipIds = ['nonsense' as never];
    world.b.tipIds = world.c.tipIds;
    assert.deepEqual(await world.time.result(client.tips(2)), world.c.tipIds);
    const { submit } = FakeLink.prototype;
    try {
      FakeLink.prototype.submit = async () => [];
      const paying = client.pay(to(charger, 1));
      await world.time.until('all are left alone', () => world.nodes.every((node) => node.links.size === 0));
      FakeLink.prototype.submit = submit;
      await world.time.result(paying, 1_000_000).catch(() => {});
      await world.time.until(
        'it is delivered in the end',
        () => world.distinctSubmitted.size === 1,
        1_000_000,
      );
    } finally {
      FakeLink.prototype.submit = submit;
    }
  });

  it('two proven payments in one slot: the wallet stops and says why', async () => {
    const client = await world.start();
    world.network.finalize(world.network.payment(CAR, 1, undefined, [[charger, 1]]));
    world.network.finalize(world.network.payment(CAR, 1, undefined, [[charger, 2]]));
    await world.time.until('it stops', () => client.problem?.includes('dishonest') === true);
    await assert.rejects(world.time.result(client.pay(to(charger, 1))), {
      code: 'not_ready',
      message: /dishonest/,
    });
  });

  describe('headers', () => {
    it('count when signed by the validator that they name, in its committee, on this network', async () => {
      const client = await world.start();
      const { network } = world;
      assert.deepEqual(client.network, { rounds: [0, 0, 0, 0], round: 0, heardAtMs: undefined });
      const other = new FakeNetwork([[stranger, 1000]], 'other');
      world.peers.header(network.header(0, 9, [], seedOf(201)));
      world.peers.header(network.header(0, 9, [], seedOf(102)));
      world.peers.header(other.header(0, 9));
      world.peers.header(new Uint8Array(3));
      assert.equal(publicKeyOf(seedOf(102)).length, 32);
      assert.deepEqual(client.network.rounds, [0, 0, 0, 0]);
      for (const [validator, round] of [
        [0, 12],
        [1, 10],
        [2, 11],
      ] as const)
        world.peers.header(network.header(validator, round));
      assert.deepEqual(client.network.rounds, [12, 10, 11, 0]);
      // Three of four have reached round 10.
      assert.equal(client.network.round, 10);
      assert.equal(client.network.heardAtMs, world.time.nowMs());
    });

    it('of one validator are verified once in an interval, and forged ones do not stop the others for long', async () => {
      const client = await world.start({ tuning: { forgedHeadersMax: 3 } });
      const { network } = world;
      world.peers.header(network.header(0, 1));
      world.peers.header(network.header(0, 2));
      assert.equal(client.network.rounds[0], 1);
      await world.time.advance(1000);
      world.peers.header(network.header(0, 1));
      assert.equal(client.network.rounds[0], 1);
      world.peers.header(network.header(0, 3));
      assert.equal(client.network.rounds[0], 3);
      for (let i = 0; i < 3; i++) world.peers.header(network.header(1, 1000 + i, [], seedOf(201)));
      world.peers.header(network.header(1, 5));
      assert.equal(client.network.rounds[1], 0);
      await world.time.advance(1000);
      world.peers.header(network.header(1, 5));
      assert.equal(client.network.rounds[1], 5);
    });
  });
});
