/** What a car has spent on each day, kept over restarts beside its wallet, so that the budget of a day holds. */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Units } from '../../ledger/index.ts';
import type { SpendingLog } from '../../wallet/index.ts';
import { replaceFile } from '../wallet-disk.ts';
import { badInput } from './failure.ts';

/** Days that are kept: a clock that is set back a little finds its day. */
const DAYS_MAX = 7;

const shape = z.record(z.string().regex(/^\d+$/), z.number().int().min(0));

/** @param folder Of the wallet's state; the wallet is open, so nobody else writes there. */
export async function openSpendingFile(folder: string): Promise<SpendingLog> {
  const file = path.join(folder, 'spending.json');
  const days = await read(file);
  let writing: Promise<void> = Promise.resolve();
  return {
    spentOn: (day) => (days.get(day) ?? 0) as Units,
    add(day, units) {
      days.set(day, (days.get(day) ?? 0) + units);
      const kept = [...days.keys()].sort((a, b) => b - a);
      for (const old of kept.slice(DAYS_MAX)) days.delete(old);
      const text = `${JSON.stringify(Object.fromEntries(days))}\n`;
      // One after the other: an older text must not replace a newer one.
      writing = writing.then(async () => {
        await mkdir(folder, { recursive: true });
        await replaceFile(file, text);
      });
      return writing;
    },
  };
}

async function read(file: string): Promise<Map<number, number>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    return new Map(Object.entries(shape.parse(JSON.parse(text))).map(([day, units]) => [Number(day), units]));
  } catch (error) {
    throw badInput(`${file} is damaged. Remove it if the budget of today may begin anew.`, error);
  }
}
