/** Tasks for the pool's tests: each waits at a gate (a shared number that becomes 1), then answers. */
import { workerData } from 'node:worker_threads';

export interface GateTask {
  readonly name: string;
  readonly gate: Int32Array;
  readonly fail?: 'throw' | 'exit';
  readonly payload?: Uint8Array;
}

export function pass({ name, gate, fail, payload }: GateTask): string {
  Atomics.wait(gate, 0, 0);
  if (fail === 'throw') throw new Error('as told');
  if (fail === 'exit') process.exit(3);
  return `${workerData}:${name}${payload === undefined ? '' : `:${payload.length}`}`;
}
