/** What the node asks of its disk; node/store.ts is the real one. */
import type { VertexId } from '../ledger/index.ts';

/** A vertex as it goes to disk. */
export interface NewVertex {
  readonly id: VertexId;
  /** The whole encoding. */
  readonly bytes: Uint8Array;
}

/** A vertex as it comes back. */
export interface StoredVertex {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** Part of the store, read forwards; `next` is missing when there is no more. */
export interface StoredWindow {
  readonly vertices: readonly Uint8Array[];
  readonly next?: number;
}

/** Durable vertices. The simulator has another one, whose disk loses what was not synced. */
export interface VertexStore extends AsyncDisposable {
  /** Vertices on disk; also the sequence of the next one. */
  readonly length: number;
  /**
   * Writes vertices in the given order. Calls may overlap: the order of the calls is the order on disk, and those that
   * wait for the disk share one sync. A vertex is given once; the ledger knows which ones it has.
   * Resolves when all of them survive a crash and a power cut; rejects with a StoreError, after which the store takes
   * nothing more until it is opened again, as nobody knows what the disk has.
   */
  append(batch: readonly NewVertex[]): Promise<void>;
  /** Encodings of those that are stored, in the order of `ids`; unknown ones are left out. */
  get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]>;
  /** Encodings from `sequence` on: as many as fit `bytesMax`, but at least one while there is one. */
  since(sequence: number, bytesMax: number): Promise<StoredWindow>;
  /** Every vertex from `sequence` (default 0) on, in order: the replay at start. */
  load(sequence?: number): AsyncIterable<StoredVertex>;
  /** A few bytes under a name, durable when it resolves. */
  putMeta(name: string, value: Uint8Array): Promise<void>;
  getMeta(name: string): Promise<Uint8Array | undefined>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}
