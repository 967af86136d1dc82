/**
 * One process a folder: a file `ravel.lock` that names its owner. A lock whose owner is dead is taken over.
 *
 * Node has no flock, so the owner is judged by his process id and, where /proc tells it, by when he was started: after a
 * crash in a container the next process often has the same id. The database below has a lock of the kernel as well; this
 * one names the process, and guards what is not a database.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** `folder_locked`: a living process has the folder, or one on another machine, which cannot be judged from here. */
export class FolderLockError extends Error {
  readonly code = 'folder_locked';
  constructor(message: string) {
    super(message);
    this.name = 'FolderLockError';
  }
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, in ticks since the machine was; undefined where there is no /proc. */
  readonly startedTicks?: number | undefined;
}

const LOCK = 'ravel.lock';

/** Another process may win the race for a stale lock; more often than this it is no race. */
const ATTEMPTS_MAX = 10;

async function startedTicks(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold spaces; the start time is field 22, the 20th after it.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parse(text: string): Owner | undefined {
  try {
    const { pid, host, startedTicks } = JSON.parse(text) as Partial<Owner>;
    return Number.isSafeInteger(pid) && typeof host === 'string'
      ? { pid: pid!, host, startedTicks }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Throws when the owner of a lock lives, or may live. */
async function assertDead(text: string, file: string): Promise<void> {
  const owner = parse(text);
  // A lock is made whole in one step; one that says nothing was cut off when the machine lost its power.
  if (owner === undefined) return;
  const folder = path.dirname(file);
  if (owner.host !== hostname()) {
    throw new FolderLockError(
      `${folder} is used by process ${owner.pid} on the machine ${owner.host}. When that process has ended, remove ${file}.`,
    );
  }
  if (!runs(owner.pid)) return;
  const ticks = await startedTicks(owner.pid);
  if (ticks !== undefined && owner.startedTicks !== undefined && ticks !== owner.startedTicks) return;
  const who = owner.pid === process.pid ? `this process (${owner.pid})` : `process ${owner.pid}`;
  throw new FolderLockError(`${folder} is used by ${who}. Stop it first, or choose another folder.`);
}

/** Moves a dead owner's lock away, unless it has become somebody else's meanwhile. */
async function removeStale(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

/** Tries to make the lock. Returns what the present one says when there is one. */
async function make(file: string, text: string): Promise<string | undefined> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { flush: true });
  try {
    await link(draft, file);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(file, 'utf8').catch(() => '');
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Locks a folder, which is made when it is missing, for this process. Dispose it to free the folder; a process that dies
 * frees it too.
 * @throws FolderLockError folder_locked, which names the owner; errors of the file system.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, LOCK);
  const owner: Owner = { pid: process.pid, host: hostname(), startedTicks: await startedTicks(process.pid) };
  const text = `${JSON.stringify(owner)}\n`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const found = await make(file, text);
    if (found === undefined) {
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    }
    await assertDead(found, file);
    await removeStale(file, found);
  }
  throw new FolderLockError(`${folder} is being locked by other processes again and again. Stop them first.`);
}
