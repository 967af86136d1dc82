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

/** Text after a command's help: lines that can be copied. */
export function addExamples(
  command: Command,
  lines: readonly string[],
  notes: readonly string[] = [],
): Command {
  const text = [
    '',
    'Examples:',
    ...lines.map((line) => `  $ ${line}`),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ];
  return command.addHelpText('after', text.join('\n'));
}

/** The two flags that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON on standard output; everything else goes to standard error')
    .option('--verbose', 'show where an error came from');
}
