/** What `ravel up` knows about a running replay, and the picture of it. */
import type { Departure, ReplayPlan, Speed } from './replay-plan.ts';
import type { SessionOutcome } from './replay-run.ts';
import type { SessionTotals } from './report.ts';
import { createStatistics, type Statistics } from './statistics.ts';
import type { WatchedNode } from './status-watch.ts';
import type { Phase, ReplayView, SessionView, ValidatorView } from './view.ts';

/** Notes that are kept; the picture shows the last ones. */
const NOTES_MAX = 50;

interface Running {
  readonly departure: Departure;
  energyWh: number;
  unitsPaid: number;
}

export interface Board {
  readonly statistics: Statistics;
  started(departure: Departure): void;
  progress(session: number, energyWh: number, unitsPaid: number): void;
  ended(departure: Departure, outcome: SessionOutcome): void;
  /** Something that people should see. */
  note(text: string): void;
  readonly totals: SessionTotals;
  view(): ReplayView;
}

export interface BoardOptions {
  readonly plan: ReplayPlan;
  readonly mode: 'stream' | 'settle';
  readonly speed: Speed;
}

export interface BoardDeps {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** In the order of the committee. */
  validators(): readonly (WatchedNode & { readonly ended: boolean })[];
  /** Hears every note. */
  onNote(text: string): void;
}

export function createBoard({ plan, mode, speed }: BoardOptions, deps: BoardDeps): Board {
  const statistics = createStatistics();
  const running = new Map<number, Running>();
  const notes: string[] = [];
  const beginMs = deps.nowMs();
  let settled = 0;
  let failed = 0;
  let energyWh = 0;

  const note = (text: string): void => {
    notes.push(text);
    if (notes.length > NOTES_MAX) notes.shift();
    deps.onNote(text);
  };
  return {
    statistics,
    note,
    started(departure) {
      running.set(departure.session.index, { departure, energyWh: 0, unitsPaid: 0 });
    },
    progress(session, deliveredWh, unitsPaid) {
      const known = running.get(session);
      if (known !== undefined) Object.assign(known, { energyWh: deliveredWh, unitsPaid });
    },
    ended(departure, outcome) {
      const { session, car } = departure;
      running.delete(session.index);
      energyWh += outcome.energyWh;
      if (outcome.settled) settled++;
      else failed++;
      if (!outcome.settled) {
        note(
          `Session ${session.index + 1} (car ${car + 1} at ${placeOf(departure)}): ${outcome.problem ?? 'not settled'}.`,
        );
      }
    },
    get totals() {
      return { sessions: plan.sessions.length, settled, energyWh };
    },
    view() {
      const nowMs = deps.nowMs();
      const deliveredNow = [...running.values()].reduce((sum, session) => sum + session.energyWh, 0);
      return {
        elapsedMs: nowMs - beginMs,
        cars: plan.cars,
        stations: plan.stations.length,
        mode,
        speed,
        sessions: {
          total: plan.sessions.length,
          settled,
          failed,
          running: [...running.values()].map(viewSession),
        },
        payments: statistics.payments,
        paymentsPerSecond: statistics.rate(nowMs),
        finality: statistics.finality,
        energyWh: energyWh + deliveredNow,
        unitsPaid: statistics.unitsPaid,
        validators: deps.validators().map(viewValidator),
        notes,
      };
    },
  };
}

function placeOf({ session, connector }: Departure): string {
  return `${session.station + 1}/${connector + 1}`;
}

function viewSession({ departure, energyWh, unitsPaid }: Running): SessionView {
  const { session, car } = departure;
  const phase: Phase = energyWh >= session.energyWh ? 'paying' : energyWh > 0 ? 'charging' : 'driving';
  return {
    car: car + 1,
    place: placeOf(departure),
    phase,
    energyWh: session.energyWh,
    deliveredWh: energyWh,
    unitsPaid,
  };
}

function viewValidator(node: WatchedNode & { readonly ended: boolean }, index: number): ValidatorView {
  const { view } = node;
  const state = node.ended ? 'ended' : view === undefined ? 'starting' : node.silent ? 'silent' : 'up';
  return {
    index,
    state,
    round: view?.rounds[index] ?? 0,
    finalPayments: view?.finalPayments ?? 0,
    peers: view?.peers ?? 0,
    queue: view?.queue ?? 0,
  };
}
