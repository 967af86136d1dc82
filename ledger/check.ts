/**
 * The stateless check of a vertex: encoding, ids, work, signatures. It runs in the verify pool; what it computed travels on
 * as packed hashes, so that the ledger thread decodes without hashing again.
 */
import { checkBlock, decodeBlock } from './block.ts';
import { KIND } from './encode.ts';
import { COMPUTED, type Ids, PackedIds, PackingIds } from './ids.ts';
import { checkPayment, decodePayment } from './payment.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Genesis, NetworkId, Payment, Vertex } from './types.ts';
import { checkHeader, decodeWitness } from './witness.ts';

/** A block or a witness by its kind byte. `hashes`: what checkVertex returned for the same bytes. */
export function decodeVertex(bytes: Uint8Array, network: NetworkId, hashes?: Uint8Array): Vertex | Refusal {
  return decodeWith(bytes, network, hashes === undefined ? COMPUTED : new PackedIds(hashes));
}

function decodeWith(bytes: Uint8Array, network: NetworkId, ids: Ids): Vertex | Refusal {
  if (bytes[0] === KIND.block) return decodeBlock(bytes, network, ids);
  if (bytes[0] === KIND.witness) return decodeWitness(bytes, network, ids);
  return { code: 'malformed', what: `vertex of unknown kind ${bytes[0] ?? 'none'}` };
}

/**
 * Everything about a vertex that can be known from its bytes and the genesis alone.
 * @returns packed hashes of 32 bytes: the vertex id, then for each payment its id and account, for each data its id.
 */
export function checkVertex(bytes: Uint8Array, genesis: Genesis): Uint8Array | Refusal {
  const ids = new PackingIds();
  const vertex = decodeWith(bytes, genesis.network, ids);
  if (isRefusal(vertex)) return vertex;
  const refusal =
    vertex.kind === 'witness' ? checkHeader(vertex, bytes, genesis) : checkBlock(vertex, genesis);
  return refusal ?? ids.packed;
}

/** One payment as a client submits it: encoding, work, signature. */
export function checkPaymentBytes(bytes: Uint8Array, genesis: Genesis): Payment | Refusal {
  const payment = decodePayment(bytes, genesis.network);
  if (isRefusal(payment)) return payment;
  return checkPayment(payment, genesis) ?? payment;
}
