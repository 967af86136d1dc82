import type { Vertex, Witness } from '../../ledger/index.ts';

/** One correct validator with its own view. */
export interface CorrectValidator {
  /** Vertices that it has not had before, parents first. */
  hear(vertices: readonly Vertex[]): void;
  /** Its next witness, if it makes one now; it knows that one itself. */
  turn(): Witness | undefined;
}
