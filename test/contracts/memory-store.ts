/**
 * A disk in memory that behaves like a real one: what was not synced is lost in a crash. The simulator runs nodes on it,
 * and the store's contract holds it to the same rules as LevelDB.
 */
import type { VertexId } from '../../ledger/index.ts';
import { StoreError } from '../../node/store-error.ts';
import type {
  NewVertex,
  StoredSnapshot,
  StoredVertex,
  StoredWindow,
  VertexStore,
} from '../../node/vertex-store.ts';

interface Kept {
  readonly meta: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

/** What survives a crash. */
export class MemoryDisk {
  genesisId: VertexId | undefined;
  /** From `first` on. */
  vertices: NewVertex[] = [];
  first = 0;
  readonly meta = new Map<string, Uint8Array>();
  /** The last one and the one before. */
  snapshots: Kept[] = [];
  /** Takes nothing. 'lies': what it refuses is on it all the same. */
  full: boolean | 'lies' = false;
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
  #broken: StoreError | undefined;
  #snapshotting = false;

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
      this.#sequences.set(id, disk.first + sequence);
    });
  }

  get length(): number {
    return this.first + this.#disk.vertices.length;
  }

  get first(): number {
    return this.#disk.first;
  }

  append(batch: readonly NewVertex[]): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('store_closed', 'the store is closed'));
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const done = Promise.withResolvers<void>();
    this.#unsynced.push({ batch: batch.map(({ id, bytes }) => ({ id, bytes: bytes.slice() })), done });
    if (this.#options.sync === 'always') queueMicrotask(() => this.sync());
    return done.promise;
  }

  /** Everything appended so far becomes durable. */
  sync(): void {
    const { full } = this.#disk;
    for (const { batch, done } of this.#unsynced.splice(0)) {
      const refused = this.#broken !== undefined || full !== false;
      if (!refused || (this.#broken === undefined && full === 'lies')) this.#write(batch);
      if (refused) done.reject(this.#break());
      else done.resolve();
    }
  }

  #write(batch: readonly NewVertex[]): void {
    for (const vertex of batch) {
      this.#sequences.set(vertex.id, this.length);
      this.#disk.vertices.push(vertex);
    }
  }

  #break(): StoreError {
    this.#broken ??= new StoreError('store_disk_full', 'no space left');
    return this.#broken;
  }

  async reopen(): Promise<void> {
    this.#open();
    if (this.#disk.full !== false) throw this.#break();
    this.#broken = undefined;
  }

  async forget(beforeSequence: number): Promise<void> {
    this.#open();
    const before = Math.min(beforeSequence, this.length);
    for (const { id } of this.#disk.vertices.splice(0, Math.max(0, before - this.first)))
      this.#sequences.delete(id);
    this.#disk.first = Math.max(before, this.first);
  }

  async putSnapshot(
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    meta: Uint8Array,
  ): Promise<void> {
    this.#open();
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#snapshotting) throw new StoreError('store_busy', 'a snapshot is being written');
    this.#snapshotting = true;
    try {
      const list: Uint8Array[] = [];
      for await (const part of parts) list.push(part.slice());
      if (this.#disk.full !== false) throw this.#break();
      this.#disk.snapshots = [{ meta: meta.slice(), parts: list }, ...this.#disk.snapshots.slice(0, 1)];
    } finally {
      this.#snapshotting = false;
    }
  }

  async snapshot(): Promise<StoredSnapshot | undefined> {
    this.#open();
    const [kept] = this.#disk.snapshots;
    if (kept === undefined) return undefined;
    const here = (): boolean => this.#disk.snapshots.includes(kept);
    return {
      meta: kept.meta,
      count: kept.parts.length,
      bytes: kept.parts.reduce((sum, part) => sum + part.length, 0),
      part: async (index) => (here() ? kept.parts[index] : undefined),
      async *parts() {
        yield* kept.parts;
      },
    };
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
      .map((sequence) => this.#at(sequence).bytes);
  }

  async since(sequence: number, bytesMax: number): Promise<StoredWindow> {
    this.#open();
    const vertices: Uint8Array[] = [];
    let bytes = 0;
    for (let next = Math.max(sequence, this.first); next < this.length; next++) {
      const vertex = this.#at(next);
      bytes += vertex.bytes.length;
      if (vertices.length > 0 && bytes > bytesMax) return { vertices, next };
      vertices.push(vertex.bytes);
    }
    return { vertices };
  }

  async *load(sequence = 0): AsyncGenerator<StoredVertex> {
    this.#open();
    const end = this.length;
    for (let next = Math.max(sequence, this.first); next < end; next++) {
      yield { sequence: next, bytes: this.#at(next).bytes };
    }
  }

  #at(sequence: number): NewVertex {
    return this.#disk.vertices[sequence - this.first]!;
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
