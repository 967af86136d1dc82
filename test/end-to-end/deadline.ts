/** Waiting for what real processes do: until a condition holds, never for a time. */

/** Generous: other work may have the cores of this machine. */
export const PATIENCE_MS = 60_000;

const POLL_MS = 20;

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it.
 * @param what What is waited for, for the error. A function is asked when time has run out.
 */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) {
      throw new Error(`waited ${withinMs} ms in vain until ${typeof what === 'string' ? what : what()}`);
    }
    await pause(POLL_MS);
  }
}

/** Rejects when the promise takes longer. */
export async function within<T>(what: string, promise: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain until ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Between two polls, or as long as something is to be watched that must not happen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
