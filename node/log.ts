/** The node's log: one JSON object a line on standard error, or a coloured line for a person at a terminal. Owner of pino. */
import { type DestinationStream, destination, type LevelWithSilent, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Log } from '../p2p/index.ts';

export interface LogOptions {
  readonly level: LevelWithSilent;
  /** 'pretty' is for terminals: where standard error is none, lines are JSON all the same. */
  readonly format: 'json' | 'pretty';
}

export interface LogDeps {
  /** Where standard error goes; process.stderr. */
  readonly isTerminal: boolean;
  /** Takes each line instead of standard error: for tests. */
  readonly lines?: DestinationStream;
}

/** A log whose children name the part that writes. */
export interface NodeLog extends Log {
  /** @param part One word, e.g. 'peers'; `data` goes into every line. */
  child(part: string, data?: object): NodeLog;
}

/** Keys whose values never reach a log, at the top of a line's data or one level down. */
const SECRETS = ['seed', 'secret', 'phrase', 'password', 'passphrase', 'privateKey', 'identitySeed'];

function wrap(logger: Logger): NodeLog {
  return {
    debug: (data, message) => logger.debug(data, message),
    info: (data, message) => logger.info(data, message),
    warn: (data, message) => logger.warn(data, message),
    error: (data, message) => logger.error(data, message),
    child: (part, data) => wrap(logger.child({ part, ...data })),
  };
}

const STDERR = 2;

function forPeople(lines: DestinationStream): DestinationStream {
  const render = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => lines.write(render(line)) };
}

/** Lines are written before the call returns, so that the last ones before a crash are there. */
export function createLog(options: LogOptions, deps: LogDeps): NodeLog {
  const lines = deps.lines ?? destination({ dest: STDERR, sync: true });
  const logger = pino(
    {
      level: options.level,
      redact: SECRETS.flatMap((key) => [key, `*.${key}`]),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === 'pretty' && deps.isTerminal ? forPeople(lines) : lines,
  );
  return wrap(logger);
}
