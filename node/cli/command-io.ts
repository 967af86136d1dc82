/** What a command has of the world: streams and environment, and a way to say how it ended. */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';

export interface CommandIo {
  /** A ReadStream in a terminal; without `isTTY` otherwise. */
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the parts of the command line share while one command runs. */
export interface CommandHost extends CommandIo {
  /** The exit code of the command that ran; `done` until said otherwise. */
  exit: ExitCode;
}

/** Terminals have at least so many columns, and Commander breaks its part of the help there. */
const COLUMNS = 80;

/** Text after a command's help: lines that can be copied, and paragraphs. An empty note is an empty line. */
export function addExamples(
  command: Command,
  lines: readonly string[],
  notes: readonly string[] = [],
): Command {
  const text = ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)];
  if (notes.length > 0) text.push('', ...paragraphs(notes));
  return command.addHelpText('after', text.join('\n'));
}

/** Joins lines to paragraphs and breaks these again; an empty or indented line stays as it is. */
function paragraphs(notes: readonly string[]): string[] {
  const broken: string[] = [];
  let open = false;
  for (const note of notes) {
    const fixed = note === '' || note.startsWith(' ');
    if (fixed) broken.push(note);
    for (const word of fixed ? [] : note.split(' ')) {
      const last = broken.at(-1);
      if (open && last !== undefined && last.length + 1 + word.length <= COLUMNS)
        broken[broken.length - 1] = `${last} ${word}`;
      else broken.push(word);
      open = true;
    }
    open = !fixed;
  }
  return broken;
}

/** The two flags that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON on standard output; everything else goes to standard error')
    .option('--verbose', 'show where an error came from');
}
