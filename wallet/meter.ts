/** A charging session that took place, as an energy source that delivers it again. */
import type { EnergySource } from './session-ports.ts';

export interface RecordedSession {
  /** Energy delivered in all, an integer. */
  readonly wh: number;
  /** Time that it took, at least 1. The power is taken to have been even, as records hold no more. */
  readonly durationMs: number;
  /** Register of the meter at the beginning. */
  readonly registerWh?: number;
}

/**
 * Delivers `wh` within `durationMs` of flow by the clock that `readWh` is given. While paused nothing flows and the record
 * waits. The session is done when all is delivered.
 */
export function recordedEnergy(record: RecordedSession): EnergySource {
  const { wh, durationMs, registerWh = 0 } = record;
  let flowing = false;
  let capW = Number.POSITIVE_INFINITY;
  let lastMs: number | undefined;
  let delivered = 0;
  return {
    start(maxW) {
      flowing = true;
      if (maxW !== undefined) capW = maxW;
    },
    pause() {
      flowing = false;
    },
    resume() {
      flowing = true;
    },
    readWh(nowMs) {
      if (flowing && lastMs !== undefined && nowMs > lastMs) {
        const powerW = Math.min(capW, (wh * 3_600_000) / durationMs);
        delivered = Math.min(wh, delivered + (powerW * (nowMs - lastMs)) / 3_600_000);
        // Sums of fractions stay a hair under the whole.
        if (wh - delivered < 1e-6) delivered = wh;
      }
      lastMs = nowMs;
      return registerWh + Math.floor(delivered);
    },
    get done() {
      return delivered >= wh;
    },
  };
}
