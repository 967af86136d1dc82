/** Ctrl+C and SIGTERM: the first asks a command to end in order, the second ends it now. */
import { EXIT } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `task` with a signal that aborts when the user or the system wants the command to end. A parent process that
 * started this one with a channel and is gone counts as well. `note` gets a word for people.
 */
export async function withInterruption<T>(
  note: (text: string) => void,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    note(`ravel: ${name}: ending in order. Once more ends at once.`);
    controller.abort();
  };
  const onDisconnect = (): void => controller.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('disconnect', onDisconnect);
  try {
    return await task(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
    process.off('disconnect', onDisconnect);
  }
}
