/**
 * The vertices on disk, in the order in which the ledger took them, and a snapshot. The one owner of `level` (LevelDB); how
 * records look stands in store-records.ts. Sequences count from 0 without a gap.
 */
import { Level } from 'level';
import type { VertexId } from '../ledger/index.ts';
import { assertRoom } from './disk-room.ts';
import {
  STORE_CACHE_BYTES,
  STORE_READ_AHEAD_BYTES,
  STORE_ROOM_BYTES,
  STORE_WAITING_BYTES_MAX,
  STORE_WRITE_BUFFER_BYTES,
} from './limits.ts';
import { corrupted, StoreError, storeErrorOf } from './store-error.ts';
import { Forgetter } from './store-forget.ts';
import { claimFolder } from './store-owner.ts';
import {
  FIRST_KEY,
  indexKey,
  type KeyValues,
  metaKey,
  type Put,
  sequenceIn,
  vertexIn,
  vertexKey,
  vertexValue,
} from './store-records.ts';
import { readSnapshot, writeSnapshot } from './store-snapshot.ts';
import type { NewVertex, StoredSnapshot, StoredVertex, StoredWindow, VertexStore } from './vertex-store.ts';

export interface StoreOptions {
  /** The network that the folder belongs to. A new folder is marked with it; another one's is refused. */
  readonly genesisId: VertexId;
  /** Room that `reopen` asks of a disk that was full; STORE_ROOM_BYTES. */
  readonly roomBytes?: number;
}

type Waiting = {
  readonly puts: Put[];
  bytes: number;
  vertices: number;
  readonly done: PromiseWithResolvers<void>;
};

/** LevelDB in Node can compact; the type that it shares with browsers does not say so. */
type Database = Level<Uint8Array, Uint8Array> & Pick<KeyValues, 'compactRange'>;

function databaseIn(folder: string): Database {
  return new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Hashes and signatures do not get smaller.
    compression: false,
    cacheSize: STORE_CACHE_BYTES,
    writeBufferSize: STORE_WRITE_BUFFER_BYTES,
  }) as Database;
}

interface Opened {
  readonly db: Database;
  readonly first: number;
  readonly length: number;
}

/** An opened database, and what it holds. Rejects with a StoreError; nothing is left open then. */
async function openIn(folder: string, genesisId: VertexId): Promise<Opened> {
  const db = databaseIn(folder);
  try {
    await db.open();
    await claimFolder(db, folder, genesisId);
    const [last] = await db
      .keys({ gte: vertexKey(0), lte: vertexKey(2 ** 53), reverse: true, limit: 1 })
      .all();
    const mark = await db.get(FIRST_KEY);
    const first = mark === undefined ? 0 : sequenceIn(mark, 0);
    // All that was written may have been forgotten.
    const length = last === undefined ? first : Math.max(first, sequenceIn(last, 1) + 1);
    return { db, first, length };
  } catch (error) {
    await db.close().catch(() => {});
    throw storeErrorOf(error, folder);
  }
}

