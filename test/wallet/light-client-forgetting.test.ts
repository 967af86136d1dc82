import assert from 'node:assert/strict';
import type { Payment, PaymentId } from '../../ledger/index.ts';
import type { LightClient } from '../../wallet/light-options.ts';
import type { FakeState } from './fake-network.ts';
import { CAR, car, charger, LightWorld, STRANGER, to } from './light-world.ts';

describe('a light client whose nodes have forgotten', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  /** So many own payments of one unit, and one of 100 units from a stranger before the last; all final. */
  function past(count: number): Payment[] {
    const payments: Payment[] = [];
    let previous: PaymentId | undefined;
    for (let sequence = 1; sequence <= count; sequence++) {
      if (sequence === count) payments.push(world.network.payment(STRANGER, 1, undefined, [[car, 100]]));
      const payment = world.network.payment(CAR, sequence, previous, [[charger, 1]]);
      payments.push(payment);
      previous = payment.id;
    }
    for (const payment of payments) world.network.finalize(payment);
    return payments;
  }

  /** All nodes have forgotten so many entries, and prove this. */
  function forgotten(count: number, state: FakeState): void {
    for (const node of world.nodes) {
      node.forgotten = count;
      node.knows(state);
    }
  }

  function gift(sequence: number, previous: PaymentId | undefined, amount: number): Payment {
    return world.network.payment(STRANGER, sequence, previous, [[car, amount]]);
  }

  async function ready(client: LightClient): Promise<void> {
    await world.time.result(client.ready({ timeoutMs: 30_000 }));
  }

  it('starts from a proven balance, and adds to it what comes after', async () => {
    const payments = past(5);
    const stranger1 = payments[4]!;
    const head = payments[5]!;
    world.network.pass(10);
    forgotten(3, world.network.state(payments));
    const client = await world.start();
    await ready(client);
    assert.deepEqual([client.balance, client.sequence, client.head, client.uncertain], [1095, 5, head.id, 0]);
    const sent = await world.time.result(client.pay(to(charger, 5)));
    assert.equal(world.network.decode(sent.bytes).sequence, 6);
    world.finalizeAccepted();
    await world.time.result(sent.final);
    world.network.pass(10);
    world.network.finalize(gift(2, stranger1.id, 50));
    await world.time.until('it is there', () => client.balance === 1095 - 5 + 50);
    // A restart goes on from there.
    for (const node of world.nodes) node.up = false;
    const again = await world.start({ store: world.store.copy() });
    assert.deepEqual([again.balance, again.sequence], [1140, 6]);
  });

  it('without a proof it signs nothing, since it does not know what it has', async () => {
    past(5);
    for (const node of world.nodes) node.forgotten = 3;
    const client = await world.start();
    await assert.rejects(world.time.result(client.ready({ timeoutMs: 20_000 })), {
      code: 'not_ready',
      message: /own payment 1 of 5 is not known/,
    });
    assert.ok(
      world.nodes.every(({ asked }) => (asked.balance ?? 0) < 20),
      'it does not ask all the time',
    );
  });

  it('does not count a credit of which it is open whether the proven state has it, until that is known', async () => {
    const payments = past(2);
    const last = gift(2, payments[1]!.id, 400);
    world.network.finalize(last);
    const { round } = world.network;
    // Certified in this very round by some, so perhaps decided by its leader.
    forgotten(2, world.network.state(payments, round - 1));
    const client = await world.start();
    await ready(client);
    assert.deepEqual([client.balance, client.uncertain], [1098, 400]);
    forgotten(2, world.network.state([...payments, last], round + 20));
    await world.time.until('it is certain', () => client.uncertain === 0);
    assert.equal(client.balance, 1498);
    assert.equal(client.historyLength, 2);
  });

  it('a credit that the proven state cannot have comes on top of it', async () => {
    const payments = past(2);
    const state = world.network.state(payments);
    world.network.pass(20);
    world.network.finalize(gift(2, payments[1]!.id, 400));
    forgotten(2, state);
    const client = await world.start();
    await ready(client);
    assert.deepEqual([client.balance, client.uncertain], [1498, 0]);
  });

  it('believes no balance proof that does not hold, and none of another account', async () => {
    const payments = past(3);
    forgotten(2, world.network.state(payments, world.network.round + 9));
    const truth = world.b.balance;
    world.a.balance = (address) => {
      const bytes = truth(address)!;
      bytes[40]! ^= 1;
      return bytes;
    };
    world.b.balance = () => truth(charger);
    world.c.up = false;
    const client = await world.start();
    await assert.rejects(world.time.result(client.ready({ timeoutMs: 20_000 })), { code: 'not_ready' });
    for (const { address, lastError } of client.nodes.slice(0, 2))
      assert.match(lastError ?? '', /balance proof/, address);
    assert.notEqual(client.problem, undefined);
    world.c.up = true;
    await ready(client);
    assert.equal(client.balance, 1097);
  });

  it('believes no balance of long ago', async () => {
    const payments = past(3);
    forgotten(2, world.network.state(payments.slice(0, 2), 20));
    const client = await world.start();
    for (const validator of [0, 1, 2]) world.peers.header(world.network.header(validator, 1500));
    await world.time.advance(20_000);
    assert.notEqual(client.problem, undefined);
    for (const node of world.nodes) node.knows(world.network.state(payments, 1400));
    await ready(client);
    assert.equal(client.balance, 1097);
  });

  it('needs no proof for what it has read before', async () => {
    const payments = past(3);
    const first = await world.start();
    await ready(first);
    await first[Symbol.asyncDispose]();
    forgotten(3, world.network.state(payments, world.network.round + 9));
    world.network.finalize(gift(2, payments[2]!.id, 11));
    const again = await world.start({ store: world.store.copy() });
    await world.time.until('the news is there', () => again.balance === 1108);
    assert.equal(world.store.state?.base, undefined);
  });

  it('notices by the balance that a node speaks of when credits were forgotten and numbers began anew', async () => {
    const client = await world.start();
    await ready(client);
    await client[Symbol.asyncDispose]();
    const one = gift(1, undefined, 33);
    world.network.finalize(one);
    for (const node of world.nodes) {
      node.entries = [];
      node.knows(world.network.state([one], world.network.round + 9));
    }
    const again = await world.start({ store: world.store.copy() });
    await world.time.until('the balance is whole', () => again.balance === 1033);
    assert.equal(again.historyLength, 0);
  });

  it('knows by a proven head that its own payment was decided', async () => {
    const client = await world.start();
    const [one, two] = [
      await world.time.result(client.pay(to(charger, 5))),
      await world.time.result(client.pay(to(charger, 6))),
    ];
    const decided = [one, two].map(({ bytes }) => world.network.decode(bytes));
    world.network.pass(10);
    for (const node of world.nodes) {
      node.proof = () => undefined;
      node.view = (view) => ({
        ...view,
        balance: 989 as typeof view.balance,
        finalSequence: 2,
        finalHead: two.id,
      });
      node.knows(world.network.state(decided));
    }
    const final = await world.time.result(one.final);
    assert.ok('chain' in final.proof && final.proof.chain.length === 2);
    await world.time.result(two.final);
    assert.deepEqual([client.underWay, client.balance], [[], 989]);
  });

  it('says of a payment that nobody remembers that it may have been paid, and goes on', async () => {
    const client = await world.start();
    const sent = await world.time.result(client.pay(to(charger, 5)));
    // Elsewhere the key has gone on for long; whether it did so on top of this payment nobody knows any more.
    const head = world.network.payment(CAR, 9, 'cd'.repeat(32) as PaymentId, [[charger, 1]]);
    world.network.pass(3000);
    const state = world.network.state([head]);
    for (const node of world.nodes) {
      node.entries = [];
      node.accepted.clear();
      node.refuse = () => ({ code: 'slot_taken', by: head.id });
      node.proof = () => undefined;
      node.view = (view) => ({ ...view, finalSequence: 9, finalHead: head.id, sequence: 9, head: head.id });
      node.balance = state.balance;
    }
    await assert.rejects(world.time.result(sent.final, 300_000), {
      code: 'payment_forgotten',
      message: /Ask the receiver before you pay again/,
    });
    assert.deepEqual(
      client.lost.map(({ id, reason }) => [id, reason]),
      [[sent.id, 'forgotten']],
    );
    assert.deepEqual([client.underWay, client.head, client.sequence, client.balance], [[], head.id, 9, 999]);
  });

  describe('provenBalance', () => {
    it('is the youngest that a node proves', async () => {
      const payments = past(2);
      const [old, young] = [world.network.state(payments.slice(0, 1), 12), world.network.state(payments, 33)];
      world.a.knows(old);
      world.b.knows(young);
      const client = await world.start();
      const proven = await world.time.result(client.provenBalance({ timeoutMs: 5000 }));
      assert.deepEqual(
        [proven.balance, proven.sequence, proven.checkpoint.round, proven.address],
        [1098, 2, 33, car],
      );
      assert.deepEqual(proven.proof, young.balance(car));
    });

    it('waits for a node to have one, and says when none has', async () => {
      const client = await world.start();
      await assert.rejects(world.time.result(client.provenBalance({ timeoutMs: 5000 })), { code: 'timeout' });
      const waiting = client.provenBalance({ timeoutMs: 60_000 });
      await world.time.advance(10_000);
      world.c.knows(world.network.state([], 33));
      assert.equal((await world.time.result(waiting)).balance, 1000);
      for (const node of world.nodes) node.die();
      await world.time.advance(100);
      await assert.rejects(world.time.result(client.provenBalance({ timeoutMs: 5000 })), { code: 'no_node' });
    });
  });
});
