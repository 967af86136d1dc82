/** What a snapshot holds, in the terms of the program; snapshot.ts writes and reads it. */
import type {
  Address,
  Checkpoint,
  PaymentId,
  Round,
  Slot,
  Transfer,
  Units,
  ValidatorIndex,
  VertexId,
} from './types.ts';

/** A commit without what it decided: payments say that themselves. */
export interface CommitState extends Checkpoint {
  readonly index: number;
}

export interface AccountState {
  readonly address: Address;
  readonly balance: Units;
  readonly sequence: number;
  readonly head: Slot;
  readonly root: { readonly slot: Slot; readonly sequence: number };
  readonly historyBase: number;
  /** Indices of payments. */
  readonly history: readonly number[];
}

export interface PaymentState {
  readonly id: PaymentId;
  readonly account: Address;
  readonly previous: Slot;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly final: boolean;
  readonly decidedAt: number;
}

/** What a remembered witness has said: indices of payments. */
export interface Said {
  readonly commit: number;
  readonly accepted: readonly number[];
  readonly deferred: readonly number[];
  readonly certified: readonly number[];
}

export interface Snapshot {
  /** The last commit. */
  readonly checkpoint: Checkpoint;
  readonly commits: readonly CommitState[];
  /** Signed headers of weight >= q that carry the checkpoint. */
  readonly headers: readonly Uint8Array[];
  /** Vertices of this round and later ones were remembered. */
  readonly floor: Round;
  readonly finals: number;
  readonly decided: number;
  readonly accounts: readonly AccountState[];
  readonly payments: readonly PaymentState[];
  /** In the order of attachment; blocks have nothing to say. */
  readonly vertices: ReadonlyMap<VertexId, Said | undefined>;
  /** What the validator of the node that made it has promised in slots that were open. */
  readonly promises: {
    readonly validator: ValidatorIndex | undefined;
    readonly list: readonly (readonly [Slot, PaymentId])[];
  };
}