/** LevelDB behind VertexStore; open it with `Store.open`. */
export class Store implements VertexStore {
  #db: Database;
  readonly #folder: string;
  readonly #options: StoreOptions;
  #length: number;
  #forgetter: Forgetter;
  #snapshotting = false;
  #waiting: Waiting | undefined;
  #inFlight = 0;
  #writing: Promise<void> | undefined;
  #broken: StoreError | undefined;
  #reopening: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(folder: string, options: StoreOptions, { db, first, length }: Opened) {
    this.#db = db;
    this.#folder = folder;
    this.#options = options;
    this.#forgetter = new Forgetter(this.#guarded(db), first);
    this.#length = length;
  }

  /**
   * Opens a folder, or makes it.
   * @throws StoreError: store_locked, store_other_network, store_format, store_corrupted, store_disk_full, store_failed.
   */
  static async open(folder: string, options: StoreOptions): Promise<Store> {
    return new Store(folder, options, await openIn(folder, options.genesisId));
  }

  get length(): number {
    return this.#length;
  }

  get first(): number {
    return this.#forgetter.first;
  }

  append(batch: readonly NewVertex[]): Promise<void> {
    const refused = this.#refused();
    if (refused !== undefined) return Promise.reject(refused);
    if (batch.length === 0) return Promise.resolve();
    const bytes = batch.reduce((sum, vertex) => sum + vertex.bytes.length, 0);
    this.#waiting ??= { puts: [], bytes: 0, vertices: 0, done: Promise.withResolvers() };
    const waiting = this.#waiting;
    if (waiting.bytes > 0 && waiting.bytes + bytes > STORE_WAITING_BYTES_MAX) {
      const text = `${waiting.bytes} bytes wait for ${this.#folder}; wait for earlier appends before making more.`;
      return Promise.reject(new StoreError('store_busy', text));
    }
    const first = this.#length + this.#inFlight + waiting.vertices;
    batch.forEach((vertex, i) => {
      const key = vertexKey(first + i);
      waiting.puts.push({ type: 'put', key, value: vertexValue(vertex) });
      waiting.puts.push({ type: 'put', key: indexKey(vertex.id), value: key.subarray(1) });
    });
    waiting.bytes += bytes;
    waiting.vertices += batch.length;
    this.#writing ??= this.#write();
    return waiting.done.promise;
  }

  /** One write at a time, so that a crash leaves no gap; what came meanwhile shares the next sync. */
  async #write(): Promise<void> {
    // Appends of the same turn go together.
    await Promise.resolve();
    while (this.#waiting !== undefined) {
      const { puts, vertices, done } = this.#waiting;
      this.#waiting = undefined;
      this.#inFlight = vertices;
      try {
        if (this.#broken !== undefined) throw this.#broken;
        await this.#db.batch(puts, { sync: true });
        this.#length += vertices;
        done.resolve();
      } catch (error) {
        done.reject(this.#break(error));
      }
      this.#inFlight = 0;
    }
    this.#writing = undefined;
  }

  /** After a write that failed nobody knows what the disk has. */
  #break(error: unknown): StoreError {
    this.#broken ??= storeErrorOf(error, this.#folder);
    return this.#broken;
  }

  /** The database for those who write beside `append`: what fails there fails here too. */
  #guarded(db: Database): KeyValues {
    return {
      get: (key) => db.get(key),
      iterator: (range) => db.iterator(range),
      compactRange: (start, end) => db.compactRange(start, end),
      batch: async (operations, options) => {
        try {
          await db.batch(operations, options);
        } catch (error) {
          throw this.#break(error);
        }
      },
    };
  }

  #refused(): StoreError | undefined {
    return this.#closed === undefined ? this.#broken : this.#closedError();
  }

  reopen(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closedError());
    if (this.#broken === undefined) return Promise.resolve();
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #reopen(): Promise<void> {
    try {
      // Before anything is closed: on a full disk it could not be opened again, and nobody could read.
      await assertRoom(this.#folder, this.#options.roomBytes ?? STORE_ROOM_BYTES);
    } catch (error) {
      throw storeErrorOf(error, this.#folder);
    }
    await this.#writing;
    await this.#forgetter.stop();
    await this.#db.close();
    const { db, first, length } = await openIn(this.#folder, this.#options.genesisId);
    this.#db = db;
    this.#forgetter = new Forgetter(this.#guarded(db), Math.max(first, this.first));
    this.#length = length;
    this.#broken = undefined;
  }

  async get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]> {
    const found = await this.#read((db) => db.getMany(ids.map(indexKey)));
    const known = found.flatMap((value) => (value === undefined ? [] : [sequenceIn(value, 0)]));
    const kept = known.filter((sequence) => sequence >= this.first);
    const values = await this.#read((db) => db.getMany(kept.map(vertexKey)));
    return values.flatMap((value, i) =>
      // Forgotten between the two reads.
      value === undefined && kept[i]! < this.first ? [] : [this.#checked(value, kept[i]!)],
    );
  }

  async since(sequence: number, bytesMax: number): Promise<StoredWindow> {
    const vertices: Uint8Array[] = [];
    let bytes = 0;
    for await (const vertex of this.#range(sequence, bytesMax)) {
      bytes += vertex.bytes.length;
      if (vertices.length > 0 && bytes > bytesMax) return { vertices, next: vertex.sequence };
      vertices.push(vertex.bytes);
    }
    return { vertices };
  }

  load(sequence = this.first): AsyncIterable<StoredVertex> {
    return this.#range(sequence, STORE_READ_AHEAD_BYTES);
  }

  async *#range(from: number, readAheadBytes: number): AsyncGenerator<StoredVertex> {
    const end = this.#length;
    let expected = Math.max(from, this.first);
    const options = {
      gte: vertexKey(expected),
      lt: vertexKey(end),
      highWaterMarkBytes: readAheadBytes,
    };
    const iterator = await this.#read(async (db) => db.iterator(options));
    try {
      for (;;) {
        const entries = await this.#read(() => iterator.nextv(1000));
        for (const [key, value] of entries) {
          const sequence = sequenceIn(key, 1);
          if (sequence !== expected) throw corrupted(this.#folder, `vertex ${expected} is missing`);
          yield { sequence, bytes: this.#checked(value, sequence) };
          expected += 1;
        }
        if (entries.length === 0) break;
      }
      if (expected < end) throw corrupted(this.#folder, `vertex ${expected} is missing`);
    } finally {
      await iterator.close();
    }
  }

  #checked(value: Uint8Array | undefined, sequence: number): Uint8Array {
    if (value === undefined) throw corrupted(this.#folder, `vertex ${sequence} is missing`);
    const bytes = vertexIn(value);
    if (bytes === undefined) throw corrupted(this.#folder, `vertex ${sequence} is not what was written`);
    return bytes;
  }

  async forget(beforeSequence: number): Promise<void> {
    const refused = this.#refused();
    if (refused !== undefined) throw refused;
    try {
      await this.#forgetter.forget(Math.min(beforeSequence, this.#length));
    } catch (error) {
      throw storeErrorOf(error, this.#folder);
    }
  }

  async putSnapshot(
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    meta: Uint8Array,
  ): Promise<void> {
    const refused = this.#refused();
    if (refused !== undefined) throw refused;
    if (this.#snapshotting) {
      throw new StoreError('store_busy', `A snapshot is being written to ${this.#folder}; wait for it.`);
    }
    this.#snapshotting = true;
    try {
      await writeSnapshot(this.#guarded(this.#db), this.#folder, parts, meta);
    } catch (error) {
      throw storeErrorOf(error, this.#folder);
    } finally {
      this.#snapshotting = false;
    }
  }

  snapshot(): Promise<StoredSnapshot | undefined> {
    return readSnapshot(
      () => this.#guarded(this.#db),
      this.#folder,
      (read) => this.#read(() => read()),
    );
  }

  putMeta(name: string, value: Uint8Array): Promise<void> {
    const refused = this.#refused();
    if (refused !== undefined) return Promise.reject(refused);
    return this.#read((db) => db.put(metaKey(name), value, { sync: true }));
  }

  async getMeta(name: string): Promise<Uint8Array | undefined> {
    return this.#read((db) => db.get(metaKey(name)));
  }

  /** While the database is being opened again readers wait for it. */
  async #read<T>(work: (db: Database) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closedError();
    const db = this.#db;
    try {
      return await work(db);
    } catch (error) {
      const reopened = await this.#reopening?.then(
        () => true,
        () => false,
      );
      if (reopened || this.#db !== db) return work(this.#db).catch((again) => this.#throw(again));
      return this.#throw(error);
    }
  }

  #throw(error: unknown): never {
    // Closed to be opened again, which failed.
    if (this.#broken !== undefined && this.#db.status !== 'open') throw this.#broken;
    throw storeErrorOf(error, this.#folder);
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#reopening?.catch(() => undefined);
      await this.#writing;
      await this.#forgetter.stop();
      await this.#db.close();
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #closedError(): StoreError {
    return new StoreError('store_closed', `${this.#folder} is closed; open it again.`);
  }
}
