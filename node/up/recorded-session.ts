/**
 * A charging session as somebody recorded it, or as the generator made it up: the input of a replay.
 */

export interface RecordedSession {
  /** Identity of the charge point, as the record names it. */
  readonly chargePoint: string;
  /** Identity of its connector. */
  readonly connector: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** After `startMs`. */
  readonly endMs: number;
  /** Whole watt hours, at least 1. */
  readonly energyWh: number;
}

/** Mean power of a session in watts. */
export function meanPowerW(session: RecordedSession): number {
  return session.energyWh / ((session.endMs - session.startMs) / 3_600_000);
}

/** Earlier start first; among equals the order in which they came stays (the sort is stable). */
export function byStart(sessions: readonly RecordedSession[]): RecordedSession[] {
  return [...sessions].sort((a, b) => a.startMs - b.startMs);
}
