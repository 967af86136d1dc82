import assert from 'node:assert/strict';
import type { PaymentId } from '../../ledger/index.ts';
import type { LightClient } from '../../wallet/light-options.ts';
import { charger, LightWorld, stranger, to } from './light-world.ts';

describe('a light client', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  describe('when the key is used elsewhere too', () => {
    async function payHere(client: LightClient): Promise<PaymentId[]> {
      const first = await world.time.result(client.pay(to(charger, 100)));
      const second = await world.time.result(client.pay(to(charger, 50)));
      return [first.id, second.id];
    }

    it('a proven rival makes the own payments dead, and their money spendable', async () => {
      const client = await world.start();
      const dead: PaymentId[] = [];
      client.onStatus(({ payment, status, proven }) => {
        if (status === 'dead' && proven) dead.push(payment);
      });
      const ids = await payHere(client);
      const waiting = client.waitFinal(ids[1]!, { timeoutMs: 600_000 });
      waiting.catch(() => {});
      const rival = world.network.payment(
        1,
        1,
        undefined,
        to(stranger, 7).map(({ to, amount }) => [to, amount]),
      );
      world.network.finalize(rival);
      await world.time.until('they are dead', () => client.underWay.length === 0);
      assert.deepEqual(dead, ids);
      await assert.rejects(waiting, {
        code: 'payment_dead',
        payment: ids[1],
        message: /key is in use elsewhere/,
      });
      assert.equal(client.balance, 993);
      assert.equal(client.head, rival.id);
      const next = await world.time.result(client.pay(to(charger, 1)));
      const payment = world.network.decode(next.bytes);
      assert.deepEqual([payment.previous, payment.sequence], [rival.id, 2]);
      // A restart does not bring them back.
      const again = await world.start({ store: world.store.copy() });
      assert.deepEqual(
        again.underWay.map(({ id }) => id),
        [next.id],
      );
      assert.equal(again.balance, 992);
    });

    it('a crash between learning of the rival and striking the dead ones does not bring them back', async () => {
      const client = await world.start();
      await payHere(client);
      const before = structuredClone(world.store.state);
      world.network.finalize(world.network.payment(1, 1, undefined, [[stranger, 7]]));
      await world.time.until('they are dead', () => client.underWay.length === 0);
      const disk = world.store.copy();
      disk.state = before;
      const again = await world.start({ store: disk });
      assert.deepEqual(again.underWay, []);
      assert.equal(again.balance, 993);
      assert.equal(again.sequence, 1);
    });

    it("a node's word that a payment is dead or its slot taken changes nothing", async () => {
      const client = await world.start();
      const ids = await payHere(client);
      for (const node of world.nodes) {
        node.refuse = () => ({ code: 'slot_taken', by: 'ff'.repeat(32) as PaymentId });
        for (const link of node.links) link.push({ type: 'status', payment: ids[0]!, status: 'dead' });
      }
      await world.time.advance(300_000);
      assert.deepEqual(
        client.underWay.map(({ id }) => id),
        ids,
      );
      assert.equal(client.balance, 850);
    });

    it('goes on from where the other one is', async () => {
      const client = await world.start();
      const first = world.network.payment(1, 1, undefined, [[charger, 10]]);
      const second = world.network.payment(1, 2, first.id, [[charger, 20]]);
      world.network.finalize(first);
      world.network.finalize(second);
      await world.time.until('both are known', () => client.historyLength === 2);
      assert.equal(client.balance, 970);
      const { bytes } = await world.time.result(client.pay(to(charger, 1)));
      assert.equal(world.network.decode(bytes).previous, second.id);
    });
  });
});
