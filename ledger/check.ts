/**
 * The stateless check of a vertex: encoding, ids, work, signatures. It runs in the verify pool; what it computed travels on
 * as packed hashes, so that the ledger thread decodes without hashing again.
 */
import { checkBlock, decodeBlock } from './block.ts';
import { hexOf, unhexInto } from './bytes.ts';
import { KIND } from './encode.ts';
import { HASH_BYTES } from './limits.ts';
import { checkPayment, decodePayment, type KnownHashes } from './payment.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Genesis, NetworkId, Payment, Vertex } from './types.ts';
import { checkHeader, decodeWitness } from './witness.ts';

class PackedHashes implements KnownHashes {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  next<H extends string>(): H {
    const at = this.#at;
    this.#at += HASH_BYTES;
    return hexOf(this.#bytes, at) as H;
  }
}

function pack(hashes: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, i) => {
    unhexInto(hash, bytes, i * HASH_BYTES);
  });
  return bytes;
}

/** A block or a witness by its kind byte. `hashes`: what checkVertex returned for the same bytes. */
export function decodeVertex(bytes: Uint8Array, network: NetworkId, hashes?: Uint8Array): Vertex | Refusal {
  const known = hashes === undefined ? undefined : new PackedHashes(hashes);
  if (bytes[0] === KIND.block) return decodeBlock(bytes, network, known);
  if (bytes[0] === KIND.witness) return decodeWitness(bytes, network, known);
  return { code: 'malformed', what: `vertex of unknown kind ${bytes[0] ?? 'none'}` };
}

/**
 * Everything about a vertex that can be known from its bytes and the genesis alone.
 * @returns packed hashes of 32 bytes: the vertex id, then for each payment its id and account, for each data its id.
 */
export function checkVertex(bytes: Uint8Array, genesis: Genesis): Uint8Array | Refusal {
  const vertex = decodeVertex(bytes, genesis.network);
  if (isRefusal(vertex)) return vertex;
  if (vertex.kind === 'witness') {
    return checkHeader(vertex, bytes, genesis) ?? pack([vertex.id]);
  }
  const refusal = checkBlock(vertex, genesis);
  if (refusal !== undefined) return refusal;
  const hashes: string[] = [vertex.id];
  for (const payload of vertex.payloads) {
    hashes.push(payload.id);
    if (payload.kind === 'payment') hashes.push(payload.account);
  }
  return pack(hashes);
}

/** One payment as a client submits it: encoding, work, signature. */
export function checkPaymentBytes(bytes: Uint8Array, genesis: Genesis): Payment | Refusal {
  const payment = decodePayment(bytes, genesis.network);
  if (isRefusal(payment)) return payment;
  return checkPayment(payment, genesis) ?? payment;
}
