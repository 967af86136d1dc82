/**
 * Charging sessions from a CSV file with the columns cp_id, connector, start, end and kwh, in any order; other columns
 * are ignored. Nothing is guessed and no row is skipped: what cannot be read is refused with line, column and cure.
 */
import { CsvError, parse } from 'csv-parse/sync';
import { byStart, type RecordedSession } from './recorded-session.ts';

const COLUMNS = ['cp_id', 'connector', 'start', 'end', 'kwh'] as const;
type Column = (typeof COLUMNS)[number];

/** The most that a charging session of the protocol may have; a larger number is most likely in another unit. */
const KWH_MAX = 5_000;

/** What is wrong with a file of sessions, and what to do about it. */
export interface SessionFileProblem {
  readonly problem: string;
  readonly cure: string;
  /** From 1, the header included; absent when the whole file is meant. */
  readonly line?: number;
  readonly column?: string;
}

/** True when parsing gave a problem instead of sessions. */
export function isProblem(
  result: readonly RecordedSession[] | SessionFileProblem,
): result is SessionFileProblem {
  return 'problem' in result;
}

/** One line of text for people: `FILE:LINE: column kwh: cause. cure.` */
export function describeProblem(file: string, problem: SessionFileProblem): string {
  const where = problem.line === undefined ? file : `${file}:${problem.line}`;
  const column = problem.column === undefined ? '' : `column ${problem.column}: `;
  return `${where}: ${column}${problem.problem}. ${problem.cure}.`;
}

interface Row {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads the text of a CSV file. Returns the sessions ordered by their start, the first `limit` of them when a limit is
 * given; or the first problem from the top of the file.
 */
export function parseSessions(
  text: string,
  options: { readonly limit?: number } = {},
): readonly RecordedSession[] | SessionFileProblem {
  const rows = readRows(text);
  if ('problem' in rows) return rows;
  const [header, ...body] = rows;
  if (header === undefined) {
    return {
      problem: 'the file is empty',
      cure: `Its first line has to name the columns ${COLUMNS.join(', ')}`,
    };
  }
  const at = findColumns(header.record);
  if ('problem' in at) return at;
  const sessions: RecordedSession[] = [];
  for (const row of body) {
    const session = readSession(row, at);
    if ('problem' in session) return session;
    sessions.push(session);
  }
  if (sessions.length === 0) {
    return {
      problem: 'the file names its columns and has no session',
      cure: 'Give a file with at least one row',
    };
  }
  return byStart(sessions).slice(0, options.limit);
}

function readRows(text: string): readonly Row[] | SessionFileProblem {
  try {
    const rows: unknown = parse(text, { bom: true, info: true, trim: true, skip_empty_lines: true });
    return rows as readonly Row[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? { line: error.lines } : {};
    if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
      return {
        problem: 'this row has another number of columns than the header',
        cure: 'Put a text that contains commas into double quotes, and leave no column out',
        ...line,
      };
    }
    return {
      problem: `this is not CSV (${error.message})`,
      cure: 'Put a text that contains commas or quotes into double quotes',
      ...line,
    };
  }
}

function findColumns(header: readonly string[]): Record<Column, number> | SessionFileProblem {
  const names = header.map((name) => name.toLowerCase());
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const has = header
      .map((name) => `"${name}"`)
      .join(', ')
      .slice(0, 200);
    return {
      line: 1,
      problem: `the header has no ${missing.map((name) => `"${name}"`).join(', ')}; it has ${has}`,
      cure: `Name the columns ${COLUMNS.join(', ')} (others are ignored), separated by commas`,
    };
  }
  const twice = COLUMNS.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice !== undefined) {
    return {
      line: 1,
      column: twice,
      problem: 'the header names it twice',
      cure: 'Rename or remove one of them',
    };
  }
  return Object.fromEntries(COLUMNS.map((column) => [column, names.indexOf(column)])) as Record<
    Column,
    number
  >;
}

function readSession(row: Row, at: Record<Column, number>): RecordedSession | SessionFileProblem {
  const value = (column: Column): string => row.record[at[column]] ?? '';
  const trouble = (column: Column, problem: string, cure: string): SessionFileProblem => ({
    line: row.info.lines,
    column,
    problem,
    cure,
  });
  for (const column of ['cp_id', 'connector'] as const) {
    if (value(column) === '')
      return trouble(column, 'it is empty', 'Give the identity that stands on the station');
  }
  const times: number[] = [];
  for (const column of ['start', 'end'] as const) {
    const time = parseTime(value(column));
    if (time === undefined) {
      return trouble(column, `"${value(column)}" is not a time`, 'Write it like 2018-06-05T10:55:00');
    }
    times.push(time);
  }
  const [startMs = 0, endMs = 0] = times;
  if (endMs <= startMs) {
    const cure =
      endMs === startMs ? 'Give the time at which the car left' : 'Swap the two, or correct the date';
    return trouble('end', `${value('end')} is not after the start, ${value('start')}`, cure);
  }
  const kwh = value('kwh');
  if (!/^-?(\d+\.?\d*|\.\d+)$/.test(kwh)) {
    return trouble(
      'kwh',
      `"${kwh}" is not a number`,
      'Write kilowatt hours with a decimal point, like 7.562',
    );
  }
  const energyWh = Math.round(Number(kwh) * 1000);
  if (energyWh < 0) {
    return trouble('kwh', `${kwh} is negative`, 'Give the energy that the car took, or remove the row');
  }
  if (energyWh === 0) {
    return trouble(
      'kwh',
      `${kwh} is less than one watt hour, so that there is nothing to pay`,
      'Remove the row',
    );
  }
  if (energyWh > KWH_MAX * 1000) {
    return trouble('kwh', `${kwh} is more than ${KWH_MAX} kWh`, 'Give kilowatt hours, not watt hours');
  }
  return { chargePoint: value('cp_id'), connector: value('connector'), startMs, endMs, energyWh };
}

const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?$/;

/**
 * ISO 8601 date and time. One without a zone is read as if it were UTC: only differences count in a replay, and so the
 * result does not depend on the machine's zone.
 */
function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', zone = 'Z'] = match;
  const ms = Date.parse(`${date}T${time}${zone}`);
  // Date.parse takes the 31st of June for the 1st of July.
  const day = Date.parse(`${date}T00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(day) || !new Date(day).toISOString().startsWith(date))
    return undefined;
  return ms;
}
