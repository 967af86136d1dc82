/**
 * Two clocks run in a session: `clock`, for timeouts, and `pace`, by which energy flows and time is charged for. In life
 * they are one. A replay of recorded sessions gives the pace another speed.
 */
import type { SessionClock } from './session-ports.ts';

/** The platform's own clock. Its timers keep a process alive until they are aborted. */
export const systemClock: SessionClock = {
  nowMs: () => Date.now(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
    });
  },
};

/**
 * `clock` made faster or slower, beginning now with the time `startMs`.
 *
 * @param speed More than 0; 60 lets an hour pass in a minute.
 */
export function pacedClock(clock: SessionClock, speed: number, startMs: number): SessionClock {
  const beganMs = clock.nowMs();
  return {
    nowMs: () => startMs + (clock.nowMs() - beganMs) * speed,
    sleep: (ms, signal) => clock.sleep(ms / speed, signal),
  };
}

/**
 * A clock without waiting: it stands still but for its sleeps, each of which takes its time and no time at all. One for
 * each session, as two sleepers would add up.
 *
 * @param breathe Lets others run meanwhile; must wait for more than a microtask (setImmediate, for example).
 */
export function leapingClock(startMs: number, breathe: () => Promise<void>): SessionClock {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    async sleep(ms, signal) {
      if (signal.aborted) return;
      await breathe();
      if (!signal.aborted) nowMs += ms;
    },
  };
}
