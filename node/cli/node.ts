/** `ravel node`: one validator or full node. Its flags are the settings of node/config.ts. */
import path from 'node:path';
import { type Command, Option } from 'commander';
import { type ConfigKey, configKeys, loadConfig } from '../config.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { badInput, Failure } from './failure.ts';
import { withInterruption } from './interruption.ts';
import { createOutput } from './output.ts';

/** Of the command itself; everything else in the flags is a setting. */
interface NodeFlags {
  readonly dir?: string;
  readonly config?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** Variables of this command line that are no settings of a node. */
const FOREIGN_VARIABLES = ['RAVEL_DIR', 'RAVEL_WALLET', 'RAVEL_NODES', 'RAVEL_PASSWORD_FILE', 'RAVEL_CONFIG'];

/** To a parent process that started this one with a channel (`ravel up` does). */
export interface NodeReady {
  readonly type: 'ready';
  /** With /p2p/. */
  readonly addresses: readonly string[];
}

const EXAMPLES = [
  'ravel node --dir net/validators/0',
  'ravel node --dir net/validators/0 --listen /ip4/0.0.0.0/tcp/7300 --log-format json',
  'RAVEL_LOG_LEVEL=warn ravel node --config /etc/ravel/node.json',
  'ravel node --genesis genesis.json --data-dir node --peers /ip4/192.0.2.1/tcp/7300/p2p/12D3Koo...',
];

const NOTES = [
  'A setting is taken from its flag, else from its environment variable, else from',
  'the file, else it has its default. It runs until Ctrl+C or SIGTERM, and may be',
  'killed at any moment: what it has called final it still knows when it starts',
  'again. With --json it prints {"event":"ready","addresses":[...]} when it is reachable.',
];

/** Short, so that the help keeps its second column. */
const PLACEHOLDER: Readonly<Record<ConfigKey['kind'], string>> = {
  text: 'text',
  path: 'path',
  list: 'list',
  integer: 'n',
  number: 'n',
  boolean: 'bool',
  choice: 'word',
};

export function defineNode(command: Command, host: CommandHost): void {
  command
    .description(
      'Runs a node: a validator when it has a key of the committee, else a full node that checks everything.',
    )
    .addOption(
      new Option('--dir <folder>', 'folder of a validator made by `ravel init`: takes node.json in it'),
    )
    .addOption(new Option('--config <file>', 'file with settings, JSON').env('RAVEL_CONFIG').conflicts('dir'))
    .optionsGroup('Settings:');
  for (const { flag, kind, default: value, allowed, doc } of configKeys()) {
    const known = value === 'none' || value === 'required' ? value : `default: ${value}`;
    const option = new Option(`${flag} <${PLACEHOLDER[kind]}>`, `${doc} (${known}; ${allowed})`);
    command.addOption(option);
  }
  addExamples(addCommonOptions(command.optionsGroup('Other options:')), EXAMPLES, NOTES);
  command.action(async (flags: NodeFlags) => {
    const output = createOutput(host, flags.json === true);
    const config = await readSettings(flags, host.environment);
    const [{ createLog }, { runNode }] = await Promise.all([import('../log.ts'), import('../run-node.ts')]);
    const log = createLog(
      { level: config.logLevel, format: config.logFormat },
      { isTerminal: host.stderr.isTTY },
    );
    await withInterruption(output.note, async (signal) => {
      await using node = await runNode(config, log);
      const ready: NodeReady = { type: 'ready', addresses: node.addresses };
      process.send?.(ready);
      output.json({ event: 'ready', addresses: node.addresses, validator: node.validator ?? null });
      const reason = await Promise.race([node.failed, aborted(signal)]);
      if (reason !== undefined) throw new Failure(EXIT.failed, `The node had to stop: ${reason}`);
    });
  });
}

async function readSettings(flags: NodeFlags, environment: CommandHost['environment']) {
  const { dir, config: file, json: _, verbose: __, ...settings } = flags;
  const filePath = dir === undefined ? file : path.join(dir, 'node.json');
  try {
    return await loadConfig({ flags: settings, environment, filePath, foreignNames: FOREIGN_VARIABLES });
  } catch (error) {
    // Every setting may be missing then: the reason is that nothing was said, not each of them.
    if (filePath === undefined && Object.keys(settings).length === 0) {
      throw badInput(
        'There are no settings. Name a folder made by `ravel init` with --dir, or a file with --config.',
        error,
      );
    }
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined));
  });
}
