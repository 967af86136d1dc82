import {
  type Address,
  decodePayment,
  encodeFinalityProof,
  encodePayment,
  encodeWitness,
  type Genesis,
  isRefusal,
  MerkleTree,
  makeGenesis,
  type Payment,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Slot,
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
  ): Uint8Array {
    const { network, id, checkpoint } = this.genesis;
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
