import assert from 'node:assert/strict';
import { type PaymentId, type Refusal, unhex } from '../../ledger/index.ts';
import { car, charger, LightWorld, to } from './light-world.ts';

describe('the payer of a light client', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  describe('when nodes refuse', () => {
    const rows: [string, Refusal][] = [
      ['unfunded', { code: 'unfunded', available: 0 as never, needed: 1 as never }],
      ['sequence_gap', { code: 'sequence_gap', expected: 1, received: 2 }],
      ['previous_unknown', { code: 'previous_unknown', previous: car }],
      ['slot_taken', { code: 'slot_taken', by: 'ff'.repeat(32) as PaymentId }],
      ['bad_signature', { code: 'bad_signature', of: 'payment' }],
      ['too_little_work', { code: 'too_little_work', bits: 4, required: 4 }],
    ];
    for (const [name, refusal] of rows) {
      it(`${name} by all of them is told to the payer, and the payment stays the only one in its slot`, async () => {
        const client = await world.start();
        for (const node of world.nodes) node.refuse = () => refusal;
        const paying = client.pay(to(charger, 5));
        const error = await world.failure(paying);
        assert.equal(error.code, 'refused');
        assert.deepEqual(error.refusal, refusal);
        assert.match(error.message, /do not pay again/);
        assert.equal(client.sequence, 1);
        assert.equal(client.balance, 995);
        for (const node of world.nodes) node.refuse = () => undefined;
        await world.time.until('a node takes it', () =>
          world.nodes.some(({ accepted }) => accepted.size > 0),
        );
        world.finalizeAccepted();
        const verified = await world.time.result(client.waitFinal(error.payment!, { timeoutMs: 60_000 }));
        assert.equal(verified.payment.id, error.payment);
        assert.equal(world.distinctSubmitted.size, 1);
      });
    }

    it('by one node only, another one is asked at once', async () => {
      const client = await world.start();
      await world.time.until('the wallet is ready', () => client.problem === undefined);
      world.a.refuse = world.b.refuse = () => rows[0]![1];
      const before = world.time.nowMs();
      await client.pay(to(charger, 5));
      assert.equal(world.time.nowMs(), before);
    });

    it('for want of room, it is offered again until there is some', async () => {
      const client = await world.start();
      const full: Refusal = { code: 'queue_full', waiting: 9, max: 9 };
      const spent: Refusal = { code: 'budget_spent', what: 'submits', retryAfterMs: 20_000 };
      world.a.refuse = world.b.refuse = () => full;
      world.c.refuse = () => spent;
      let settled = false;
      const paying = client.pay(to(charger, 5)).finally(() => {
        settled = true;
      });
      await world.time.advance(19_000);
      assert.ok(!settled);
      // The one that names a time is not asked before it, and nobody is hammered.
      assert.ok(world.nodes.every(({ submitted }) => submitted.length < 3));
      for (const node of world.nodes) node.refuse = () => undefined;
      await world.time.result(paying);
      assert.equal(world.distinctSubmitted.size, 1);
    });

    it('for more work than the network asks for, more is done under the same id; but not without bound', async () => {
      const client = await world.start();
      const more = (required: number): Refusal => ({ code: 'too_little_work', bits: 4, required });
      for (const node of world.nodes)
        node.refuse = ({ work }) => (work[0] === undefined ? undefined : more(8));
      world.c.refuse = () => more(60);
      const paying = client.pay(to(charger, 5));
      paying.catch(() => {});
      await world.time.until('other work is offered', () => world.distinctSubmitted.size === 2);
      const ids = new Set([...world.distinctSubmitted].map((bytes) => world.network.decode(unhex(bytes)).id));
      assert.equal(ids.size, 1);
      assert.equal(
        Buffer.from(world.store.state!.outgoing[0]!.bytes).toString('hex'),
        [...world.distinctSubmitted][1],
      );
      const searches = world.searches;
      for (const node of world.nodes) node.refuse = () => more(60);
      await world.time.advance(60_000);
      assert.equal(world.searches, searches);
      for (const node of world.nodes) node.refuse = () => undefined;
      await world.time.until('a node takes it', () => world.nodes.some(({ accepted }) => accepted.size > 0));
      world.finalizeAccepted();
      await world.time.until('it is final', () => client.underWay.length === 0);
    });
  });

  it('a node that says "dead" has not taken the payment', async () => {
    const client = await world.start();
    for (const node of world.nodes) node.status = () => 'dead';
    const error = await world.failure(client.pay(to(charger, 1)));
    assert.equal(error.code, 'still_sending');
    assert.equal(client.underWay.length, 1);
  });
});
