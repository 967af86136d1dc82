import assert from 'node:assert/strict';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import {
  type Address,
  addressOf,
  checkPaymentBytes,
  checkVertex,
  decodePayment,
  encodeBlock,
  encodePayment,
  encodeWitness,
  type Genesis,
  isRefusal,
  makeGenesis,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Slot,
  searchWork,
  sign,
  type Units,
  workSeed,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { VERIFY_WAITING_MAX } from '../../node/limits.ts';
import { VerifyPool } from '../../node/verify-pool.ts';
import { silentLog } from '../../p2p/log.ts';

const OWNER = new Uint8Array(32).fill(7);
const VALIDATOR = new Uint8Array(32).fill(9);
const ADDRESS = addressOf(0, publicKeyOf(OWNER));

const genesis: Genesis = makeGenesis({
  prefix: 'ravel',
  workBits: 2,
  committee: [{ scheme: 0, publicKey: publicKeyOf(VALIDATOR), weight: 1 }],
  allocations: [{ address: ADDRESS, amount: 1000 as Units }],
});

/** Payment number n of one owner, each on top of the one before. */
function paymentsOf(count: number): Uint8Array[] {
  let previous: Slot = ADDRESS;
  return Array.from({ length: count }, (_, n) => {
    const essence = paymentEssence({
      network: genesis.network,
      scheme: 0,
      publicKey: publicKeyOf(OWNER),
      previous,
      sequence: n + 1,
      transfers: [{ to: 'ee'.repeat(32) as Address, amount: 1 as Units }],
      memo: new Uint8Array(n % 5),
    });
    const work = searchWork(workSeed(genesis.network, previous, ADDRESS), genesis.workBits, 0, 10_000)!;
    const bytes = encodePayment(essence, work, sign(OWNER, essence));
    previous = (decodePayment(bytes, genesis.network) as { id: PaymentId }).id;
    return bytes;
  });
}

function witness(round: number): Uint8Array {
  const draft = {
    validator: 0,
    round,
    timeMs: 1000 + round,
    self: genesis.id,
    certifiedCount: 0,
    certifiedRoot: ZERO_HASH,
    checkpoint: genesis.checkpoint,
  };
  const body = { witnesses: [], tips: [], defers: [], accepts: [], freezes: [] };
  return encodeWitness(genesis.network, draft, body, (message) => sign(VALIDATOR, message));
}

const payments = paymentsOf(60);
const blocks = payments.map((payment, i) =>
  encodeBlock(
    genesis.network,
    [genesis.id],
    [payment, ...payments.slice(0, i % 4).filter((other) => other !== payment)],
  ),
);

/** The same bytes with one bit turned over. */
function spoiled(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at % copy.length] = copy[at % copy.length]! ^ 1;
  return copy;
}

