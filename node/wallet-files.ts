/**
 * A wallet on a disk:
 *
 *   car.json             the keystore: the recovery phrase under its password
 *   car.state/           no secrets; for account n > 0 car.n.state/
 *     state.json         head, sequence, payments under way; replaced as a whole
 *     history            verified payments with their proofs; only grows
 *     ravel.lock         which process has the wallet open
 *
 * Two processes with one wallet would sign rivals, so the second one is refused. A keystore that others than its owner may
 * read is refused too, as ssh does: the password is all that is left then. Files of a state may be read by anybody.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../p2p/index.ts';
import { type HistoryRecord, WalletError, type WalletState, type WalletStore } from '../wallet/index.ts';
import { FolderLockError, lockFolder } from './folder-lock.ts';
import { codeOf, diskError, makeFile, PRIVATE_FOLDER_MODE, replaceFile } from './wallet-disk.ts';
import { WalletHistory } from './wallet-history.ts';
import { formatState, parseState } from './wallet-state.ts';

/** A keystore has about 600 bytes. */
const KEYSTORE_BYTES_MAX = 16 * 1024;

/** A few payments under way and a cursor for each node. */
const STATE_BYTES_MAX = 1024 * 1024;

/** The state folder that belongs to a keystore file and one of its accounts. */
export function stateFolderOf(keystoreFile: string, account = 0): string {
  const base = keystoreFile.replace(/\.json$/, '');
  return account === 0 ? `${base}.state` : `${base}.${account}.state`;
}

/** Writes a new keystore, readable for its owner alone. Never replaces one: throws `wallet_exists`; or `wallet_disk`. */
export async function writeKeystore(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await makeFile(file, text);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw diskError(error, file);
    const exists = `${file} exists. A wallet is never overwritten: choose another name, or move it away.`;
    throw new WalletError('wallet_exists', exists, { cause: error });
  }
}

/** The text of a keystore. Throws `wallet_missing`, `wallet_permissions`, `keystore_format` (size), `wallet_disk`. */
export async function readKeystore(file: string): Promise<string> {
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw diskError(error, file);
    const text = `There is no wallet at ${file}. Check the path, or make one with \`ravel wallet new\`.`;
    throw new WalletError('wallet_missing', text, { cause: error });
  }
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new WalletError(
      'wallet_permissions',
      `${file} can be read or written by others than its owner (mode ${(found.mode & 0o777).toString(8)}). ` +
        `Anybody who has the file can guess at its password: run \`chmod 600 ${file}\`, and change to a new wallet if ` +
        'somebody may have copied it.',
    );
  }
  if (!found.isFile() || found.size > KEYSTORE_BYTES_MAX) {
    throw new WalletError(
      'keystore_format',
      `${file} is no wallet file: it has ${found.size} bytes. Check the path.`,
    );
  }
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw diskError(error, file);
  }
}

/**
 * Opens a wallet's state folder, made when it is missing, for this process alone; dispose it when the wallet is closed.
 * Throws `wallet_busy`, `wallet_corrupted`, `wallet_disk`.
 */
export async function openWalletFiles(
  folder: string,
  deps: { readonly log: Log },
): Promise<WalletStore & AsyncDisposable> {
  let lock: AsyncDisposable;
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE });
    lock = await lockFolder(folder);
  } catch (error) {
    if (error instanceof FolderLockError) throw busyError(folder, error);
    throw diskError(error, folder);
  }
  try {
    const history = await WalletHistory.open(path.join(folder, 'history'), deps.log);
    return new FolderStore(folder, lock, history, deps.log);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw diskError(error, folder);
  }
}

class FolderStore implements WalletStore, AsyncDisposable {
  readonly #file: string;
  readonly #folder: string;
  readonly #lock: AsyncDisposable;
  readonly #history: WalletHistory;
  readonly #log: Log;
  #failed: WalletError | undefined;
  #disposed = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(folder: string, lock: AsyncDisposable, history: WalletHistory, log: Log) {
    this.#folder = folder;
    this.#file = path.join(folder, 'state.json');
    this.#lock = lock;
    this.#history = history;
    this.#log = log;
  }

  async load(): Promise<WalletState | undefined> {
    let text: string;
    try {
      const { size } = await stat(this.#file);
      if (size > STATE_BYTES_MAX) throw new Error(`it has ${size} bytes`);
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw diskError(error, this.#file);
    }
    const { state, historyBytes } = parseState(text, this.#file);
    for await (const _ of this.records());
    if (this.#history.bytes >= historyBytes) return state;
    // The history was moved away or cut: what nodes have told before has to be told again.
    this.#log.warn(
      { folder: this.#folder },
      'the history is shorter than it was; it is read from the nodes anew',
    );
    return { ...state, cursors: {} };
  }

  save(state: WalletState): Promise<void> {
    return this.#write(() =>
      replaceFile(this.#file, formatState({ state, historyBytes: this.#history.bytes })),
    );
  }

  append(records: readonly HistoryRecord[]): Promise<void> {
    return this.#write(() => this.#history.append(records));
  }

  records(): AsyncIterable<HistoryRecord> {
    return this.#history.records();
  }

  async read(from: number, count: number): Promise<readonly HistoryRecord[]> {
    try {
      return await this.#history.read(from, count);
    } catch (error) {
      throw diskError(error, this.#folder);
    }
  }

  /** One after the other. After a failure it is unknown what is on the disk, so nothing more is written to it. */
  #write(task: () => Promise<void>): Promise<void> {
    const result = this.#writing.then(async () => {
      if (this.#failed !== undefined) throw this.#failed;
      try {
        await task();
      } catch (error) {
        this.#failed = diskError(error, this.#folder);
        throw this.#failed;
      }
    });
    this.#writing = result.catch(() => {});
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Twice would free a lock that is somebody else's by then.
    if (this.#disposed) return;
    this.#disposed = true;
    const closed = new WalletError('disposed', `${this.#folder} was closed. Open the wallet again.`);
    await this.#writing;
    this.#failed ??= closed;
    await this.#history[Symbol.asyncDispose]();
    await this.#lock[Symbol.asyncDispose]();
  }
}

function busyError(folder: string, cause: FolderLockError): WalletError {
  const text = `${cause.message} One wallet is open in one process at a time: two would spend the same money twice.`;
  return new WalletError('wallet_busy', `${folder}: ${text}`, { cause });
}
