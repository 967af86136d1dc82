/**
 * What one validator says of another's last witness, to one that has lost its disk (docs/protocol.md, section 5):
 *
 *   0b | network 16 | by 2 | about 2 | nonce 32 | round 4 | witness 32 | highest quorum 4 | signature 64 over all before it
 *
 * The nonce is the asker's own, so that nobody can answer with what was true before the disk was lost.
 */
import { concat } from './bytes.ts';
import { DecodeError, decoding, KIND, Reader, Writer } from './encode.ts';
import { ED25519_SIGNATURE_BYTES, HASH_BYTES, NETWORK_ID_BYTES } from './limits.ts';
import type { Refusal } from './refusal.ts';
import { verify } from './sign.ts';
import type { Genesis, NetworkId, Round, ValidatorIndex, VertexId } from './types.ts';

/** Bytes that the asker chooses. */
export const NONCE_BYTES = 32;

export const LAST_WITNESS_BYTES =
  1 + NETWORK_ID_BYTES + 2 + 2 + NONCE_BYTES + 4 + HASH_BYTES + 4 + ED25519_SIGNATURE_BYTES;

export interface LastWitness {
  /** Whose statement this is. */
  readonly by: ValidatorIndex;
  readonly about: ValidatorIndex;
  /** NONCE_BYTES. */
  readonly nonce: Uint8Array;
  /** Of the newest witness of `about` that `by` knows; 0 when it knows none. */
  readonly round: Round;
  /** Its id; the genesis id when there is none. */
  readonly witness: VertexId;
  /** The greatest round in which `by` knows witnesses of weight >= q. */
  readonly highestQuorum: Round;
  readonly signature: Uint8Array;
}

/** @param sign Signs with the key of `by`: 64 bytes. */
export function encodeLastWitness(
  network: NetworkId,
  draft: Omit<LastWitness, 'signature'>,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const signed = new Writer(LAST_WITNESS_BYTES)
    .u8(KIND.lastWitness)
    .bytes(network)
    .u16(draft.by)
    .u16(draft.about)
    .bytes(draft.nonce)
    .u32(draft.round)
    .hash(draft.witness)
    .u32(draft.highestQuorum)
    .done();
  return concat([signed, sign(signed)]);
}

/** Exactly LAST_WITNESS_BYTES. Checks no signature. */
export function decodeLastWitness(bytes: Uint8Array, network: NetworkId): LastWitness | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    reader.kind(KIND.lastWitness, 'last witness');
    reader.network(network, 'last witness');
    const by = reader.u16('by');
    const about = reader.u16('about');
    const nonce = reader.bytes(NONCE_BYTES, 'nonce').slice();
    const round = reader.u32('round');
    const witness = reader.hash<VertexId>('witness');
    const highestQuorum = reader.u32('highest quorum');
    const signature = reader.bytes(ED25519_SIGNATURE_BYTES, 'signature').slice();
    reader.end('last witness');
    if (by === about) throw new DecodeError({ code: 'malformed', what: 'last witness: of its own' });
    return { by, about, nonce, round, witness, highestQuorum, signature };
  });
}

/** Checks that the committee knows both and that the one has signed `bytes` (LAST_WITNESS_BYTES, decoded before). */
export function checkLastWitness(
  said: LastWitness,
  bytes: Uint8Array,
  genesis: Genesis,
): Refusal | undefined {
  for (const validator of [said.by, said.about]) {
    if (genesis.committee[validator] === undefined) return { code: 'not_a_validator', validator };
  }
  if ((said.round === 0) !== (said.witness === genesis.id)) {
    return { code: 'malformed', what: 'last witness: round 0 is the genesis' };
  }
  const { scheme, publicKey } = genesis.committee[said.by]!;
  const signed = bytes.subarray(0, LAST_WITNESS_BYTES - ED25519_SIGNATURE_BYTES);
  return verify(scheme, publicKey, signed, said.signature)
    ? undefined
    : { code: 'bad_signature', of: 'witness' };
}
