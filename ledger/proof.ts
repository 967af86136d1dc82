/**
 * A finality proof: for each of validators of weight >= q, its signed witness header and the Merkle path from the payment
 * to the root in it (docs/protocol.md, section 6). Anyone who has the genesis checks it offline.
 */
import { Committee } from './committee.ts';
import { decoding, Reader, Writer } from './encode.ts';
import { blake3Hex } from './hash.ts';
import { COMMITTEE_MAX, HASH_BYTES, WITNESS_HEADER_BYTES } from './limits.ts';
import { rootOfPath } from './merkle.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Genesis, Hash, PaymentId, ValidatorIndex, WitnessHeader } from './types.ts';
import { checkHeader, decodeWitnessHeader } from './witness.ts';

/** One validator's part of a proof. */
export interface Certificate {
  /** WITNESS_HEADER_BYTES, signed. */
  readonly header: Uint8Array;
  /** Place of the payment among the ids that the witness newly certifies. */
  readonly index: number;
  /** Siblings of 32 bytes from the leaf upwards, at most 32. */
  readonly path: readonly Uint8Array[];
}

export interface FinalityProof {
  readonly payment: PaymentId;
  /** At most COMMITTEE_MAX, each of another validator. */
  readonly certificates: readonly Certificate[];
}

/** A tree of 2^32 leaves, the most that a header can count. */
const PATH_LENGTH_MAX = 32;

/** payment 32 | certificates 1, each (header, index 4, path length 1, siblings 32 each). */
export function encodeFinalityProof(proof: FinalityProof): Uint8Array {
  const writer = new Writer(2048).hash(proof.payment).u8(proof.certificates.length);
  for (const { header, index, path } of proof.certificates) {
    writer.bytes(header).u32(index).u8(path.length);
    for (const sibling of path) writer.bytes(sibling);
  }
  return writer.done();
}

export function decodeFinalityProof(bytes: Uint8Array): FinalityProof | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    const payment = reader.hash<PaymentId>('payment');
    const count = reader.count(1, COMMITTEE_MAX, 'certificates', reader.u8);
    const certificates: Certificate[] = [];
    for (let i = 0; i < count; i++) {
      const header = reader.bytes(WITNESS_HEADER_BYTES, 'header');
      const index = reader.u32('index');
      const length = reader.count(0, PATH_LENGTH_MAX, 'path', reader.u8);
      const path = Array.from({ length }, () => reader.bytes(HASH_BYTES, 'path'));
      certificates.push({ header, index, path });
    }
    reader.end('finality proof');
    return { payment, certificates };
  });
}

/** What is wrong with a proof. */
export type ProofProblem =
  | Refusal
  | { readonly code: 'validator_twice'; readonly validator: ValidatorIndex }
  | { readonly code: 'path_wrong'; readonly validator: ValidatorIndex }
  /** Balance proofs only: this validator's header is about another state than the first one. */
  | { readonly code: 'checkpoint_differs'; readonly validator: ValidatorIndex };

/** Headers kept, some rounds of the largest committee; about 200 bytes each. */
const HEADERS_MAX = 1024;

/** Headers whose signatures have been checked: payments of one round share them, and whoever gets many checks each once. */
export class KnownHeaders {
  readonly #ids = new Set<Hash>();

  /** As checkHeader. */
  check(header: WitnessHeader, bytes: Uint8Array, genesis: Genesis): Refusal | undefined {
    const id = blake3Hex<Hash>(bytes);
    if (this.#ids.has(id)) return undefined;
    const refusal = checkHeader(header, bytes, genesis);
    if (refusal !== undefined) return refusal;
    if (this.#ids.size >= HEADERS_MAX) this.#ids.delete(this.#ids.values().next().value!);
    this.#ids.add(id);
    return undefined;
  }
}

function checkCertificate(
  genesis: Genesis,
  payment: PaymentId,
  part: Certificate,
  known: KnownHeaders,
): ValidatorIndex | ProofProblem {
  const header = decodeWitnessHeader(part.header, genesis.network);
  if (isRefusal(header)) return header;
  const { validator, certifiedCount, certifiedRoot } = header;
  const root = rootOfPath(genesis.network, payment, part.index, certifiedCount, part.path);
  if (root !== certifiedRoot) return { code: 'path_wrong', validator };
  return known.check(header, part.header, genesis) ?? validator;
}

/**
 * Undefined when the proof holds: the payment is final, while Byzantine weight is under W/3. All signatures are checked,
 * cheapest checks first.
 * @param known Of the same network; whoever checks one proof after the other keeps it.
 */
export function checkFinalityProof(
  genesis: Genesis,
  proof: FinalityProof,
  known: KnownHeaders = new KnownHeaders(),
): ProofProblem | undefined {
  const committee = new Committee(genesis.committee);
  const validators = new Set<ValidatorIndex>();
  for (const part of proof.certificates) {
    const result = checkCertificate(genesis, proof.payment, part, known);
    if (typeof result !== 'number') return result;
    if (validators.has(result)) return { code: 'validator_twice', validator: result };
    validators.add(result);
  }
  const weight = committee.weight(validators);
  if (weight < committee.quorum) return { code: 'quorum_missing', weight, required: committee.quorum };
  return undefined;
}
