/** What every VertexStore keeps, whatever it writes to: run over LevelDB and over the disk in memory. */
import assert from 'node:assert/strict';
import type { VertexId } from '../../ledger/index.ts';
import type { NewVertex, StoredVertex, VertexStore } from '../../node/vertex-store.ts';

/** One disk: `open` may be called again after the store was closed. */
export interface StoreUnderTest {
  open(genesisId: VertexId): Promise<VertexStore>;
}

export const GENESIS_A = 'a1'.repeat(32) as VertexId;
export const GENESIS_B = 'b2'.repeat(32) as VertexId;

/** Vertex number n: its id and its bytes follow from n, so that a test can tell what it got. */
export function vertexOf(n: number, length = 10 + (n % 7)): NewVertex {
  const bytes = new Uint8Array(length).fill(n % 251);
  new DataView(bytes.buffer).setUint32(0, n);
  return { id: n.toString(16).padStart(64, '0') as VertexId, bytes };
}

export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

export function range(from: number, to: number): NewVertex[] {
  return Array.from({ length: to - from }, (_, i) => vertexOf(from + i));
}

/** A part of a snapshot, told apart by two numbers. */
function partOf(snapshot: number, part: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(part).fill(snapshot, 0, 1);
}

async function partsOf(store: VertexStore): Promise<number[][] | undefined> {
  const snapshot = await store.snapshot();
  if (snapshot === undefined) return undefined;
  const parts: number[][] = [];
  for await (const part of snapshot.parts()) parts.push([part[0]!, part[1]!, part.length]);
  return parts;
}

async function all(vertices: AsyncIterable<StoredVertex>): Promise<StoredVertex[]> {
  const list: StoredVertex[] = [];
  for await (const vertex of vertices) list.push(vertex);
  return list;
}

