/**
 * The snapshots of a node: made as the ledger goes on, so that the disk forgets what memory has forgotten; offered to peers;
 * and taken from a peer. The vertices that a snapshot speaks of stay in the store for as long as the snapshot may be asked for.
 */
import {
  Core,
  type CoreOptions,
  isRefusal,
  type Refusal,
  type Round,
  type VertexId,
} from '../ledger/index.ts';
import type { SnapshotOffer, SnapshotRequest, SnapshotWindow } from '../p2p/index.ts';
import { SNAPSHOT_IDLE_FACTOR } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { partsIn } from './snapshot-file.ts';
import { StoreError } from './store-error.ts';
import type { StoredSnapshot, VertexStore } from './vertex-store.ts';

/** What the node remembers of a snapshot. */
export interface SnapshotMeta {
  /** The committed leader after which the state is. */
  readonly leader: VertexId;
  readonly round: Round;
  /** Sequence of the first vertex that belongs to it. */
  readonly first: number;
}

export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(meta));
}

export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta {
  return JSON.parse(new TextDecoder().decode(bytes)) as SnapshotMeta;
}

export interface SnapshotsOptions {
  /** Of a core that begins with a snapshot. */
  readonly coreOptions: CoreOptions;
  /** Rounds between two snapshots. */
  readonly everyRounds: number;
  /** See OpenedLedger. */
  readonly rowOffset: number;
}

export interface SnapshotsDeps {
  readonly core: Core;
  readonly store: VertexStore;
  readonly outbox: Outbox;
  nowMs(): number;
  failed(error: unknown): void;
  /** One was made, and everything before it that nobody needs is forgotten. */
  made(meta: SnapshotMeta, bytes: number, ms: number): void;
}

interface Kept {
  readonly meta: SnapshotMeta;
  readonly stored: StoredSnapshot;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #deps: SnapshotsDeps;
  /** The last one and the one before, as peers may be in the middle of it. */
  #kept: Kept[] = [];
  #making = false;
  #restUntilMs = 0;

  constructor(options: SnapshotsOptions, deps: SnapshotsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** What the store has from before. */
  async open(): Promise<void> {
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const stored = await this.#deps.store.snapshot();
    if (stored === undefined) return;
    this.#kept = [{ meta: decodeSnapshotMeta(stored.meta), stored }, ...this.#kept.slice(0, 1)];
  }

  /** Makes a snapshot when it is time for one; called when all effects of a step have been carried out. */
  wake(): void {
    const { core, nowMs, failed } = this.#deps;
    const { round } = core.ledger.lastCommit;
    const last = this.#kept[0]?.meta.round ?? 0;
    if (this.#making || round < last + this.#options.everyRounds || nowMs() < this.#restUntilMs) return;
    // While everything is remembered nothing is gained by it.
    if (core.ledger.tangle.base === 0 || core.ledger.reading) return;
    const startMs = nowMs();
    // All of it at once: the ledger goes on while it is written. A quorum may say in a moment what the last state is.
    const parts = core.snapshotParts();
    if (parts === undefined) return;
    this.#restUntilMs = startMs + SNAPSHOT_IDLE_FACTOR * (nowMs() - startMs);
    this.#making = true;
    this.#make([...parts], startMs)
      .catch((error: unknown) => {
        // A full disk is told by whoever stores vertices; there will be another commit.
        if (!(error instanceof StoreError && error.code === 'store_disk_full')) failed(error);
      })
      .finally(() => {
        this.#making = false;
      });
  }

  async #make(parts: Uint8Array[], startMs: number): Promise<void> {
    const { core, store, outbox, nowMs, made } = this.#deps;
    const { round, leader } = core.ledger.lastCommit;
    const first = Math.max(1, core.ledger.tangle.base) + this.#options.rowOffset;
    const meta = { leader, round, first };
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    // What it speaks of is on the disk before it is.
    await outbox.flushed();
    await store.putSnapshot(takenFrom(parts), encodeSnapshotMeta(meta));
    await this.#keep();
    await store.forget(this.#kept.at(-1)!.meta.first);
    made(meta, bytes, nowMs() - startMs);
  }

  /** For peers. */
  async offer(): Promise<SnapshotOffer | undefined> {
    const [kept] = this.#kept;
    const first = await kept?.stored.part(0);
    if (kept === undefined || first === undefined) return undefined;
    const { count, bytes } = kept.stored;
    return { leader: kept.meta.leader, count, bytes, cursor: kept.meta.first, first };
  }

  async parts(request: SnapshotRequest & { readonly bytesMax: number }): Promise<SnapshotWindow | undefined> {
    const kept = this.#kept.find(({ meta }) => meta.leader === request.leader);
    if (kept === undefined) return undefined;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let index = request.from; index < kept.stored.count; index++) {
      const part = await kept.stored.part(index);
      if (part === undefined) return undefined;
      bytes += part.length;
      if (parts.length > 0 && bytes > request.bytesMax) return { parts, next: index };
      parts.push(part);
    }
    return { parts };
  }

  /**
   * Puts a snapshot that was fetched into the place of all that is here, if it holds; the vertices that belong to it are to
   * follow, after the ledger was opened again.
   * @param file See SnapshotFile.
   */
  async adopt(file: string): Promise<Refusal | undefined> {
    const { core, store } = this.#deps;
    const parts = [...partsIn(file)];
    const adopted = Core.fromSnapshot(this.#options.coreOptions, parts);
    if (isRefusal(adopted)) return adopted;
    const { round, leader } = adopted.ledger.lastCommit;
    // What is here is given up for it, so it has to lie beyond all that is here.
    const current = core.rounds.highestQuorum;
    if (!core.ledger.reading && adopted.ledger.tangle.floor <= current)
      return { code: 'stale', round, current };
    const first = store.length;
    await store.putSnapshot(parts, encodeSnapshotMeta({ leader, round, first }));
    await store.forget(first);
    return undefined;
  }
}

/** What is written need not stay in memory until the last of it is. */
function* takenFrom(parts: Uint8Array[]): Generator<Uint8Array> {
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) yield part;
}
