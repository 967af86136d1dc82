/**
 * What a wallet keeps on its own disk, and nothing of it is a secret: the small state, replaced as a whole, and the
 * history, which only grows. The file implementation is node/wallet-files.ts.
 */
import type { Address, PaymentId, Slot } from '../ledger/index.ts';

/** A payment of one's own that is signed and not yet proven final. */
export interface OutgoingPayment {
  /** The whole encoding: what is sent, again and again, is always exactly this. */
  readonly bytes: Uint8Array;
  readonly signedAtMs: number;
}

/** Work done ahead for a slot. */
export interface ReadyWork {
  readonly slot: Slot;
  /** 8 bytes. */
  readonly nonce: Uint8Array;
}

/** An own payment that was signed and never will be final, or of which nobody can tell any more what became of it. */
export interface LostPayment {
  /** The whole encoding. */
  readonly bytes: Uint8Array;
  /**
   * - `dead` - another payment has its slot, or that of a payment before it: proven
   * - `forgotten` - its slot is decided, and no node remembers for whom
   */
  readonly reason: 'dead' | 'forgotten';
  /** The payment that is decided in its place, where that is known. */
  readonly winner: PaymentId | undefined;
}

export interface WalletState {
  /** Network id, 32 hex characters. */
  readonly network: string;
  readonly address: Address;
  /** Of `head`; 0 before the first payment. The wallet never signs for this sequence or a lower one again. */
  readonly sequence: number;
  /** The last payment that was signed here or seen final, else the address. */
  readonly head: Slot;
  /** Ascending by sequence, each extending the one before. */
  readonly outgoing: readonly OutgoingPayment[];
  readonly work: ReadyWork | undefined;
  /** For each node (by address as configured): the `index` up to which its history has been read. */
  readonly cursors: Readonly<Record<string, number>>;
  /** Units signed away on one day (days since 1970, UTC), for the daily limit. */
  readonly spent: { readonly day: number; readonly units: number };
  /** `encodeBalanceProof`: what the balance starts from, when not all of the history could be had. */
  readonly base: Uint8Array | undefined;
  /** Until the caller has said that it knows; the latest ones. */
  readonly lost: readonly LostPayment[];
}

/** One payment from or to the account whose finality this wallet has verified. */
export interface HistoryRecord {
  readonly id: PaymentId;
  /** The whole encoding of the payment. */
  readonly payment: Uint8Array;
  /** `encodePaymentProof`. */
  readonly proof: Uint8Array;
  readonly verifiedAtMs: number;
}

/**
 * One wallet's store, open in one process at a time. When a write rejects (`wallet_disk`), it is unknown whether it took
 * place, and every later write rejects too, until the wallet is opened again and reads what is there.
 */
export interface WalletStore {
  /** Undefined for a wallet that has never saved. */
  load(): Promise<WalletState | undefined>;
  /** Durable when it resolves; after a crash the state is the old or the new one, never a mixture. */
  save(state: WalletState): Promise<void>;
  /** Durable when it resolves; after a crash all of the records are there or none. */
  append(records: readonly HistoryRecord[]): Promise<void>;
  /** The whole history, in the order in which it was appended. Not while an append is under way. */
  records(): AsyncIterable<HistoryRecord>;
  /** `count` records from position `from` (0 is the first appended); fewer at the end. */
  read(from: number, count: number): Promise<readonly HistoryRecord[]>;
}
