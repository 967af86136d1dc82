/** What a light client asks a node and what it hears, in the terms of the program. The wire form is light-wire.ts. */
import type {
  Address,
  Hash,
  PaymentId,
  Refusal,
  Round,
  Slot,
  Units,
  ValidatorIndex,
  VertexId,
} from '../ledger/index.ts';

/** Waiting at the node; no longer waiting there, for want of room; in a block; beside a rival; irrevocable; never to be final. */
export type PaymentStatus = 'queued' | 'dropped' | 'pending' | 'contested' | 'final' | 'dead';

export type SubmitReply =
  | { readonly id: PaymentId; readonly status: PaymentStatus }
  | { readonly refusal: Refusal };

/** An account as one node sees it now: a claim, not a proof. */
export interface AccountView {
  readonly address: Address;
  /** Final credits less final debits. */
  readonly balance: Units;
  /** Balance less the account's own payments that are still under way; below zero when they cannot all be paid. */
  readonly pending: Units;
  /** Of `head`; 0 before the first payment. */
  readonly sequence: number;
  /** The last known payment of the branch that the node would extend, else the address. */
  readonly head: Slot;
  readonly finalSequence: number;
  readonly finalHead: Slot;
}

export interface NodeView {
  /** Network id, 32 hex characters. */
  readonly network: string;
  /** Missing for a node that does not vote. */
  readonly validator?: ValidatorIndex | undefined;
  readonly round: Round;
  readonly vertices: number;
  readonly finalPayments: number;
  readonly supply: Units;
  readonly accounts: number;
  readonly stateDigest: Hash;
  /** Payments waiting to be attached. */
  readonly queue: number;
  readonly peers: number;
  /** The latest known round of each validator. */
  readonly rounds: readonly Round[];
  /** What keeps the node from voting: `disk_full`, `last_round_unknown`, or the code of a fault. Missing when nothing does. */
  readonly trouble?: string | undefined;
}

export interface HistoryEntry {
  /** Ascending, and a matter of this node alone: what `history` continues from. */
  readonly index: number;
  /** The payment's encoding. */
  readonly payment: Uint8Array;
  /** `encodeFinalityProof` of it. */
  readonly proof: Uint8Array;
}

export type ProofReply = HistoryEntry | { readonly status: PaymentStatus } | undefined;

export type LightPush =
  | {
      readonly type: 'status';
      readonly payment: PaymentId;
      readonly status: PaymentStatus;
      readonly refusal?: Refusal | undefined;
    }
  | { readonly type: 'final'; readonly entry: HistoryEntry };

/**
 * What a node does for light clients. `from` is the peer id of the client. All may reject: the client then hears that
 * the node could not answer, and nothing else happens.
 */
export interface LightHandlers {
  /** At most SUBMIT_PAYMENTS_MAX encodings; one reply for each, in order. */
  submit(payments: readonly Uint8Array[], from: string): Promise<readonly SubmitReply[]>;
  /** At most `count` (1 to PARENTS_MAX) recent tips. */
  tips(count: number): Promise<readonly VertexId[]>;
  account(address: Address): Promise<AccountView>;
  /** Final payments from or to the address with an index above `after`, ascending, at most `limit` of them. */
  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]>;
  proof(payment: PaymentId): Promise<ProofReply>;
  /** Delegated nonce search: 8 bytes. The signal fires when nobody waits for the answer any more. */
  work(previous: Slot, account: Address, from: string, signal: AbortSignal): Promise<Uint8Array | Refusal>;
  status(): Promise<NodeView>;
  /**
   * Pushes what happens to these addresses until the returned function is called, once. `push` never blocks; it returns
   * false when the client does not drain, and then the subscription has ended by itself: the function is called too.
   */
  subscribe(addresses: readonly Address[], push: (event: LightPush) => boolean): () => void;
}
