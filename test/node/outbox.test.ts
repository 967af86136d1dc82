import assert from 'node:assert/strict';
import type { Vertex } from '../../ledger/index.ts';
import { Outbox } from '../../node/outbox.ts';
import type { NewVertex, VertexStore } from '../../node/vertex-store.ts';
import { TestNetwork } from '../dsl/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 1 }, signed: false });

function vertex(text: string): Vertex {
  return net.block([net.genesis.id], [net.data(text)]);
}

/** A disk whose writes end when the test says so. */
class Disk {
  readonly writes: { readonly batch: readonly NewVertex[]; readonly done: PromiseWithResolvers<void> }[] = [];
  readonly store = {
    append: (batch: readonly NewVertex[]) => {
      const done = Promise.withResolvers<void>();
      this.writes.push({ batch, done });
      return done.promise;
    },
    get: async () => [],
  } as unknown as VertexStore;
}

function outbox() {
  const disk = new Disk();
  const failures: unknown[] = [];
  const box = new Outbox({ store: disk.store, failed: (error) => failures.push(error) });
  return { disk, failures, box };
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
});
