import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Units } from '../../../ledger/index.ts';
import { openSpendingFile } from '../../../node/cli/spending-file.ts';

const units = (value: number): Units => value as Units;

describe('what a car has spent today', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-spending-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is known after a restart', async () => {
    const spending = await openSpendingFile(path.join(folder, 'new'));
    assert.equal(spending.spentOn(100), 0);
    await Promise.all([
      spending.add(100, units(5)),
      spending.add(100, units(7)),
      spending.add(101, units(1)),
    ]);
    const again = await openSpendingFile(path.join(folder, 'new'));
    assert.deepEqual([again.spentOn(100), again.spentOn(101), again.spentOn(102)], [12, 1, 0]);
  });

  it('counts at once, before it is on the disk', async () => {
    const spending = await openSpendingFile(folder);
    const written = spending.add(100, units(5));
    assert.equal(spending.spentOn(100), 5);
    await written;
  });

  it('is forgotten after a week', async () => {
    const spending = await openSpendingFile(folder);
    for (let day = 1; day <= 9; day++) await spending.add(day, units(day));
    assert.deepEqual(Object.keys(JSON.parse(await readFile(path.join(folder, 'spending.json'), 'utf8'))), [
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
    ]);
  });

  it('that cannot be read is no licence to spend', async () => {
    await writeFile(path.join(folder, 'spending.json'), '{"100":-5}');
    await assert.rejects(
      openSpendingFile(folder),
      /is damaged. Remove it if the budget of today may begin anew/,
    );
  });
});
