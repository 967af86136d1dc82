/**
 * How a command fails: with a code that says what kind of trouble it is, and a message that says cause and cure.
 *
 * Errors of the rooms carry such codes already; trouble-codes.ts says what they mean for the exit code. An error without
 * one is a bug of this program, and is reported as one.
 */
import { EXIT, type ExitCode } from './exit-codes.ts';
import { EXIT_OF_CODE } from './trouble-codes.ts';

/** Trouble that a command found by itself. The message is a sentence with cause and cure, and a full stop. */
export class Failure extends Error {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.exit = exit;
  }
}

/** Bad input: a flag, a file, a setting. */
export function badInput(message: string, cause?: unknown): Failure {
  return new Failure(EXIT.usage, message, cause);
}

/** What an error means to the caller of the command. */
export interface Verdict {
  readonly exit: ExitCode;
  readonly message: string;
  /** Nobody expected it: the stack is worth showing. */
  readonly bug: boolean;
}

/** What the operating system says, in words that help. `path` and `port` are filled in where the error has them. */
const SYSTEM: Readonly<Record<string, readonly [exit: ExitCode, cause: string, cure: string]>> = {
  ENOENT: [EXIT.usage, 'there is no file or folder {path}', 'Check the path'],
  EACCES: [EXIT.usage, 'access to {path} is denied', 'Check who owns it and its mode'],
  EPERM: [EXIT.usage, 'the system does not permit it for {path}', 'Check who owns it and its mode'],
  EISDIR: [EXIT.usage, '{path} is a folder', 'Name a file'],
  ENOTDIR: [EXIT.usage, 'a part of {path} is a file', 'Name a folder'],
  EEXIST: [EXIT.usage, '{path} exists already', 'Choose another name, or remove it'],
  EADDRINUSE: [
    EXIT.taken,
    'the address {address}:{port} is in use',
    'Choose another port, or end what listens there',
  ],
  EADDRNOTAVAIL: [
    EXIT.usage,
    'this machine has no address {address}',
    'Listen on an address of this machine',
  ],
  ENOSPC: [EXIT.failed, 'the disk is full', 'Make room and start again: nothing that was confirmed is lost'],
  EROFS: [EXIT.usage, '{path} is on a file system that cannot be written', 'Choose another folder'],
};

/** What any thrown value means. */
export function judge(error: unknown): Verdict {
  if (error instanceof Failure) return { exit: error.exit, message: error.message, bug: false };
  if (!(error instanceof Error)) return { exit: EXIT.failed, message: `${String(error)}.`, bug: true };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const system = code === undefined ? undefined : SYSTEM[code];
  if (system !== undefined) {
    const [exit, cause, cure] = system;
    return { exit, message: `${fillIn(cause, error)}. ${cure}.`, bug: false };
  }
  // Node's own codes (ERR_...) and errors without a code are nothing that a user can cause.
  if (code === undefined || !/^[a-z]/.test(code)) {
    return { exit: EXIT.failed, message: `${error.message} (this is a bug in ravel)`, bug: true };
  }
  return (
    listenTrouble(error.message) ?? {
      exit: EXIT_OF_CODE[code] ?? EXIT.failed,
      message: error.message,
      bug: false,
    }
  );
}

/** Why an address could not be listened on, after the address itself. */
const LISTEN: Readonly<Record<string, readonly [exit: ExitCode, trouble: string]>> = {
  EADDRINUSE: [
    EXIT.taken,
    'is in use by another program. Listen on another port, or end what listens there.',
  ],
  EADDRNOTAVAIL: [EXIT.usage, 'is not an address of this machine. Listen on one that is.'],
  EACCES: [EXIT.usage, 'is not for this user to listen on. Choose a port from 1024 up.'],
};

/** libp2p reports an address that it cannot listen on with a stack and advice about its own settings. */
function listenTrouble(message: string): Verdict | undefined {
  const [, address, code = ''] = /(\/[a-z]\S*): Error: listen (E[A-Z]+)/.exec(message) ?? [];
  const trouble = LISTEN[code];
  if (address === undefined || trouble === undefined) return undefined;
  return { exit: trouble[0], message: `${address} ${trouble[1]}`, bug: false };
}

function fillIn(text: string, error: object): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    return name in error ? String(error[name as keyof typeof error]) : `(no ${name})`;
  });
}
