import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type BalanceProof,
  checkBalanceProof,
  checkFinalityProof,
  checkOutcome,
  decodeBalanceProof,
  decodeFinalityProof,
  encodeGenesis,
  isRefusal,
  type Payment,
  type VertexId,
} from '../../ledger/index.ts';
import type { Submission } from '../../node/admission.ts';
import type { LedgerEvent } from '../../node/ledger-messages.ts';
import { LedgerThread } from '../../node/ledger-thread.ts';
import type { HistoryEntry } from '../../p2p/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 100 }, signed: true });
const { genesis } = net;
const alice = keysOf('alice').address;
const bob = keysOf('bob').address;

function pay(amount: number, after?: Payment, name = 'p'): Payment {
  return net.payment({
    from: 'alice',
    transfers: [{ to: 'bob', amount }],
    previous: after?.id ?? alice,
    sequence: (after?.sequence ?? 0) + 1,
    name,
  });
}

function submission({ id, account, previous, sequence, total, bytes }: Payment): Submission {
  return { id, account, previous, sequence, total, bytes, workBits: 0 };
}

/** A ledger thread on its own: the only validator of its network. */
class Bench implements AsyncDisposable {
  readonly events: LedgerEvent[] = [];
  thread!: LedgerThread;
  readonly folder: string;
  #heard: () => void = () => undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async start(neverVoted = true): Promise<void> {
    this.thread = await LedgerThread.start(
      {
        genesis: encodeGenesis(genesis),
        folder: this.folder,
        verticesMax: 10_000,
        validator: { index: 0, roundFloorMs: 10, roundLingerMs: 0, idleBeatMs: 200 },
        validatorSeed: keysOf('validator A').secret,
        neverVoted,
        queuePaymentsMax: 100,
        queuePaymentsPerAccountMax: 16,
        blockLingerMs: 2,
        tips: { strategy: 'uniform', alpha: 0, parents: 3 },
      },
      (event) => {
        this.events.push(event);
        this.#heard();
      },
    );
  }

  /** Waits for events, not for time; mocha's timeout is the deadline. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  final(id: Payment['id']): Promise<HistoryEntry> {
    return this.until(() =>
      this.events
        .flatMap((event) => (event.type === 'push' && event.push.type === 'final' ? [event.push.entry] : []))
        .find(({ proof }) => {
          const decoded = decodeFinalityProof(proof);
          return !isRefusal(decoded) && decoded.payment === id;
        }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.thread[Symbol.asyncDispose]();
  }
}

describe('the ledger thread', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-ledger-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('proves balances, and who has a slot, to whoever won and to whoever never was heard of', async () => {
    await using bench = new Bench(folder);
    await bench.start();
    await bench.thread.call('watch', [bob], true);
    const [p1, rival] = [pay(30), pay(31, undefined, 'rival')];
    const p2 = pay(20, p1);
    await bench.thread.call('submit', [submission(p1), submission(p2)]);
    await bench.final(p2.id);
    // Final by certificates comes before the commit that decides it.
    const decided = async (): Promise<BalanceProof> => {
      for (;;) {
        const bytes = await bench.thread.call('balance', alice);
        const proof = bytes === undefined ? undefined : decodeBalanceProof(bytes);
        if (proof !== undefined && !isRefusal(proof) && proof.sequence === 2) return proof;
      }
    };
    const proof = await decided();
    assert.deepEqual([proof.balance, proof.head], [50, p2.id]);
    assert.ok('checkpoint' in checkBalanceProof(genesis, proof));
    for (const [payment, slot, won] of [
      [p1, undefined, true],
      [p2, undefined, true],
      [rival, rival.previous, false],
    ] as const) {
      const outcome = await bench.thread.call('outcome', payment.id, slot);
      assert.ok(outcome !== undefined);
      const verdict = checkOutcome(genesis, payment, outcome);
      assert.ok('won' in verdict, JSON.stringify(verdict));
      assert.deepEqual([verdict.won, verdict.chain.at(-1)?.id], [won, p2.id]);
    }
    assert.equal(await bench.thread.call('outcome', rival.id, undefined), undefined, 'an unknown payment');
    assert.equal(await bench.thread.call('outcome', rival.id, p2.id), undefined, 'an open slot');
    const [reply] = await bench.thread.call('submit', [submission(rival)]);
    assert.deepEqual(reply, { refusal: { code: 'slot_taken', by: p1.id } });
  });

  it('makes submitted payments final with a proof, and has them after a restart', async () => {
    const p1 = pay(30);
    const p2 = pay(20, p1);
    {
      await using bench = new Bench(folder);
      await bench.start();
      await bench.thread.call('watch', [bob], true);
      const replies = await bench.thread.call('submit', [submission(p1), submission(p2)]);
      assert.deepEqual(replies, [
        { id: p1.id, status: 'queued' },
        { id: p2.id, status: 'queued' },
      ]);
      const entry = await bench.final(p2.id);
      const proof = decodeFinalityProof(entry.proof);
      assert.ok(!isRefusal(proof));
      assert.equal(checkFinalityProof(genesis, proof), undefined);
      assert.deepEqual(Buffer.from(entry.payment), Buffer.from(p2.bytes));
    }
    await using bench = new Bench(folder);
    await bench.start();
    const loaded = await bench.until(() => bench.events.find((event) => event.type === 'loaded'));
    assert.equal(loaded.finals, 2);
    assert.equal((await bench.thread.call('account', bob)).balance, 50);
    const history = await bench.thread.call('history', bob, -1, 10);
    assert.deepEqual(
      history.map(({ index }) => index),
      [0, 1],
    );
    const view = await bench.thread.call('account', alice);
    assert.deepEqual([view.sequence, view.head, view.balance], [2, p2.id, 50]);
    let status = await bench.thread.call('status');
    // The last commits before the end have been read back; those after it are made by new rounds.
    while (status.decidedPayments < 2) status = await bench.thread.call('status');
    assert.deepEqual([status.supply, status.finalPayments, status.accounts], [100, 2, 2]);
    assert.match(status.root, /^[0-9a-f]{64}$/);
    const rounds = (await bench.thread.call('since', { round: 0, bytesMax: 1 << 20 })).vertices.length;
    assert.equal(rounds, status.vertices - 1);
  });

  it('refuses what cannot become final, by cause', async () => {
    await using bench = new Bench(folder);
    await bench.start();
    const p1 = pay(60);
    const rows: [Payment, unknown][] = [
      [p1, { id: p1.id, status: 'queued' }],
      [p1, { id: p1.id, status: 'queued' }],
      [pay(60, undefined, 'rival'), { refusal: { code: 'slot_taken', by: p1.id } }],
      [pay(50, p1), { refusal: { code: 'unfunded', available: 40, needed: 50 } }],
      [{ ...pay(5, p1), sequence: 7 }, { refusal: { code: 'sequence_gap', expected: 2, received: 7 } }],
    ];
    const replies = await bench.thread.call(
      'submit',
      rows.map(([payment]) => submission(payment)),
    );
    assert.deepEqual(
      replies,
      rows.map(([, reply]) => reply),
    );
    const orphan = pay(5, { ...p1, id: pay(1, undefined, 'never sent').id });
    const [reply] = await bench.thread.call('submit', [submission(orphan)]);
    assert.deepEqual(reply, { refusal: { code: 'previous_unknown', previous: orphan.previous } });
  });

  it('keeps a validator silent whose votes are not in the store', async () => {
    await using bench = new Bench(folder);
    await bench.start(false);
    await bench.until(() => bench.events.find((event) => event.type === 'mute'));
    assert.equal((await bench.thread.call('status')).validator, undefined);
  });

  it('votes on when its votes are in the store', async () => {
    {
      await using bench = new Bench(folder);
      await bench.start();
      await bench.until(() => bench.events.find((event) => event.type === 'publish'));
    }
    await using bench = new Bench(folder);
    await bench.start(false);
    await bench.until(() => bench.events.find((event) => event.type === 'publish'));
    assert.equal((await bench.thread.call('status')).validator, 0);
  });

  it('a second one on the same folder is refused', async () => {
    await using first = new Bench(folder);
    await first.start();
    const second = new Bench(folder);
    await assert.rejects(second.start(), { name: 'LedgerThreadError', code: 'store_locked' });
  });

  it('leaves nobody waiting for an answer when it ends', async () => {
    const bench = new Bench(folder);
    await bench.start();
    // What is on its way when the thread ends: answered, or refused, but not forgotten.
    const ends = [bench[Symbol.asyncDispose]()];
    for (let i = 0; i < 20; i++)
      ends.push(
        bench.thread.call('status').then(
          () => undefined,
          () => undefined,
        ),
      );
    await Promise.all(ends);
    const asked = Array.from({ length: 50 }, () => bench.thread.call('awaited'));
    for (const one of await Promise.allSettled(asked)) assert.equal(one.status, 'rejected');
    await using other = new Bench(folder);
    await other.start(false);
    const early = Array.from({ length: 200 }, () => other.thread.call('status').catch(() => 'ended'));
    await other[Symbol.asyncDispose]();
    assert.equal((await Promise.all(early)).length, 200);
  });

  it('lays fresh parents ready for new blocks', async () => {
    await using bench = new Bench(folder);
    await bench.start();
    const tips: readonly VertexId[] = await bench.thread.call('tips', 8);
    assert.ok(tips.length >= 1);
  });
});
