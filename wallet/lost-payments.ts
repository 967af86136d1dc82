/** Own payments that never will be final, or of which nobody knows more, until the caller has said that it knows of them. */
import { decodePayment, isRefusal, type NetworkId, type PaymentId } from '../ledger/index.ts';
import type { LostPayment } from './wallet-store.ts';

/** For a caller who never asks: the latest. */
const LOST_MAX = 64;

export class LostPayments {
  readonly #network: NetworkId;
  #list: readonly LostPayment[];

  constructor(network: NetworkId, list: readonly LostPayment[] = []) {
    this.#network = network;
    this.#list = list;
  }

  /** Oldest first. */
  get list(): readonly LostPayment[] {
    return this.#list;
  }

  get(id: PaymentId): LostPayment | undefined {
    return this.#list.find((lost) => this.#is(lost, id));
  }

  add(lost: LostPayment): void {
    this.#list = [...this.#list, lost].slice(-LOST_MAX);
  }

  /** False when it was not there. */
  delete(id: PaymentId): boolean {
    const { length } = this.#list;
    this.#list = this.#list.filter((lost) => !this.#is(lost, id));
    return this.#list.length < length;
  }

  #is({ bytes }: LostPayment, id: PaymentId): boolean {
    const payment = decodePayment(bytes, this.#network);
    return !isRefusal(payment) && payment.id === id;
  }
}
