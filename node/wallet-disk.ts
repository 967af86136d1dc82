/** Writing files so that they are there after a crash, whole or not at all; and what a disk says when it does not. */
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { WalletError } from '../wallet/index.ts';

/** For its owner alone: a keystore invites guessing, and a history is nobody else's business. */
export const PRIVATE_MODE = 0o600;
export const PRIVATE_FOLDER_MODE = 0o700;

/** Makes renames and new files in a folder last. Windows cannot open folders, and does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file beside `file` and brings it to the disk; its name. */
async function writeDraft(file: string, text: string): Promise<string> {
  const draft = `${file}.new`;
  // What a crash has left of an earlier attempt is worth nothing.
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', PRIVATE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

/** Replaces a file: after a crash there is the old one or the new one. Durable when it resolves. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await rename(await writeDraft(file, text), file);
  await syncFolder(path.dirname(file));
}

/** Makes a file, whole or not at all. Durable when it resolves; rejects with EEXIST when there is one. */
export async function makeFile(file: string, text: string): Promise<void> {
  const draft = await writeDraft(file, text);
  try {
    // A link is refused where a rename would replace.
    await link(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(path.dirname(file));
}

export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** A WalletError with cause and cure of what the file system said. */
export function diskError(error: unknown, file: string): WalletError {
  if (error instanceof WalletError) return error;
  const cure =
    codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'
      ? 'Free some space, then open the wallet again'
      : 'Check that the folder exists, that this user may write to it and that the disk is healthy, then open the wallet again';
  const said = error instanceof Error ? error.message : String(error);
  return new WalletError('wallet_disk', `${file} cannot be used (${said}). ${cure}.`, { cause: error });
}
