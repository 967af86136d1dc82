/**
 * What fixes a network: 00 | version 1 | prefix length 1 and text | work bits 1 | committee 2, each (scheme 1, key 32,
 * weight 4) | allocations 4, each (address 32, amount 8), ascending. Its hash is the vertex under all others; the
 * first 16 bytes of the hash are the network id.
 */
import { hex } from './bytes.ts';
import { DecodeError, decoding, KIND, Reader, Writer } from './encode.ts';
import { blake3 } from './hash.ts';
import {
  ALLOCATIONS_MAX,
  COMMITTEE_MAX,
  ED25519_KEY_BYTES,
  NETWORK_ID_BYTES,
  UNITS_MAX,
  WORK_BITS_MAX,
} from './limits.ts';
import type { Refusal } from './refusal.ts';
import { accountLeaf, StateTree } from './state-tree.ts';
import type { Address, Allocation, Genesis, Member, NetworkId, Scheme, Units, VertexId } from './types.ts';

const VERSION = 1;
const PREFIX_LENGTH_MAX = 16;

/** What the founder decides. */
export type GenesisDraft = Pick<Genesis, 'prefix' | 'workBits' | 'committee' | 'allocations'>;

/** @param draft Allocations in any order. */
export function encodeGenesis(draft: GenesisDraft): Uint8Array {
  const prefix = new TextEncoder().encode(draft.prefix);
  const writer = new Writer(4096)
    .u8(KIND.genesis)
    .u8(VERSION)
    .u8(prefix.length)
    .bytes(prefix)
    .u8(draft.workBits)
    .u16(draft.committee.length);
  for (const { scheme, publicKey, weight } of draft.committee) writer.u8(scheme).bytes(publicKey).u32(weight);
  writer.u32(draft.allocations.length);
  const ascending = [...draft.allocations].sort((a, b) => (a.address < b.address ? -1 : 1));
  for (const { address, amount } of ascending) writer.hash(address).u53(amount);
  return writer.done();
}

function readCommittee(reader: Reader): Member[] {
  const count = reader.count(1, COMMITTEE_MAX, 'committee', reader.u16);
  const keys = new Set<string>();
  return Array.from({ length: count }, () => {
    const scheme = reader.u8('scheme');
    if (scheme !== 0) throw new DecodeError({ code: 'scheme_unsupported', scheme });
    const publicKey = reader.bytes(ED25519_KEY_BYTES, 'validator key').slice();
    // One key, one seat: a node would not know which of them it sits in.
    if (keys.has(hex(publicKey)))
      throw new DecodeError({ code: 'malformed', what: 'one validator key twice' });
    keys.add(hex(publicKey));
    const weight = reader.count(1, 0xffffffff, 'weight', reader.u32);
    return { scheme: scheme as Scheme, publicKey, weight };
  });
}

function readAllocations(reader: Reader): { allocations: Allocation[]; supply: Units } {
  const count = reader.count(1, ALLOCATIONS_MAX, 'allocations', reader.u32);
  const allocations: Allocation[] = [];
  let supply = 0;
  let last = '';
  for (let i = 0; i < count; i++) {
    const address = reader.hash<Address>('allocation');
    if (address <= last)
      throw new DecodeError({ code: 'malformed', what: 'allocations: not strictly ascending' });
    const amount = reader.u53('allocation amount') as Units;
    if (amount < 1) throw new DecodeError({ code: 'amount_out_of_range', amount });
    supply += amount;
    allocations.push({ address, amount });
    last = address;
  }
  if (supply > UNITS_MAX) throw new DecodeError({ code: 'amount_out_of_range', amount: supply });
  return { allocations, supply: supply as Units };
}

export function decodeGenesis(bytes: Uint8Array): Genesis | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    reader.kind(KIND.genesis, 'genesis');
    const version = reader.u8('version');
    if (version !== VERSION)
      throw new DecodeError({ code: 'malformed', what: `genesis of version ${version}` });
    const prefixBytes = reader.bytes(reader.count(1, PREFIX_LENGTH_MAX, 'prefix', reader.u8), 'prefix');
    const prefix = String.fromCharCode(...prefixBytes);
    if (!/^[a-z]+$/.test(prefix)) throw new DecodeError({ code: 'malformed', what: 'prefix: only a-z' });
    const workBits = reader.count(0, WORK_BITS_MAX, 'work bits', reader.u8);
    const committee = readCommittee(reader);
    const { allocations, supply } = readAllocations(reader);
    reader.end('genesis');
    const hash = blake3(bytes);
    const id = hex(hash) as VertexId;
    const network = hash.slice(0, NETWORK_ID_BYTES) as NetworkId;
    const state = new StateTree(network);
    for (const { address, amount } of allocations) {
      state.set(address, accountLeaf(network, address, amount, 0, address));
    }
    const checkpoint = { round: 0, leader: id, root: state.root() };
    return { id, network, prefix, workBits, committee, allocations, supply, checkpoint };
  });
}

/** Genesis from a founder's draft. Throws a RangeError that names what is out of range: this is our API, not input. */
export function makeGenesis(draft: GenesisDraft): Genesis {
  const genesis = decodeGenesis(encodeGenesis(draft));
  if ('code' in genesis) throw new RangeError(`genesis: ${JSON.stringify(genesis)}`);
  return genesis;
}
