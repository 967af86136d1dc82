/** A thread that plays the seeds it is given, one at a time, with the code as it is or with one mutation. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Mutation, mutate } from './mutation.ts';
import type { Report } from './simulation.ts';

export interface SeedsWorkerData {
  readonly mutations: readonly Mutation[];
}

/** One seed played. */
export interface Played extends Omit<Report, 'violation'> {
  readonly broken:
    | { readonly invariant: string; readonly message: string; readonly drawing: string }
    | undefined;
}

for (const mutation of (workerData as SeedsWorkerData).mutations) mutate(mutation);
// Only now, as mutations must be there first.
const { Simulation } = await import('./simulation.ts');
const { drawingOf } = await import('./drawing.ts');

parentPort!.on('message', (seed: number) => {
  void play(seed).then((played) => parentPort!.postMessage(played));
});

async function play(seed: number): Promise<Played> {
  const simulation = new Simulation(seed);
  const { violation, ...rest } = await simulation.run();
  if (violation === undefined) return { ...rest, broken: undefined };
  const { invariant, message } = violation;
  return { ...rest, broken: { invariant, message, drawing: drawingOf(simulation) } };
}
