/** States for tests: accounts in a state tree, and headers in which validators say so, as TestNetwork's keys sign them. */
import {
  type AccountState,
  type Address,
  accountLeaf,
  type BalanceProof,
  blake3Hex,
  type Checkpoint,
  encodeWitness,
  type Genesis,
  makeBalanceProof,
  StateTree,
  sign,
  type VertexId,
  WITNESS_HEADER_BYTES,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { keysOf, letterOf } from './network.ts';

export interface HeaderOrder {
  readonly checkpoint: Checkpoint;
  readonly validator: number;
  /** 1000 and the validator's number when absent. */
  readonly timeMs?: number;
  /** Whose key signs; the validator's own when absent. */
  readonly signer?: string;
}

/** The signed header of a witness with this checkpoint. */
export function headerOf(genesis: Genesis, order: HeaderOrder): Uint8Array {
  const { checkpoint, validator, timeMs = 1000 + validator } = order;
  const draft = {
    validator,
    round: checkpoint.round + 3,
    timeMs,
    self: genesis.id,
    certifiedCount: 0,
    certifiedRoot: ZERO_HASH,
    checkpoint,
  };
  const body = { witnesses: [], tips: [], defers: [], accepts: [], freezes: [] };
  const { secret } = keysOf(order.signer ?? `validator ${letterOf(validator)}`);
  return encodeWitness(genesis.network, draft, body, (message) => sign(secret, message)).slice(
    0,
    WITNESS_HEADER_BYTES,
  );
}

/** The state after a leader of round 30. */
export class TestState {
  readonly genesis: Genesis;
  readonly tree: StateTree;
  readonly checkpoint: Checkpoint;
  readonly #states: ReadonlyMap<Address, AccountState>;

  constructor(genesis: Genesis, states: readonly AccountState[]) {
    this.genesis = genesis;
    this.#states = new Map(states.map((state) => [state.address, state]));
    this.tree = new StateTree(genesis.network);
    for (const { address, balance, sequence, head } of states) {
      this.tree.set(address, accountLeaf(genesis.network, address, balance, sequence, head));
    }
    const leader = blake3Hex<VertexId>(new TextEncoder().encode('a leader'));
    this.checkpoint = { round: 30, leader, root: this.tree.root() };
  }

  /** Signed by some of the validators. */
  proof(address: Address, validators: readonly number[]): BalanceProof {
    const { genesis, checkpoint } = this;
    const headers = validators.map((validator) => headerOf(genesis, { checkpoint, validator }));
    return makeBalanceProof(this.tree, address, (account) => this.#states.get(account)!, headers);
  }
}
