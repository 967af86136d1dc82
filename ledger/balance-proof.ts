/**
 * A balance proof: what one account has in the state after a committed leader (docs/protocol.md, section 2.9b). The path
 * leads from the account to the state root, and validators of weight >= q have signed headers with this root. Anyone who
 * has the genesis checks it offline. It proves just as well that an address has no account.
 */
import { assert } from './assert.ts';
import { Committee } from './committee.ts';
import { decoding, Reader, Writer } from './encode.ts';
import { ZERO_HASH } from './hash.ts';
import { COMMITTEE_MAX, FRAME_BYTES_MAX, HASH_BYTES, WITNESS_HEADER_BYTES } from './limits.ts';
import type { ProofProblem } from './proof.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import { accountLeaf, rootOfAccount, STATE_PATH_MAX, type StateTree } from './state-tree.ts';
import type {
  Address,
  Checkpoint,
  Genesis,
  Hash,
  NetworkId,
  Slot,
  Units,
  ValidatorIndex,
  WitnessHeader,
} from './types.ts';
import { checkHeader, decodeWitnessHeader } from './witness.ts';

/** What a leaf of the state tree says of its account. */
export interface AccountState {
  readonly address: Address;
  readonly balance: Units;
  /** Of the last decided payment; 0 before the first. */
  readonly sequence: number;
  /** Id of that payment; the address before the first. */
  readonly head: Slot;
}

export interface BalanceProof extends AccountState {
  /**
   * Only of an address without an account, which has balance 0, sequence 0 and itself as head: who stands in its place in
   * the tree. `null` is nobody, otherwise it is the only account that shares the prefix down to there.
   */
  readonly occupant?: AccountState | null;
  /** Siblings of 32 bytes from that place upwards, at most STATE_PATH_MAX. */
  readonly path: readonly Uint8Array[];
  /** Signed, WITNESS_HEADER_BYTES each, 1 to COMMITTEE_MAX, of distinct validators and with one checkpoint. */
  readonly headers: readonly Uint8Array[];
}

/** What the place of the address holds; the first byte behind the address. */
const PLACE = { account: 0, nobody: 1, another: 2 } as const;

const STATE_BYTES = 8 + 8 + HASH_BYTES;

/** The longest encoding. */
export const BALANCE_PROOF_BYTES_MAX =
  HASH_BYTES +
  1 +
  (HASH_BYTES + STATE_BYTES) +
  (2 + STATE_PATH_MAX * HASH_BYTES) +
  (1 + COMMITTEE_MAX * WITNESS_HEADER_BYTES);

assert(
  2 * BALANCE_PROOF_BYTES_MAX <= FRAME_BYTES_MAX,
  'a balance proof leaves half a frame for what goes with it',
);

/** The proof for an address in the state of now, whether it has an account or not. `stateOf` knows every account of the tree. */
export function makeBalanceProof(
  tree: StateTree,
  address: Address,
  stateOf: (account: Address) => Omit<AccountState, 'address'>,
  headers: readonly Uint8Array[],
): BalanceProof {
  const { occupant, path } = tree.place(address);
  const known = (account: Address): AccountState => {
    const { balance, sequence, head } = stateOf(account);
    return { address: account, balance, sequence, head };
  };
  if (occupant === address) return { ...known(address), path, headers };
  const other = occupant === undefined ? null : known(occupant);
  return { ...nothingOf(address), occupant: other, path, headers };
}

function nothingOf(address: Address): AccountState {
  return { address, balance: 0 as Units, sequence: 0, head: address };
}

/**
 * address 32 | place 1: 0 the account itself: balance 8, sequence 8, head 32; 1 nobody; 2 another one: address 32 and
 * the same | path length 2, siblings 32 each, upwards | headers 1, each 261.
 */
export function encodeBalanceProof(proof: BalanceProof): Uint8Array {
  const { address, occupant, path, headers } = proof;
  const writer = new Writer(2048).hash(address);
  if (occupant === undefined) writer.u8(PLACE.account);
  else if (occupant === null) writer.u8(PLACE.nobody);
  else writer.u8(PLACE.another).hash(occupant.address);
  const state = occupant === undefined ? proof : occupant;
  if (state !== null) writer.u53(state.balance).u53(state.sequence).hash(state.head);
  writer.u16(path.length);
  for (const sibling of path) writer.bytes(sibling);
  writer.u8(headers.length);
  for (const header of headers) writer.bytes(header);
  return writer.done();
}

function readState(reader: Reader, address: Address): AccountState {
  const balance = reader.u53('balance') as Units;
  const sequence = reader.u53('sequence');
  return { address, balance, sequence, head: reader.hash<Slot>('head') };
}

