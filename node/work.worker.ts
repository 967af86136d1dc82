/** A thread of the work pool: searches in slices until it finds, or until nobody needs it any more. */
import { searchWork } from '../ledger/index.ts';
import { WORK_SLICE_TRIES } from './limits.ts';
import type { WorkTask } from './work-task.ts';

/** The nonce (8 bytes), or undefined when it was stopped. */
export function search({ seed, bits, start, stop }: WorkTask): Uint8Array | undefined {
  for (let next = start; Atomics.load(stop, 0) === 0; next += BigInt(WORK_SLICE_TRIES)) {
    const nonce = searchWork(seed, bits, BigInt.asUintN(64, next), WORK_SLICE_TRIES);
    if (nonce !== undefined) return nonce;
  }
  return undefined;
}
