/**
 * Loaded before anything else, `node --import`, this makes an epoch of so many rounds as SHORT_EPOCH_ROUNDS says, in every
 * thread of the process: what takes minutes is seen in seconds. All nodes of a network must have the same.
 */
import { pathToFileURL } from 'node:url';
import { mutate } from '../sim/mutation.ts';

/** For the environment of a child process. */
export function shortEpoch(rounds: number): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import ${pathToFileURL(import.meta.filename)}`,
    SHORT_EPOCH_ROUNDS: String(rounds),
  };
}

const rounds = Number(process.env.SHORT_EPOCH_ROUNDS ?? 0);
if (rounds > 0) {
  mutate({
    file: 'ledger/limits.ts',
    before: 'export const EPOCH_ROUNDS = 1000;',
    after: `export const EPOCH_ROUNDS = ${rounds};`,
  });
}
