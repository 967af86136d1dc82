/** Threads that play seeds; a seed that does not come to an end is ended. */
import { Worker } from 'node:worker_threads';
import type { Mutation } from './mutation.ts';
import type { Played, SeedsWorkerData } from './seeds.worker.ts';

/** A seed takes half a second. */
const SEED_TIMEOUT_MS = 180_000;

export interface Outcome {
  readonly seed: number;
  readonly played: Played | undefined;
  /** Why there is no report. */
  readonly trouble: string | undefined;
}

export class Player {
  readonly #mutations: readonly Mutation[];
  #worker: Worker | undefined;

  constructor(mutations: readonly Mutation[] = []) {
    this.#mutations = mutations;
  }

  play(seed: number): Promise<Outcome> {
    const mutations = this.#mutations;
    this.#worker ??= new Worker(new URL('./seeds.worker.ts', import.meta.url), {
      workerData: { mutations } satisfies SeedsWorkerData,
    });
    const worker = this.#worker;
    return new Promise((resolve) => {
      const end = (outcome: Omit<Outcome, 'seed'>) => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError);
        if (outcome.played === undefined) void this.end();
        resolve({ seed, ...outcome });
      };
      const timer = setTimeout(
        () => end({ played: undefined, trouble: `no end within ${SEED_TIMEOUT_MS / 1000} s` }),
        SEED_TIMEOUT_MS,
      );
      const onMessage = (played: Played) => end({ played, trouble: undefined });
      const onError = (error: Error) => end({ played: undefined, trouble: error.stack ?? error.message });
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage(seed);
    });
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
