import assert from 'node:assert/strict';
import type { Address, PaymentId, Refusal, Units, VertexId } from '../../ledger/index.ts';
import {
  type HistoryEntry,
  LINK_REQUESTS_MAX,
  type LightHandlers,
  type LightPush,
  type PeersError,
  SUBMIT_PAYMENTS_MAX,
  SUBSCRIPTION_ADDRESSES_MAX,
} from '../../p2p/index.ts';
import { ADDRESS, addressOf, noLight, PAYMENT, Scene, until } from './network.ts';

const TIP = 'd4'.repeat(32) as VertexId;
const REFUSAL: Refusal = { code: 'queue_full', waiting: 5, max: 5 };

function entry(index: number, bytes = 100): HistoryEntry {
  return { index, payment: new Uint8Array(bytes).fill(index), proof: new Uint8Array(20).fill(index) };
}

/** A node with these handlers, a client, and the link between them. */
async function linked(scene: Scene, light: Partial<LightHandlers>, limits = {}, requestTimeoutMs = 3_000) {
  const node = await scene.node({ light, limits });
  const client = await scene.client({ requestTimeoutMs });
  const link = await client.connect(addressOf(node));
  return { node, client, link };
}

describe('the light protocol', () => {
  it('answers every kind of question with what the node says', async () => {
    await using scene = new Scene();
    const asked: unknown[] = [];
    const { link, client, node } = await linked(scene, {
      submit(payments, from) {
        asked.push(from);
        return Promise.resolve(
          payments.map((bytes) =>
            bytes[0] === 1 ? { id: PAYMENT, status: 'queued' as const } : { refusal: REFUSAL },
          ),
        );
      },
      tips: (count) => Promise.resolve(Array.from({ length: count }, () => TIP)),
      history: (address, after, limit) => {
        asked.push([address, after, limit]);
        return Promise.resolve([entry(after + 1), entry(after + 2)]);
      },
      proof: (payment) => Promise.resolve(payment === PAYMENT ? entry(3) : { status: 'pending' }),
      work: (previous, account, from) => {
        asked.push([previous, account, from]);
        return Promise.resolve(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
      },
    });
    assert.equal(link.remote, node.id);
    assert.equal(link.address, addressOf(node));
    assert.deepEqual(await link.submit([Uint8Array.of(1), Uint8Array.of(2)]), [
      { id: PAYMENT, status: 'queued' },
      { refusal: REFUSAL },
    ]);
    assert.deepEqual(await link.submit([]), []);
    assert.deepEqual(await link.tips(3), [TIP, TIP, TIP]);
    assert.deepEqual(await link.account(ADDRESS), await noLight.account(ADDRESS));
    assert.deepEqual(await link.history(ADDRESS, -1, 2), [entry(0), entry(1)]);
    assert.deepEqual(await link.proof(PAYMENT), entry(3));
    assert.deepEqual(await link.proof(ADDRESS as unknown as PaymentId), { status: 'pending' });
    assert.deepEqual(await link.work(PAYMENT, ADDRESS), new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
    assert.deepEqual(await link.status(), await noLight.status());
    assert.deepEqual(asked, [client.id, [ADDRESS, -1, 2], [PAYMENT, ADDRESS, client.id]]);
  });

  it('carries balance proofs, outcomes, and who has the slot of what is dead', async () => {
    await using scene = new Scene();
    const asked: unknown[] = [];
    const winner = 'ab'.repeat(32) as PaymentId;
    const outcome = { balance: Uint8Array.of(1, 2), chain: [Uint8Array.of(3), Uint8Array.of(4, 5)] };
    const pushed: LightPush[] = [];
    const { link } = await linked(scene, {
      submit: () => Promise.resolve([{ id: PAYMENT, status: 'dead', winner }]),
      proof: () => Promise.resolve({ status: 'dead', winner }),
      balance: (address) => Promise.resolve(address === ADDRESS ? Uint8Array.of(7, 8) : undefined),
      outcome: (payment, slot) => {
        asked.push([payment, slot]);
        return Promise.resolve(slot === undefined ? undefined : outcome);
      },
      subscribe: (_, push) => {
        push({ type: 'status', payment: PAYMENT, status: 'dead', winner });
        push({ type: 'status', payment: PAYMENT, status: 'pending' });
        return () => {};
      },
    });
    link.onPush((event) => pushed.push(event));
    assert.deepEqual(await link.submit([Uint8Array.of(1)]), [{ id: PAYMENT, status: 'dead', winner }]);
    assert.deepEqual(await link.proof(PAYMENT), { status: 'dead', winner });
    assert.deepEqual(await link.balance(ADDRESS), Uint8Array.of(7, 8));
    assert.equal(await link.balance('ef'.repeat(32) as Address), undefined);
    assert.deepEqual(await link.outcome(PAYMENT, ADDRESS), outcome);
    assert.equal(await link.outcome(PAYMENT), undefined);
    assert.deepEqual(asked, [
      [PAYMENT, ADDRESS],
      [PAYMENT, undefined],
    ]);
    await link.subscribe([ADDRESS]);
    await until('both are there', () => pushed.length === 2);
    assert.deepEqual(pushed, [
      { type: 'status', payment: PAYMENT, status: 'dead', winner },
      { type: 'status', payment: PAYMENT, status: 'pending' },
    ]);
  });

  it('says nothing of an outcome that does not fit a frame', async () => {
    await using scene = new Scene();
    const chain = Array.from({ length: 64 }, () => new Uint8Array(1_000));
    const { link } = await linked(scene, {
      outcome: (_, slot) =>
        Promise.resolve({
          balance: new Uint8Array(100),
          chain: slot === undefined ? chain : chain.slice(0, 50),
        }),
    });
    assert.equal(await link.outcome(PAYMENT), undefined);
    assert.equal((await link.outcome(PAYMENT, ADDRESS))?.chain.length, 50);
  });

  it('carries refusals of work, unknown proofs and amounts up to 2^53 - 1', async () => {
    await using scene = new Scene();
    const big = Number.MAX_SAFE_INTEGER as Units;
    const { link } = await linked(scene, {
      work: () => Promise.resolve(REFUSAL),
      account: async (address) => ({
        ...(await noLight.account(address)),
        balance: big,
        pending: -5 as Units,
      }),
    });
    assert.deepEqual(await link.work(ADDRESS, ADDRESS), REFUSAL);
    assert.equal(await link.proof(PAYMENT), undefined);
    const view = await link.account(ADDRESS);
    assert.deepEqual([view.balance, view.pending], [big, -5]);
  });

  it('answers out of order: a slow question holds up no other', async () => {
    await using scene = new Scene();
    let release: (tips: VertexId[]) => void = () => {};
    const { link } = await linked(scene, { tips: () => new Promise((resolve) => (release = resolve)) });
    const slow = link.tips(1);
    assert.equal((await link.status()).round, 1);
    release([TIP]);
    assert.deepEqual(await slow, [TIP]);
  });

  it('cuts a history page to what a frame holds; the rest comes with the next page', async () => {
    await using scene = new Scene();
    const entries = Array.from({ length: 100 }, (_, i) => entry(i, 2_000));
    const { link } = await linked(scene, {
      history: (_address, after, limit) => Promise.resolve(entries.slice(after + 1, after + 1 + limit)),
    });
    const all: HistoryEntry[] = [];
    let pages = 0;
    for (;;) {
      const page = await link.history(ADDRESS, all.at(-1)?.index ?? -1, 100);
      if (page.length === 0) break;
      all.push(...page);
      pages++;
    }
    assert.deepEqual(all, entries);
    assert.ok(pages > 1);
  });

  it('bounds the questions under way on the asking side, and a payment list', async () => {
    await using scene = new Scene();
    const { link } = await linked(scene, { tips: () => new Promise(() => {}) });
    const waiting = Array.from({ length: LINK_REQUESTS_MAX }, () => link.tips(1));
    for (const request of waiting) request.catch(() => {});
    await assert.rejects(link.status(), { code: 'too_busy' });
    const many = Array.from({ length: SUBMIT_PAYMENTS_MAX + 1 }, () => Uint8Array.of(1));
    await assert.rejects(link.submit(many), { code: 'message_too_large' });
    await link[Symbol.asyncDispose]();
    const ends = await Promise.allSettled(waiting);
    assert.ok(ends.every((end) => end.status === 'rejected' && (end.reason as PeersError).code === 'closed'));
    await assert.rejects(link.status(), { code: 'closed' });
  });

  it('gives up on a question in time, and does not mind the late answer', async () => {
    await using scene = new Scene();
    let release: (tips: VertexId[]) => void = () => {};
    const { link, client } = await linked(
      scene,
      { tips: () => new Promise((resolve) => (release = resolve)) },
      {},
      200,
    );
    await assert.rejects(link.tips(1), { code: 'timeout' });
    release([TIP]);
    assert.equal((await link.status()).round, 1);
    assert.equal(client.counters.peers_penalised, 0);
  });

  it('tells a client that the node failed, and a node what its handler threw', async () => {
    await using scene = new Scene();
    const { link, node } = await linked(scene, { status: () => Promise.reject(new Error('disk')) });
    await assert.rejects(link.status(), { code: 'bad_reply' });
    assert.equal(node.counters.handlers_failed, 1);
    assert.deepEqual(await link.tips(1), []);
  });

  it('takes submits and nonce searches from a budget, with the time to come back', async () => {
    await using scene = new Scene();
    const { link } = await linked(
      scene,
      {},
      { submitsPerSecond: 100, submitsBurst: 10, worksPerSecond: 0.001, worksBurst: 1 },
    );
    await link.submit(Array.from({ length: 40 }, () => Uint8Array.of(1)));
    await assert.rejects(link.submit([Uint8Array.of(1)]), (error: PeersError) => {
      assert.equal(error.code, 'refused');
      const { refusal } = error;
      assert.ok(
        refusal?.code === 'budget_spent' && refusal.retryAfterMs > 100 && refusal.retryAfterMs <= 310,
      );
      return true;
    });
    await link.work(ADDRESS, ADDRESS);
    await assert.rejects(link.work(ADDRESS, ADDRESS), { code: 'refused' });
    assert.equal((await link.status()).round, 1);
  });

  it('lets a client read why before it is cut for a payment that no correct wallet makes', async () => {
    await using scene = new Scene();
    const bad: Refusal = { code: 'bad_signature', of: 'payment' };
    const { link, node } = await linked(scene, {
      submit: (payments) => Promise.resolve(payments.map(() => ({ refusal: bad }))),
    });
    assert.deepEqual(await link.submit([Uint8Array.of(1)]), [{ refusal: bad }]);
    await link.closed;
    await until('it is cut', () => node.counters.peers_cut === 1);
  });

  it('fires the signal of a nonce search that nobody waits for any more', async () => {
    await using scene = new Scene();
    let stopped = false;
    let began = false;
    const { link } = await linked(scene, {
      work: (_previous, _account, _from, signal) => {
        began = true;
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            stopped = true;
            resolve(REFUSAL);
          });
        });
      },
    });
    link.work(ADDRESS, ADDRESS).catch(() => {});
    await until('it began', () => began);
    await link[Symbol.asyncDispose]();
    await until('it stopped', () => stopped);
  });

  it('ends all links of a client that is disposed of, and of a node that is', async () => {
    await using scene = new Scene();
    const { node, client, link } = await linked(scene, {});
    const other = await scene.client();
    const second = await other.connect(addressOf(node));
    await client[Symbol.asyncDispose]();
    await link.closed;
    assert.equal((await second.status()).round, 1);
    await node[Symbol.asyncDispose]();
    await second.closed;
    await assert.rejects(second.status(), { code: 'closed' });
  });
});

