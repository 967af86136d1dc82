/**
 * Durable before visible: what a node says that others may rely on (its witness, that a payment is final) leaves only when
 * every vertex attached before is on disk. One synced batch for all that gathered meanwhile: about one a round.
 */
import type { Vertex, VertexId } from '../ledger/index.ts';
import { RECENT_VERTEX_BYTES_MAX, UNSYNCED_DELAY_MS } from './limits.ts';
import type { NewVertex, VertexStore } from './vertex-store.ts';

export interface OutboxDeps {
  readonly store: VertexStore;
  /** The disk has refused; nothing durable leaves any more. */
  failed(error: unknown): void;
}

export class Outbox {
  readonly #deps: OutboxDeps;
  #vertices: NewVertex[] = [];
  readonly #unsynced = new Set<VertexId>();
  #actions: (() => void)[] = [];
  #writing = false;
  /** Why the disk has refused: nothing is written and nothing leaves after that. */
  #refused: { readonly error: unknown } | undefined;
  /** Whoever waits for the disk. */
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #timer: NodeJS.Timeout | undefined;
  /** The youngest vertices by id, oldest first: what peers ask for. */
  readonly #recent = new Map<VertexId, Uint8Array>();
  #recentBytes = 0;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** A vertex was attached. */
  add(vertex: Vertex): void {
    this.#vertices.push({ id: vertex.id, bytes: vertex.bytes });
    this.#unsynced.add(vertex.id);
    this.#recent.set(vertex.id, vertex.bytes);
    this.#recentBytes += vertex.bytes.length;
    this.#timer ??= setTimeout(() => this.#start(), UNSYNCED_DELAY_MS);
  }

  /** Runs when everything added before is on disk; never when the disk fails. */
  after(action: () => void): void {
    if (this.#refused !== undefined) return;
    this.#actions.push(action);
    this.#start();
  }

  /** Resolves when everything added before is on disk; rejects with what the disk said when it fails. */
  flushed(): Promise<void> {
    if (this.#refused !== undefined) return Promise.reject(this.#refused.error);
    const waiting = Promise.withResolvers<void>();
    this.#waiting.add(waiting);
    this.after(() => {
      this.#waiting.delete(waiting);
      waiting.resolve();
    });
    return waiting.promise;
  }

  /** The vertices among `ids` that are known, once they are on disk: nobody sees what a crash could undo. */
  async get(ids: readonly VertexId[]): Promise<Uint8Array[]> {
    if (ids.some((id) => this.#unsynced.has(id))) await this.flushed();
    const found: Uint8Array[] = [];
    const older: VertexId[] = [];
    for (const id of ids) {
      const bytes = this.#recent.get(id);
      if (bytes === undefined) older.push(id);
      else found.push(bytes);
    }
    return older.length === 0 ? found : [...found, ...(await this.#deps.store.get(older))];
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#vertices.length > 0 || this.#actions.length > 0) {
        const vertices = this.#vertices;
        const actions = this.#actions;
        this.#vertices = [];
        this.#actions = [];
        if (vertices.length > 0) await this.#deps.store.append(vertices);
        for (const { id } of vertices) this.#unsynced.delete(id);
        for (const action of actions) action();
        this.#forget();
      }
      this.#writing = false;
    } catch (error) {
      this.#refused = { error };
      this.#deps.failed(error);
      for (const waiting of this.#waiting) waiting.reject(error);
      this.#waiting.clear();
    }
  }

  /** Only what is on disk is forgotten: this runs between writes, when nothing new has come. */
  #forget(): void {
    if (this.#vertices.length > 0) return;
    for (const [id, bytes] of this.#recent) {
      if (this.#recentBytes <= RECENT_VERTEX_BYTES_MAX) break;
      this.#recent.delete(id);
      this.#recentBytes -= bytes.length;
    }
  }
}
