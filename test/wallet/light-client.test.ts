import assert from 'node:assert/strict';
import { checkFinalityProof, decodePayment, type PaymentId } from '../../ledger/index.ts';
import type { LightClient, StatusEvent } from '../../wallet/light-options.ts';
import { createSeedSigner } from '../../wallet/signer.ts';
import { WalletError } from '../../wallet/wallet-error.ts';
import { seedOf, signerOf } from './fake-network.ts';
import { CHARGER, car, charger, LightWorld, STRANGER, stranger, to } from './light-world.ts';

describe('a light client pays', () => {
  let world: LightWorld;
  beforeEach(() => {
    world = new LightWorld();
  });
  afterEach(() => world.end());

  it('stores before it sends, and believes the proof alone', async () => {
    const client = await world.start();
    const events: StatusEvent[] = [];
    client.onStatus((event) => events.push(event));
    let incoming = 0;
    client.onIncoming(() => incoming++);
    world.store.onSaved = () => assert.equal(world.distinctSubmitted.size, 0, 'sent before stored');
    const sent = await world.time.result(client.pay(to(charger, 300), Uint8Array.of(7)));
    world.store.onSaved = () => {};
    const payment = world.network.decode(sent.bytes);
    assert.equal(payment.id, sent.id);
    assert.deepEqual([payment.sequence, payment.previous, payment.total], [1, car, 300]);
    assert.deepEqual([...payment.memo], [7]);
    assert.equal(client.balance, 700);
    assert.equal(client.head, sent.id);
    assert.deepEqual(
      client.underWay.map(({ id }) => id),
      [sent.id],
    );

    world.network.finalize(payment);
    const verified = await world.time.result(sent.final);
    assert.ok('payment' in verified.proof);
    assert.equal(checkFinalityProof(world.network.genesis, verified.proof), undefined);
    assert.deepEqual(verified.bytes, sent.bytes);
    assert.deepEqual(client.underWay, []);
    assert.equal(incoming, 0);
    assert.equal(client.balance, 700);
    assert.equal(client.historyLength, 1);
    assert.deepEqual(
      (await client.history(0, 9)).map(({ payment }) => payment.id),
      [sent.id],
    );
    const seen = events
      .filter(({ payment }) => payment === sent.id)
      .map(({ status, proven }) => [status, proven]);
    assert.deepEqual(seen, [
      ['signed', true],
      ['queued', false],
      ['final', true],
    ]);
  });

  it('after a crash between storing and sending, the same bytes are sent', async () => {
    const client = await world.start();
    await world.time.until('the wallet is ready', () => client.problem === undefined);
    // The machine stops right after the payment is on the disk.
    const stored = Promise.withResolvers<void>();
    world.store.onSaved = (state) => {
      if (state.outgoing.length === 0) return;
      stored.resolve();
      return new Promise(() => {});
    };
    void client.pay(to(charger, 300)).catch(() => {});
    await world.time.result(stored.promise);
    const disk = world.store.copy();
    world.crash(client);
    assert.equal(world.distinctSubmitted.size, 0);
    const [outgoing] = disk.state!.outgoing;

    const again = await world.start({ store: disk });
    assert.equal(again.balance, 700);
    assert.equal(again.sequence, 1);
    await world.time.until('it is sent', () => world.distinctSubmitted.size > 0);
    assert.deepEqual([...world.distinctSubmitted], [Buffer.from(outgoing!.bytes).toString('hex')]);
    // The next payment extends it.
    const next = await world.time.result(again.pay(to(charger, 1)));
    assert.equal(world.network.decode(next.bytes).previous, world.network.decode(outgoing!.bytes).id);
    world.store.onSaved = () => {};
  });

  it('extends its own payments up to the bound, and no further', async () => {
    const client = await world.start();
    const sent = await world.time.result(
      Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => client.pay(to(charger, n)))),
    );
    const payments = sent.map(({ bytes }) => world.network.decode(bytes));
    assert.deepEqual(
      payments.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual(
      payments.map(({ previous }) => previous),
      [car, ...sent.slice(0, 7).map(({ id }) => id)],
    );
    assert.equal(client.balance, 1000 - 36);
    await assert.rejects(client.pay(to(charger, 9)), { code: 'pipeline_full', message: /wait until one/ });
    // The second proof comes before the first: nothing stops.
    world.network.finalize(payments[1]!);
    await world.time.settle();
    assert.equal(client.underWay.length, 7);
    const ninth = await world.time.result(client.pay(to(charger, 9)));
    assert.equal(world.network.decode(ninth.bytes).previous, sent[7]!.id);
    world.finalizeAccepted();
    await world.time.result(ninth.final);
    assert.equal(client.balance, 1000 - 45);
    assert.equal(client.sequence, 9);
  });

  it('refuses what cannot be paid before anything is signed', async () => {
    const client = await world.start({ limits: { unitsPerPaymentMax: 500, unitsPerDayMax: 700 } });
    const refused = async (paying: Promise<unknown>, code: string, message: RegExp) =>
      assert.rejects(world.time.result(paying), { name: 'WalletError', code, message });
    await refused(client.pay([]), 'bad_payment', /1 to 16/);
    await refused(client.pay(to(charger, 1), new Uint8Array(257)), 'bad_payment', /256 bytes/);
    await refused(client.pay(to(charger, 0.5)), 'bad_payment', /whole units/);
    await refused(client.pay(to('xyz' as typeof car, 1)), 'bad_payment', /parseAddress/);
    await refused(client.pay([...to(charger, 2 ** 53 - 1), ...to(car, 1)]), 'bad_payment', /add up/);
    await refused(client.pay(to(charger, 1001)), 'insufficient_funds', /1 are missing/);
    await refused(client.pay(to(charger, 501)), 'forbidden_by_policy', /limit of 500/);
    await world.time.result(client.pay(to(charger, 400)));
    await refused(client.pay(to(charger, 301)), 'forbidden_by_policy', /after the 400 of today/);
    // The day's spending survives a restart, and the next day begins anew.
    const again = await world.start({ store: world.store.copy(), limits: { unitsPerDayMax: 700 } });
    await refused(again.pay(to(charger, 301)), 'forbidden_by_policy', /400 of today/);
    world.finalizeAccepted();
    await world.time.advance(86_400_000);
    await world.time.result(again.pay(to(charger, 301)));
    assert.equal(again.balance, 1000 - 400 - 301);
  });

  it('a signer that gives nonsense, or a disk that does not take it: nothing is sent', async () => {
    const good = signerOf(1);
    const bad = { ...good, sign: async () => new Uint8Array(64) };
    const client = await world.start({ signer: bad });
    await assert.rejects(world.time.result(client.pay(to(charger, 1))), { code: 'signer_failed' });
    assert.equal(client.balance, 1000);
    assert.equal(client.sequence, 0);

    const other = await world.start();
    await world.time.until('the wallet is ready', () => other.problem === undefined);
    world.store.failure = new WalletError('wallet_disk', 'full');
    await assert.rejects(world.time.result(other.pay(to(charger, 1))), { code: 'wallet_disk' });
    assert.equal(other.sequence, 0);
    await world.time.advance(60_000);
    assert.equal(world.distinctSubmitted.size, 0);
    world.store.failure = undefined;
  });

  it('works ahead while idle, keeps the work over a restart, and searches nothing when it pays', async () => {
    const client = await world.start();
    await world.time.until('the work is stored', () => world.store.state?.work !== undefined);
    assert.equal(world.searches, 1);
    await client[Symbol.asyncDispose]();
    const again = await world.start();
    await world.time.result(again.pay(to(charger, 1)));
    await world.time.until('the next work is stored', () => world.store.state?.work !== undefined);
    // One for the slot that was paid with, before the restart, and one for the next.
    assert.equal(world.searches, 2);
    assert.equal(world.store.state?.work?.slot, again.head);
  });

  it('does not use stored work that is not enough', async () => {
    const client = await world.start();
    await world.time.until('the work is stored', () => world.store.state?.work !== undefined);
    await client[Symbol.asyncDispose]();
    const disk = world.store.copy();
    disk.state = { ...disk.state!, work: { slot: car, nonce: new Uint8Array(8).fill(1) } };
    const again = await world.start({ store: disk });
    const { bytes } = await world.time.result(again.pay(to(charger, 1)));
    const payment = decodePayment(bytes, world.network.genesis.network);
    assert.ok('id' in payment);
  });

  it('does its work anew when the account has moved on meanwhile', async () => {
    const slow = Promise.withResolvers<void>();
    world.work = () => slow.promise;
    const client = await world.start();
    await world.time.until('the wallet is ready', () => client.problem === undefined);
    const paying = client.pay(to(charger, 1));
    await world.time.settle();
    const elsewhere = world.network.payment(1, 1, undefined, [[charger, 5]]);
    world.network.finalize(elsewhere);
    await world.time.settle();
    slow.resolve();
    const { bytes } = await world.time.result(paying);
    const { previous, sequence } = world.network.decode(bytes);
    assert.deepEqual([previous, sequence], [elsewhere.id, 2]);
  });

  it('waits end in time, by a signal or by closing, with a code each', async () => {
    const client = await world.start();
    const id = '42'.repeat(32) as PaymentId;
    await assert.rejects(world.time.result(client.waitFinal(id, { timeoutMs: 3000 })), {
      code: 'timeout',
      payment: id,
    });
    const controller = new AbortController();
    const aborted = client.waitFinal(id, { timeoutMs: 3000, signal: controller.signal });
    controller.abort();
    await assert.rejects(aborted, { code: 'aborted' });
    const closed = client.waitFinal(id, { timeoutMs: 3000 });
    closed.catch(() => {});
    const sent = await world.time.result(client.pay(to(charger, 1)));
    await client[Symbol.asyncDispose]();
    await assert.rejects(closed, { code: 'disposed' });
    await assert.rejects(sent.final, { code: 'disposed' });
    await assert.rejects(client.pay(to(charger, 1)), { code: 'disposed' });
    await assert.rejects(client.waitFinal(id, { timeoutMs: 1 }), { code: 'disposed' });
    assert.equal(world.time.pending, 0);
  });

  it('a charger hears of each payment to it once, also over a restart', async () => {
    const client = await world.start({ owner: CHARGER });
    const heard: string[] = [];
    client.onIncoming(({ payment }) => heard.push(payment.id));
    client.onIncoming(() => {
      throw new Error('a listener that throws harms nobody');
    });
    const first = world.network.payment(STRANGER, 1, undefined, [
      [charger, 10],
      [charger, 5],
      [car, 1],
    ]);
    const waiting = client.waitFinal(first.id, { timeoutMs: 60_000 });
    world.network.finalize(first);
    const verified = await world.time.result(waiting);
    assert.equal(verified.payment.account, stranger);
    assert.equal(client.balance, 15);
    await world.time.advance(300_000);
    assert.deepEqual(heard, [first.id]);
    await client[Symbol.asyncDispose]();
    const second = world.network.payment(STRANGER, 2, first.id, [[charger, 1]]);
    world.network.finalize(second);
    const watch = (client: LightClient) => client.onIncoming(({ payment }) => heard.push(payment.id));
    const again = await world.start({ owner: CHARGER, watch });
    await world.time.until('the second one is heard of', () => heard.length === 2);
    await world.time.advance(300_000);
    assert.deepEqual(heard, [first.id, second.id]);
    assert.equal(again.balance, 16);
    // What is known is given from the disk at once.
    assert.equal((await again.waitFinal(first.id, { timeoutMs: 1 })).payment.id, first.id);
  });

  it('pays to itself without losing count', async () => {
    const client = await world.start();
    const sent = await world.time.result(client.pay([...to(car, 400), ...to(charger, 1)]));
    assert.equal(client.balance, 599);
    world.finalizeAccepted();
    await world.time.result(sent.final);
    assert.equal(client.balance, 999);
  });

  it('files of another account or network are refused', async () => {
    const client = await world.start();
    await world.time.until('something is stored', () => world.store.state !== undefined);
    await client[Symbol.asyncDispose]();
    const other = createSeedSigner(seedOf(9));
    await assert.rejects(world.start({ signer: other }), { code: 'wallet_other', message: /own files/ });
  });
});
