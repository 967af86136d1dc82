/** Which network a wallet, a car or a station belongs to, and through which nodes it reaches it. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import type { Genesis } from '../../ledger/index.ts';
import { loadGenesis } from '../network-files.ts';
import { badInput } from './failure.ts';
import { list } from './values.ts';

export interface NetworkFlags {
  readonly dir?: string;
  readonly genesis?: string;
  readonly node?: readonly string[];
}

export function addGenesisOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--dir <folder>', 'folder of a network on this machine (init, up)').env('RAVEL_DIR'),
    )
    .addOption(new Option('--genesis <file>', 'genesis.json of the network').env('RAVEL_GENESIS'));
}

/** Everything that is needed to talk to the network. */
export function addNetworkOptions(command: Command): Command {
  return addGenesisOptions(command).addOption(
    new Option('--node <address>', 'multiaddr of a node; several times, or with commas')
      .argParser(list)
      .env('RAVEL_NODES'),
  );
}

/** The genesis that the flags name; undefined when they name none. */
export async function findGenesis(flags: NetworkFlags): Promise<Genesis | undefined> {
  const file = flags.genesis ?? (flags.dir === undefined ? undefined : path.join(flags.dir, 'genesis.json'));
  return file === undefined ? undefined : loadGenesis(file);
}

export async function needGenesis(flags: NetworkFlags): Promise<Genesis> {
  const genesis = await findGenesis(flags);
  if (genesis !== undefined) return genesis;
  throw badInput(
    'It is not said which network this is about. Name its genesis with --genesis FILE, or its folder with --dir.',
  );
}

/** Addresses of nodes: those given, else those of the validators in the network's folder. */
export async function needNodes(flags: NetworkFlags): Promise<readonly string[]> {
  if (flags.node !== undefined && flags.node.length > 0) return flags.node;
  const found = flags.dir === undefined ? [] : await nodesOf(flags.dir);
  if (found.length > 0) return found;
  throw badInput(
    'No node is known. Give the address that `ravel node` prints when it starts with --node, better those of several nodes.',
  );
}

async function nodesOf(dir: string): Promise<string[]> {
  const names = await readdir(path.join(dir, 'validators')).catch(() => []);
  const addresses: string[] = [];
  for (const name of names.sort((a, b) => Number(a) - Number(b))) {
    const file = path.join(dir, 'validators', name, 'node.json');
    try {
      const settings: unknown = JSON.parse(await readFile(file, 'utf8'));
      addresses.push(...listenOf(settings));
    } catch (error) {
      throw badInput(
        `${file} cannot be read (${(error as Error).message}). Give addresses with --node.`,
        error,
      );
    }
  }
  return addresses;
}

/** Where a node of this machine listens, as far as a wallet of this machine can dial it. */
function listenOf(settings: unknown): string[] {
  const listen =
    typeof settings === 'object' && settings !== null && 'listen' in settings ? settings.listen : [];
  if (!Array.isArray(listen)) return [];
  return listen
    .filter((address) => typeof address === 'string')
    .map((address) => address.replace('/ip4/0.0.0.0/', '/ip4/127.0.0.1/'));
}
