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

/** A state of the ledger, in parts, with what the node wants to know about it. */
export interface StoredSnapshot {
  readonly meta: Uint8Array;
  /** Number of parts, and their bytes together. */
  readonly count: number;
  readonly bytes: number;
  /** One part; undefined when this snapshot has been replaced twice since. */
  part(index: number): Promise<Uint8Array | undefined>;
  /** All parts in order. */
  parts(): AsyncIterable<Uint8Array>;
}

/** Durable vertices. The simulator has another one, whose disk loses what was not synced. */
export interface VertexStore extends AsyncDisposable {
  /** Sequence of the next vertex: so many were ever written, forgotten ones included. */
  readonly length: number;
  /** Sequence of the oldest vertex that is not forgotten; `length` when there is none. */
  readonly first: number;
  /**
   * Writes vertices in the given order. Calls may overlap: the order of the calls is the order on disk, and those that
   * wait for the disk share one sync. A vertex is given once; the ledger knows which ones it has.
   * Resolves when all of them survive a crash and a power cut; rejects with a StoreError, after which the store takes
   * nothing more until it is opened again, as nobody knows what the disk has.
   */
  append(batch: readonly NewVertex[]): Promise<void>;
  /**
   * Opens the store again after it has refused a write, when the disk has room; reading goes on meanwhile. Then it takes
   * vertices again, and `length` says which of those it refused it has after all. Nothing happens to a store that is well.
   * Rejects with a StoreError: store_disk_full while there is no room.
   */
  reopen(): Promise<void>;
  /** Encodings of those that are stored, in the order of `ids`; unknown and forgotten ones are left out. */
  get(ids: readonly VertexId[]): Promise<readonly Uint8Array[]>;
  /**
   * Encodings from `sequence` on, or from the first that is not forgotten: as many as fit `bytesMax`, but at least one
   * while there is one.
   */
  since(sequence: number, bytesMax: number): Promise<StoredWindow>;
  /** Every vertex from `sequence` (default: the first) on, in order: the replay at start. */
  load(sequence?: number): AsyncIterable<StoredVertex>;
  /**
   * Deletes the vertices below a sequence, for good: they are gone for readers when this returns, and from the disk, in
   * steps between which others write, when it resolves. A crash in between is made up for by the next call.
   */
  forget(beforeSequence: number): Promise<void>;
  /**
   * Puts a snapshot into the place of the last one, durable when it resolves; until then the last one counts.
   * @param parts 1 to SNAPSHOT_PART_BYTES_MAX bytes each.
   * @throws (rejects with) StoreError store_busy while another one is being written; what `parts` throws.
   */
  putSnapshot(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, meta: Uint8Array): Promise<void>;
  /** The last snapshot that was put. */
  snapshot(): Promise<StoredSnapshot | undefined>;
  /** A few bytes under a name, durable when it resolves. */
  putMeta(name: string, value: Uint8Array): Promise<void>;
  getMeta(name: string): Promise<Uint8Array | undefined>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}
