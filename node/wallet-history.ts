/**
 * A wallet's verified payments in one file that only grows:
 *
 *   ravel-history 1
 *   CRC-32 in 8 hex digits, space, JSON array of records [id, payment in base64, proof in base64, milliseconds], newline
 *
 * One append is one line and one sync, so after a crash a batch is there or is not. A last line that does not fit its sum
 * was being written then: nobody was told of it, and it is cut off with a warning. Any other line that does not is damage.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { PaymentId } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { type HistoryRecord, WalletError } from '../wallet/index.ts';
import { PRIVATE_MODE, syncFolder } from './wallet-disk.ts';

const HEADER = Buffer.from('ravel-history 1\n');
const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;
const SUM_LENGTH = 8;

type Row = [id: string, payment: string, proof: string, verifiedAtMs: number];

/** Where a line begins, its length with the newline, and the position of its first record. */
interface Line {
  readonly at: number;
  readonly bytes: number;
  readonly first: number;
}

function encodeLine(records: readonly HistoryRecord[]): Buffer {
  const rows = records.map(({ id, payment, proof, verifiedAtMs }): Row => {
    return [id, Buffer.from(payment).toString('base64'), Buffer.from(proof).toString('base64'), verifiedAtMs];
  });
  const json = JSON.stringify(rows);
  return Buffer.from(`${sumOf(Buffer.from(json))} ${json}\n`);
}

function sumOf(json: Buffer): string {
  return crc32(json).toString(16).padStart(SUM_LENGTH, '0');
}

/** Undefined when the line is not what was written. @param line Without its newline. */
function decodeLine(line: Buffer): HistoryRecord[] | undefined {
  const json = line.subarray(SUM_LENGTH + 1);
  if (line.length < SUM_LENGTH + 3 || line.toString('latin1', 0, SUM_LENGTH) !== sumOf(json))
    return undefined;
  const rows = JSON.parse(json.toString()) as Row[];
  return rows.map(([id, payment, proof, verifiedAtMs]) => ({
    id: id as PaymentId,
    payment: new Uint8Array(Buffer.from(payment, 'base64')),
    proof: new Uint8Array(Buffer.from(proof, 'base64')),
    verifiedAtMs,
  }));
}

export class WalletHistory implements AsyncDisposable {
  readonly #file: string;
  readonly #log: Log;
  readonly #handle: FileHandle;
  readonly #lines: Line[] = [];
  /** Bytes of the file that are known to be whole. */
  #bytes = 0;
  #records = 0;
  #scanned = false;

  private constructor(file: string, handle: FileHandle, log: Log) {
    this.#file = file;
    this.#handle = handle;
    this.#log = log;
  }

  /** Opens the file, made when it is missing. Rejects with `wallet_corrupted`, or what the file system says. */
  static async open(file: string, log: Log): Promise<WalletHistory> {
    const handle = await openOrMake(file);
    const history = new WalletHistory(file, handle, log);
    try {
      await history.#begin();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return history;
  }

  async #begin(): Promise<void> {
    const { size } = await this.#handle.stat();
    const found = Buffer.alloc(Math.min(size, HEADER.length));
    await this.#handle.read(found, 0, found.length, 0);
    const whole = found.equals(HEADER);
    if (!whole && size > HEADER.length) {
      throw this.#damaged('it does not begin like a history of this version');
    }
    // New, or cut off while it was being made: nothing was ever in it.
    if (!whole) {
      await this.#handle.truncate(0);
      await this.#write(HEADER, 0);
      await syncFolder(path.dirname(this.#file));
    }
    this.#bytes = HEADER.length;
  }

  /** Bytes of all whole lines. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All records; has to be read to the end once, before anything else. */
  async *records(): AsyncGenerator<HistoryRecord> {
    this.#lines.length = 0;
    this.#records = 0;
    this.#bytes = HEADER.length;
    let rest: Buffer = Buffer.alloc(0);
    let at = HEADER.length;
    let torn = false;
    for await (const chunk of this.#chunks(at)) {
      let from = 0;
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (;;) {
        const end = rest.indexOf(NEWLINE, from);
        if (end < 0) break;
        if (torn) throw this.#damaged(`the line at byte ${at} does not fit its sum`);
        const records = decodeLine(rest.subarray(from, end));
        if (records === undefined) torn = true;
        else {
          this.#addLine(end + 1 - from, records.length);
          yield* records;
          at = this.#bytes;
        }
        from = end + 1;
      }
      rest = rest.subarray(from);
    }
    if (torn && rest.length > 0) throw this.#damaged(`the line at byte ${at} does not fit its sum`);
    if (torn || rest.length > 0) await this.#cut();
    this.#scanned = true;
  }

  async *#chunks(from: number): AsyncGenerator<Buffer> {
    let at = from;
    for (;;) {
      const buffer = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  #addLine(bytes: number, records: number): void {
    this.#lines.push({ at: this.#bytes, bytes, first: this.#records });
    this.#bytes += bytes;
    this.#records += records;
  }

  /** Removes what a crash has left of a line. */
  async #cut(): Promise<void> {
    const { size } = await this.#handle.stat();
    const lost = size - this.#bytes;
    this.#log.warn({ file: this.#file, bytes: lost }, 'the last entry was cut off by a crash and is dropped');
    await this.#handle.truncate(this.#bytes);
    await this.#handle.sync();
  }

  /** Durable when it resolves. */
  async append(records: readonly HistoryRecord[]): Promise<void> {
    if (!this.#scanned) for await (const _ of this.records());
    const line = encodeLine(records);
    await this.#write(line, this.#bytes);
    this.#addLine(line.length, records.length);
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
    await this.#handle.sync();
  }

  async read(from: number, count: number): Promise<readonly HistoryRecord[]> {
    const records: HistoryRecord[] = [];
    const end = Math.min(from + count, this.#records);
    for (let i = this.#lineOf(from); records.length < end - from && i < this.#lines.length; i++) {
      const { at, bytes, first } = this.#lines[i]!;
      const line = Buffer.alloc(bytes - 1);
      await this.#handle.read(line, 0, line.length, at);
      const found = decodeLine(line);
      if (found === undefined) throw this.#damaged(`the line at byte ${at} does not fit its sum any more`);
      records.push(...found.slice(Math.max(0, from - first), end - first));
    }
    return records;
  }

  /** Index of the line that holds the record at a position. */
  #lineOf(position: number): number {
    let low = 0;
    let high = this.#lines.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lines[middle]!.first <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  #damaged(what: string): WalletError {
    return new WalletError(
      'wallet_corrupted',
      `${this.#file} is damaged: ${what}. Take a backup of it, or move it away: the wallet then reads its history from ` +
        'the nodes anew.',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function openOrMake(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return open(file, 'wx+', PRIVATE_MODE);
  }
}
