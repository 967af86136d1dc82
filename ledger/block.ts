/**
 * A block: 02 | network 16 | parents 1, each 32, strictly ascending | payloads 2, each by its own layout.
 * Unsigned: its payloads authenticate themselves, and anyone may make one.
 */

import { checkData, readData } from './data.ts';
import { DecodeError, decoding, KIND, Reader, Writer } from './encode.ts';
import { COMPUTED, type Ids } from './ids.ts';
import { FRAME_BYTES_MAX, PARENTS_MAX, PAYLOADS_MAX } from './limits.ts';
import { checkPayment, readPayment } from './payment.ts';
import type { Refusal } from './refusal.ts';
import type { Block, Genesis, NetworkId, Payload, VertexId } from './types.ts';
import { workBitsOf } from './work.ts';

/** Bytes of a block beside its payloads, for `parents` parents. */
export function blockOverheadBytes(parents: number): number {
  return 1 + 16 + 1 + 32 * parents + 2;
}

/**
 * @param parents 1 to 8 distinct vertices in any order.
 * @param payloads 1 to 512 whole payload encodings; together with the parents at most FRAME_BYTES_MAX.
 */
export function encodeBlock(
  network: NetworkId,
  parents: readonly VertexId[],
  payloads: readonly Uint8Array[],
): Uint8Array {
  const writer = new Writer(1024).u8(KIND.block).bytes(network).u8(parents.length);
  for (const parent of [...parents].sort()) writer.hash(parent);
  writer.u16(payloads.length);
  for (const payload of payloads) writer.bytes(payload);
  return writer.done();
}

function readPayload(reader: Reader, source: Uint8Array, network: NetworkId, ids: Ids): Payload {
  const kind = reader.peek('payload kind');
  if (kind === KIND.payment) return readPayment(reader, source, network, ids);
  if (kind === KIND.data) return readData(reader, source, network, ids);
  throw new DecodeError({ code: 'malformed', what: `payload of unknown kind ${kind}` });
}

/** Exactly one block. Checks neither signatures nor work nor that its parents are known. */
export function decodeBlock(bytes: Uint8Array, network: NetworkId, ids = COMPUTED): Block | Refusal {
  if (bytes.length > FRAME_BYTES_MAX) {
    return { code: 'frame_too_large', bytes: bytes.length, max: FRAME_BYTES_MAX };
  }
  return decoding(() => {
    const reader = new Reader(bytes);
    reader.kind(KIND.block, 'block');
    reader.network(network, 'block');
    const parents = reader.hashes<VertexId>(reader.count(1, PARENTS_MAX, 'parents', reader.u8), 'parents');
    const count = reader.count(1, PAYLOADS_MAX, 'payloads', reader.u16);
    const id = ids.of<VertexId>(bytes, 0, bytes.length);
    const payloads: Payload[] = [];
    for (let i = 0; i < count; i++) payloads.push(readPayload(reader, bytes, network, ids));
    reader.end('block');
    if (!ids.checked && new Set(payloads.map((payload) => payload.id)).size < count)
      throw new DecodeError({ code: 'malformed', what: 'one payload twice in a block' });
    return { kind: 'block', id, parents, payloads, bytes };
  });
}

/** Signatures and work of all payloads. */
export function checkBlock(block: Block, genesis: Genesis): Refusal | undefined {
  const payments = block.payloads.filter((payload) => payload.kind === 'payment');
  const bits = workBitsOf(genesis.network, payments);
  let next = 0;
  for (const payload of block.payloads) {
    const refusal =
      payload.kind === 'payment'
        ? checkPayment(payload, genesis, bits[next++]!)
        : checkData(payload, genesis);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
