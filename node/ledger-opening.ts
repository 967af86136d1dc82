/** What a start makes of the store: the snapshot, if there is one, then the vertices after it, as they were attached. */
import { Core, type CoreOptions, type Genesis, isRefusal } from '../ledger/index.ts';
import { decodeSnapshotMeta } from './snapshots.ts';
import { corrupted } from './store-error.ts';
import type { StoredSnapshot, VertexStore } from './vertex-store.ts';

export interface OpeningOptions {
  readonly genesis: Genesis;
  /** For messages. */
  readonly folder: string;
  readonly verticesMax: number;
  /** E; absent: the protocol's. Another value is another network, for tests. */
  readonly epochRounds?: number | undefined;
}

export interface OpenedLedger {
  readonly core: Core;
  readonly coreOptions: CoreOptions;
  /** Row r of the tangle is number r + rowOffset of the store: both grow in the order of attachment. */
  readonly rowOffset: number;
}

/** Rejects with a StoreError; store_corrupted when the store does not add up. */
export async function openLedger(options: OpeningOptions, store: VertexStore): Promise<OpenedLedger> {
  const { genesis, folder, verticesMax, epochRounds } = options;
  const coreOptions: CoreOptions = {
    genesis,
    ledger: epochRounds === undefined ? { verticesMax } : { verticesMax, epochRounds },
  };
  const snapshot = await store.snapshot();
  const core = snapshot === undefined ? new Core(coreOptions) : await begin(coreOptions, snapshot, folder);
  const from = snapshot === undefined ? 0 : decodeSnapshotMeta(snapshot.meta).first;
  if (store.first > from) throw corrupted(folder, `vertex ${from} is missing`);
  for await (const { sequence, bytes } of store.load(from)) restore(core, sequence, bytes, folder);
  if (core.awaited === 0) core.readBackDone();
  return { core, coreOptions, rowOffset: store.length - core.ledger.tangle.size };
}

async function begin(options: CoreOptions, snapshot: StoredSnapshot, folder: string): Promise<Core> {
  const parts: Uint8Array[] = [];
  for await (const part of snapshot.parts()) parts.push(part);
  const core = Core.fromSnapshot(options, parts);
  if (isRefusal(core)) throw corrupted(folder, `the snapshot does not hold (${JSON.stringify(core)})`);
  return core;
}

/** What does not follow from what was stored before it was not stored so. */
function restore(core: Core, sequence: number, bytes: Uint8Array, folder: string): void {
  try {
    core.restore(bytes);
  } catch (error) {
    throw corrupted(folder, `vertex ${sequence} does not fit (${(error as Error).message})`, {
      cause: error,
    });
  }
}
