/** When payments fall due. Pure. */

export interface Pacing {
  /**
   * When a payment falls due, in the caller's milliseconds; undefined when it does not, or not before others are final.
   * @param lane 0 to lanes - 1.
   * @param index Of the payment within its lane, from 0 at the beginning of this load.
   * @param underWay Payments of the lane that are handed over and not known to be final.
   */
  dueMs(lane: number, index: number, underWay: number, nowMs: number): number | undefined;
  /** Payments that have fallen due so far, all lanes together; undefined when that follows from what is final. */
  dueBy(nowMs: number): number | undefined;
  /** Nothing falls due from here on. */
  readonly endMs: number;
  /** What is due leaves in this rhythm, at most one submit to each node. */
  readonly tickMs: number;
}

/** Half of the requests that a node grants one client. */
const TICK_MS = 10;

/** When there are so many payments a second that submits would leave half empty: each costs node and generator as much as a payment. */
const BUSY_TICK_MS = 40;
const BUSY_PER_SECOND = 400;

/**
 * Payments fall due at a fixed rate, the lanes in turn, whether or not earlier ones are final: whoever falls behind
 * cannot hide it.
 * @param options.rate A second, all lanes together.
 */
export function openLoop(options: {
  readonly rate: number;
  readonly lanes: number;
  readonly startMs: number;
  readonly seconds: number;
}): Pacing {
  const { rate, lanes, startMs, seconds } = options;
  const total = Math.round(rate * seconds);
  return {
    tickMs: rate < BUSY_PER_SECOND ? TICK_MS : BUSY_TICK_MS,
    endMs: startMs + seconds * 1000,
    dueMs(lane, index) {
      const turn = index * lanes + lane;
      return turn < total ? startMs + (turn * 1000) / rate : undefined;
    },
    dueBy: (nowMs) => Math.max(0, Math.min(total, Math.floor(((nowMs - startMs) * rate) / 1000) + 1)),
  };
}

/** Each lane has `window` payments under way, always: the next one is due when there is room. */
export function closedLoop(options: {
  readonly window: number;
  readonly startMs: number;
  readonly seconds: number;
}): Pacing {
  const { window, startMs, seconds } = options;
  const endMs = startMs + seconds * 1000;
  return {
    tickMs: BUSY_TICK_MS,
    endMs,
    dueMs: (_lane, _index, underWay, nowMs) => (underWay < window && nowMs < endMs ? nowMs : undefined),
    dueBy: () => undefined,
  };
}
