/**
 * One process under `ravel up`: a validator, the cars, or the stations.
 *
 * It is a process group of its own, so that Ctrl+C in the terminal reaches `ravel up` alone, which ends its children in
 * order. Should `ravel up` itself be killed, the channel between them closes, and the child ends by itself.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { env } from 'node:process';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../limits.ts';

/** A child that has not ended this long after SIGTERM is killed: longer than a node needs to write its last batch. */
const END_GRACE_MS_DEFAULT = 10_000;

/** Of the end of a log: enough for a message and its stack. */
const LOG_TAIL_CHARACTERS = 4_000;

export interface ChildOptions {
  /** For people, such as `validator 2`. */
  readonly name: string;
  /** A file that Node runs. */
  readonly module: string;
  readonly args: readonly string[];
  /** Gets standard output and standard error, after what it holds already. */
  readonly logFile: string;
  /** How long it may take to end after SIGTERM. */
  readonly endGraceMs?: number;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `end` had been called. */
  readonly expected: boolean;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves once it is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Structured clone; nothing happens when it is gone. */
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
  /** SIGTERM, and SIGKILL when that does not help. Resolves when it is gone. */
  end(): Promise<void>;
}

/** Starts it. Rejects when the system cannot start a process. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = openSync(options.logFile, 'a', 0o600);
  let process: ChildProcess;
  try {
    process = fork(options.module, [...options.args], {
      execArgv: [...NODE_FLAGS],
      env: { ...env, ...NODE_ENVIRONMENT },
      serialization: 'advanced',
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
  let ending = false;
  const exited = new Promise<ChildExit>((resolve) => {
    process.once('exit', (code, signal) => resolve({ code, signal, expected: ending }));
  });
  await new Promise<void>((resolve, reject) => {
    process.once('spawn', resolve);
    process.once('error', reject);
  });
  // From here on an error can only be a message to a child that is gone, which `exited` tells.
  process.on('error', () => {});
  return {
    name: options.name,
    pid: process.pid!,
    logFile: options.logFile,
    exited,
    send(message) {
      if (process.connected) process.send(message);
    },
    onMessage(listener) {
      process.on('message', listener);
    },
    async end() {
      ending = true;
      process.kill('SIGTERM');
      const timer = setTimeout(() => process.kill('SIGKILL'), options.endGraceMs ?? END_GRACE_MS_DEFAULT);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Why a child ended, as far as it said so: the last line of its log that begins with `ravel:`, else the last line. */
export function lastWords(child: Child): string {
  const text = readFileSync(child.logFile, 'utf8').slice(-LOG_TAIL_CHARACTERS);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('ravel: ')) ?? lines.at(-1) ?? 'it said nothing').slice(
    0,
    500,
  );
}

/** How it ended, for people. */
export function describeExit(exit: ChildExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}
