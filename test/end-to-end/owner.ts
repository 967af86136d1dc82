/** An owner of an account who signs by hand, right or wrong, as no wallet would let him. */
import {
  type Address,
  decodePayment,
  encodePayment,
  type Genesis,
  isRefusal,
  type NetworkId,
  type Payment,
  paymentEssence,
  type Refusal,
  type Slot,
  searchWork,
  sign,
  type Units,
  workSeed,
} from '../../ledger/index.ts';
import { type Keys, keysOf } from '../dsl/network.ts';

/** What the owner says; everything but the first two is right by itself. */
export interface Order {
  /** Name of the receiver. */
  readonly to: string;
  readonly amount: number;
  readonly previous?: Slot;
  readonly sequence?: number;
  readonly network?: NetworkId;
  readonly memo?: string;
  /** Eight bytes instead of good work. */
  readonly work?: Uint8Array;
  /** Whose key signs. */
  readonly signer?: string;
}

/** Tries at work of few bits; the tests ask for 8. */
const TRIES_MAX = 1 << 20;

export class Owner {
  readonly name: string;
  readonly keys: Keys;
  readonly #genesis: Genesis;
  #head: Slot;
  #sequence = 0;

  /** The account of that name at its start: one that has paid before cannot be taken up again. */
  constructor(name: string, genesis: Genesis) {
    this.name = name;
    this.keys = keysOf(name);
    this.#genesis = genesis;
    this.#head = this.keys.address;
  }

  get address() {
    return this.keys.address;
  }

  /** What the next payment spends. */
  get slot(): Slot {
    return this.#head;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The next payment of this account, which counts as made. */
  pay(order: Order): Payment {
    const payment = decoded(this.encoding(order), this.#genesis.network);
    this.#head = payment.id;
    this.#sequence = payment.sequence;
    return payment;
  }

  /** The same, to an address that belongs to no name. */
  payTo(address: Address, amount: number): Payment {
    const payment = decoded(this.#encoded(address, { to: '', amount }), this.#genesis.network);
    this.#head = payment.id;
    this.#sequence = payment.sequence;
    return payment;
  }

  /** A payment that is not counted: a rival to the next one, or a wrong one. */
  draft(order: Order): Payment {
    return decoded(this.encoding(order), order.network ?? this.#genesis.network);
  }

  /** Bytes of a payment, whatever a decoder would say. */
  encoding(order: Order): Uint8Array {
    return this.#encoded(keysOf(order.to).address, order);
  }

  #encoded(to: Address, order: Order): Uint8Array {
    const network = order.network ?? this.#genesis.network;
    const previous = order.previous ?? this.#head;
    const essence = paymentEssence({
      network,
      scheme: 0,
      publicKey: this.keys.publicKey,
      previous,
      sequence: order.sequence ?? this.#sequence + 1,
      transfers: [{ to, amount: order.amount as Units }],
      memo: new TextEncoder().encode(order.memo ?? ''),
    });
    const seed = workSeed(network, previous, this.address);
    const work = order.work ?? searchWork(seed, this.#genesis.workBits, 0, TRIES_MAX);
    if (work === undefined) throw new Error('no work found');
    return encodePayment(essence, work, sign(keysOf(order.signer ?? this.name).secret, essence));
  }
}

function decoded(bytes: Uint8Array, network: NetworkId): Payment {
  const payment: Payment | Refusal = decodePayment(bytes, network);
  if (isRefusal(payment)) throw new Error(`a test made what no decoder takes: ${JSON.stringify(payment)}`);
  return payment;
}
