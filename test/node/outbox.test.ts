import assert from 'node:assert/strict';
import type { PaymentId, PaymentRecord, Vertex } from '../../ledger/index.ts';
import { Outbox } from '../../node/outbox.ts';
import { StoreError } from '../../node/store-error.ts';
import type { NewVertex, VertexStore } from '../../node/vertex-store.ts';
import { TestNetwork } from '../dsl/network.ts';
import { until } from '../p2p/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 1 }, signed: false });

function vertex(text: string): Vertex {
  return net.block([net.genesis.id], [net.data(text)]);
}

/** A disk whose writes end when the test says so. */
class Disk {
  readonly writes: { readonly batch: readonly NewVertex[]; readonly done: PromiseWithResolvers<void> }[] = [];
  room = false;
  reopened = 0;
  length = 0;
  readonly store = {
    length: 0,
    reopen: async () => {
      this.reopened += 1;
      if (!this.room) throw new StoreError('store_disk_full', 'no space left');
      this.store.length = this.length;
    },
    append: (batch: readonly NewVertex[]) => {
      const done = Promise.withResolvers<void>();
      this.writes.push({ batch, done });
      return done.promise;
    },
    get: async () => [],
  } as unknown as VertexStore & { length: number };
}

function outbox() {
  const disk = new Disk();
  const failures: unknown[] = [];
  const told: boolean[] = [];
  const box = new Outbox(
    { retryMs: 1 },
    {
      store: disk.store,
      failed: (error) => failures.push(error),
      full: (error) => told.push(error !== undefined),
    },
  );
  return { disk, failures, told, box };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the outbox', () => {
  it('lets nothing leave before the disk has what came before it, and writes one batch for all that gathered', async () => {
    const { disk, box } = outbox();
    const left: string[] = [];
    box.add(vertex('a'));
    box.after(() => left.push('a'));
    box.add(vertex('b'));
    box.after(() => left.push('b'));
    box.add(vertex('c'));
    box.after(() => left.push('c'));
    await turn();
    assert.deepEqual(left, []);
    disk.writes[0]!.done.resolve();
    await turn();
    assert.deepEqual(left, ['a']);
    assert.deepEqual(
      disk.writes.map(({ batch }) => batch.length),
      [1, 2],
    );
    disk.writes[1]!.done.resolve();
    await turn();
    assert.deepEqual(left, ['a', 'b', 'c']);
  });

  it('writes again after it had nothing to write', async () => {
    const { disk, box } = outbox();
    await box.flushed();
    box.add(vertex('a'));
    const flushed = box.flushed();
    await turn();
    disk.writes[0]!.done.resolve();
    await flushed;
  });

  it('shows nobody what is not on disk', async () => {
    const { disk, box } = outbox();
    const a = vertex('a');
    box.add(a);
    let shown: Uint8Array[] | undefined;
    const asked = box.get([a.id]).then((found) => {
      shown = found;
    });
    await turn();
    assert.equal(shown, undefined);
    disk.writes[0]!.done.resolve();
    await asked;
    assert.deepEqual(shown, [a.bytes]);
  });

  it('tells everybody who waits when the disk refuses, and lets nothing leave any more', async () => {
    const { disk, failures, box } = outbox();
    const left: string[] = [];
    const full = new Error('no space left');
    box.add(vertex('a'));
    box.after(() => left.push('a'));
    const flushed = assert.rejects(box.flushed(), full);
    disk.writes[0]!.done.reject(full);
    await flushed;
    await assert.rejects(box.flushed(), full);
    box.add(vertex('b'));
    box.after(() => left.push('b'));
    await turn();
    assert.deepEqual([left, failures, disk.writes.length], [[], [full], 1]);
  });

  for (const written of [0, 1, 2]) {
    it(`waits until a full disk has room, then writes what it has not got, in order (it has ${written} of 2)`, async () => {
      const { disk, failures, told, box } = outbox();
      const [a, b, c] = [vertex('a'), vertex('b'), vertex('c')];
      const left: string[] = [];
      const noRoom = new StoreError('store_disk_full', 'no space left');
      disk.length = written;
      box.add(a);
      box.add(b);
      box.addFinals([{ id: 'f'.repeat(64) } as PaymentRecord]);
      box.after(() => left.push('a and b'));
      await turn();
      disk.writes[0]!.done.reject(noRoom);
      await until('it is told', () => told.length === 1);
      box.add(c);
      box.after(() => left.push('c'));
      // Nobody waits for a full disk, and nobody hears of what it has not taken.
      await box.settled();
      assert.deepEqual(await box.get([a.id, b.id, c.id]), []);
      assert.equal(box.hasFinal('f'.repeat(64) as PaymentId), false);
      assert.deepEqual(left, []);
      await until('it has tried often', () => disk.reopened > 3);
      assert.equal(disk.writes.length, 1);
      disk.room = true;
      await until('it writes again', () => disk.writes.length === 2);
      assert.deepEqual(
        disk.writes[1]!.batch.map(({ id }) => id),
        [a.id, b.id, c.id].slice(written),
      );
      assert.deepEqual([left, told], [[], [true]]);
      disk.writes[1]!.done.resolve();
      await until('it goes on', () => told.length === 2);
      assert.deepEqual([left, told, failures], [['a and b', 'c'], [true, false], []]);
      assert.deepEqual(await box.get([a.id, b.id, c.id]), [a.bytes, b.bytes, c.bytes]);
      assert.equal(box.hasFinal('f'.repeat(64) as PaymentId), true);
    });
  }

  it('ends while the disk is full, and lets nothing leave', async () => {
    const { disk, box } = outbox();
    const left: string[] = [];
    box.add(vertex('a'));
    box.after(() => left.push('a'));
    await turn();
    disk.writes[0]!.done.reject(new StoreError('store_disk_full', 'no space left'));
    await until('it is full', () => box.full);
    await box.close();
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
    assert.deepEqual([left, disk.writes.length], [[], 1]);
  });
});
