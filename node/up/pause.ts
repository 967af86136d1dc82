/** Waiting in real time. */

/** The longest time that setTimeout knows, 24.8 days; whoever waits longer is woken, and looks again. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Resolves after `ms` or when the signal aborts, whichever is first; never rejects. `Infinity` is allowed. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(TIMEOUT_MS_MAX, Math.max(0, ms)));
    signal.addEventListener('abort', end);
  });
}
