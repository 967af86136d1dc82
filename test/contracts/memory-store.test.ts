import assert from 'node:assert/strict';
import { MemoryDisk, MemoryStore } from './memory-store.ts';
import { GENESIS_A, range, storeContract } from './store.contract.ts';

storeContract('the disk in memory', async () => {
  const disk = new MemoryDisk();
  return { open: async (genesisId) => new MemoryStore(disk, { genesisId, sync: 'always' }) };
});

describe('a disk in memory that is full', () => {
  for (const full of [true, 'lies'] as const) {
    it(`takes nothing until it is opened again with room, and says then what it has (${full})`, async () => {
      const disk = new MemoryDisk();
      const store = new MemoryStore(disk, { genesisId: GENESIS_A, sync: 'always' });
      await store.append(range(0, 2));
      disk.full = full;
      await assert.rejects(store.append(range(2, 5)), { code: 'store_disk_full' });
      await assert.rejects(store.reopen(), { code: 'store_disk_full' });
      disk.full = false;
      await assert.rejects(store.append(range(2, 5)), { code: 'store_disk_full' });
      await store.reopen();
      assert.equal(store.length, full === 'lies' ? 5 : 2);
    });
  }
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
