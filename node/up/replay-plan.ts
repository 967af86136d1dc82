/**
 * Who charges where and when in a replay: pure, so that a test can ask for every answer.
 *
 * A recorded session keeps its place (charge point and connector, mapped onto the stations of the replay), its energy and
 * its start relative to the others. Which car drives there is decided when it starts: the car that has been free for the
 * longest time. A session waits while its connector is taken or no car is free, and lets others pass. At `max`, where
 * nobody keeps to the recorded times, any free connector of the station will do.
 */
import type { RecordedSession } from './recorded-session.ts';

/** How many times faster than life; `max` = a session starts as soon as a car and its connector are free. */
export type Speed = number | 'max';

export interface PlannedSession {
  /** Position in the plan, from 0. */
  readonly index: number;
  /** From 0. */
  readonly station: number;
  /** The recorded one, as a number within its station, from 0. */
  readonly connector: number;
  readonly energyWh: number;
  /** Not earlier than this many milliseconds after the replay began; 0 at `max`. */
  readonly startMs: number;
  /** How long the energy flowed in life, at most LIFE_MS_MAX. */
  readonly lifeMs: number;
  /** How long it flows in the replay; 0 at `max`, where the meter runs as fast as it is paid. */
  readonly durationMs: number;
}

export interface PlannedStation {
  /** The recorded charge points that this station stands for. */
  readonly chargePoints: readonly string[];
  /** As many sessions as this run there at once. */
  readonly connectors: number;
}

export interface ReplayPlan {
  /** Ordered by start. */
  readonly sessions: readonly PlannedSession[];
  readonly stations: readonly PlannedStation[];
  readonly cars: number;
  /** Each session needs its recorded connector; otherwise any of its station will do. */
  readonly keepsConnectors: boolean;
}

/** As many stations as one can still read about in a terminal of 24 lines. */
export const STATIONS_DEFAULT_MAX = 6;

/**
 * Six days. A session of the protocol lasts a week at most, and some cars are left plugged in for longer; their energy
 * flows within this time.
 */
export const LIFE_MS_MAX = 6 * 24 * 3_600_000;

/**
 * Maps recorded charge points onto `stations` stations (default: one each, at most STATIONS_DEFAULT_MAX), round robin in
 * the order in which they first appear, so that busy ones do not gather. `sessions` are ordered by start and not empty,
 * `cars` and `stations` at least 1, `speed` above 0.
 */
export function planReplay(
  sessions: readonly RecordedSession[],
  options: { readonly cars: number; readonly stations?: number; readonly speed: Speed },
): ReplayPlan {
  const chargePoints = [...new Set(sessions.map((session) => session.chargePoint))];
  const count = options.stations ?? Math.min(chargePoints.length, STATIONS_DEFAULT_MAX);
  const stationOf = new Map(chargePoints.map((chargePoint, index) => [chargePoint, index % count]));
  const connectors = Array.from({ length: count }, () => new Map<string, number>());
  const firstMs = sessions[0]?.startMs ?? 0;
  const scale = (ms: number): number => (options.speed === 'max' ? 0 : ms / options.speed);
  const planned = sessions.map((session, index): PlannedSession => {
    const station = stationOf.get(session.chargePoint)!;
    const known = connectors[station]!;
    const name = JSON.stringify([session.chargePoint, session.connector]);
    if (!known.has(name)) known.set(name, known.size);
    const lifeMs = Math.min(LIFE_MS_MAX, session.endMs - session.startMs);
    return {
      index,
      station,
      connector: known.get(name)!,
      energyWh: session.energyWh,
      startMs: scale(session.startMs - firstMs),
      lifeMs,
      durationMs: scale(lifeMs),
    };
  });
  return {
    sessions: planned,
    stations: connectors.map((known, station) => ({
      chargePoints: chargePoints.filter((chargePoint) => stationOf.get(chargePoint) === station),
      connectors: known.size,
    })),
    cars: options.cars,
    keepsConnectors: options.speed !== 'max',
  };
}

/** A session that may begin, the car that drives to it, and where it stands. Both are from 0. */
export interface Departure {
  readonly session: PlannedSession;
  readonly car: number;
  /** Of the session's station. */
  readonly connector: number;
}

/** The plan being carried out; time comes in as a number, so that a test can pass it. */
export interface Schedule {
  /** Sessions that begin now. Each comes once; car and connector are taken until `ended` is told. */
  due(nowMs: number): readonly Departure[];
  /** The session ended, well or not: its car and its connector are free again. */
  ended(departure: Departure): void;
  /** When to ask again though nothing ends: the next start after `nowMs` whose time has not come. */
  nextStartMs(nowMs: number): number | undefined;
  readonly waiting: number;
  readonly running: number;
}

/** Sessions that wait for one connector, or for any of a few, in their order. */
interface Line {
  readonly sessions: PlannedSession[];
  /** Position of the first one that has not begun. */
  head: number;
  /** The least number first. */
  readonly free: number[];
}

export function createSchedule(plan: ReplayPlan): Schedule {
  const lines = formLines(plan);
  const all = [...lines.values()];
  // Longest free first, so that every car gets its share of the sessions.
  const freeCars = Array.from({ length: plan.cars }, (_, car) => car);
  let waiting = plan.sessions.length;
  let running = 0;
  const headOf = (line: Line): PlannedSession | undefined => line.sessions[line.head];
  /** The line whose first session comes first in the plan, of those that have a free connector and are due. */
  const nextLine = (nowMs: number): Line | undefined => {
    let first: Line | undefined;
    for (const line of all) {
      const session = headOf(line);
      if (session === undefined || session.startMs > nowMs || line.free.length === 0) continue;
      if (first === undefined || session.index < headOf(first)!.index) first = line;
    }
    return first;
  };

  return {
    due(nowMs) {
      const departures: Departure[] = [];
      while (freeCars.length > 0) {
        const line = nextLine(nowMs);
        if (line === undefined) break;
        departures.push({ session: headOf(line)!, car: freeCars.shift()!, connector: line.free.shift()! });
        line.head++;
        waiting--;
        running++;
      }
      return departures;
    },
    ended({ session, car, connector }) {
      const { free } = lines.get(lineName(plan, session))!;
      free.push(connector);
      free.sort((a, b) => a - b);
      freeCars.push(car);
      running--;
    },
    nextStartMs(nowMs) {
      const later = all.map((line) => headOf(line)?.startMs ?? Infinity).filter((ms) => ms > nowMs);
      const next = Math.min(...later);
      return next === Infinity ? undefined : next;
    },
    get waiting() {
      return waiting;
    },
    get running() {
      return running;
    },
  };
}

function lineName(plan: ReplayPlan, { station, connector }: PlannedSession): string {
  return plan.keepsConnectors ? `${station}/${connector}` : `${station}`;
}

function formLines(plan: ReplayPlan): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const session of plan.sessions) {
    const name = lineName(plan, session);
    const known = lines.get(name);
    if (known !== undefined) {
      known.sessions.push(session);
      continue;
    }
    const { connectors } = plan.stations[session.station]!;
    const free = plan.keepsConnectors
      ? [session.connector]
      : Array.from({ length: connectors }, (_, index) => index);
    lines.set(name, { sessions: [session], head: 0, free });
  }
  return lines;
}
