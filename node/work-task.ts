/** What travels between the work pool and its threads. Types only, so that neither loads the other. */
export interface WorkTask {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly bits: number;
  /** The first nonce to try. */
  readonly start: bigint;
  /** One shared number: 0 = go on, else nobody needs the answer any more. */
  readonly stop: Int32Array;
}
