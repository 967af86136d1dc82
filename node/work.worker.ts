/** A thread of the work pool: searches in slices until it finds, or until nobody needs it any more. */
import { searchWork } from '../ledger/index.ts';
import { WORK_SLICE_TRIES } from './limits.ts';
import { WORK_SLICES, WORK_STOP, type WorkTask } from './work-task.ts';

/** The nonce (8 bytes), or undefined when it was stopped. */
export function search({ seed, bits, start, shared }: WorkTask): Uint8Array | undefined {
  for (let next = start; Atomics.load(shared, WORK_STOP) === 0; next += BigInt(WORK_SLICE_TRIES)) {
    const nonce = searchWork(seed, bits, BigInt.asUintN(64, next), WORK_SLICE_TRIES);
    if (nonce !== undefined) return nonce;
    Atomics.add(shared, WORK_SLICES, 1);
  }
  return undefined;
}
