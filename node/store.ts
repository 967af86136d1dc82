/**
 * The vertices on disk, in the order in which the ledger took them. The one owner of `level` (LevelDB).
 *
 *   v + 8-byte big-endian sequence  ->  whole vertex encoding, then its CRC-32 (4 bytes, big-endian)
 *   i + 32-byte vertex id           ->  8-byte big-endian sequence
 *   m/ + name                       ->  a few bytes that the node wants to remember
 *   s/format, s/genesis             ->  the layout's number, the genesis id: whose folder this is
 *
 * Sequences count from 0 without a gap. The CRC is ours because LevelDB checks its own only while it recovers.
 */
import { crc32 } from 'node:zlib';
import { Level } from 'level';
import type { VertexId } from '../ledger/index.ts';
import {
  STORE_CACHE_BYTES,
  STORE_READ_AHEAD_BYTES,
  STORE_WAITING_BYTES_MAX,
  STORE_WRITE_BUFFER_BYTES,
} from './limits.ts';
import { corrupted, StoreError, storeErrorOf } from './store-error.ts';
import type { NewVertex, StoredVertex, StoredWindow, VertexStore } from './vertex-store.ts';

export interface StoreOptions {
  /** The network that the folder belongs to. A new folder is marked with it; another one's is refused. */
  readonly genesisId: VertexId;
}

/** Number of the layout above. */
const FORMAT = '1';
const FORMAT_KEY = Buffer.from('s/format');
const GENESIS_KEY = Buffer.from('s/genesis');

type Database = Level<Uint8Array, Uint8Array>;
type Put = { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array };
type Waiting = {
  readonly puts: Put[];
  bytes: number;
  vertices: number;
  readonly done: PromiseWithResolvers<void>;
};

const VERTEX = 0x76;
const INDEX = 0x69;
const CRC_BYTES = 4;

function vertexKey(sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(9);
  key[0] = VERTEX;
  key.writeBigUInt64BE(BigInt(sequence), 1);
  return key;
}

function indexKey(id: VertexId): Uint8Array {
  const key = Buffer.allocUnsafe(33);
  key[0] = INDEX;
  key.write(id, 1, 'hex');
  return key;
}

function metaKey(name: string): Uint8Array {
  return Buffer.from(`m/${name}`);
}

function sequenceIn(bytes: Uint8Array, at: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigUint64(0));
}

function withCrc(bytes: Uint8Array): Uint8Array {
  const value = Buffer.allocUnsafe(bytes.length + CRC_BYTES);
  value.set(bytes);
  value.writeUInt32BE(crc32(bytes), bytes.length);
  return value;
}

/** LevelDB behind VertexStore; open it with `Store.open`. */
export class Store implements VertexStore {
  readonly #db: Database;
  readonly #folder: string;
  #length: number;
  #waiting: Waiting | undefined;
  #writing: Promise<void> | undefined;
  #broken: StoreError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(db: Database, folder: string, length: number) {
    this.#db = db;
    this.#folder = folder;
    this.#length = length;
  }

  /**
   * Opens a folder, or makes it.
   * @throws StoreError: store_locked, store_other_network, store_format, store_corrupted, store_disk_full, store_failed.
   */
  static async open(folder: string, options: StoreOptions): Promise<Store> {
    const db: Database = new Level(folder, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      // Hashes and signatures do not get smaller.
      compression: false,
      cacheSize: STORE_CACHE_BYTES,
      writeBufferSize: STORE_WRITE_BUFFER_BYTES,
    });
    try {
      await db.open();
      await claim(db, folder, options.genesisId);
      const [last] = await db
        .keys({ gt: vertexKey(0).subarray(0, 1), lte: vertexKey(2 ** 53), reverse: true, limit: 1 })
        .all();
      return new Store(db, folder, last === undefined ? 0 : sequenceIn(last, 1) + 1);
    } catch (error) {
      await db.close().catch(() => {});
      throw storeErrorOf(error, folder);
    }
  }

  get length(): number {
    return this.#length;
  }

  append(batch: readonly NewVertex[]): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closedError());
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
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
      waiting.puts.push({ type: 'put', key, value: withCrc(vertex.bytes) });
      waiting.puts.push({ type: 'put', key: indexKey(vertex.id), value: key.subarray(1) });
    });
    waiting.bytes += bytes;
    waiting.vertices += batch.length;
    this.#writing ??= this.#write();
    return waiting.done.promise;
  }

  #inFlight = 0;

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
        this.#broken ??= storeErrorOf(error, this.#folder);
        done.reject(this.#broken);
      }
      this.#inFlight = 0;
    }
    this.#writing = undefined;
  }

  async get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]> {
    const sequences = await this.#read(() => this.#db.getMany(ids.map(indexKey)));
    const known = sequences.filter((sequence) => sequence !== undefined);
    const keys = known.map((sequence) => vertexKey(sequenceIn(sequence, 0)));
    const values = await this.#read(() => this.#db.getMany(keys));
    return values.map((value, i) => this.#checked(value, sequenceIn(known[i]!, 0)));
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

  load(sequence = 0): AsyncIterable<StoredVertex> {
    return this.#range(sequence, STORE_READ_AHEAD_BYTES);
  }

  async *#range(from: number, readAheadBytes: number): AsyncGenerator<StoredVertex> {
    if (this.#closed !== undefined) throw this.#closedError();
    const end = this.#length;
    const options = { gte: vertexKey(from), lt: vertexKey(end), highWaterMarkBytes: readAheadBytes };
    const iterator = this.#db.iterator(options);
    let expected = from;
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
    const end = value.length - CRC_BYTES;
    const bytes = value.subarray(0, Math.max(end, 0));
    const crc = end < 0 ? -1 : new DataView(value.buffer, value.byteOffset + end, CRC_BYTES).getUint32(0);
    if (crc32(bytes) !== crc) throw corrupted(this.#folder, `vertex ${sequence} is not what was written`);
    return bytes;
  }

  putMeta(name: string, value: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return this.#read(() => this.#db.put(metaKey(name), value, { sync: true }));
  }

  async getMeta(name: string): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#db.get(metaKey(name)));
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closedError();
    try {
      return await work();
    } catch (error) {
      throw storeErrorOf(error, this.#folder);
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#writing;
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

/** Marks a new folder as ours; refuses one of another network or layout. */
async function claim(db: Database, folder: string, genesisId: VertexId): Promise<void> {
  const [format, genesis] = await db.getMany([FORMAT_KEY, GENESIS_KEY]);
  if (format === undefined || genesis === undefined) {
    const [some] = await db.keys({ limit: 1 }).all();
    if (some !== undefined) {
      throw new StoreError(
        'store_format',
        `${folder} holds a database that is no node's. Choose another dataDir.`,
      );
    }
    const puts: Put[] = [
      { type: 'put', key: FORMAT_KEY, value: Buffer.from(FORMAT) },
      { type: 'put', key: GENESIS_KEY, value: Buffer.from(genesisId) },
    ];
    return db.batch(puts, { sync: true });
  }
  const found = Buffer.from(format).toString();
  if (found !== FORMAT) {
    const text = `${folder} has layout ${found}, this version reads layout ${FORMAT}. Use the version that wrote it.`;
    throw new StoreError('store_format', text);
  }
  const owner = Buffer.from(genesis).toString();
  if (owner !== genesisId) {
    const text =
      `${folder} belongs to the network of genesis ${owner}, this node to that of ${genesisId}. ` +
      'Choose another dataDir, or the genesis file that the folder was made with.';
    throw new StoreError('store_other_network', text);
  }
}
