/** Where a part writes what an operator may want to read later. A pino logger is one. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

function nothing(): void {}

/** For tests and for callers who do not care. A logger is never optional, so that nobody writes `log?.`. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
