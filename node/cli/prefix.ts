/** What addresses begin with, where no genesis is needed otherwise. */
import type { Command } from 'commander';
import { addGenesisOptions, findGenesis, type NetworkFlags } from './network-options.ts';

/** As `ravel init` and `ravel up` have it when nothing else is said. */
const PREFIX_DEFAULT = 'ravel';

export type PrefixFlags = Pick<NetworkFlags, 'dir' | 'genesis'> & { readonly prefix?: string };

export function addPrefixOption(command: Command): Command {
  return addGenesisOptions(command).option(
    '--prefix <letters>',
    'what addresses begin with (default: as the genesis says, or ravel)',
  );
}

export async function prefixOf(flags: PrefixFlags): Promise<string> {
  return flags.prefix ?? (await findGenesis(flags))?.prefix ?? PREFIX_DEFAULT;
}
