/** The random DAGs that tests share. RAVEL_TEST_RUNS asks for more of them, RAVEL_TEST_SEED for those from another seed on. */

import type { Vertex } from '../../ledger/index.ts';
import { draw } from '../dsl/draw.ts';
import { type RandomDag, randomDag, shuffledOrder } from './random-dag.ts';

const RUNS = Number(process.env.RAVEL_TEST_RUNS ?? 60);
const FIRST_SEED = Number(process.env.RAVEL_TEST_SEED ?? 1);

let sample: readonly RandomDag[] | undefined;

/** Most are short, every third is long enough for votes to lapse. Made once. */
export function sampleDags(): readonly RandomDag[] {
  sample ??= Array.from({ length: RUNS }, (_, i) =>
    randomDag(FIRST_SEED + i, { cycles: cyclesOf(FIRST_SEED + i) }),
  );
  return sample;
}

function cyclesOf(seed: number): number {
  return seed % 3 === 0 ? 30 : 8;
}

/** The order in which a DAG was made, and others. */
export function ordersOf(dag: RandomDag, others: number): readonly (readonly Vertex[])[] {
  const shuffled = Array.from({ length: others }, (_, i) =>
    shuffledOrder(dag.genesis, dag.vertices, dag.seed + i),
  );
  return [dag.vertices, ...shuffled];
}

/** Runs a check on a DAG; a failure then also says how to have the DAG again, and what it looks like. */
export function withDrawing(dag: RandomDag, shown: readonly Vertex[], check: () => void): void {
  try {
    check();
  } catch (error) {
    const again = `again: RAVEL_TEST_SEED=${dag.seed} RAVEL_TEST_RUNS=1 (cycles: ${cyclesOf(dag.seed)})`;
    const faulty = `Byzantine: ${[...dag.byzantine].map((v) => String.fromCharCode(65 + v)).join(' ') || 'none'}`;
    const drawing = draw(dag.genesis, shown, dag.oracle.epochRounds);
    throw new Error(`${(error as Error).message}\n${again}\n${faulty}\n${drawing}`, { cause: error });
  }
}
