/** Whose folder a store is, and in which layout it was written. */
import type { VertexId } from '../ledger/index.ts';
import { StoreError } from './store-error.ts';
import { FORMAT_KEY, GENESIS_KEY, type KeyValues, type Put } from './store-records.ts';

/** Number of the layout in store-records.ts. 1 kept no ids beside the vertices, and vertices of other rules. */
const FORMAT = '2';

async function isEmpty(db: KeyValues): Promise<boolean> {
  const iterator = db.iterator({});
  try {
    return (await iterator.nextv(1)).length === 0;
  } finally {
    await iterator.close();
  }
}

/** Marks a new folder as ours; refuses one of another network or layout. */
export async function claimFolder(db: KeyValues, folder: string, genesisId: VertexId): Promise<void> {
  const [format, genesis] = await Promise.all([db.get(FORMAT_KEY), db.get(GENESIS_KEY)]);
  if (format === undefined || genesis === undefined) {
    if (!(await isEmpty(db))) {
      throw new StoreError(
        'store_format',
        `${folder} holds a database that is no node's. Choose another dataDir.`,
      );
    }
    const puts: Put[] = [
      { type: 'put', key: FORMAT_KEY, value: Buffer.from(FORMAT) },
      { type: 'put', key: GENESIS_KEY, value: Buffer.from(genesisId) },
    ];
    await db.batch(puts, { sync: true });
    return;
  }
  const found = Buffer.from(format).toString();
  if (found !== FORMAT) {
    const text = `${folder} has layout ${found}, this version reads layout ${FORMAT}. Use the version that wrote it.`;
    throw new StoreError('store_format', text);
  }
  const owner = Buffer.from(genesis).toString();
  if (owner !== genesisId) {
    const text =
      `${folder} belongs to the network of genesis ${owner}, this node to that of ${genesisId}. ` +
      'Choose another dataDir, or the genesis file that the folder was made with.';
    throw new StoreError('store_other_network', text);
  }
}
