/** What travels between the work pool and its threads, so that neither loads the other. */
export interface WorkTask {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly bits: number;
  /** The first nonce to try. */
  readonly start: bigint;
  /** Two shared numbers, WORK_STOP and WORK_SLICES. */
  readonly shared: Int32Array;
}

/** 0 = go on, else nobody needs the answer any more. */
export const WORK_STOP = 0;

/** Slices that all threads have searched through in vain. */
export const WORK_SLICES = 1;
