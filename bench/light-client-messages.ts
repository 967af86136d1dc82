/** What the bench and the process of its light client say to each other. */

export interface LightClientSetup {
  /** `encodeGenesis`. */
  readonly genesis: Uint8Array;
  /** Multiaddrs of the validators. */
  readonly nodes: readonly string[];
  /** Number of the owner that it is; see payments.ts. */
  readonly owner: number;
  /** Number of the owner whom it pays. */
  readonly payee: number;
  /** For its files. */
  readonly folder: string;
}

/** Answered when it is done. */
export type LightClientOrder =
  /** So many payments, one after the other, each once the one before is proven. */
  | { readonly do: 'pay'; readonly count: number }
  /** Nothing, but following the network. */
  | { readonly do: 'rest'; readonly ms: number }
  /** Checks proofs of its own payments, so often. */
  | { readonly do: 'verify'; readonly count: number };

/** What an order took, and how the process is after it. */
export interface LightClientTook {
  /** User and system, all threads. */
  readonly cpuUs: number;
  readonly ms: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Payments known to be final. */
  readonly final: number;
}
