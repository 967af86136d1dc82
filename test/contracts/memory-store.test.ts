import assert from 'node:assert/strict';
import { MemoryDisk, MemoryStore } from './memory-store.ts';
import { GENESIS_A, range, storeContract } from './store.contract.ts';

storeContract('the disk in memory', async () => {
  const disk = new MemoryDisk();
  return { open: async (genesisId) => new MemoryStore(disk, { genesisId, sync: 'always' }) };
});

describe('a disk in memory that is synced by hand', () => {
  it('loses what was not synced when its node crashes, and only that', async () => {
    const disk = new MemoryDisk();
    const store = new MemoryStore(disk, { genesisId: GENESIS_A, sync: 'manual' });
    const first = store.append(range(0, 2));
    store.sync();
    await first;
    void store.append(range(2, 5));
    assert.equal(store.length, 2);
    store.crash();
    const again = new MemoryStore(disk, { genesisId: GENESIS_A, sync: 'manual' });
    assert.equal(again.length, 2);
  });
});
