/** What a light client is given, and its times and bounds with their reasons. None of them is a rule of the network. */
import type {
  Address,
  Checkpoint,
  Genesis,
  PaymentId,
  Refusal,
  Slot,
  Transfer,
  Units,
  VertexId,
} from '../ledger/index.ts';
import type { LightPeers, Log, NodeView, PaymentStatus } from '../p2p/index.ts';
import type { Timers } from './alarms.ts';
import type { NetworkView } from './header-watch.ts';
import type { NodeLinkView } from './node-links.ts';
import type { SpendingLimits } from './payment-order.ts';
import type { Signer } from './signer.ts';
import type { VerifiedPayment } from './verified-payment.ts';
import type { WalletStore } from './wallet-store.ts';

export interface LightTuning {
  /** Links at the same time. Three, so that two that lie or lag do not hide what the third one tells. */
  readonly linksMax: number;
  /** One answer of one node, and one dial. */
  readonly requestTimeoutMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** How long a node is left alone that sent what no correct node sends. */
  readonly distrustMs: number;
  /** Entries asked for at a time: about what fits a frame with four validators. */
  readonly historyPageEntries: number;
  readonly pushesMax: number;
  readonly historyReadMs: number;
  readonly historyHurryMs: number;
  /** Nodes that a wallet without a store hears before it signs; never more than are configured. */
  readonly restoreNodesMin: number;
  readonly restoreWaitMs: number;
  /** How long `pay` waits until the own history is known. */
  readonly readyTimeoutMs: number;
  readonly readyPollMs: number;
  /** Own payments under way at the same time. */
  readonly pipelineMax: number;
  /** How long `pay` waits for a node to take the payment. */
  readonly payTimeoutMs: number;
  readonly workTimeoutMs: number;
  /** A secure element may ask a person. */
  readonly signTimeoutMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly refusedRounds: number;
  readonly resubmitMs: number;
  readonly publishMs: number;
  readonly extraWorkBitsMax: number;
  readonly waitsMax: number;
  readonly proofAskMs: number;
  readonly proofAsksMax: number;
  readonly headerIntervalMs: number;
  readonly forgedHeadersMax: number;
  readonly balanceAskMs: number;
  readonly baseAgeRoundsMax: number;
  readonly headersWaitMs: number;
  readonly outcomeWaitMs: number;
}

export const LIGHT_TUNING_DEFAULT: LightTuning = {
  linksMax: 3,
  requestTimeoutMs: 10_000,
  backoffMinMs: 500,
  backoffMaxMs: 60_000,
  distrustMs: 600_000,
  historyPageEntries: 64,
  pushesMax: 256,
  historyReadMs: 60_000,
  historyHurryMs: 500,
  restoreNodesMin: 2,
  restoreWaitMs: 30_000,
  readyTimeoutMs: 30_000,
  readyPollMs: 100,
  pipelineMax: 8,
  payTimeoutMs: 60_000,
  workTimeoutMs: 300_000,
  signTimeoutMs: 60_000,
  retryMinMs: 500,
  retryMaxMs: 30_000,
  refusedRounds: 3,
  // Finality takes a second or two; ten of them are not a slow round any more.
  resubmitMs: 10_000,
  publishMs: 30_000,
  extraWorkBitsMax: 8,
  waitsMax: 1024,
  proofAskMs: 2_000,
  proofAsksMax: 16,
  headerIntervalMs: 1_000,
  forgedHeadersMax: 64,
  // A proof lags behind a commit by some rounds.
  balanceAskMs: 3_000,
  // Nodes remember three and a half epochs of 1000 rounds: what they have forgotten is in any state of the last one.
  baseAgeRoundsMax: 1_000,
  // Every validator gossips a header in each round, and an idle round takes a second.
  headersWaitMs: 5_000,
  outcomeWaitMs: 30_000,
};

export interface LightClientOptions {
  readonly genesis: Genesis;
  /** Multiaddrs of nodes with /p2p/, best first; several, of different operators. */
  readonly nodes: readonly string[];
  readonly limits?: SpendingLimits;
  readonly tuning?: Partial<LightTuning>;
}

/** The client disposes of none of them. */
export interface LightClientDeps {
  readonly signer: Signer;
  readonly peers: Pick<LightPeers, 'connect' | 'onHeader' | 'publishBlock'>;
  readonly store: WalletStore;
  readonly log: Log;
  nowMs(): number;
  /** 8 bytes with at least `bits` of work over `seed` (32 bytes); rejects when `signal` fires. */
  findWork(seed: Uint8Array, bits: number, signal: AbortSignal): Promise<Uint8Array>;
  /** The platform's when left out. */
  readonly timers?: Timers;
}

/** A payment that at least one node has queued, or that gossip has taken. */
export interface SentPayment {
  readonly id: PaymentId;
  /** The whole encoding, the same for ever. */
  readonly bytes: Uint8Array;
  /** Resolves with the verified proof. Rejects with `payment_dead`, `payment_forgotten`, `disposed`; needs no handler of its own. */
  readonly final: Promise<VerifiedPayment>;
}

