import {
  type AccountState,
  type Address,
  accountLeaf,
  type Checkpoint,
  decodePayment,
  encodeBalanceProof,
  encodeFinalityProof,
  encodePayment,
  encodeWitness,
  type Genesis,
  isRefusal,
  MerkleTree,
  makeBalanceProof,
  makeGenesis,
  type Outcome,
  type Payment,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Slot,
  StateTree,
  searchWork,
  sign,
  type Transfer,
  type Units,
  WITNESS_HEADER_BYTES,
  workSeed,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { createSeedSigner, type Signer } from '../../wallet/signer.ts';

export const WORK_BITS = 4;

export function seedOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

export function signerOf(number: number): Signer {
  return createSeedSigner(seedOf(number));
}

/** What honest nodes answer after some commit. */
export interface FakeState {
  readonly round: number;
  balance(address: Address): Uint8Array;
  outcome(payment: PaymentId, slot?: Slot): Outcome | undefined;
}

/** Four validators of weight 1 and the truth about what is final. */
export class FakeNetwork {
  readonly genesis: Genesis;
  /** In the order in which they became final. */
  readonly finals: { readonly payment: Payment; readonly proof: Uint8Array }[] = [];
  /** Called for each payment that becomes final. */
  onFinal: ((final: { readonly payment: Payment; readonly proof: Uint8Array }) => void)[] = [];
  readonly #validators = [101, 102, 103, 104].map(seedOf);
  #round = 10;

  constructor(allocations: readonly (readonly [Address, number])[], prefix = 'test') {
    this.genesis = makeGenesis({
      prefix,
      workBits: WORK_BITS,
      committee: this.#validators.map((seed) => ({ scheme: 0, publicKey: publicKeyOf(seed), weight: 1 })),
      allocations: allocations.map(([address, amount]) => ({ address, amount: amount as Units })),
    });
  }

  /** A signed header of a validator. */
  header(
    validator: number,
    round: number,
    ids: readonly PaymentId[] = [],
    key = this.#validators[validator]!,
    checkpoint: Checkpoint = this.genesis.checkpoint,
  ): Uint8Array {
    const { network, id } = this.genesis;
    const certifiedRoot = ids.length === 0 ? ZERO_HASH : new MerkleTree(network, ids).root;
    const draft = {
      validator,
      round,
      timeMs: 1,
      self: id,
      certifiedCount: ids.length,
      certifiedRoot,
      checkpoint,
    };
    const body = { witnesses: [], tips: [], defers: [], accepts: [], freezes: [] };
    return encodeWitness(network, draft, body, (message) => sign(key, message)).slice(
      0,
      WITNESS_HEADER_BYTES,
    );
  }

  /** A proof by some of the validators, among two other payments. */
  proof(id: PaymentId, validators: readonly number[] = [0, 1, 2], keys = this.#validators): Uint8Array {
    const ids = [id, 'ee'.repeat(32) as PaymentId, '11'.repeat(32) as PaymentId].sort();
    const tree = new MerkleTree(this.genesis.network, ids);
    const index = ids.indexOf(id);
    const round = this.#round++;
    const certificates = validators.map((validator) => {
      return { header: this.header(validator, round, ids, keys[validator]!), index, path: tree.path(index) };
    });
    return encodeFinalityProof({ payment: id, certificates });
  }

  /** Where the next proof's certificates are. */
  get round(): number {
    return this.#round;
  }

  /** Rounds go by. */
  pass(rounds: number): void {
    this.#round += rounds;
  }

  /** The state after a commit of this round that has decided these payments, in order, and nothing else. */
  state(decided: readonly Payment[], round = this.#round): FakeState {
    const states = new Map<Address, AccountState>();
    const stateOf = (address: Address): AccountState =>
      states.get(address) ?? { address, balance: 0 as Units, sequence: 0, head: address };
    const add = (address: Address, amount: number): void => {
      const state = stateOf(address);
      states.set(address, { ...state, balance: (state.balance + amount) as Units });
    };
    for (const { address, amount } of this.genesis.allocations) add(address, amount);
    for (const { account, total, transfers, sequence, id } of decided) {
      add(account, -total);
      states.set(account, { ...stateOf(account), sequence, head: id });
      for (const { to, amount } of transfers) add(to, amount);
    }
    const { network, id: leader } = this.genesis;
    const tree = new StateTree(network);
    for (const { address, balance, sequence, head } of states.values())
      tree.set(address, accountLeaf(network, address, balance, sequence, head));
    const checkpoint = { round, leader, root: tree.root() };
    const headers = [0, 1, 2].map((validator) =>
      this.header(validator, round + 3, [], this.#validators[validator]!, checkpoint),
    );
    const balance = (address: Address): Uint8Array =>
      encodeBalanceProof(makeBalanceProof(tree, address, stateOf, headers));
    const outcome = (_: PaymentId, slot?: Slot): Outcome | undefined => {
      const at = decided.findIndex(({ previous }) => previous === slot);
      if (at < 0) return undefined;
      const { account } = decided[at]!;
      const chain = decided.slice(at).filter((payment) => payment.account === account);
      return { balance: balance(account), chain: chain.map(({ bytes }) => bytes) };
    };
    return { round, balance, outcome };
  }

  /** A payment as its owner would make it. */
  payment(
    owner: number,
    sequence: number,
    previous: Slot | undefined,
    transfers: readonly (readonly [Address, number])[],
    memo = new Uint8Array(),
  ): Payment {
    const { network } = this.genesis;
    const publicKey = publicKeyOf(seedOf(owner));
    const account = signerOf(owner).address;
    const slot = previous ?? account;
    const list = transfers.map(([to, amount]): Transfer => ({ to, amount: amount as Units }));
    const essence = paymentEssence({
      network,
      scheme: 0,
      publicKey,
      previous: slot,
      sequence,
      transfers: list,
      memo,
    });
    const work = searchWork(workSeed(network, slot, account), WORK_BITS, 0, 10_000)!;
    const payment = decodePayment(encodePayment(essence, work, sign(seedOf(owner), essence)), network);
    if (isRefusal(payment)) throw new Error(JSON.stringify(payment));
    return payment;
  }

  decode(bytes: Uint8Array): Payment {
    const payment = decodePayment(bytes, this.genesis.network);
    if (isRefusal(payment)) throw new Error(JSON.stringify(payment));
    return payment;
  }

  /** Makes a payment final; everybody who follows hears of it. */
  finalize(payment: Payment): void {
    if (this.finals.some((final) => final.payment.id === payment.id)) return;
    const final = { payment, proof: this.proof(payment.id) };
    this.finals.push(final);
    for (const hear of this.onFinal) hear(final);
  }

  balance(address: Address): number {
    let balance: number = this.genesis.allocations.find((given) => given.address === address)?.amount ?? 0;
    for (const { payment } of this.finals) {
      if (payment.account === address) balance -= payment.total;
      for (const { to, amount } of payment.transfers) if (to === address) balance += amount;
    }
    return balance;
  }
}
