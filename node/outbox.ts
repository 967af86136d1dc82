/**
 * Durable before visible: what a node says that others may rely on (its witness, that a payment is final) leaves only when
 * every vertex attached before is on disk. One synced batch for all that gathered meanwhile: about one a round.
 *
 * A full disk is waited out. What was not synced stays here, in order, with all that waits for it; what was synced can be
 * read all the while. When the disk has room again it is written first, and then the rest goes on.
 */
import type { PaymentId, PaymentRecord, Vertex, VertexId } from '../ledger/index.ts';
import { RECENT_VERTEX_BYTES_MAX, UNSYNCED_DELAY_MS, VERTEX_OVERHEAD_BYTES } from './limits.ts';
import { StoreError } from './store-error.ts';
import type { NewVertex, VertexStore } from './vertex-store.ts';

export interface OutboxOptions {
  /** How often a full disk is looked at. */
  readonly retryMs: number;
}

export interface OutboxDeps {
  readonly store: VertexStore;
  /** The disk has refused for good; nothing durable leaves any more. */
  failed(error: unknown): void;
  /** The disk has no room: nothing should be added until it is told, by `undefined`, that everything is on the disk. */
  full(error: StoreError | undefined): void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #deps: OutboxDeps;
  #vertices: NewVertex[] = [];
  readonly #unsynced = new Set<VertexId>();
  /** Payments that became final by what is not on disk yet. */
  #finals: (readonly PaymentRecord[])[] = [];
  #writingFinals: (readonly PaymentRecord[])[] = [];
  #actions: (() => void)[] = [];
  #writing = false;
  /** Why the disk has refused: nothing is written and nothing leaves after that. */
  #refused: { readonly error: unknown } | undefined;
  #full: StoreError | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Whoever waits for the disk. */
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #timer: NodeJS.Timeout | undefined;
  /** The youngest vertices by id, oldest first: what peers ask for. */
  readonly #recent = new Map<VertexId, Uint8Array>();
  #recentBytes = 0;

  constructor(options: OutboxOptions, deps: OutboxDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The disk has no room: what is not synced now is nobody's to hear. */
  get full(): boolean {
    return this.#full !== undefined;
  }

  /** A vertex was attached. */
  add(vertex: Vertex): void {
    this.#vertices.push({ id: vertex.id, bytes: vertex.bytes });
    this.#unsynced.add(vertex.id);
    this.#recent.set(vertex.id, vertex.bytes);
    this.#recentBytes += vertex.bytes.length + VERTEX_OVERHEAD_BYTES;
    if (this.full) return;
    this.#timer ??= setTimeout(() => this.#start(), UNSYNCED_DELAY_MS);
  }

  /** Payments became final by what was added. */
  addFinals(payments: readonly PaymentRecord[]): void {
    this.#finals.push(payments);
  }

  /** What made the payment final is on disk. Asked seldom, while the disk is full: it looks through all that is not. */
  hasFinal(payment: PaymentId): boolean {
    const unsynced = [this.#writingFinals, this.#finals].flat(2);
    return !unsynced.some(({ id }) => id === payment);
  }

  /** Runs when everything added before is on disk; never when the disk fails. */
  after(action: () => void): void {
    if (this.#refused !== undefined) return;
    this.#actions.push(action);
    if (!this.full) this.#start();
  }

  /** Resolves when everything added before is on disk; rejects with what the disk said when it fails for good. */
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

  /** For readers, who get what is on the disk while it is full. */
  async settled(): Promise<void> {
    if (!this.full) await this.flushed();
  }

  /** The vertices among `ids` that are known, once they are on disk: nobody sees what a crash could undo. */
  async get(ids: readonly VertexId[]): Promise<Uint8Array[]> {
    if (ids.some((id) => this.#unsynced.has(id))) await this.settled();
    const found: Uint8Array[] = [];
    const older: VertexId[] = [];
    for (const id of ids) {
      if (this.#unsynced.has(id)) continue;
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
        this.#writingFinals = this.#finals;
        this.#vertices = [];
        this.#actions = [];
        this.#finals = [];
        const before = this.#deps.store.length;
        try {
          if (vertices.length > 0) await this.#deps.store.append(vertices);
        } catch (error) {
          this.#vertices = [...vertices, ...this.#vertices];
          this.#actions = [...actions, ...this.#actions];
          this.#finals = [...this.#writingFinals, ...this.#finals];
          this.#writingFinals = [];
          if (!(error instanceof StoreError && error.code === 'store_disk_full')) throw error;
          this.#wait(error, before);
          return;
        }
        this.#synced(vertices);
        this.#writingFinals = [];
        for (const action of actions) action();
        this.#forget();
      }
      this.#writing = false;
    } catch (error) {
      this.#refuse(error);
    }
  }

  #synced(vertices: readonly NewVertex[]): void {
    for (const { id } of vertices) this.#unsynced.delete(id);
  }

  #refuse(error: unknown): void {
    this.#refused = { error };
    this.#deps.failed(error);
    for (const waiting of this.#waiting) waiting.reject(error);
    this.#waiting.clear();
  }

  /** @param length Of the store before the write that failed. */
  #wait(error: StoreError, length: number): void {
    if (!this.full) {
      this.#full = error;
      this.#deps.full(error);
    }
    this.#retry = setTimeout(() => void this.#tryAgain(error, length), this.#options.retryMs);
  }

  async #tryAgain(error: StoreError, length: number): Promise<void> {
    try {
      await this.#deps.store.reopen();
    } catch (again) {
      if (this.#refused !== undefined) return;
      if (again instanceof StoreError && again.code === 'store_disk_full') this.#wait(error, length);
      else this.#refuse(again);
      return;
    }
    if (this.#refused !== undefined) return;
    // The write may have reached the disk before it was refused.
    this.#synced(this.#vertices.splice(0, this.#deps.store.length - length));
    await this.#write();
    if (this.#writing) return;
    this.#full = undefined;
    this.#deps.full(undefined);
  }

  /** The end: everything is on disk when it resolves, but for what a full disk has not taken, which nobody has heard of. */
  async close(): Promise<void> {
    if (!this.full) return this.flushed();
    clearTimeout(this.#retry);
    this.#refused = { error: this.#full };
  }

  /** Only what is on disk is forgotten: this runs between writes, when nothing new has come. */
  #forget(): void {
    if (this.#vertices.length > 0) return;
    for (const [id, bytes] of this.#recent) {
      if (this.#recentBytes <= RECENT_VERTEX_BYTES_MAX) break;
      this.#recent.delete(id);
      this.#recentBytes -= bytes.length + VERTEX_OVERHEAD_BYTES;
    }
  }
}
