/** What travels between the verify pool and its threads. Types only, so that neither loads the other. */
import type { Address, Genesis, PaymentId, Refusal, Slot, Units } from '../ledger/index.ts';

/** What a node needs of a checked payment to queue it: all that would have to be hashed again. */
export interface CheckedPayment {
  readonly id: PaymentId;
  readonly account: Address;
  readonly previous: Slot;
  readonly sequence: number;
  readonly total: Units;
  /** Leading zero bits of its work, at least the network's. */
  readonly workBits: number;
}

/** Several vertices and payments in one buffer, which moves to the thread. */
export interface VerifyTask {
  readonly bytes: Uint8Array;
  /** Where each one ends in `bytes`; the first one begins at 0. */
  readonly ends: readonly number[];
  /** Of each one: a payment as a client submits it, else a vertex. */
  readonly payments: readonly boolean[];
}

/** Packed hashes of a vertex (see checkVertex), a payment, why it is refused, or what our own code threw. */
export type VerifyAnswer = Uint8Array | CheckedPayment | Refusal | { readonly thrown: string };

/** Given to each thread once. */
export interface VerifyWorkerData {
  /** Without its allocations, which no check reads and which may be a million. */
  readonly genesis: Genesis;
}
