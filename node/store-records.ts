/**
 * How the store lays out its records, and the few of LevelDB's verbs that they need:
 *
 *   v + 8-byte big-endian sequence             ->  32-byte vertex id, whole vertex encoding, CRC-32 (4 bytes, big-endian)
 *   i + 32-byte vertex id                      ->  8-byte big-endian sequence
 *   p + 8-byte generation + 4-byte part number ->  part of a snapshot, CRC-32
 *   m/ + name                                  ->  a few bytes that the node wants to remember
 *   s/format, s/genesis                        ->  the layout's number, the genesis id: whose folder this is
 *   s/first                                    ->  8-byte sequence below which everything is forgotten
 *   s/snapshot                                 ->  generation 8, parts 4, bytes 8, meta, CRC-32: the snapshot that counts
 *
 * The CRC is ours because LevelDB checks its own only while it recovers. The id stands with its vertex so that forgetting
 * one does not take hashing it again.
 */
import { crc32 } from 'node:zlib';
import { HASH_BYTES, type VertexId } from '../ledger/index.ts';
import type { NewVertex } from './vertex-store.ts';

export type Put = { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array };
export type Delete = { readonly type: 'del'; readonly key: Uint8Array };

interface Range {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly highWaterMarkBytes?: number;
}

/** What is used of LevelDB beside opening it. */
export interface KeyValues {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  batch(operations: (Put | Delete)[], options: { sync: boolean }): Promise<void>;
  iterator(range: Range): {
    nextv(count: number): Promise<[Uint8Array, Uint8Array][]>;
    close(): Promise<void>;
  };
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
}

export const FORMAT_KEY = Buffer.from('s/format');
export const GENESIS_KEY = Buffer.from('s/genesis');
export const FIRST_KEY = Buffer.from('s/first');
export const SNAPSHOT_KEY = Buffer.from('s/snapshot');

const VERTEX = 0x76;
const INDEX = 0x69;
const PART = 0x70;
const CRC_BYTES = 4;

export function vertexKey(sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(9);
  key[0] = VERTEX;
  key.writeBigUInt64BE(BigInt(sequence), 1);
  return key;
}

export function indexKey(id: VertexId): Uint8Array {
  const key = Buffer.allocUnsafe(1 + HASH_BYTES);
  key[0] = INDEX;
  key.write(id, 1, 'hex');
  return key;
}

/** The index key of the vertex in a value. */
export function indexKeyOf(value: Uint8Array): Uint8Array {
  const key = Buffer.allocUnsafe(1 + HASH_BYTES);
  key[0] = INDEX;
  key.set(value.subarray(0, HASH_BYTES), 1);
  return key;
}

export function partKey(generation: number, part: number): Uint8Array {
  const key = Buffer.allocUnsafe(13);
  key[0] = PART;
  key.writeBigUInt64BE(BigInt(generation), 1);
  key.writeUInt32BE(part, 9);
  return key;
}

export function metaKey(name: string): Uint8Array {
  return Buffer.from(`m/${name}`);
}

export function sequenceBytes(sequence: number): Uint8Array {
  return vertexKey(sequence).subarray(1);
}

/** A number of 8 bytes. */
export function sequenceIn(bytes: Uint8Array, at: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigUint64(0));
}

export function withCrc(...parts: readonly Uint8Array[]): Uint8Array {
  const value = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, CRC_BYTES));
  let at = 0;
  for (const part of parts) {
    value.set(part, at);
    at += part.length;
  }
  value.writeUInt32BE(crc32(value.subarray(0, at)), at);
  return value;
}

/** What a CRC was put to; undefined when it is not what was written. */
export function withoutCrc(value: Uint8Array): Uint8Array | undefined {
  const end = value.length - CRC_BYTES;
  if (end < 0) return undefined;
  const bytes = value.subarray(0, end);
  const crc = new DataView(value.buffer, value.byteOffset + end, CRC_BYTES).getUint32(0);
  return crc32(bytes) === crc ? bytes : undefined;
}

export function vertexValue({ id, bytes }: NewVertex): Uint8Array {
  return withCrc(Buffer.from(id, 'hex'), bytes);
}

/** The encoding in a value; undefined when it is not what was written. */
export function vertexIn(value: Uint8Array): Uint8Array | undefined {
  return withoutCrc(value)?.subarray(HASH_BYTES);
}
