/**
 * Forgetting in the background: a mark says what is forgotten, then vertices and their index entries are deleted in steps,
 * and once enough has gathered LevelDB is told to give the space back.
 */
import { FORGET_COMPACT_BYTES, FORGET_STEP_VERTICES, STORE_READ_AHEAD_BYTES } from './limits.ts';
import {
  type Delete,
  FIRST_KEY,
  indexKeyOf,
  type KeyValues,
  sequenceBytes,
  vertexKey,
} from './store-records.ts';

export class Forgetter {
  readonly #db: KeyValues;
  #first: number;
  /** Nothing is left of what is below; after a start there may be anything. */
  #deletedTo = 0;
  #deletedBytes = 0;
  #compactFrom = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param first What the mark says. */
  constructor(db: KeyValues, first: number) {
    this.#db = db;
    this.#first = first;
  }

  /** Sequence below which everything is forgotten. */
  get first(): number {
    return this.#first;
  }

  /** Resolves when nothing below is on the disk. Rejects with what the database says. */
  forget(before: number): Promise<void> {
    this.#first = Math.max(this.#first, before);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The mark first: what it covers is forgotten even when a crash leaves some of it on the disk. */
  async #run(): Promise<void> {
    while (this.#deletedTo < this.#first && !this.#stopped) {
      const to = this.#first;
      const mark = { type: 'put', key: FIRST_KEY, value: sequenceBytes(to) } as const;
      await this.#db.batch([mark], { sync: true });
      await this.#deleteUpTo(to);
      if (this.#deletedBytes < FORGET_COMPACT_BYTES || this.#stopped) continue;
      await this.#db.compactRange(vertexKey(this.#compactFrom), vertexKey(to));
      this.#deletedBytes = 0;
      this.#compactFrom = to;
    }
  }

  async #deleteUpTo(to: number): Promise<void> {
    const iterator = this.#db.iterator({
      gte: vertexKey(this.#deletedTo),
      lt: vertexKey(to),
      highWaterMarkBytes: STORE_READ_AHEAD_BYTES,
    });
    try {
      while (!this.#stopped) {
        const entries = await iterator.nextv(FORGET_STEP_VERTICES);
        if (entries.length === 0) {
          this.#deletedTo = to;
          return;
        }
        const deletes = entries.flatMap(([key, value]): Delete[] => [
          { type: 'del', key },
          { type: 'del', key: indexKeyOf(value) },
        ]);
        await this.#db.batch(deletes, { sync: false });
        for (const [, value] of entries) this.#deletedBytes += value.length;
      }
    } finally {
      await iterator.close();
    }
  }

  /** Ends after the step under way; the next start goes on. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
  }
}
