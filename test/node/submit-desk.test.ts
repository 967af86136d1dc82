import assert from 'node:assert/strict';
import type { Address, PaymentId, Refusal, Units } from '../../ledger/index.ts';
import { CheckedLately } from '../../node/checked-lately.ts';
import {
  DESK_CHECKED_MAX,
  DESK_PAUSE_MAX_MS,
  DESK_PAUSE_MIN_MS,
  DESK_SLICE_PAYMENTS_MIN,
  DESK_SLICES_MAX,
  DESK_WAITING_MAX,
} from '../../node/limits.ts';
import { SubmitDesk } from '../../node/submit-desk.ts';
import type { CheckedPayment } from '../../node/verify-task.ts';
import type { SubmitReply } from '../../p2p/index.ts';

const FULL = { code: 'queue_full', waiting: 1, max: 1 } as const;

/** Not a payment, but as long as one, with the payer's key where a payment has it, and a number at the end. */
function payment(payer: number, number: number): Uint8Array {
  const bytes = new Uint8Array(205);
  const view = new DataView(bytes.buffer);
  view.setUint32(18, payer);
  view.setUint32(201, number);
  return bytes;
}

function payments(payer: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => payment(payer, i));
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(201);
const payerOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(18);

/** A desk whose checks end one by one, when the test says so. */
class Scene {
  nowMs = 0;
  /** Payments in the order in which their checks began. */
  readonly checked: Uint8Array[] = [];
  /** Payments that were good and came before the ledger. */
  readonly admitted: Uint8Array[] = [];
  readonly #open: (() => void)[] = [];
  refusedPayers = new Set<number>();
  badPayers = new Set<number>();
  readonly desk = new SubmitDesk({
    check: (list) => this.#check(list),
    admit: async (list) => list.map(({ bytes, id }) => this.#admit(bytes, id)),
    nowMs: () => this.nowMs,
  });

  async #check(list: readonly Uint8Array[]): Promise<(CheckedPayment | Refusal)[]> {
    this.checked.push(...list);
    const done = Promise.withResolvers<void>();
    this.#open.push(() => done.resolve());
    await done.promise;
    return list.map((bytes) => {
      if (this.badPayers.has(payerOf(bytes))) return { code: 'bad_signature', of: 'payment' };
      const id = `${payerOf(bytes)}/${numberOf(bytes)}` as PaymentId;
      const account = `${payerOf(bytes)}` as Address;
      return { id, account, previous: account, sequence: 1, total: 1 as Units, workBits: 0 };
    });
  }

  #admit(bytes: Uint8Array, id: PaymentId): SubmitReply {
    this.admitted.push(bytes);
    return this.refusedPayers.has(payerOf(bytes)) ? { refusal: FULL } : { id, status: 'queued' };
  }

  get underWay(): number {
    return this.#open.length;
  }

  /** Ends the oldest check, and lets what follows from it happen. */
  async step(): Promise<void> {
    this.#open.shift()?.();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async settle<T>(answer: Promise<T>): Promise<T> {
    let done = false;
    answer.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    for (let n = 0; n < 10_000 && !done; n++) await this.step();
    return answer;
  }
}