/** @param disk Makes a fresh, empty disk. */
export function storeContract(name: string, disk: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a vertex store`, () => {
    it('starts empty', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      assert.equal(store.length, 0);
      assert.deepEqual(await all(store.load()), []);
      assert.deepEqual(await store.since(0, 1000), { vertices: [] });
      assert.deepEqual(await store.get([vertexOf(1).id]), []);
    });

    it('numbers vertices without a gap in the order of the calls, also when calls overlap', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      await Promise.all([
        store.append(range(0, 5)),
        store.append([]),
        store.append(range(5, 6)),
        store.append(range(6, 9)),
      ]);
      const late = store.append(range(9, 10));
      await late;
      assert.equal(store.length, 10);
      const loaded = await all(store.load());
      assert.deepEqual(
        loaded.map(({ sequence }) => sequence),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      assert.deepEqual(
        loaded.map(({ bytes }) => numberOf(bytes)),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });

    it('gives back whole encodings by id, in the order asked, and leaves out what it has not', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      await store.append(range(0, 20));
      const found = await store.get([vertexOf(7).id, vertexOf(99).id, vertexOf(3).id]);
      assert.deepEqual(found.map(numberOf), [7, 3]);
      assert.deepEqual(Buffer.from(found[0]!), Buffer.from(vertexOf(7).bytes));
    });

    it('reads forwards in windows of bytes, at least one vertex each', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      await store.append([vertexOf(0, 100), vertexOf(1, 100), vertexOf(2, 500), vertexOf(3, 100)]);
      const first = await store.since(0, 200);
      assert.deepEqual([first.vertices.map(numberOf), first.next], [[0, 1], 2]);
      const second = await store.since(2, 200);
      assert.deepEqual([second.vertices.map(numberOf), second.next], [[2], 3]);
      const third = await store.since(3, 200);
      assert.deepEqual([third.vertices.map(numberOf), third.next], [[3], undefined]);
      assert.deepEqual(await store.since(4, 200), { vertices: [] });
    });

    it('loads from any sequence on', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      await store.append(range(0, 2500));
      const loaded = await all(store.load(1200));
      assert.equal(loaded.length, 1300);
      assert.deepEqual([loaded[0]!.sequence, numberOf(loaded[0]!.bytes)], [1200, 1200]);
    });

    it('has everything again after it was closed, and goes on counting', async () => {
      const place = await disk();
      {
        await using store = await place.open(GENESIS_A);
        // Not awaited: close waits for what is being written.
        void store.append(range(0, 3));
      }
      await using store = await place.open(GENESIS_A);
      await store.append(range(3, 4));
      assert.deepEqual(
        (await all(store.load())).map(({ bytes }) => numberOf(bytes)),
        [0, 1, 2, 3],
      );
    });

    it('remembers a few bytes by name', async () => {
      const place = await disk();
      {
        await using store = await place.open(GENESIS_A);
        assert.equal(await store.getMeta('checkpoint'), undefined);
        await store.putMeta('checkpoint', Uint8Array.of(1));
        await store.putMeta('checkpoint', Uint8Array.of(2, 3));
        await store.putMeta('genesis', Uint8Array.of(9));
      }
      await using store = await place.open(GENESIS_A);
      assert.deepEqual([...(await store.getMeta('checkpoint'))!], [2, 3]);
      assert.equal(store.length, 0);
    });

    it('forgets for good what lies before a sequence, and goes on counting', async () => {
      const place = await disk();
      {
        await using store = await place.open(GENESIS_A);
        await store.append(range(0, 1000));
        assert.deepEqual([store.first, store.length], [0, 1000]);
        const forgetting = store.forget(700);
        // While it is being deleted: gone for readers, and others write.
        assert.equal(store.first, 700);
        assert.deepEqual((await store.get([vertexOf(699).id, vertexOf(700).id])).map(numberOf), [700]);
        await Promise.all([forgetting, store.append(range(1000, 1010))]);
        await store.forget(300);
        assert.deepEqual([store.first, store.length], [700, 1010]);
      }
      await using store = await place.open(GENESIS_A);
      assert.deepEqual([store.first, store.length], [700, 1010]);
      assert.deepEqual((await store.get([vertexOf(5).id, vertexOf(705).id])).map(numberOf), [705]);
      const window = await store.since(0, 25);
      assert.deepEqual([window.vertices.map(numberOf), window.next], [[700, 701], 702]);
      assert.deepEqual((await all(store.load())).map(({ sequence }) => sequence).slice(0, 2), [700, 701]);
      await store.append(range(1010, 1011));
      await store.forget(5000);
      assert.deepEqual([store.first, store.length], [1011, 1011]);
      assert.deepEqual(await store.since(0, 25), { vertices: [] });
    });

    it('counts on when all that it had is forgotten', async () => {
      const place = await disk();
      {
        await using store = await place.open(GENESIS_A);
        await store.append(range(0, 10));
        await store.forget(10);
      }
      await using store = await place.open(GENESIS_A);
      assert.deepEqual([store.first, store.length], [10, 10]);
      await store.append(range(10, 12));
      const loaded = await all(store.load());
      assert.deepEqual(
        loaded.map(({ sequence, bytes }) => [sequence, numberOf(bytes)]),
        [
          [10, 10],
          [11, 11],
        ],
      );
    });

    it('keeps the last snapshot that was written to its end', async () => {
      const place = await disk();
      {
        await using store = await place.open(GENESIS_A);
        assert.equal(await store.snapshot(), undefined);
        // More than one batch.
        const parts = Array.from({ length: 60 }, (_, i) => partOf(1, i, 40_000));
        await store.putSnapshot(parts, Uint8Array.of(7));
        async function* broken(): AsyncGenerator<Uint8Array> {
          for (let i = 0; i < 70; i++) yield partOf(2, i, 40_000);
          throw new Error('its source ended');
        }
        await assert.rejects(store.putSnapshot(broken(), Uint8Array.of(8)), /its source ended/);
      }
      await using store = await place.open(GENESIS_A);
      const first = await store.snapshot();
      assert.deepEqual([[...first!.meta], first?.count, first?.bytes], [[7], 60, 2_400_000]);
      assert.deepEqual(
        await partsOf(store),
        Array.from({ length: 60 }, (_, i) => [1, i, 40_000]),
      );
      await store.append(range(0, 3));
      await store.putSnapshot([partOf(3, 9)], new Uint8Array());
      assert.deepEqual(await partsOf(store), [[3, 9, 100]]);
      assert.equal((await first!.part(59))?.[1], 59, 'whoever reads the one before may go on');
      await store.putSnapshot([partOf(4, 1), partOf(4, 2)], Uint8Array.of(1));
      assert.equal(await first!.part(59), undefined);
      assert.deepEqual(await partsOf(store), [
        [4, 1, 100],
        [4, 2, 100],
      ]);
      assert.equal(store.length, 3);
    });

    it('writes one snapshot at a time', async () => {
      await using store = await (await disk()).open(GENESIS_A);
      const gate = Promise.withResolvers<void>();
      async function* slow(): AsyncGenerator<Uint8Array> {
        await gate.promise;
        yield partOf(1, 1);
      }
      const writing = store.putSnapshot(slow(), new Uint8Array());
      await assert.rejects(store.putSnapshot([partOf(2, 1)], new Uint8Array()), { code: 'store_busy' });
      gate.resolve();
      await writing;
      assert.deepEqual(await partsOf(store), [[1, 1, 100]]);
    });

    it('refuses a disk of another network, one that is open already, and use after close', async () => {
      const place = await disk();
      const store = await place.open(GENESIS_A);
      await assert.rejects(place.open(GENESIS_A), { code: 'store_locked' });
      await store.close();
      await store.close();
      await assert.rejects(store.append(range(0, 1)), { code: 'store_closed' });
      await assert.rejects(store.get([vertexOf(0).id]), { code: 'store_closed' });
      await assert.rejects(place.open(GENESIS_B), { code: 'store_other_network' });
      await (await place.open(GENESIS_A)).close();
    });
  });
}
