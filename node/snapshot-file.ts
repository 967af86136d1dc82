/**
 * A snapshot on its way: parts in a file, each after its length in 4 bytes, and beside it whose they are, so that a fetch that
 * was interrupted goes on where it was.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises';

/** Which snapshot of which peer. */
export interface SnapshotSource {
  readonly peer: string;
  readonly leader: string;
  readonly count: number;
  readonly bytes: number;
}

/** Parts that a file begins with, up to one that was cut short. */
export function* partsIn(file: string): Generator<Uint8Array> {
  const descriptor = openSync(file, 'r');
  try {
    const length = Buffer.alloc(4);
    while (readSync(descriptor, length, 0, 4, null) === 4) {
      const part = new Uint8Array(length.readUInt32BE(0));
      if (readSync(descriptor, part, 0, part.length, null) < part.length) return;
      yield part;
    }
  } finally {
    closeSync(descriptor);
  }
}

export class SnapshotFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  #at: number;
  /** Parts that are there, and their bytes together. */
  count: number;
  bytes: number;

  private constructor(path: string, handle: FileHandle, count: number, bytes: number) {
    this.path = path;
    this.#handle = handle;
    this.count = count;
    this.bytes = bytes;
    this.#at = bytes + 4 * count;
  }

  /** Goes on with what is there, when it is of this source; begins anew otherwise. */
  static async open(path: string, source: SnapshotSource): Promise<SnapshotFile> {
    const text = JSON.stringify(source);
    let count = 0;
    let bytes = 0;
    if ((await readFile(`${path}.json`, 'utf8').catch(() => '')) === text) {
      for (const part of partsIn(path)) {
        count += 1;
        bytes += part.length;
      }
    }
    const handle = await open(path, count === 0 ? 'w' : 'r+');
    await handle.truncate(bytes + 4 * count);
    await writeFile(`${path}.json`, text);
    return new SnapshotFile(path, handle, count, bytes);
  }

  async add(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      await this.#handle.write(Buffer.concat([length, part]), 0, part.length + 4, this.#at);
      this.#at += part.length + 4;
      this.count += 1;
      this.bytes += part.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

export async function removeSnapshotFile(path: string): Promise<void> {
  await Promise.all([rm(path, { force: true }), rm(`${path}.json`, { force: true })]);
}
