/**
 * The picture of a running replay, as lines of text: pure, so that a test can look at it in any size of terminal.
 *
 * Rows go first to the three lines of totals, then to validators and sessions; what has no room is counted in words.
 */
import type { TerminalSize } from './live-view.ts';
import type { Speed } from './replay-plan.ts';
import type { Percentiles } from './statistics.ts';
import {
  bar,
  clock,
  counted,
  fitLine,
  grouped,
  kwh,
  type Line,
  type Painter,
  type Style,
  wrapped,
} from './terminal-text.ts';

export type Phase = 'driving' | 'charging' | 'paying';

/** A session that runs now. */
export interface SessionView {
  /** From 1, as people count. */
  readonly car: number;
  /** Station and connector, such as `2/1`. */
  readonly place: string;
  readonly phase: Phase;
  readonly energyWh: number;
  readonly deliveredWh: number;
  readonly unitsPaid: number;
}

export interface ValidatorView {
  readonly index: number;
  readonly state: 'starting' | 'up' | 'silent' | 'ended';
  readonly round: number;
  readonly finalPayments: number;
  readonly peers: number;
  readonly queue: number;
}

/** Everything that the picture shows. */
export interface ReplayView {
  readonly elapsedMs: number;
  readonly cars: number;
  readonly stations: number;
  readonly mode: 'stream' | 'settle';
  readonly speed: Speed;
  readonly sessions: {
    readonly total: number;
    readonly settled: number;
    readonly failed: number;
    readonly running: readonly SessionView[];
  };
  readonly payments: number;
  /** Over the last seconds. */
  readonly paymentsPerSecond: number;
  readonly finality: Percentiles | undefined;
  readonly energyWh: number;
  readonly unitsPaid: number;
  readonly validators: readonly ValidatorView[];
  /** What went wrong or is worth knowing, newest last. */
  readonly notes: readonly string[];
}

/** Fewer rows than this show the totals alone. */
const ROWS_FOR_TABLES = 8;

const NOTES_SHOWN = 2;

/** At most `rows` lines of at most `columns` characters each. */
export function renderView(view: ReplayView, size: TerminalSize, paint: Painter): string[] {
  const lines: Line[] = totals(view, size.columns);
  if (size.rows >= ROWS_FOR_TABLES) {
    const notes = view.notes.slice(-NOTES_SHOWN).map((note): Line => [['bad', note]]);
    const room = size.rows - lines.length - notes.length - 2;
    // Sessions get at least half of what is left: they are what people came to see.
    const validators = listed(
      view.validators.map(validatorLine),
      Math.max(1, Math.floor(room / 2)),
      'validator',
    );
    const sessions = listed(
      view.sessions.running.map((session) => sessionLine(session, size.columns)),
      room - validators.length,
      'charging car',
    );
    if (sessions.length > 0) lines.push([], ...sessions);
    lines.push([], ...validators, ...notes);
  }
  return lines.slice(0, size.rows).map((line) => fitLine(line, size.columns, paint));
}

function totals(view: ReplayView, columns: number): Line[] {
  const { total, settled, failed, running } = view.sessions;
  const speed = view.speed === 'max' ? 'as fast as it goes' : `${grouped(view.speed)} times faster than life`;
  const { p50, p99 } = view.finality ?? { p50: '-', p99: '-' };
  return [
    ...wrapped(
      [
        [['bold', 'ravel'], ` ${clock(view.elapsedMs)}`],
        [['dim', `${counted(view.cars, 'car')}, ${counted(view.stations, 'station')}`]],
        [['dim', view.mode === 'stream' ? 'paid while charging' : 'paid when full']],
        [['dim', speed]],
      ],
      columns,
    ),
    ...wrapped(
      [
        [['good', bar((settled + failed) / total, Math.max(4, Math.floor(columns / 8)))]],
        [`${grouped(settled)} of ${counted(total, 'session')} settled, ${grouped(running.length)} running`],
        ...(failed === 0 ? [] : [[['bad', `${grouped(failed)} failed`]] as Line]),
        [`${kwh(view.energyWh, 1)} kWh, ${grouped(view.unitsPaid)} units`],
      ],
      columns,
    ),
    ...wrapped(
      [
        [`${counted(view.payments, 'payment')}, ${view.paymentsPerSecond.toFixed(1)}/s`],
        [`finality p50 ${p50} ms, p99 ${p99} ms`],
      ],
      columns,
    ),
  ];
}

const PHASE_STYLE: Readonly<Record<Phase, Style>> = { driving: 'dim', charging: 'good', paying: 'busy' };

function sessionLine(session: SessionView, columns: number): Line {
  // Car 9, place 9, phase 9, energy 15 and blanks leave this much for bar and units.
  const barWidth = Math.min(28, columns - 46 - (columns >= 74 ? 15 : 0));
  const energy = `${kwh(session.deliveredWh)}/${kwh(session.energyWh)} kWh`.padStart(17);
  const line: Line = [
    `car ${session.car}`.padEnd(8),
    `at ${session.place}`.padEnd(8),
    [PHASE_STYLE[session.phase], session.phase.padEnd(9)],
    ...(barWidth >= 4 ? [bar(session.deliveredWh / session.energyWh, barWidth)] : []),
    energy,
    ...(columns >= 74 ? [`${grouped(session.unitsPaid)} u`.padStart(13)] : []),
  ];
  return line;
}

const STATE_STYLE: Readonly<Record<ValidatorView['state'], Style>> = {
  starting: 'dim',
  up: 'good',
  silent: 'busy',
  ended: 'bad',
};

function validatorLine(validator: ValidatorView): Line {
  const numbers =
    `round ${grouped(validator.round)}`.padEnd(14) +
    `${grouped(validator.finalPayments)} final`.padEnd(14) +
    counted(validator.peers, 'peer').padEnd(9) +
    (validator.queue === 0 ? '' : `${grouped(validator.queue)} waiting`);
  return [
    `validator ${validator.index}`.padEnd(13),
    [STATE_STYLE[validator.state], validator.state.padEnd(9)],
    validator.state === 'starting' ? '' : numbers,
  ];
}

/** The first lines that fit `room`, the last of them saying how many more there are. */
function listed(lines: readonly Line[], room: number, noun: string): Line[] {
  if (lines.length <= room) return [...lines];
  const shown = lines.slice(0, Math.max(0, room - 1));
  return [...shown, [['dim', `and ${counted(lines.length - shown.length, `more ${noun}`)}`]]];
}

/** The totals in one line. */
export function progressLine(view: ReplayView): string {
  const { total, settled, failed, running } = view.sessions;
  const parts = [
    `${clock(view.elapsedMs)}  ${grouped(settled)} of ${counted(total, 'session')} settled`,
    `${grouped(running.length)} running`,
    ...(failed === 0 ? [] : [`${grouped(failed)} failed`]),
    `${counted(view.payments, 'payment')} at ${view.paymentsPerSecond.toFixed(1)}/s`,
    ...(view.finality === undefined
      ? []
      : [`finality p50 ${view.finality.p50} ms, p99 ${view.finality.p99} ms`]),
  ];
  return parts.join(', ');
}
