/** An account whose owner signs whatever it likes, rivals too, as no wallet would. Its key lives as long as this process. */
import {
  type Address,
  addressOf,
  decodePayment,
  encodePayment,
  type Genesis,
  isRefusal,
  type Payment,
  paymentEssence,
  publicKeyOf,
  type Slot,
  sign,
  type Transfer,
  workSeed,
} from '../../ledger/index.ts';

/** 8 bytes of work over a seed. */
export type FindWork = (seed: Uint8Array, bits: number, signal: AbortSignal) => Promise<Uint8Array>;

export class RawAccount {
  readonly address: Address;
  readonly #genesis: Genesis;
  readonly #secret: Uint8Array;
  readonly #publicKey: Uint8Array;
  #head: Slot;
  #sequence = 0;

  /** @param secret 32 bytes, of an account that has never paid. */
  constructor(genesis: Genesis, secret: Uint8Array) {
    this.#genesis = genesis;
    this.#secret = secret;
    this.#publicKey = publicKeyOf(secret);
    this.address = addressOf(0, this.#publicKey);
    this.#head = this.address;
  }

  /** What the next payment spends. */
  get slot(): Slot {
    return this.#head;
  }

  /** Work for the next payment: it depends on the slot alone, so rivals share it. */
  work(findWork: FindWork, signal: AbortSignal): Promise<Uint8Array> {
    const { network, workBits } = this.#genesis;
    return findWork(workSeed(network, this.#head, this.address), workBits, signal);
  }

  /** A payment that spends the slot. It does not count as made: the next one is a rival of it. */
  draft(transfers: readonly Transfer[], work: Uint8Array): Payment {
    const { network } = this.#genesis;
    const essence = paymentEssence({
      network,
      scheme: 0,
      publicKey: this.#publicKey,
      previous: this.#head,
      sequence: this.#sequence + 1,
      transfers,
      memo: new Uint8Array(),
    });
    const payment = decodePayment(encodePayment(essence, work, sign(this.#secret, essence)), network);
    if (isRefusal(payment)) throw new Error(`broken invariant: ${JSON.stringify(payment)}`);
    return payment;
  }

  /** The same, and the next one extends it. */
  pay(transfers: readonly Transfer[], work: Uint8Array): Payment {
    const payment = this.draft(transfers, work);
    this.#head = payment.id;
    this.#sequence = payment.sequence;
    return payment;
  }
}
