/**
 * A disk in memory that behaves like a real one: what was not synced is lost in a crash. The simulator runs nodes on it,
 * and the store's contract holds it to the same rules as LevelDB.
 */
import type { VertexId } from '../../ledger/index.ts';
import { StoreError } from '../../node/store-error.ts';
import type { NewVertex, StoredVertex, StoredWindow, VertexStore } from '../../node/vertex-store.ts';

/** What survives a crash. */
export class MemoryDisk {
  genesisId: VertexId | undefined;
  readonly vertices: NewVertex[] = [];
  readonly meta = new Map<string, Uint8Array>();
  /** The store that has it open. */
  owner: MemoryStore | undefined;
}

export interface MemoryStoreOptions {
  readonly genesisId: VertexId;
  /** 'always': an append is durable in the next turn. 'manual': only `sync()` makes it durable. */
  readonly sync: 'always' | 'manual';
}

type Unsynced = { readonly batch: readonly NewVertex[]; readonly done: PromiseWithResolvers<void> };

export class MemoryStore implements VertexStore {
  readonly #disk: MemoryDisk;
  readonly #options: MemoryStoreOptions;
  readonly #sequences = new Map<VertexId, number>();
  #unsynced: Unsynced[] = [];
  #closed = false;

  /** @throws StoreError store_locked, store_other_network. */
  constructor(disk: MemoryDisk, options: MemoryStoreOptions) {
    if (disk.owner !== undefined) throw new StoreError('store_locked', 'the disk is open already');
    if (disk.genesisId !== undefined && disk.genesisId !== options.genesisId) {
      throw new StoreError('store_other_network', `the disk belongs to ${disk.genesisId}`);
    }
    disk.genesisId = options.genesisId;
    disk.owner = this;
    this.#disk = disk;
    this.#options = options;
    disk.vertices.forEach(({ id }, sequence) => {
      this.#sequences.set(id, sequence);
    });
  }

  get length(): number {
    return this.#disk.vertices.length;
  }

  append(batch: readonly NewVertex[]): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('store_closed', 'the store is closed'));
    const done = Promise.withResolvers<void>();
    this.#unsynced.push({ batch: batch.map(({ id, bytes }) => ({ id, bytes: bytes.slice() })), done });
    if (this.#options.sync === 'always') queueMicrotask(() => this.sync());
    return done.promise;
  }

  /** Everything appended so far becomes durable. */
  sync(): void {
    for (const { batch, done } of this.#unsynced.splice(0)) {
      for (const vertex of batch) {
        this.#sequences.set(vertex.id, this.#disk.vertices.length);
        this.#disk.vertices.push(vertex);
      }
      done.resolve();
    }
  }

  /** The process dies: what was not synced never happened, and nobody is told. The disk may be opened again. */
  crash(): void {
    this.#unsynced = [];
    this.#closed = true;
    this.#disk.owner = undefined;
  }

  #open(): void {
    if (this.#closed) throw new StoreError('store_closed', 'the store is closed');
  }

  async get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]> {
    this.#open();
    return ids
      .map((id) => this.#sequences.get(id))
      .filter((sequence) => sequence !== undefined)
      .map((sequence) => this.#disk.vertices[sequence]!.bytes);
  }

  async since(sequence: number, bytesMax: number): Promise<StoredWindow> {
    this.#open();
    const vertices: Uint8Array[] = [];
    let bytes = 0;
    for (let next = sequence; next < this.length; next++) {
      const vertex = this.#disk.vertices[next]!;
      bytes += vertex.bytes.length;
      if (vertices.length > 0 && bytes > bytesMax) return { vertices, next };
      vertices.push(vertex.bytes);
    }
    return { vertices };
  }

  async *load(sequence = 0): AsyncGenerator<StoredVertex> {
    this.#open();
    const end = this.length;
    for (let next = sequence; next < end; next++) {
      yield { sequence: next, bytes: this.#disk.vertices[next]!.bytes };
    }
  }

  async putMeta(name: string, value: Uint8Array): Promise<void> {
    this.#open();
    this.#disk.meta.set(name, value.slice());
  }

  async getMeta(name: string): Promise<Uint8Array | undefined> {
    this.#open();
    return this.#disk.meta.get(name);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.sync();
    this.#closed = true;
    this.#disk.owner = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
