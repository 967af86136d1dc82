/** What a light client asks a node and what it hears, in the terms of the program. The wire form is light-wire.ts. */
import type {
  Address,
  Hash,
  Outcome,
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

/** What a node says of a payment: a claim, not a proof. */
export interface StatusClaim {
  readonly status: PaymentStatus;
  /** With `dead`, where the node knows it: the payment that has the slot, or the slot of a payment before. */
  readonly winner?: PaymentId | undefined;
}

export type SubmitReply = ({ readonly id: PaymentId } & StatusClaim) | { readonly refusal: Refusal };

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
  /** Payments that commits have decided; the next three speak of the state that these make. */
  readonly decidedPayments: number;
  readonly supply: Units;
  readonly accounts: number;
  readonly root: Hash;
  /** Payments waiting to be attached. */
  readonly queue: number;
  readonly peers: number;
  /** The latest known round of each validator. */
  readonly rounds: readonly Round[];
  /** What keeps the node from voting: `disk_full`, `last_round_unknown`, or the code of a fault. Missing when nothing does. */
  readonly trouble?: string | undefined;
  readonly vitals?: Vitals | undefined;
}

/** How the process of a node is. */
export interface Vitals {
  /** Event loop delay of its main thread at p99, over the last seconds. */
  readonly loopDelayMs: number;
  readonly rssBytes: number;
  /** JavaScript objects of the main thread. */
  readonly heapBytes: number;
}

export interface HistoryEntry {
  /** Ascending, and a matter of this node alone: what `history` continues from. */
  readonly index: number;
  /** The payment's encoding. */
  readonly payment: Uint8Array;
  /** `encodePaymentProof` of it. */
  readonly proof: Uint8Array;
}

export type ProofReply = HistoryEntry | StatusClaim | undefined;

export type LightPush =
  | ({
      readonly type: 'status';
      readonly payment: PaymentId;
      readonly refusal?: Refusal | undefined;
    } & StatusClaim)
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
  /**
   * Final payments from or to the address with an index above `after`, ascending, at most `limit` of them. Indices that
   * are left out belong to payments that the node has forgotten, or cannot prove any more.
   */
  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]>;
  proof(payment: PaymentId): Promise<ProofReply>;
  /** `encodeBalanceProof` of the account in the youngest state that can be proven; undefined when there is none. */
  balance(address: Address): Promise<Uint8Array | undefined>;
  /**
   * Who has the slot of a payment, once that is decided and can be proven. `slot` is its `previous`, for nodes that have
   * never heard of the payment itself. Undefined also when the chain is longer than OUTCOME_PAYMENTS_MAX or a frame.
   */
  outcome(payment: PaymentId, slot: Slot | undefined): Promise<Outcome | undefined>;
  /** Delegated nonce search: 8 bytes. The signal fires when nobody waits for the answer any more. */
  work(previous: Slot, account: Address, from: string, signal: AbortSignal): Promise<Uint8Array | Refusal>;
  status(): Promise<NodeView>;
  /**
   * Pushes what happens to these addresses until the returned function is called, once. `push` never blocks; it returns
   * false when the client does not drain, and then the subscription has ended by itself: the function is called too.
   */
  subscribe(addresses: readonly Address[], push: (event: LightPush) => boolean): () => void;
}