describe('subscriptions of light clients', () => {
  /** A node that pushes by hand. */
  async function pushing(scene: Scene, limits = {}) {
    const subscribers = new Map<string, (event: LightPush) => boolean>();
    let ended = 0;
    const parts = await linked(
      scene,
      {
        subscribe(addresses, push) {
          for (const address of addresses) subscribers.set(address, push);
          return () => {
            ended++;
            for (const address of addresses) subscribers.delete(address);
          };
        },
      },
      limits,
    );
    const events: LightPush[] = [];
    parts.link.onPush((event) => events.push(event));
    return { ...parts, subscribers, events, ended: () => ended };
  }

  it('push what happens, in order, until the link ends', async () => {
    await using scene = new Scene();
    const { link, subscribers, events, ended } = await pushing(scene);
    await link.subscribe([ADDRESS]);
    await link.subscribe([ADDRESS]);
    const push = subscribers.get(ADDRESS)!;
    const sent: LightPush[] = [
      { type: 'status', payment: PAYMENT, status: 'pending', refusal: undefined },
      { type: 'status', payment: PAYMENT, status: 'dead', refusal: REFUSAL },
      { type: 'final', entry: entry(1) },
    ];
    for (const event of sent) assert.equal(push(event), true);
    await until('three events came', () => events.length === 3);
    assert.deepEqual(events, sent);
    await link[Symbol.asyncDispose]();
    await until('the subscription ended, once', () => ended() === 1);
    assert.equal(push(sent[0]!), false);
    assert.equal(ended(), 1);
  });

  it('are bounded in addresses, on the asking side already', async () => {
    await using scene = new Scene();
    const { link, subscribers } = await pushing(scene);
    const addresses = Array.from(
      { length: SUBSCRIPTION_ADDRESSES_MAX },
      (_, i) => i.toString(16).padStart(64, '0') as Address,
    );
    await link.subscribe(addresses);
    assert.equal(subscribers.size, SUBSCRIPTION_ADDRESSES_MAX);
    await link.subscribe(addresses.slice(5));
    await assert.rejects(link.subscribe([ADDRESS]), { code: 'message_too_large' });
    assert.equal((await link.status()).round, 1);
  });

  it('a listener that throws costs nobody anything', async () => {
    await using scene = new Scene();
    const { link, subscribers, events, client } = await pushing(scene);
    link.onPush(() => {
      throw new Error('a bug');
    });
    await link.subscribe([ADDRESS]);
    subscribers.get(ADDRESS)!({ type: 'final', entry: entry(1) });
    subscribers.get(ADDRESS)!({ type: 'final', entry: entry(2) });
    await until('both came', () => events.length === 2);
    assert.equal(client.counters.handlers_failed, 2);
  });
});
