import assert from 'node:assert/strict';
import type { PaymentId } from '../../ledger/index.ts';
import { CAR, car, charger, LightWorld, STRANGER, to } from './light-world.ts';
import { MemoryStore } from './memory-store.ts';

describe('a light client without a store', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  /** So many own payments of one unit, final. */
  function past(count: number): PaymentId {
    let previous: PaymentId | undefined;
    for (let sequence = 1; sequence <= count; sequence++) {
      const payment = world.network.payment(CAR, sequence, previous, [[charger, 1]]);
      world.network.finalize(payment);
      previous = payment.id;
    }
    return previous!;
  }

  it('takes head, sequence and balance from proofs, over many pages', async () => {
    const head = past(25);
    world.network.finalize(world.network.payment(STRANGER, 1, undefined, [[car, 100]]));
    for (const node of world.nodes) node.pageMax = 4;
    const client = await world.start();
    await world.time.result(client.ready({ timeoutMs: 30_000 }));
    assert.deepEqual([client.head, client.sequence, client.balance], [head, 25, 1075]);
    const { bytes } = await world.time.result(client.pay(to(charger, 1)));
    const payment = world.network.decode(bytes);
    assert.deepEqual([payment.previous, payment.sequence], [head, 26]);
  });

  it('signs nothing before two nodes have told the past, and nothing that one of them kept back is repeated', async () => {
    const head = past(5);
    // The first one knows three of five payments; the others are away at first.
    world.a.entries = world.a.entries.slice(0, 3);
    world.b.up = false;
    world.c.up = false;
    const client = await world.start();
    await world.time.advance(5000);
    assert.match(client.problem ?? '', /1 of 2 nodes/);
    world.b.up = true;
    await world.time.result(client.ready({ timeoutMs: 60_000 }));
    assert.deepEqual([client.head, client.sequence, client.balance], [head, 5, 995]);
  });

  it('one node is enough when no other one comes for long', async () => {
    past(2);
    world.b.up = false;
    world.c.up = false;
    const client = await world.start();
    await assert.rejects(world.time.result(client.ready({ timeoutMs: 10_000 })), { code: 'not_ready' });
    await world.time.result(client.ready({ timeoutMs: 30_000 }));
    assert.equal(client.sequence, 2);
  });

  it('says that no node can be reached', async () => {
    for (const node of world.nodes) node.up = false;
    const client = await world.start();
    const paying = client.pay(to(charger, 1));
    await assert.rejects(world.time.result(paying), { code: 'not_ready', message: /0 of 2 nodes.*reached/ });
    assert.ok(client.nodes.every(({ connected, lastError }) => !connected && lastError !== undefined));
  });

  it('waits for payments of its own that are still under way, so that it makes no rival of them', async () => {
    const under = world.network.payment(CAR, 1, undefined, [[charger, 10]]);
    for (const node of world.nodes) node.accepted.set(under.id, under);
    const client = await world.start();
    await world.time.advance(5000);
    assert.match(client.problem ?? '', /speaks of 1 own payments, and 0 are known/);
    const paying = client.pay(to(charger, 1));
    await world.time.advance(5000);
    world.network.finalize(under);
    const { bytes } = await world.time.result(paying);
    assert.equal(world.network.decode(bytes).previous, under.id);
    assert.equal(client.balance, 989);
  });

  it('but a node that speaks of payments without ever proving them does not stop it for ever', async () => {
    let claimed = 1e6;
    world.c.view = (view) => ({ ...view, sequence: claimed++, finalSequence: claimed });
    const client = await world.start();
    await world.time.until('it speaks', () => /100000\d own payments/.test(client.problem ?? ''));
    await world.time.result(client.pay(to(charger, 1)));
    for (let i = 0; i < 30; i++) {
      await world.time.advance(10_000);
      assert.equal(client.problem, undefined);
    }
  });

  it('a gap in its own payments stops it until the proof in between is there', async () => {
    past(5);
    for (const node of world.nodes) node.entries = node.entries.filter((_, index) => index !== 2);
    const client = await world.start();
    await assert.rejects(world.time.result(client.pay(to(charger, 1))), {
      code: 'not_ready',
      message: /own payment 3 of 5 is not known/,
    });
    const missing = world.network.finals[2]!;
    world.b.learn(missing.payment, { payment: missing.payment.bytes, proof: missing.proof });
    await world.time.result(client.ready({ timeoutMs: 10_000 }));
    assert.deepEqual([client.sequence, client.balance], [5, 995]);
  });

  it('credits that are missing stop it rather than a balance that is wrong', async () => {
    world.network.finalize(world.network.payment(STRANGER, 1, undefined, [[car, 500]]));
    const spent = world.network.payment(CAR, 1, undefined, [[charger, 1400]]);
    world.network.finalize(spent);
    for (const node of world.nodes) node.entries = node.entries.slice(1);
    const client = await world.start();
    await world.time.advance(5000);
    assert.equal(client.balance, 0);
    assert.match(client.problem ?? '', /400 units of credits/);
    const missing = world.network.finals[0]!;
    world.a.learn(missing.payment, { payment: missing.payment.bytes, proof: missing.proof });
    await world.time.until('it is there', () => client.balance === 100);
  });

  describe('with half of it', () => {
    it('when the history was lost, it is read anew, and nothing is signed below what the state says', async () => {
      const first = await world.start();
      for (let i = 0; i < 3; i++) {
        const { final } = await world.time.result(first.pay(to(charger, 1)));
        world.finalizeAccepted();
        await world.time.result(final);
      }
      await first[Symbol.asyncDispose]();
      const disk = new MemoryStore();
      disk.state = { ...world.store.state!, cursors: {} };
      for (const node of world.nodes) node.up = false;
      const client = await world.start({ store: disk });
      assert.equal(client.sequence, 3);
      assert.match(client.problem ?? '', /nodes have told/);
      world.b.up = true;
      await world.time.result(client.ready({ timeoutMs: 60_000 }));
      assert.equal(client.balance, 997);
      const { bytes } = await world.time.result(client.pay(to(charger, 1)));
      assert.equal(world.network.decode(bytes).sequence, 4);
    });

    it('when the state was lost, the history says where it was', async () => {
      const first = await world.start();
      const { id, final } = await world.time.result(first.pay(to(charger, 1)));
      world.finalizeAccepted();
      await world.time.result(final);
      await first[Symbol.asyncDispose]();
      const disk = new MemoryStore();
      disk.history = world.store.history;
      const client = await world.start({ store: disk });
      assert.deepEqual([client.head, client.sequence, client.balance], [id, 1, 999]);
    });

    it('a crash between history and state counts nothing twice', async () => {
      const first = await world.start();
      const { id, final } = await world.time.result(first.pay(to(charger, 10)));
      const before = structuredClone(world.store.state);
      world.finalizeAccepted();
      await world.time.result(final);
      await first[Symbol.asyncDispose]();
      const disk = world.store.copy();
      disk.state = before;
      assert.equal(before!.outgoing.length, 1);
      const client = await world.start({ store: disk });
      assert.deepEqual([client.underWay.length, client.balance, client.head], [0, 990, id]);
    });

    it('reads on where it was, and from the beginning when a node numbers anew', async () => {
      past(3);
      const first = await world.start();
      await world.time.result(first.ready({ timeoutMs: 30_000 }));
      await first[Symbol.asyncDispose]();
      for (const node of world.nodes) node.asked = {};
      const told: number[] = [];
      world.a.page = (entries) => {
        told.push(...entries.map(({ index }) => index));
        return entries;
      };
      const second = await world.start();
      await world.time.result(second.ready({ timeoutMs: 30_000 }));
      assert.deepEqual(told, []);
      await second[Symbol.asyncDispose]();
      // This node has lost everything but the newest payment, which so has the first number again.
      past(4);
      world.a.entries = world.a.entries.slice(3);
      world.b.up = false;
      world.c.up = false;
      const third = await world.start();
      await world.time.until('the fourth is known', () => third.sequence === 4);
    });
  });
});
