import assert from 'node:assert/strict';
import { encodePaymentProof, type Payment, type PaymentId } from '../../ledger/index.ts';
import type { LightClient, StatusEvent } from '../../wallet/light-options.ts';
import type { FakeState } from './fake-network.ts';
import { CAR, car, charger, LightWorld, STRANGER, stranger, to } from './light-world.ts';

describe('a light client', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  function pay(client: LightClient, amount: number) {
    return world.time.result(client.pay(to(charger, amount)));
  }

  /** What the same key has signed elsewhere. */
  function elsewhere(sequence: number, previous: PaymentId | undefined, amount = 7): Payment {
    return world.network.payment(CAR, sequence, previous, [[stranger, amount]]);
  }

  function everybodyKnows(state: FakeState): void {
    for (const node of world.nodes) node.knows(state);
  }

  /** All nodes call what was submitted dead from now on. */
  function everybodySaysDead(winner: PaymentId): void {
    for (const node of world.nodes) {
      node.status = () => 'dead';
      node.proof = () => ({ status: 'dead', winner });
    }
  }

  describe('when commits decide a contested slot', () => {
    it('believes that its payment is dead once an outcome shows who has the slot, and goes on from there', async () => {
      const events: StatusEvent[] = [];
      const client = await world.start({ watch: (one) => void one.onStatus((event) => events.push(event)) });
      const [first, second] = [await pay(client, 100), await pay(client, 50)];
      const winner = elsewhere(1, undefined);
      everybodySaysDead(winner.id);
      await world.time.advance(60_000);
      assert.equal(client.underWay.length, 2, "a node's word");
      assert.equal(client.balance, 850);

      everybodyKnows(world.network.state([winner]));
      await assert.rejects(world.time.result(first.final), {
        code: 'payment_dead',
        payment: first.id,
        winner: winner.id,
        message: /Nothing of it was paid.*pay again if it is still owed/,
      });
      await assert.rejects(second.final, { code: 'payment_dead', payment: second.id, winner: winner.id });
      assert.deepEqual(
        events
          .filter(({ proven, status }) => proven && status === 'dead')
          .map((one) => [one.payment, one.winner]),
        [
          [first.id, winner.id],
          [second.id, winner.id],
        ],
      );
      assert.deepEqual([client.underWay, client.balance, client.head], [[], 993, winner.id]);
      for (const node of world.nodes) node.status = () => 'queued';
      const again = await pay(client, 100);
      const payment = world.network.decode(again.bytes);
      assert.deepEqual([payment.previous, payment.sequence], [winner.id, 2]);
    });

    it('knows that its payment is final from an outcome, where no quorum has certified it', async () => {
      const client = await world.start();
      const sent = await pay(client, 100);
      const payment = world.network.decode(sent.bytes);
      const { outcome } = world.network.state([payment]);
      const proof = encodePaymentProof(outcome(payment.id, payment.previous)!);
      world.a.proof = () => ({ index: 0, payment: payment.bytes, proof });
      const final = await world.time.result(sent.final);
      assert.ok('chain' in final.proof);
      assert.deepEqual([client.underWay, client.balance], [[], 900]);
      const again = await world.start({ store: world.store.copy() });
      assert.deepEqual([again.underWay, again.balance, again.head], [[], 900, payment.id]);
      assert.ok('chain' in (await again.history(0, 1))[0]!.proof);
    });

    it('takes what others pay by such a proof too, once', async () => {
      const client = await world.start();
      const gift = world.network.payment(STRANGER, 1, undefined, [[car, 500]]);
      const later = world.network.payment(STRANGER, 2, gift.id, [[charger, 1]]);
      const { outcome } = world.network.state([gift, later]);
      const claim = {
        payment: gift.bytes,
        proof: encodePaymentProof(outcome(gift.id, gift.previous)!),
      };
      for (const node of world.nodes) node.learn(gift, claim);
      await world.time.until('it is there', () => client.balance === 1500);
      await world.time.advance(120_000);
      assert.deepEqual([client.balance, client.historyLength], [1500, 1]);
    });

    it('a false outcome buries nothing, and its node is left alone', async () => {
      const client = await world.start();
      const sent = await pay(client, 100);
      const winner = elsewhere(1, undefined);
      everybodySaysDead(winner.id);
      const { outcome } = world.network.state([winner]);
      const true_ = outcome(sent.id, car)!;
      const lies = [
        { ...true_, chain: [elsewhere(1, undefined, 8).bytes] },
        { ...true_, chain: [] },
        { ...true_, balance: world.network.state([elsewhere(1, undefined, 9)]).balance(car) },
      ];
      world.nodes.forEach((node, i) => {
        node.outcome = () => lies[i];
      });
      await world.time.advance(30_000);
      assert.deepEqual(
        client.underWay.map(({ id }) => id),
        [sent.id],
      );
      for (const { connected, lastError } of client.nodes) {
        assert.ok(!connected);
        assert.match(lastError ?? '', /outcome/);
      }
    });

    it('while a slot is contested, it offers the same bytes again and signs nothing else for it', async () => {
      const client = await world.start();
      for (const node of world.nodes) {
        node.status = () => 'contested';
        node.proof = () => ({ status: 'contested' });
      }
      await pay(client, 100);
      await world.time.advance(300_000);
      assert.equal(world.distinctSubmitted.size, 1);
      assert.ok(world.nodes.some(({ submitted }) => submitted.length > 3));
      assert.equal(client.underWay[0]?.claimed, 'contested');
    });
  });

  describe('restored from an old backup', () => {
    it('drops its own dead branch, adopts what the key has signed elsewhere, and tells what was lost', async () => {
      const first = await world.start();
      const one = await pay(first, 10);
      world.finalizeAccepted();
      await world.time.result(one.final);
      const backup = world.store.copy();
      await first[Symbol.asyncDispose]();
      // The newer copy has gone on where no node tells the older one at once.
      const [two, three] = [elsewhere(2, one.id), elsewhere(3, 'ab'.repeat(32) as PaymentId)];
      const head = world.network.payment(CAR, 3, two.id, [[stranger, 1]]);
      assert.notEqual(three.id, head.id);
      const client = await world.start({ store: backup });
      const lost = await pay(client, 200);
      everybodySaysDead(two.id);
      everybodyKnows(world.network.state([world.network.decode(one.bytes), two, head]));
      await assert.rejects(world.time.result(lost.final), { code: 'payment_dead', winner: two.id });
      assert.deepEqual([client.head, client.sequence, client.balance], [head.id, 3, 1000 - 10 - 7 - 1]);
      assert.equal(client.historyLength, 3);
      const told = () => client.lost.map(({ id, reason, winner, total }) => ({ id, reason, winner, total }));
      const expected = [{ id: lost.id, reason: 'dead', winner: two.id, total: 200 }];
      assert.deepEqual(told(), expected);
      // Nothing was paid again by itself, and a restart does not forget what the caller has not seen.
      assert.deepEqual(client.underWay, []);
      const again = await world.start({ store: backup.copy() });
      assert.deepEqual(
        again.lost.map(({ id }) => id),
        [lost.id],
      );
      await assert.rejects(world.time.result(again.waitFinal(lost.id, { timeoutMs: 1000 })), {
        code: 'payment_dead',
        winner: two.id,
      });
      await world.time.result(client.forgetLost(lost.id));
      assert.deepEqual(told(), []);
    });

    it('what was found dead at a start is told too', async () => {
      const client = await world.start();
      const sent = await pay(client, 100);
      const before = structuredClone(world.store.state);
      world.network.finalize(elsewhere(1, undefined));
      await world.time.until('it is dead', () => client.underWay.length === 0);
      const disk = world.store.copy();
      disk.state = before;
      const again = await world.start({ store: disk });
      assert.deepEqual(
        again.lost.map(({ id, reason }) => [id, reason]),
        [[sent.id, 'dead']],
      );
    });
  });
});
