/** What can go wrong between the node and its disk, each with its cause and its cure. */

/**
 * - `store_locked` - another process, or another part of this one, has the folder open
 * - `store_other_network` - the folder holds the vertices of another genesis
 * - `store_format` - the folder was written by a version of this software that lays it out differently
 * - `store_corrupted` - what is on the disk is not what was written
 * - `store_disk_full` - no space left; nothing is written until the store is opened again
 * - `store_failed` - any other trouble with the disk; nothing is written until a restart
 * - `store_busy` - the caller appends faster than the disk writes and does not wait
 * - `store_closed` - used after close
 */
export type StoreErrorCode =
  | 'store_locked'
  | 'store_other_network'
  | 'store_format'
  | 'store_corrupted'
  | 'store_disk_full'
  | 'store_failed'
  | 'store_busy'
  | 'store_closed';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

const NO_SPACE = /no space left|disk quota exceeded|file too large|ENOSPC|EDQUOT|EFBIG/i;

const NO_FILE = /no such file or directory/i;

/** Walks to the error that names a cause: abstract-level wraps what LevelDB said. */
function rootOf(error: unknown): { code: string; message: string } {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  const code = (current as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' ? code : '',
    message: current instanceof Error ? current.message : String(current),
  };
}

/** Turns what LevelDB or the file system said into a StoreError with a cure. */
export function storeErrorOf(error: unknown, folder: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = rootOf(error);
  const options = { cause: error };
  if (code === 'LEVEL_LOCKED') {
    const text =
      `${folder} is open in another process. Two nodes cannot share one database: stop the other one, ` +
      'or give this one its own dataDir.';
    return new StoreError('store_locked', text, options);
  }
  if (NO_SPACE.test(`${code} ${message}`)) {
    const text =
      `No space left for ${folder} (${message}). Free some space: a node that runs goes on by itself then, one that has ` +
      'ended is to be started again.';
    return new StoreError('store_disk_full', text, options);
  }
  // A file that LevelDB has written and cannot find: the folder itself is made when it is missing.
  if (code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && NO_FILE.test(message))) {
    return corrupted(folder, message, options);
  }
  const text =
    `${folder} cannot be used (${message}). Check that the folder exists, that this user may write to it and ` +
    'that the disk is healthy, then start the node again.';
  return new StoreError('store_failed', text, options);
}

/** @param what What was found, without a full stop. */
export function corrupted(folder: string, what: string, options?: ErrorOptions): StoreError {
  const text =
    `${folder} is damaged: ${what}. Start the node again: it sets the folder aside and fetches everything from its ` +
    'peers. A validator asks the others for its last round before it votes.';
  return new StoreError('store_corrupted', text, options);
}
