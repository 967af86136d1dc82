/**
 * The nouns of the protocol (docs/protocol.md, section 1). Read this file first.
 *
 * Hashes travel inside the ledger as lower-case hex, so that they are map keys and readable in a test; `bytes.ts`
 * turns them into the 32 bytes that are hashed and sent. A brand keeps a payment id, a vertex id and an address apart.
 */

/** An amount in the smallest unit: a safe integer from 0 to 2^53 - 1. */
export type Units = number & { readonly __units: true };

/** BLAKE3-256, 64 lower-case hex characters. */
export type Hash = string & { readonly __hash: true };

/** Hash of a payment's essence (everything but work and signature). */
export type PaymentId = Hash & { readonly __payment: true };

/** Hash of a data payload's essence. */
export type DataId = Hash & { readonly __data: true };

/** Hash of a whole block, of a whole witness, or of the genesis (which is the vertex under all others). */
export type VertexId = Hash & { readonly __vertex: true };

/** BLAKE3-256 of scheme byte and public key: an account. */
export type Address = Hash & { readonly __address: true };

/** What a payment spends: the id of the account's previous payment, or its address for the first one. */
export type Slot = PaymentId | Address;

/** Signature scheme of an account or a validator. 1 (P-256) and 2 (ML-DSA-44) are reserved numbers, refused today. */
export type Scheme = 0 | 1 | 2;

/** Position of a validator in the committee, from 0. */
export type ValidatorIndex = number;

/** Round of a witness, from 1; the genesis is round 0. */
export type Round = number;

/** The first 16 bytes of the genesis hash: what is signed for one network is nothing in another. */
export type NetworkId = Uint8Array & { readonly __network: true };

export interface Transfer {
  readonly to: Address;
  /** At least 1. */
  readonly amount: Units;
}

/** The owner's signed order to move units. */
export interface Payment {
  readonly kind: 'payment';
  readonly id: PaymentId;
  readonly account: Address;
  readonly scheme: Scheme;
  readonly publicKey: Uint8Array;
  readonly previous: Slot;
  /** 1 for the account's first payment, then one more each time. */
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  /** Sum of the transfers. */
  readonly total: Units;
  /** 0 to MEMO_BYTES_MAX bytes of the owner's choice. */
  readonly memo: Uint8Array;
  /** The 8 bytes of the nonce. */
  readonly work: Uint8Array;
  readonly signature: Uint8Array;
  /** The whole encoding: essence, work, signature. */
  readonly bytes: Uint8Array;
  /** Where that begins and ends in the block, or whatever else it was read from. */
  readonly start: number;
  readonly end: number;
}

/** Bytes that are kept in order and moved by nobody. */
export interface Data {
  readonly kind: 'data';
  readonly id: DataId;
  readonly content: Uint8Array;
  readonly work: Uint8Array;
}

export type Payload = Payment | Data;

/** A vertex that anyone may make: it carries payloads, which authenticate themselves. */
export interface Block {
  readonly kind: 'block';
  readonly id: VertexId;
  /** 1 to 8, strictly ascending. */
  readonly parents: readonly VertexId[];
  /** 1 to 512. */
  readonly payloads: readonly Payload[];
  /** The whole encoding. */
  readonly bytes: Uint8Array;
}

/** The state after a committed leader; the genesis is the first one (round 0). */
export interface Checkpoint {
  readonly round: Round;
  readonly leader: VertexId;
  readonly root: Hash;
}

/** The part of a witness that its validator signs; all a light client needs. */
export interface WitnessHeader {
  readonly validator: ValidatorIndex;
  readonly round: Round;
  /** The validator's clock, milliseconds since 1970; never less than that of its previous witness. */
  readonly timeMs: number;
  /** The validator's previous witness, or the genesis. */
  readonly self: VertexId;
  readonly bodyHash: Hash;
  /** Number of payments that this witness certifies and its previous one did not. */
  readonly certifiedCount: number;
  /** Merkle root over the ids of those payments in ascending order; 32 zero bytes when there are none. */
  readonly certifiedRoot: Hash;
  readonly checkpoint: Checkpoint;
  readonly signature: Uint8Array;
}

/** What a witness says beside its header. Every list is strictly ascending. */
export interface WitnessBody {
  /** Witnesses of other validators, of lower rounds; with `self`, weight >= q of them in the round before. */
  readonly witnesses: readonly VertexId[];
  /** Blocks. */
  readonly tips: readonly VertexId[];
  /** Covered payments that are not accepted yet. */
  readonly defers: readonly PaymentId[];
  /** Payments deferred before and accepted now. */
  readonly accepts: readonly PaymentId[];
  /** Slots in which this validator certifies nothing from now on. */
  readonly freezes: readonly Slot[];
}

/** A signed vertex, made by one validator for one round. */
export interface Witness extends WitnessHeader, WitnessBody {
  readonly kind: 'witness';
  readonly id: VertexId;
  /** The whole encoding: header, signature, body. */
  readonly bytes: Uint8Array;
}

export type Vertex = Block | Witness;

/** One validator as the genesis names it. */
export interface Member {
  readonly scheme: Scheme;
  readonly publicKey: Uint8Array;
  /** At least 1. */
  readonly weight: number;
}

export interface Allocation {
  readonly address: Address;
  readonly amount: Units;
}

/** What fixes a network for ever. */
export interface Genesis {
  readonly id: VertexId;
  readonly network: NetworkId;
  /** Prefix of addresses as people see them (bech32m), 1 to 16 characters a-z. */
  readonly prefix: string;
  /** Leading zero bits that a payment's work must show, 0 to 48. */
  readonly workBits: number;
  readonly committee: readonly Member[];
  /** Strictly ascending by address. */
  readonly allocations: readonly Allocation[];
  /** Sum of the allocations, at most 2^53 - 1. */
  readonly supply: Units;
  readonly checkpoint: Checkpoint;
}
