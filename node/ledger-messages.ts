/** What passes between the main thread and the ledger thread: batches of calls one way, of answers and events the other. */
import type {
  Address,
  Divergence,
  Fault,
  LastWitness,
  Outcome,
  PaymentId,
  Refusal,
  Round,
  SharedColumns,
  Slot,
  TipOptions,
  ValidatorIndex,
  ValidatorOptions,
  VertexId,
  Want,
} from '../ledger/index.ts';
import type {
  AccountView,
  GossipKind,
  HistoryEntry,
  LastWitnessAnswer,
  LastWitnessRequest,
  LightPush,
  NodeView,
  ProofReply,
  SinceRequest,
  SinceWindow,
  SnapshotOffer,
  SnapshotRequest,
  SnapshotWindow,
  SubmitReply,
  Verdict,
} from '../p2p/index.ts';
import type { Submission } from './admission.ts';

/** A vertex that has passed the verify pool. */
export interface VerifiedVertex {
  readonly bytes: Uint8Array;
  /** Packed hashes, as checkVertex returned them. */
  readonly hashes: Uint8Array;
  readonly from: string;
  /** It was asked for. */
  readonly requested: boolean;
}

/** What the main thread asks of the ledger thread. All may reject: that is a bug, or the thread's end. */
export interface LedgerCalls {
  /** One verdict for each, in order; given before they are on disk. */
  vertices(list: readonly VerifiedVertex[]): Promise<readonly Verdict[]>;
  /** Which of these are attached, or wait for their parents. */
  has(ids: readonly VertexId[]): Promise<readonly boolean[]>;
  submit(payments: readonly Submission[]): Promise<readonly SubmitReply[]>;
  fetch(ids: readonly VertexId[]): Promise<readonly Uint8Array[]>;
  since(request: SinceRequest & { readonly bytesMax: number }): Promise<SinceWindow>;
  tips(count: number): Promise<readonly VertexId[]>;
  account(address: Address): Promise<AccountView>;
  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]>;
  proof(payment: PaymentId): Promise<ProofReply>;
  balance(address: Address): Promise<Uint8Array | undefined>;
  outcome(payment: PaymentId, slot: Slot | undefined): Promise<Outcome | undefined>;
  /** The snapshot that peers may have, and its parts. */
  snapshot(): Promise<SnapshotOffer | undefined>;
  snapshotParts(
    request: SnapshotRequest & { readonly bytesMax: number },
  ): Promise<SnapshotWindow | undefined>;
  /** Takes a snapshot out of a file, or says why not; see Snapshots.adopt. The thread is to be started again then. */
  adopt(file: string): Promise<Refusal | undefined>;
  /** Vertices that the snapshot speaks of and that are still to come; nothing else is taken until they have. */
  awaited(): Promise<number>;
  /** What this node's validator knows of the last witness of another; undefined when it has nothing to say. */
  lastWitness(request: LastWitnessRequest): Promise<LastWitnessAnswer | undefined>;
  /** What another says of the last witness of this node's validator holds here too. */
  holds(said: LastWitness): Promise<boolean>;
  /** A silent validator votes from now on, at no lower round. */
  vote(notBeforeRound: Round): Promise<void>;
  /** Without the number of peers, which the main thread knows. */
  status(): Promise<NodeView>;
  /** Events about these addresses are wanted, or no longer. */
  watch(addresses: readonly Address[], on: boolean): Promise<void>;
  /** Stops voting, and resolves when everything is on disk and the store is closed. */
  close(): Promise<void>;
}

/** What the ledger thread tells without being asked. */
export type LedgerEvent =
  | { readonly type: 'publish'; readonly kind: GossipKind; readonly bytes: Uint8Array }
  | { readonly type: 'wanted'; readonly wants: readonly Want[] }
  | { readonly type: 'refused'; readonly from: string; readonly id: VertexId; readonly refusal: Refusal }
  | { readonly type: 'push'; readonly addresses: readonly Address[]; readonly push: LightPush }
  | { readonly type: 'equivocation'; readonly validator: ValidatorIndex; readonly ids: readonly VertexId[] }
  /** A validator has another state after a commit than this node. */
  | ({ readonly type: 'diverges' } & Divergence)
  /** This node stops voting, and goes on answering. */
  | { readonly type: 'fault'; readonly fault: Fault }
  /** Rounds have not moved for a while: there may be something that this node has not heard of. */
  | { readonly type: 'stalled'; readonly round: number }
  | { readonly type: 'loaded'; readonly vertices: number; readonly finals: number; readonly ms: number }
  /** So many of the vertices that the snapshot speaks of are not here: it was being fetched when the node ended. */
  | { readonly type: 'incomplete'; readonly awaited: number }
  | { readonly type: 'snapshot'; readonly round: Round; readonly bytes: number; readonly ms: number }
  /** The disk is full: no votes until it is told again, with `full` false. */
  | { readonly type: 'disk'; readonly full: boolean; readonly message: string }
  /** The store knows of no vote, but the key may have voted: this validator keeps silent rather than contradict itself. */
  | { readonly type: 'mute' }
  /** The thread cannot go on: the disk failed, or an invariant broke; `damaged`: the database is to be made anew. */
  | { readonly type: 'failed'; readonly message: string; readonly damaged: boolean }
  /** The database was not what was written. It has been set aside, as `aside` when it was there; a new one is begun. */
  | { readonly type: 'damaged'; readonly reason: string; readonly aside: string | undefined };

export interface LedgerThreadOptions {
  readonly genesis: Uint8Array;
  readonly folder: string;
  readonly verticesMax: number;
  /** E; absent: the protocol's. Another value is another network, for tests. */
  readonly epochRounds?: number | undefined;
  readonly validator: ValidatorOptions | undefined;
  /** 32-byte seed of the validator key; with `validator`. */
  readonly validatorSeed: Uint8Array | undefined;
  /** The key has never voted: an empty store is no loss. */
  readonly neverVoted: boolean;
  readonly queuePaymentsMax: number;
  readonly queuePaymentsPerAccountMax: number;
  readonly blockLingerMs: number;
  readonly tips: TipOptions;
}

export type CallMessage = {
  readonly [M in keyof LedgerCalls]: {
    readonly call: number;
    readonly method: M;
    readonly args: Parameters<LedgerCalls[M]>;
  };
}[keyof LedgerCalls];

export type AnswerMessage =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: string };

/** Sent once, first: the store is open, and these are the tangle's columns. */
export interface ReadyMessage {
  readonly ready: SharedColumns;
}

export type FromLedger = ReadyMessage | readonly (AnswerMessage | { readonly event: LedgerEvent })[];