describe('the verify pool', function () {
  this.timeout(30_000);

  it('says of every vertex and payment what the ledger says, however they gather', async () => {
    await using pool = new VerifyPool({ genesis, threads: 2 }, { log: silentLog });
    const vertices = [
      ...blocks,
      ...blocks.map((block, i) => spoiled(block, 17 * i)),
      ...[1, 2, 3].map(witness),
      spoiled(witness(4), 100),
      new Uint8Array(),
      Uint8Array.of(250),
    ];
    const submitted = [
      ...payments,
      ...payments.map((payment, i) => spoiled(payment, 31 * i)),
      new Uint8Array(3),
    ];
    const [checked, answers] = await Promise.all([
      Promise.all(vertices.map((bytes) => pool.checkVertex(bytes, 'a', false))),
      pool.checkPayments(submitted),
    ]);
    let good = 0;
    checked.forEach((answer, i) => {
      assert.deepEqual(answer, checkVertex(vertices[i]!, genesis), `vertex ${i}`);
      if (!isRefusal(answer)) good += 1;
    });
    answers.forEach((answer, i) => {
      const expected = checkPaymentBytes(submitted[i]!, genesis);
      if (isRefusal(expected) || isRefusal(answer)) {
        assert.deepEqual(answer, expected);
        return;
      }
      const { id, account, previous, sequence, total } = expected;
      assert.deepEqual(answer, { id, account, previous, sequence, total, workBits: answer.workBits });
      assert.ok(answer.workBits >= genesis.workBits);
      good += 1;
    });
    // What is spoiled in its nonce alone may still have work enough.
    assert.ok(good >= 60 + 3 + 60 && good < 60 + 3 + 60 + 30, `${good} were good`);
    const { tasks, items } = pool.counters;
    assert.equal(items, vertices.length + submitted.length);
    assert.ok(tasks < items / 4, `${items} things went in ${tasks} tasks`);
  });

  it('lets a lone one leave at the end of its turn, with all that came in it', async () => {
    await using pool = new VerifyPool({ genesis, threads: 1 }, { log: silentLog });
    for (const round of [1, 2, 3]) {
      const checking = pool.checkVertex(witness(round), 'a', false);
      await endOfTurn();
      assert.equal(pool.waiting, 0);
      assert.ok(!isRefusal(await checking));
    }
    assert.deepEqual(pool.counters, { tasks: 3, items: 3 });
    const checking = [pool.checkVertex(witness(4), 'a', false)];
    await Promise.resolve();
    checking.push(pool.checkVertex(witness(5), 'b', false));
    for (const answer of await Promise.all(checking)) assert.ok(!isRefusal(answer));
    assert.deepEqual(pool.counters, { tasks: 4, items: 5 });
  });

  it('checks witnesses before all else that waits, then what was asked for, and lets blocks and payments take turns', async () => {
    await using pool = new VerifyPool({ genesis, threads: 1 }, { log: silentLog });
    const order: string[] = [];
    // Blocks of ten payments each fill a task, so that the order of tasks shows.
    const large = Array.from({ length: 60 }, () => encodeBlock(genesis.network, [genesis.id], payments));
    const done: Promise<unknown>[] = large.map((block) =>
      pool.checkVertex(block, 'a', false).then(() => order.push('block')),
    );
    done.push(pool.checkPayments(payments).then(() => order.push('payments')));
    done.push(pool.checkVertex(large[0]!, 'a', true).then(() => order.push('requested')));
    done.push(pool.checkVertex(witness(1), 'a', false).then(() => order.push('witness')));
    await Promise.all(done);
    // One block was under way already.
    const first = order.slice(0, 9).join(' ');
    assert.deepEqual(order.slice(0, 3).sort(), ['block', 'requested', 'witness'], first);
    assert.ok(order.indexOf('witness') < order.indexOf('requested'), first);
    assert.ok(order.indexOf('payments') < 20, `the payments came after ${order.indexOf('payments')} others`);
  });

  it('answers full to what it has no place for, lane by lane', async () => {
    const pool = new VerifyPool({ genesis, threads: 1 }, { log: silentLog });
    const tiny = new Uint8Array(1);
    const settled = Promise.allSettled([
      pool.checkPayments(Array.from({ length: VERIFY_WAITING_MAX }, () => tiny)),
    ]);
    await pool.checkVertex(witness(1), 'a', false).then((answer) => assert.ok(!isRefusal(answer)));
    await settled;
    const [answers] = await Promise.all([
      pool.checkPayments(Array.from({ length: VERIFY_WAITING_MAX + 3 }, () => tiny)),
    ]);
    const full = answers.filter((answer) => isRefusal(answer) && answer.code === 'queue_full');
    assert.equal(full.length, 3);
    await pool[Symbol.asyncDispose]();
    await assert.rejects(pool.checkVertex(witness(2), 'a', false), { code: 'pool_closed' });
  });

  it('ends with what waits', async () => {
    const pool = new VerifyPool({ genesis, threads: 1 }, { log: silentLog });
    const settled = Promise.allSettled(blocks.map((block) => pool.checkVertex(block, 'a', false)));
    await pool[Symbol.asyncDispose]();
    for (const one of await settled)
      assert.equal(one.status === 'rejected' && one.reason.code, 'pool_closed');
  });
});
