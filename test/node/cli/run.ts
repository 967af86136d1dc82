/** Runs a command line in this process, with streams that remember. */
import type { ReadStream, WriteStream } from 'node:tty';
import { runRavel } from '../../../node/cli/program.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written): WriteStream =>
    ({
      isTTY: false,
      write(text: string) {
        written[name] += text;
        return true;
      },
    }) as unknown as WriteStream;
  const stdin = { isTTY: false } as unknown as ReadStream;
  const code = await runRavel(args, {
    stdin,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment,
  });
  return { code, ...written };
}
