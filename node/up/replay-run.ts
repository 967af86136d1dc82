/** Carries a plan out in real time: starts sessions when they are due and waits for all of them. */
import { createSchedule, type Departure, type ReplayPlan } from './replay-plan.ts';

/** How a session went, as car and station together tell it. */
export interface SessionOutcome {
  /** All energy was delivered, and the station has verified that all of it is paid. */
  readonly settled: boolean;
  readonly energyWh: number;
  /** Verified by the station. */
  readonly unitsPaid: number;
  /** Why it was not settled: a sentence without full stop. */
  readonly problem?: string;
}

export interface ReplayDeps {
  /** Sends a car to a station; resolves at the end of the session, and never rejects. */
  drive(departure: Departure): Promise<SessionOutcome>;
  /** Milliseconds, never falling. */
  nowMs(): number;
  /** Resolves after so long, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  started(departure: Departure): void;
  ended(departure: Departure, outcome: SessionOutcome): void;
}

/** Resolves when every session has ended, or at once when `signal` aborts. */
export async function runReplay(plan: ReplayPlan, deps: ReplayDeps, signal: AbortSignal): Promise<void> {
  const schedule = createSchedule(plan);
  const beginMs = deps.nowMs();
  let wake = new AbortController();
  const stop = (): void => wake.abort();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted && schedule.waiting + schedule.running > 0) {
      wake = new AbortController();
      for (const departure of schedule.due(deps.nowMs() - beginMs)) {
        deps.started(departure);
        void deps.drive(departure).then((outcome) => {
          // After an interruption nobody can say any more how a session went.
          if (signal.aborted) return;
          schedule.ended(departure);
          deps.ended(departure, outcome);
          wake.abort();
        });
      }
      if (signal.aborted) break;
      const nowMs = deps.nowMs() - beginMs;
      await deps.sleep((schedule.nextStartMs(nowMs) ?? Infinity) - nowMs, wake.signal);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