describe('the desk for submitted payments', () => {
  it('answers each payment in its place', async () => {
    const scene = new Scene();
    scene.badPayers.add(2);
    scene.refusedPayers.add(3);
    const replies = await scene.settle(
      scene.desk.submit([payment(1, 0), payment(2, 0), payment(3, 0), payment(1, 1)], 'peer'),
    );
    assert.deepEqual(replies, [
      { id: '1/0', status: 'queued' },
      { refusal: { code: 'bad_signature', of: 'payment' } },
      { refusal: FULL },
      { id: '1/1', status: 'queued' },
    ]);
    assert.equal(scene.desk.waiting, 0);
    assert.deepEqual(await scene.desk.submit([], 'peer').then((none) => none.length), 0);
  });

  it('gives a newcomer his turn though others have thousands waiting', async () => {
    const scene = new Scene();
    for (let peer = 0; peer < 20; peer++) {
      for (let n = 0; n < 3; n++) void scene.desk.submit(payments(peer, 256), `flood${peer}`);
    }
    await scene.step();
    const before = scene.checked.length;
    await scene.settle(scene.desk.submit(payments(99, 3), 'honest'));
    const between = scene.checked.length - before;
    assert.ok(between <= (21 + DESK_SLICES_MAX) * DESK_SLICE_PAYMENTS_MIN, `${between} were checked before`);
  });

  it('keeps the payments of one peer in order, and has a bounded number of checks under way', async () => {
    const scene = new Scene();
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((peer, i) =>
      Promise.all([
        scene.desk.submit(payments(i, 100), peer),
        scene.desk.submit(payments(i, 200).slice(100), peer),
      ]),
    );
    let most = 0;
    for (let n = 0; n < 500; n++) {
      most = Math.max(most, scene.underWay);
      await scene.step();
    }
    await Promise.all(all);
    assert.equal(most, DESK_SLICES_MAX);
    for (let i = 0; i < all.length; i++) {
      const order = scene.checked.filter((bytes) => payerOf(bytes) === i).map(numberOf);
      assert.deepEqual(order, payments(i, 200).map(numberOf));
    }
  });

  it('turns away the youngest submit of whoever has the most waiting when it is full', async () => {
    const scene = new Scene();
    const flood = Array.from({ length: DESK_WAITING_MAX / 256 }, () =>
      scene.desk.submit(payments(1, 256), 'flood'),
    );
    assert.equal(scene.desk.waiting, DESK_WAITING_MAX);
    const honest = scene.desk.submit(payments(2, 1), 'honest');
    const last = await flood.at(-1)!;
    assert.ok(last.every((reply) => 'refusal' in reply && reply.refusal.code === 'queue_full'));
    const own = await scene.desk.submit(payments(1, 256), 'flood');
    assert.ok(own.every((reply) => 'refusal' in reply));
    assert.ok((await scene.settle(honest)).every((reply) => 'status' in reply));
    assert.ok(scene.desk.waiting <= DESK_WAITING_MAX);
  });

  it('refuses an account unseen that found no room, for twice as long each time, and forgets it when there is room', async () => {
    const scene = new Scene();
    scene.refusedPayers.add(1);
    const ask = async (): Promise<SubmitReply> =>
      (await scene.settle(scene.desk.submit([payment(1, 0)], 'peer')))[0]!;
    assert.deepEqual(await ask(), { refusal: FULL });
    for (let pauseMs = DESK_PAUSE_MIN_MS; pauseMs <= DESK_PAUSE_MAX_MS; pauseMs *= 2) {
      const seen = scene.admitted.length;
      scene.nowMs += pauseMs - 1;
      assert.deepEqual(await ask(), { refusal: FULL });
      assert.equal(scene.admitted.length, seen, `unseen after ${pauseMs - 1} ms`);
      scene.nowMs += 1;
      assert.deepEqual(await ask(), { refusal: FULL });
      assert.equal(scene.admitted.length, seen + 1, `seen after ${pauseMs} ms`);
    }
    scene.refusedPayers.clear();
    scene.nowMs += DESK_PAUSE_MAX_MS;
    assert.ok('status' in (await ask()));
    assert.ok('status' in (await ask()));
  });

  it('checks a payment once that comes again for want of room, and anything else about it', async () => {
    const scene = new Scene();
    const ask = async (bytes: Uint8Array): Promise<SubmitReply> => {
      scene.nowMs += DESK_PAUSE_MAX_MS;
      return (await scene.settle(scene.desk.submit([bytes], 'peer')))[0]!;
    };
    scene.refusedPayers.add(1);
    for (let n = 0; n < 3; n++) assert.deepEqual(await ask(payment(1, 0)), { refusal: FULL });
    scene.refusedPayers.clear();
    assert.deepEqual(await ask(payment(1, 0)), { id: '1/0', status: 'queued' });
    assert.deepEqual([scene.checked.length, scene.admitted.length], [1, 4]);
    scene.badPayers.add(1);
    const forged = payment(1, 0);
    forged[200]! ^= 1;
    assert.deepEqual(await ask(forged), { refusal: { code: 'bad_signature', of: 'payment' } });
    assert.equal(scene.checked.length, 2);
    assert.deepEqual(await ask(payment(1, 0)), { id: '1/0', status: 'queued' });
    assert.equal(scene.checked.length, 2, 'what was forged takes nothing from the owner');
  });

  it('keeps of a message only the payment that it remembers, and so many of them', async () => {
    const lately = new CheckedLately();
    const found = (payer: number): CheckedPayment =>
      ({ id: `${payer}/0`, sequence: 1 }) as Partial<CheckedPayment> as CheckedPayment;
    const message = new Uint8Array(50_000);
    const bytes = message.subarray(100, 305);
    bytes.set(payment(0, 0));
    lately.add(bytes, found(0));
    message.fill(1);
    assert.equal(lately.find(payment(0, 0))?.id, '0/0');
    for (let payer = 1; payer <= DESK_CHECKED_MAX; payer++) lately.add(payment(payer, 0), found(payer));
    assert.equal(lately.find(payment(0, 0)), undefined);
    assert.equal(lately.find(payment(1, 0))?.id, '1/0');
  });

  it('lets nobody have the payments of another account refused', async () => {
    const scene = new Scene();
    scene.badPayers.add(1);
    await scene.settle(scene.desk.submit([payment(1, 0)], 'forger'));
    scene.badPayers.clear();
    assert.ok('status' in (await scene.settle(scene.desk.submit([payment(1, 0)], 'owner')))[0]!);
  });

  it('tells a submitter of trouble that is not his, and goes on with the next', async () => {
    let broken = true;
    const desk = new SubmitDesk({
      check: async (list) => {
        if (broken) throw new Error('the pool has ended');
        return list.map(() => FULL);
      },
      admit: async () => [],
      nowMs: () => 0,
    });
    await assert.rejects(desk.submit(payments(1, 300), 'peer'), /the pool has ended/);
    broken = false;
    assert.equal((await desk.submit(payments(2, 1), 'peer')).length, 1);
    assert.equal(desk.waiting, 0);
  });
});
