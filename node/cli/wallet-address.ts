/** `ravel wallet address`. */
import type { Command } from 'commander';
import { formatAddress } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { createOutput } from './output.ts';
import { addPrefixOption, type PrefixFlags, prefixOf } from './prefix.ts';
import { addPasswordOption, addWalletOptions, lookOnly, type WalletFlags } from './wallet-options.ts';

const EXAMPLES = [
  'ravel wallet address --wallet car.json',
  'ravel wallet address --wallet fleet.json --account 7',
];

const NOTES = ['The password is only asked for with an account other than 0.'];

export function defineWalletAddress(command: Command, host: CommandHost): void {
  command.description('Shows the address of a wallet: where to pay to.');
  addPrefixOption(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: WalletFlags & PrefixFlags & { readonly json?: true }) => {
    const output = createOutput(host, flags.json === true);
    const { address } = await lookOnly(flags, host);
    const text = formatAddress(await prefixOf(flags), address);
    output.line(text);
    output.json({ address: text, hex: address });
  });
}
