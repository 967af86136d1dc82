/**
 * A witness: header, signature, body.
 *
 *   header: 03 | network 16 | validator 2 | round 4 | time 6 | self 32 | body hash 32 | certified count 4 and root 32
 *           | checkpoint round 4, leader 32, root 32 | signature 64 over all before it
 *   body:   09 | network 16 | witnesses, tips, defers, accepts, freezes: each a count of 2 and the hashes ascending
 *
 * The header holds the hash of the body, so a light client needs the header alone. The id is the hash of the whole.
 */
import { concat } from './bytes.ts';
import { DecodeError, decoding, KIND, Reader, Writer } from './encode.ts';
import { blake3, blake3Hex } from './hash.ts';
import { COMPUTED } from './ids.ts';
import {
  ED25519_SIGNATURE_BYTES,
  FRAME_BYTES_MAX,
  WITNESS_HEADER_BYTES,
  WITNESS_REFERENCES_MAX,
  WITNESS_TIPS_MAX,
  WITNESS_VOTES_MAX,
} from './limits.ts';
import type { Refusal } from './refusal.ts';
import { verify } from './sign.ts';
import type {
  Checkpoint,
  Genesis,
  Hash,
  NetworkId,
  PaymentId,
  Slot,
  VertexId,
  Witness,
  WitnessBody,
  WitnessHeader,
} from './types.ts';

/** All that a header says before it is signed, without the body's hash. */
export type HeaderDraft = Omit<WitnessHeader, 'bodyHash' | 'signature'>;

function encodeBody(network: NetworkId, body: WitnessBody): Uint8Array {
  return new Writer(1024)
    .u8(KIND.witnessBody)
    .bytes(network)
    .hashes(body.witnesses)
    .hashes(body.tips)
    .hashes(body.defers)
    .hashes(body.accepts)
    .hashes(body.freezes)
    .done();
}

/**
 * @param body Lists in any order; they are sorted here.
 * @param sign Signs the header with the validator's key: 64 bytes.
 */
export function encodeWitness(
  network: NetworkId,
  draft: HeaderDraft,
  body: WitnessBody,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const bodyBytes = encodeBody(network, {
    witnesses: [...body.witnesses].sort(),
    tips: [...body.tips].sort(),
    defers: [...body.defers].sort(),
    accepts: [...body.accepts].sort(),
    freezes: [...body.freezes].sort(),
  });
  const header = new Writer(WITNESS_HEADER_BYTES)
    .u8(KIND.witness)
    .bytes(network)
    .u16(draft.validator)
    .u32(draft.round)
    .u48(draft.timeMs)
    .hash(draft.self)
    .bytes(blake3(bodyBytes))
    .u32(draft.certifiedCount)
    .hash(draft.certifiedRoot)
    .u32(draft.checkpoint.round)
    .hash(draft.checkpoint.leader)
    .hash(draft.checkpoint.root)
    .done();
  return concat([header, sign(header), bodyBytes]);
}

function readHeader(reader: Reader, network: NetworkId): WitnessHeader {
  reader.kind(KIND.witness, 'witness');
  reader.network(network, 'witness');
  const validator = reader.u16('validator');
  const round = reader.u32('round');
  if (round === 0) throw new DecodeError({ code: 'malformed', what: 'round 0 is the genesis' });
  const timeMs = reader.u48('time');
  const self = reader.hash<VertexId>('self');
  const bodyHash = reader.hash<Hash>('body hash');
  const certifiedCount = reader.u32('certified count');
  const certifiedRoot = reader.hash<Hash>('certified root');
  const checkpoint: Checkpoint = {
    round: reader.u32('checkpoint round'),
    leader: reader.hash<VertexId>('checkpoint leader'),
    root: reader.hash<Hash>('checkpoint root'),
  };
  const signature = reader.bytes(ED25519_SIGNATURE_BYTES, 'signature');
  return {
    validator,
    round,
    timeMs,
    self,
    bodyHash,
    certifiedCount,
    certifiedRoot,
    checkpoint,
    signature,
  };
}

/** Exactly WITNESS_HEADER_BYTES: what light clients get. Checks no signature. */
export function decodeWitnessHeader(bytes: Uint8Array, network: NetworkId): WitnessHeader | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    const header = readHeader(reader, network);
    reader.end('witness header');
    return header;
  });
}

function readBody(reader: Reader, network: NetworkId): WitnessBody {
  reader.kind(KIND.witnessBody, 'witness body');
  reader.network(network, 'witness body');
  const list = <H extends Hash>(what: string, max: number): H[] =>
    reader.hashes<H>(reader.count(0, max, what, reader.u16), what);
  const body: WitnessBody = {
    witnesses: list<VertexId>('witnesses', WITNESS_REFERENCES_MAX),
    tips: list<VertexId>('tips', WITNESS_TIPS_MAX),
    defers: list<PaymentId>('defers', WITNESS_VOTES_MAX),
    accepts: list<PaymentId>('accepts', WITNESS_VOTES_MAX),
    freezes: list<PaymentId>('freezes', WITNESS_VOTES_MAX) as Slot[],
  };
  const votes = body.defers.length + body.accepts.length + body.freezes.length;
  if (votes > WITNESS_VOTES_MAX) {
    throw new DecodeError({ code: 'limit_exceeded', what: 'votes', received: votes, max: WITNESS_VOTES_MAX });
  }
  return body;
}

/** Exactly one witness whose body is the one that its header names. Checks no signature. */
export function decodeWitness(bytes: Uint8Array, network: NetworkId, ids = COMPUTED): Witness | Refusal {
  if (bytes.length > FRAME_BYTES_MAX) {
    return { code: 'frame_too_large', bytes: bytes.length, max: FRAME_BYTES_MAX };
  }
  return decoding(() => {
    const reader = new Reader(bytes);
    const header = readHeader(reader, network);
    const body = readBody(reader, network);
    reader.end('witness');
    if (!ids.checked && blake3Hex(bytes.subarray(WITNESS_HEADER_BYTES)) !== header.bodyHash) {
      throw new DecodeError({ code: 'malformed', what: 'witness body: not the one that the header names' });
    }
    const id = ids.of<VertexId>(bytes, 0, bytes.length);
    return { kind: 'witness', id, ...header, ...body, bytes };
  });
}

/** The signed header of an encoded witness. */
export function headerBytes(witness: Witness): Uint8Array {
  return witness.bytes.subarray(0, WITNESS_HEADER_BYTES);
}

/** Checks that the committee knows the validator and that it signed `header` (WITNESS_HEADER_BYTES, decoded before). */
export function checkHeader(header: WitnessHeader, bytes: Uint8Array, genesis: Genesis): Refusal | undefined {
  const member = genesis.committee[header.validator];
  if (member === undefined) return { code: 'not_a_validator', validator: header.validator };
  const signed = bytes.subarray(0, WITNESS_HEADER_BYTES - ED25519_SIGNATURE_BYTES);
  if (!verify(member.scheme, member.publicKey, signed, header.signature)) {
    return { code: 'bad_signature', of: 'witness' };
  }
  return undefined;
}