/** An own payment that is signed, stored and not yet proven final. */
export interface PaymentUnderWay {
  readonly id: PaymentId;
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly total: Units;
  readonly signedAtMs: number;
  /** What a node said last; undefined when none has. */
  readonly claimed: PaymentStatus | undefined;
}

/** News of a payment from or to the account. */
export interface StatusEvent {
  readonly payment: PaymentId;
  readonly status: PaymentStatus | 'signed' | 'refused' | 'forgotten';
  /** True for what this client has proof of or did itself; false for what a node says. */
  readonly proven: boolean;
  /** Who says so; undefined when proven. */
  readonly node?: string | undefined;
  readonly refusal?: Refusal | undefined;
  /** With `dead`: the payment that is decided in its place. */
  readonly winner?: PaymentId | undefined;
}

/** The account in one state of the ledger, checked here. It is true while Byzantine weight is under W/3. */
export interface ProvenBalance {
  readonly address: Address;
  readonly balance: Units;
  /** Of the last decided payment, 0 before the first. */
  readonly sequence: number;
  /** Its id, else the address. */
  readonly head: Slot;
  readonly checkpoint: Checkpoint;
  /** When validators of weight >= q had seen that state, by their clocks: milliseconds since 1970. */
  readonly timeMs: number;
  /** `encodeBalanceProof`: what anybody can check with the genesis alone. */
  readonly proof: Uint8Array;
}

/** An own payment that was signed and did not become final, as far as anybody can tell. */
export interface PaymentLost {
  readonly id: PaymentId;
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly total: Units;
  readonly memo: Uint8Array;
  /** `dead`: proven, nothing of it was paid. `forgotten`: paid or dead, and no node remembers. */
  readonly reason: 'dead' | 'forgotten';
  /** The payment that is decided in its place, where that is known. */
  readonly winner: PaymentId | undefined;
}

export interface LightClient extends AsyncDisposable {
  readonly address: Address;
  /** Spendable now: allocation and verified credits less all own payments, final or under way. 0 until enough is known. */
  readonly balance: Units;
  /** What the next payment extends: the last own payment that was signed or is final, else the address. */
  readonly head: Slot;
  readonly sequence: number;
  /** Why nothing can be signed now, for people; undefined when the wallet is ready. */
  readonly problem: string | undefined;
  /** Resolves when the own history is known well enough to sign. Rejects with `not_ready`, `aborted`, `disposed`. */
  ready(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Signs, stores, submits; resolves when at least one node has it. Retries, also after a restart, send identical bytes,
   * never a rival. Before anything is signed it rejects with `bad_payment`, `not_ready`, `insufficient_funds`,
   * `forbidden_by_policy`, `pipeline_full`, `work_failed`, `signer_failed`, `wallet_disk`; once it is stored with
   * `still_sending` or `refused`, whose `payment` says which: it stays under way, so do not pay again.
   * @param memo At most 256 bytes.
   */
  pay(
    transfers: readonly Transfer[],
    memo?: Uint8Array,
    options?: { readonly signal?: AbortSignal },
  ): Promise<SentPayment>;
  /** Resolves when this client itself has verified the proof. Rejects with `timeout`, `payment_dead`, `payment_forgotten` ... */
  waitFinal(
    id: PaymentId,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<VerifiedPayment>;
  /** Own payments under way, lowest sequence first. */
  readonly underWay: readonly PaymentUnderWay[];
  /**
   * Own payments that did not become final, also from before a restart, oldest first: the latest 64. Nothing is paid again
   * by itself. Whoever has decided about one of them says so with `forgetLost`.
   */
  readonly lost: readonly PaymentLost[];
  /** Durable when it resolves. Nothing happens when there is no such payment. */
  forgetLost(id: PaymentId): Promise<void>;
  /**
   * The account's balance in the youngest state that the linked nodes can prove: it may lack what became final in the last
   * seconds. Rejects with `no_node`, `timeout`, `aborted`, `disposed`.
   */
  provenBalance(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<ProvenBalance>;
  /** Verified credits that are not in the balance yet, because it is open whether its base has them; nearly always 0. */
  readonly uncertain: Units;
  /** Verified payments to this account from others, each once, when it is on disk. Returns the way to stop. */
  onIncoming(listener: (payment: VerifiedPayment) => void): () => void;
  onStatus(listener: (event: StatusEvent) => void): () => void;
  /** Number of verified payments from and to the account. */
  readonly historyLength: number;
  /** Verified payments, oldest verification first: `count` from position `from`. */
  history(from: number, count: number): Promise<readonly VerifiedPayment[]>;
  /** Recent tips by one node's word. @param count 1 to 8. */
  tips(count: number): Promise<readonly VertexId[]>;
  /** What one node says of itself. */
  nodeStatus(): Promise<NodeView>;
  /** The network by signed headers, no node's word. */
  readonly network: NetworkView;
  readonly nodes: readonly NodeLinkView[];
}
