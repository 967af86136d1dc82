/**
 * What becomes of a database that is not what was written: it is set aside under a name with the time, beside the new one
 * that takes its place, for whoever wants to look into it. One is kept: the last. A file beside the folder says that damage
 * was found while the node ran, so that the next start need not find it again.
 */
import { writeFileSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

function markOf(folder: string): string {
  return `${folder}.is-damaged`;
}

async function damagedBeside(folder: string): Promise<string[]> {
  const parent = path.dirname(folder);
  const prefix = `${path.basename(folder)}.damaged-`;
  await mkdir(parent, { recursive: true });
  const names = await readdir(parent);
  return names.filter((name) => name.startsWith(prefix)).map((name) => path.join(parent, name));
}

/** Says for the next start that the folder is damaged; at once, as the node is about to end. */
export function markDamaged(folder: string, reason: string): void {
  writeFileSync(markOf(folder), `${reason}\n`, { flush: true });
}

/** Why the folder was marked; undefined when it was not. */
export async function damageMark(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(markOf(folder), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A database of this folder has been set aside: what a validator has signed may have been in it. */
export async function wasSetAside(folder: string): Promise<boolean> {
  return (await damagedBeside(folder)).length > 0;
}

/** Renames the folder, so that a new one may take its place. @returns the new name; undefined when there was no folder. */
export async function setAside(folder: string, nowMs: number): Promise<string | undefined> {
  const older = await damagedBeside(folder);
  const time = new Date(nowMs).toISOString().replaceAll(':', '-');
  const aside = `${folder}.damaged-${time}`;
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  if (there) {
    await rename(folder, aside);
    for (const name of older) if (name !== aside) await rm(name, { recursive: true, force: true });
  }
  await rm(markOf(folder), { force: true });
  return there ? aside : undefined;
}
