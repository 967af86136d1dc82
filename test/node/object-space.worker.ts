/** A thread of a pool that says what V8 may take of it. */
import { resourceLimits } from 'node:worker_threads';

export function limits(): typeof resourceLimits {
  return resourceLimits;
}
