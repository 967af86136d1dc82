/** Stops on a broken invariant: a bug of ours, never somebody's input (that is a Refusal). */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
