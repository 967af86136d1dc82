/**
 * A disk in virtual time. What was synced survives; of what was being written when the node crashed, a crash keeps nothing
 * or, like a torn log, some first part of it.
 */
import type { VertexId } from '../../ledger/index.ts';
import { StoreError } from '../../node/store-error.ts';
import type { NewVertex, StoredVertex, StoredWindow } from '../../node/vertex-store.ts';

/** What survives a crash. */
export class SimDisk {
  genesisId: VertexId | undefined;
  readonly vertices: NewVertex[] = [];
  readonly sequences = new Map<VertexId, number>();
  /** Vertices that were stored once and are forgotten. */
  readonly forgotten = new Set<VertexId>();
  readonly meta = new Map<string, Uint8Array>();
  /** The last snapshot, and the sequence of the first vertex that it needs. */
  snapshot: { readonly parts: readonly Uint8Array[]; readonly first: number } | undefined;
  /** Sequence of the first vertex that is not forgotten. */
  first = 0;
  owner: SimStore | undefined;

  /** It is on this disk, or was until it was forgotten. */
  has(id: VertexId): boolean {
    return this.sequences.has(id) || this.forgotten.has(id);
  }
}

export interface SimStoreOptions {
  readonly genesisId: VertexId;
}

export interface SimStoreDeps {
  /** Runs it when the disk has spun for one sync. */
  afterSync(run: () => void): void;
}

interface Writing {
  readonly batch: readonly NewVertex[];
  readonly done: PromiseWithResolvers<void>;
}

/** Of the contract of a vertex store, what concerns vertices. */
export class SimStore {
  readonly #disk: SimDisk;
  readonly #deps: SimStoreDeps;
  #writing: Writing[] = [];
  #waiting: Writing[] = [];
  #closed = false;

  /** @throws StoreError store_locked, store_other_network. */
  constructor(disk: SimDisk, options: SimStoreOptions, deps: SimStoreDeps) {
    if (disk.owner !== undefined) throw new StoreError('store_locked', 'the disk is open already');
    if (disk.genesisId !== undefined && disk.genesisId !== options.genesisId)
      throw new StoreError('store_other_network', `the disk belongs to ${disk.genesisId}`);
    disk.genesisId = options.genesisId;
    disk.owner = this;
    this.#disk = disk;
    this.#deps = deps;
  }

  get length(): number {
    return this.#disk.vertices.length;
  }

  append(batch: readonly NewVertex[]): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('store_closed', 'the store is closed'));
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ batch, done });
    if (this.#writing.length === 0) this.#sync();
    return done.promise;
  }

  /** Those that wait for the disk share one sync. */
  #sync(): void {
    this.#writing = this.#waiting;
    this.#waiting = [];
    this.#deps.afterSync(() => {
      if (this.#closed) return;
      const written = this.#writing;
      for (const { batch } of written) this.#keep(batch);
      this.#writing = [];
      for (const { done } of written) done.resolve();
      if (this.#waiting.length > 0) this.#sync();
    });
  }

  #keep(vertices: readonly NewVertex[]): void {
    const { sequences, vertices: kept } = this.#disk;
    for (const vertex of vertices) {
      sequences.set(vertex.id, kept.length);
      kept.push(vertex);
    }
  }

  /** A snapshot, durable at once, as of the vertices that are on disk; what lies before it is forgotten. */
  putSnapshot(parts: readonly Uint8Array[], first: number): void {
    const { vertices, sequences } = this.#disk;
    this.#disk.snapshot = { parts, first };
    for (; this.#disk.first < first; this.#disk.first++) {
      const { id } = vertices[this.#disk.first]!;
      sequences.delete(id);
      this.#disk.forgotten.add(id);
    }
  }

  /** Vertices given to the disk and not synced yet. */
  get unsynced(): number {
    return [...this.#writing, ...this.#waiting].reduce((sum, { batch }) => sum + batch.length, 0);
  }

  /** The power goes: of what was not synced the first `survivors` vertices are on disk all the same. Nobody is told. */
  crash(survivors: number): void {
    const lost = [...this.#writing, ...this.#waiting].flatMap(({ batch }) => batch);
    this.#keep(lost.slice(0, survivors));
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#writing = [];
    this.#waiting = [];
    this.#disk.owner = undefined;
  }

  #open(): void {
    if (this.#closed) throw new StoreError('store_closed', 'the store is closed');
  }

  async get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]> {
    this.#open();
    const { sequences, vertices } = this.#disk;
    return ids.flatMap((id) => {
      const sequence = sequences.get(id);
      return sequence === undefined ? [] : [vertices[sequence]!.bytes];
    });
  }

  async since(sequence: number, bytesMax: number): Promise<StoredWindow> {
    this.#open();
    const vertices: Uint8Array[] = [];
    let bytes = 0;
    for (let next = Math.max(sequence, this.#disk.first); next < this.length; next++) {
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
    for (let next = Math.max(sequence, this.#disk.first); next < end; next++)
      yield { sequence: next, bytes: this.#disk.vertices[next]!.bytes };
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
    const pending = [...this.#writing, ...this.#waiting];
    await Promise.all(pending.map(({ done }) => done.promise));
    this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
