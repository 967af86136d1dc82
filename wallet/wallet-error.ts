/**
 * What can go wrong in a wallet through its caller, its files or its network. The message says cause and cure; the code
 * is what a program switches on.
 */
import type { PaymentId, Refusal } from '../ledger/index.ts';

export type WalletErrorCode =
  // Keys and addresses
  /** Not 24 words of the BIP-39 list with a right checksum. */
  | 'bad_phrase'
  /** An account number that SLIP-10 has no path for. */
  | 'bad_account'
  /** Not bech32m at all: characters, case or length. */
  | 'address_format'
  /** A well-formed address of another network. */
  | 'address_prefix'
  /** A mistyped address. */
  | 'address_checksum'
  /** bech32m of something that is no 32-byte address. */
  | 'address_length'
  // Keystore
  /** Not a keystore file. */
  | 'keystore_format'
  /** Written by a newer version of this software. */
  | 'keystore_version'
  /** Asks for more memory or time than any honest file does, or is sealed too cheaply. */
  | 'keystore_cost'
  /** The password does not open the file. */
  | 'keystore_password'
  /** The password is right and the file was changed. */
  | 'keystore_tampered'
  // Files
  /** Another process has the wallet open. */
  | 'wallet_busy'
  | 'wallet_missing'
  | 'wallet_exists'
  /** Others than the owner may read the keystore. */
  | 'wallet_permissions'
  /** What is on the disk is not what was written. */
  | 'wallet_corrupted'
  /** The files belong to another network or another account. */
  | 'wallet_other'
  /** The disk does not take what has to be written. */
  | 'wallet_disk'
  // Paying
  /** Transfers or memo that no payment can carry. */
  | 'bad_payment'
  /** More than the spendable balance. */
  | 'insufficient_funds'
  /** The wallet's own limits forbid it. */
  | 'forbidden_by_policy'
  /** No node answers. */
  | 'no_node'
  /** Too many own payments are under way. */
  | 'pipeline_full'
  /** The own account's history is not known well enough to sign safely. */
  | 'not_ready'
  /** The search for the payment's work failed or gave a wrong nonce. */
  | 'work_failed'
  /** The signer gave a signature that does not verify. */
  | 'signer_failed'
  /** Signed and stored, not yet taken by a node; it is sent again until it is. */
  | 'still_sending'
  /** Every node refuses the signed and stored payment today; it is offered again until it is final or dead. */
  | 'refused'
  /** Proven: another payment has its slot, or that of one before it. `winner` says which. This one never will be final. */
  | 'payment_dead'
  /** Its slot is decided, and no node remembers for whom: it was paid, or never will be. */
  | 'payment_forgotten'
  /** Not in time; what was waited for may still happen. */
  | 'timeout'
  /** The caller's signal ended the wait. */
  | 'aborted'
  /** Used after it was disposed of, or disposed of while waiting. */
  | 'disposed'
  /** More waits at once than the bound. */
  | 'too_busy';

/** Things that go with an error for programs; the message says them too. */
export interface WalletErrorMore {
  readonly cause?: unknown;
  /** The payment that the error is about. */
  readonly payment?: PaymentId;
  /** What a node said, with code `refused`. */
  readonly refusal?: Refusal;
  /** The payment that is decided in its place, with code `payment_dead`. */
  readonly winner?: PaymentId | undefined;
}

export class WalletError extends Error {
  readonly code: WalletErrorCode;
  readonly payment: PaymentId | undefined;
  readonly refusal: Refusal | undefined;
  readonly winner: PaymentId | undefined;

  constructor(code: WalletErrorCode, message: string, more: WalletErrorMore = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'WalletError';
    this.code = code;
    this.payment = more.payment;
    this.refusal = more.refusal;
    this.winner = more.winner;
  }
}
