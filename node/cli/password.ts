/**
 * A wallet's password: from a file, or typed in a terminal without being shown. Never from the command line, where
 * every user of the machine could read it.
 */
import { readFile } from 'node:fs/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { EXIT } from './exit-codes.ts';
import { badInput, Failure } from './failure.ts';

/** Enough for any sentence; a longer file is a mistake. */
const PASSWORD_BYTES_MAX = 1024;

/** Guessing a stolen keystore costs about a second a try; eight characters keep that long. */
const PASSWORD_LENGTH_MIN = 8;

export interface PasswordSource {
  /** `--password-file`, or RAVEL_PASSWORD_FILE. */
  readonly file: string | undefined;
  readonly stdin: ReadStream;
  readonly stderr: WriteStream;
}

/** The password of an existing wallet. */
export async function askPassword(source: PasswordSource): Promise<string> {
  if (source.file !== undefined) return fromFile(source.file);
  return prompt(source, 'Password of the wallet: ');
}

/** The password for a new wallet: typed twice, at least eight characters. */
export async function choosePassword(source: PasswordSource): Promise<string> {
  const password =
    source.file === undefined
      ? await prompt(source, 'Choose a password for the wallet: ')
      : await fromFile(source.file);
  if (password.length < PASSWORD_LENGTH_MIN) {
    throw badInput(
      `The password has ${password.length} characters. Choose one with at least ${PASSWORD_LENGTH_MIN}.`,
    );
  }
  if (source.file === undefined && (await prompt(source, 'The same again: ')) !== password) {
    throw badInput('The two passwords differ. Run the command again.');
  }
  return password;
}

async function fromFile(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (Buffer.byteLength(text) > PASSWORD_BYTES_MAX) {
    throw badInput(
      `${file} has more than ${PASSWORD_BYTES_MAX} bytes and is no password. Name the file that holds only the password.`,
    );
  }
  // Editors and echo end a file with a line break, which nobody means to be part of the password.
  return text.replace(/\r?\n$/, '');
}

/** One line typed in a terminal, not shown. */
export async function prompt(source: Omit<PasswordSource, 'file'>, question: string): Promise<string> {
  const { stdin, stderr } = source;
  if (!stdin.isTTY) {
    throw badInput(
      'There is no terminal to ask for the password. Use --password-file FILE or RAVEL_PASSWORD_FILE.',
    );
  }
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  try {
    return await readHiddenLine(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function readHiddenLine(stdin: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const finish = (settle: () => void): void => {
      stdin.off('data', onData);
      settle();
    };
    const onData = (chunk: string | Buffer): void => {
      for (const character of chunk.toString()) {
        if (character === '\r' || character === '\n') {
          finish(() => resolve(line));
          return;
        }
        if (character === '\u0003' || character === '\u0004') {
          finish(() => reject(new Failure(EXIT.interrupted, 'No password was given.')));
          return;
        }
        if (character === '\u007f' || character === '\b') line = line.slice(0, -1);
        else if (line.length < PASSWORD_BYTES_MAX) line += character;
      }
    };
    stdin.on('data', onData);
  });
}
