/**
 * The snapshot slot of a store: parts under a generation number, and one record that says which generation counts. A new one
 * is written beside the old one, and the record is changed when all of it is on disk. The one before stays, as peers may be
 * in the middle of fetching it.
 */
import assert from 'node:assert/strict';
import { SNAPSHOT_BATCH_BYTES, SNAPSHOT_PART_BYTES_MAX } from './limits.ts';
import { corrupted } from './store-error.ts';
import {
  type Delete,
  type KeyValues,
  type Put,
  partKey,
  SNAPSHOT_KEY,
  sequenceBytes,
  sequenceIn,
  withCrc,
  withoutCrc,
} from './store-records.ts';
import type { StoredSnapshot } from './vertex-store.ts';

interface Slot {
  readonly generation: number;
  readonly count: number;
  readonly bytes: number;
  readonly meta: Uint8Array;
}

const SLOT_BYTES = 8 + 4 + 8;

function slotValue({ generation, count, bytes, meta }: Slot): Uint8Array {
  const counts = Buffer.allocUnsafe(4);
  counts.writeUInt32BE(count);
  return withCrc(sequenceBytes(generation), counts, sequenceBytes(bytes), meta);
}

async function slotOf(db: KeyValues, folder: string): Promise<Slot | undefined> {
  const value = await db.get(SNAPSHOT_KEY);
  if (value === undefined) return undefined;
  const bytes = withoutCrc(value);
  if (bytes === undefined || bytes.length < SLOT_BYTES)
    throw corrupted(folder, 'the snapshot is not what was written');
  return {
    generation: sequenceIn(bytes, 0),
    count: new DataView(bytes.buffer, bytes.byteOffset + 8, 4).getUint32(0),
    bytes: sequenceIn(bytes, 12),
    meta: bytes.slice(SLOT_BYTES),
  };
}

/** Parts of generations from `from` up to, and without, `to`; in steps. */
async function deleteParts(db: KeyValues, from: number, to: number): Promise<void> {
  if (from >= to) return;
  const start = partKey(from, 0);
  const end = partKey(to, 0);
  const iterator = db.iterator({ gte: start, lt: end, highWaterMarkBytes: SNAPSHOT_BATCH_BYTES });
  let deleted = 0;
  try {
    for (;;) {
      const entries = await iterator.nextv(64);
      if (entries.length === 0) break;
      const deletes = entries.map(([key]): Delete => ({ type: 'del', key }));
      await db.batch(deletes, { sync: false });
      deleted += entries.length;
    }
  } finally {
    await iterator.close();
  }
  if (deleted > 0) await db.compactRange(start, end);
}

/** Writes a snapshot. Until it resolves the old one counts, whatever happens. */
export async function writeSnapshot(
  db: KeyValues,
  folder: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  meta: Uint8Array,
): Promise<void> {
  const current = await slotOf(db, folder);
  const generation = (current?.generation ?? 0) + 1;
  // Left behind by a writing that did not come to its end.
  await deleteParts(db, generation, Number.MAX_SAFE_INTEGER);
  let puts: Put[] = [];
  let waiting = 0;
  let count = 0;
  let bytes = 0;
  for await (const part of parts) {
    assert(part.length > 0 && part.length <= SNAPSHOT_PART_BYTES_MAX, `a part of ${part.length} bytes`);
    puts.push({ type: 'put', key: partKey(generation, count), value: withCrc(part) });
    count += 1;
    bytes += part.length;
    waiting += part.length;
    if (waiting < SNAPSHOT_BATCH_BYTES) continue;
    await db.batch(puts, { sync: true });
    puts = [];
    waiting = 0;
  }
  puts.push({ type: 'put', key: SNAPSHOT_KEY, value: slotValue({ generation, count, bytes, meta }) });
  await db.batch(puts, { sync: true });
  await deleteParts(db, 0, generation - 1);
}

/** @param guarded Runs a read and turns what LevelDB says into a StoreError. */
export async function readSnapshot(
  db: () => KeyValues,
  folder: string,
  guarded: <T>(read: () => Promise<T>) => Promise<T>,
): Promise<StoredSnapshot | undefined> {
  const slot = await guarded(() => slotOf(db(), folder));
  if (slot === undefined) return undefined;
  const { generation, count, bytes, meta } = slot;
  const part = async (index: number): Promise<Uint8Array | undefined> => {
    const value = await guarded(() => db().get(partKey(generation, index)));
    if (value === undefined) return undefined;
    const found = withoutCrc(value);
    if (found === undefined) throw corrupted(folder, `part ${index} of the snapshot is not what was written`);
    return found;
  };
  return {
    meta,
    count,
    bytes,
    part,
    async *parts() {
      for (let index = 0; index < count; index++) {
        const found = await part(index);
        if (found === undefined) throw corrupted(folder, `part ${index} of the snapshot is missing`);
        yield found;
      }
    },
  };
}