/** The form alone; see checkBalanceProof. */
export function decodeBalanceProof(bytes: Uint8Array): BalanceProof | Refusal {
  if (bytes.length > BALANCE_PROOF_BYTES_MAX) {
    return { code: 'frame_too_large', bytes: bytes.length, max: BALANCE_PROOF_BYTES_MAX };
  }
  return decoding(() => {
    const reader = new Reader(bytes);
    const address = reader.hash<Address>('address');
    const place = reader.count(0, PLACE.another, 'place', reader.u8);
    const state = place === PLACE.account ? readState(reader, address) : nothingOf(address);
    const another = place === PLACE.another ? readState(reader, reader.hash<Address>('occupant')) : null;
    const length = reader.count(0, STATE_PATH_MAX, 'path', reader.u16);
    const path = Array.from({ length }, () => reader.bytes(HASH_BYTES, 'path'));
    const count = reader.count(1, COMMITTEE_MAX, 'headers', reader.u8);
    const headers = Array.from({ length: count }, () => reader.bytes(WITNESS_HEADER_BYTES, 'header'));
    reader.end('balance proof');
    return { ...state, ...(place === PLACE.account ? {} : { occupant: another }), path, headers };
  });
}

/** The root that account or empty place and the path lead to; undefined when the proof contradicts itself. */
function provenRoot(network: NetworkId, proof: BalanceProof): Hash | undefined {
  const { address, balance, sequence, head, occupant, path } = proof;
  if (occupant !== undefined) {
    // Who has no account has nothing, and its own leaf in its place would say that it has one.
    if (balance !== 0 || sequence !== 0 || head !== address || occupant?.address === address)
      return undefined;
    if (occupant === null) return rootOfAccount(network, address, ZERO_HASH, path);
  }
  const at = occupant ?? proof;
  const leaf = accountLeaf(network, at.address, at.balance, at.sequence, at.head);
  return rootOfAccount(network, address, leaf, path);
}

/** The headers, each of another validator of the committee, and all with the checkpoint of the first one. */
function readHeaders(genesis: Genesis, proof: BalanceProof): readonly WitnessHeader[] | ProofProblem {
  const { length } = proof.headers;
  if (length > COMMITTEE_MAX) {
    return { code: 'limit_exceeded', what: 'headers', received: length, max: COMMITTEE_MAX };
  }
  const headers: WitnessHeader[] = [];
  const seen = new Set<ValidatorIndex>();
  for (const bytes of proof.headers) {
    const header = decodeWitnessHeader(bytes, genesis.network);
    if (isRefusal(header)) return header;
    const { validator, checkpoint } = header;
    if (genesis.committee[validator] === undefined) return { code: 'not_a_validator', validator };
    if (seen.has(validator)) return { code: 'validator_twice', validator };
    const { round, leader, root } = (headers[0] ?? header).checkpoint;
    if (checkpoint.round !== round || checkpoint.leader !== leader || checkpoint.root !== root) {
      return { code: 'checkpoint_differs', validator };
    }
    seen.add(validator);
    headers.push(header);
  }
  return headers;
}

/**
 * What a proof proves: the state after the committed leader `checkpoint`, while Byzantine weight is under W/3. Validators
 * of weight >= q say at `timeMs` or later that it is their last one, by their own clocks, so one correct clock is not below
 * `timeMs`. All signatures are checked, cheapest checks first.
 */
export function checkBalanceProof(
  genesis: Genesis,
  proof: BalanceProof,
): { readonly checkpoint: Checkpoint; readonly timeMs: number } | ProofProblem {
  const headers = readHeaders(genesis, proof);
  if ('code' in headers) return headers;
  const committee = new Committee(genesis.committee);
  const weight = committee.weight(headers.map(({ validator }) => validator));
  const [first] = headers;
  if (first === undefined || weight < committee.quorum) {
    return { code: 'quorum_missing', weight, required: committee.quorum };
  }
  const { checkpoint, validator } = first;
  if (provenRoot(genesis.network, proof) !== checkpoint.root) return { code: 'path_wrong', validator };
  for (const [i, header] of headers.entries()) {
    const refusal = checkHeader(header, proof.headers[i]!, genesis);
    if (refusal !== undefined) return refusal;
  }
  return { checkpoint, timeMs: quorumTime(committee, headers) };
}

/** The latest time that headers of weight >= q do not fall short of: more headers never make it earlier. */
function quorumTime(committee: Committee, headers: readonly WitnessHeader[]): number {
  let weight = 0;
  let timeMs = 0;
  for (const header of headers.toSorted((a, b) => b.timeMs - a.timeMs)) {
    if (weight >= committee.quorum) break;
    weight += committee.weightOf(header.validator);
    timeMs = header.timeMs;
  }
  return timeMs;
}
