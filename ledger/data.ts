/**
 * A data payload: bytes kept in the tangle's order. Essence: 04 | network 16 | length 2 | content; then work 8, done over
 * the id, one more bit each time the length doubles beyond DATA_BYTES_PER_WORK_BIT.
 */
import { unhex } from './bytes.ts';
import { KIND, type Reader, Writer } from './encode.ts';
import type { Ids } from './ids.ts';
import { DATA_BYTES_MAX, DATA_BYTES_PER_WORK_BIT, WORK_BYTES } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { Data, DataId, Genesis, NetworkId } from './types.ts';
import { workBits } from './work.ts';

/** Content: 1 to DATA_BYTES_MAX bytes. */
export function dataEssence(network: NetworkId, content: Uint8Array): Uint8Array {
  return new Writer(content.length + 32)
    .u8(KIND.data)
    .bytes(network)
    .u16(content.length)
    .bytes(content)
    .done();
}

export function readData(reader: Reader, source: Uint8Array, network: NetworkId, ids: Ids): Data {
  const start = reader.at;
  reader.kind(KIND.data, 'data');
  reader.network(network, 'data');
  const content = reader.bytes(reader.count(1, DATA_BYTES_MAX, 'data', reader.u16), 'data');
  const end = reader.at;
  const work = reader.bytes(WORK_BYTES, 'work');
  const id = ids.of<DataId>(source, start, end);
  return { kind: 'data', id, content, work };
}

/** Bits of work that `length` bytes of data must show. */
export function dataWorkBits(genesis: Genesis, length: number): number {
  return genesis.workBits + Math.ceil(Math.log2(Math.max(1, length / DATA_BYTES_PER_WORK_BIT)));
}

export function checkData(data: Data, genesis: Genesis): Refusal | undefined {
  const required = dataWorkBits(genesis, data.content.length);
  const bits = workBits(unhex(data.id), data.work);
  return bits < required ? { code: 'too_little_work', bits, required } : undefined;
}
