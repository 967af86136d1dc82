/** Whether a folder's disk has room, asked in the one way that quotas and limits answer too: by writing. */
import { randomFillSync } from 'node:crypto';
import { open, rm, statfs } from 'node:fs/promises';
import path from 'node:path';

const CHUNK_BYTES = 1024 * 1024;

/** Rejects with the file system's error when `bytes` cannot be written now. Nothing is left of what was tried. */
export async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) {
    throw Object.assign(new Error(`ENOSPC: ${bavail * bsize} of ${bytes} bytes free`), { code: 'ENOSPC' });
  }
  const file = path.join(folder, 'room.probe');
  // Bytes of chance, as some file systems store zeros in no room.
  const chunk = randomFillSync(new Uint8Array(CHUNK_BYTES));
  try {
    const handle = await open(file, 'w');
    try {
      for (let left = bytes; left > 0; left -= CHUNK_BYTES) {
        const { bytesWritten } = await handle.write(chunk, 0, Math.min(left, CHUNK_BYTES));
        if (bytesWritten < Math.min(left, CHUNK_BYTES)) {
          throw Object.assign(new Error('ENOSPC: a write was cut short'), { code: 'ENOSPC' });
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(file, { force: true });
  }
}
