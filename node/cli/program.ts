/**
 * The `ravel` command line: which commands there are, and how any of them fails.
 *
 * A command's file reads its flags and calls the rooms. Only the file of the command that was asked for is loaded, and it
 * loads the rooms when it runs, so that help answers at once.
 */
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { CommandHost, CommandIo } from './command-io.ts';
import { describeExitCodes, EXIT, type ExitCode } from './exit-codes.ts';
import { judge } from './failure.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<(command: Command, host: CommandHost) => void>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'run a network with charging cars on this machine',
    load: async () => (await import('./up.ts')).defineUp,
  },
  {
    name: 'init',
    summary: 'make a new network: genesis, settings and keys',
    load: async () => (await import('./init.ts')).defineInit,
  },
  {
    name: 'node',
    summary: 'run a validator or a full node',
    load: async () => (await import('./node.ts')).defineNode,
  },
  {
    name: 'wallet',
    summary: 'keys, payments and receipts',
    load: async () => (await import('./wallet.ts')).defineWallet,
  },
  {
    name: 'charger',
    summary: 'run a charging station that cars pay',
    load: async () => (await import('./charger.ts')).defineCharger,
  },
  {
    name: 'car',
    summary: 'drive to a charging station, charge and pay',
    load: async () => (await import('./car.ts')).defineCar,
  },
  {
    name: 'spam',
    summary: 'make many payments, and see how long each takes',
    load: async () => (await import('./spam.ts')).defineSpam,
  },
  {
    name: 'doublespend',
    summary: 'spend the same money several times, and see who wins',
    load: async () => (await import('./doublespend.ts')).defineDoubleSpend,
  },
];

const EXAMPLES = `
Examples:
  $ ravel up                                   a whole network on this machine
  $ ravel init --dir net --validators 4        a new network in folder net
  $ ravel node --dir net/validators/0          one of its validators
  $ ravel wallet new --wallet car.json         a new wallet
  $ ravel wallet pay --dir net ravel1... 500   pay, and wait until it is final
  $ ravel wallet pay --help                    how a command is used

Results go to standard output, everything else to standard error. Flags with a
name like RAVEL_DIR beside them may also be set in the environment.

${describeExitCodes()}`;

/** Runs one command line, without the name of the program. Resolves with the exit code and never rejects. */
export async function runRavel(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const host: CommandHost = { ...io, exit: EXIT.done };
  try {
    const program = await createProgram(host, args);
    await program.parseAsync([...args], { from: 'user' });
    return host.exit;
  } catch (error) {
    if (error instanceof CommanderError) return commanderExit(error);
    const verdict = judge(error);
    io.stderr.write(`ravel: ${verdict.message}\n`);
    if (verdict.bug || args.includes('--verbose')) io.stderr.write(`${stackOf(error)}\n`);
    return verdict.exit;
  }
}

async function createProgram(host: CommandHost, args: readonly string[]): Promise<Command> {
  const program = new Command('ravel')
    .description('A feeless, self-hosted DAG ledger for payments between machines.')
    .version(packageJson.version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      // "error: option '--cars <n>' ..." becomes "ravel: option '--cars <n>' ...", as all errors here begin.
      outputError: (text, write) => write(`ravel: ${text.replace(/^error: /, '')}`),
    })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('Add --help to see how it is used.')
    .addHelpText('after', EXAMPLES);
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const wanted = first === 'help' ? second : first;
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary);
    if (name === wanted) (await load())(command, host);
  }
  return program;
}

/** Help and version are wanted; everything else that Commander throws is a wrong command line. */
function commanderExit(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
