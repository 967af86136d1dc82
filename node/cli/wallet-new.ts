/** `ravel wallet new`. */
import type { Command } from 'commander';
import { formatAddress, newPhrase, readKeystoreHeader, sealKeystore } from '../../wallet/index.ts';
import { writeKeystore } from '../wallet-files.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { createOutput, type Output } from './output.ts';
import { choosePassword } from './password.ts';
import { addPrefixOption, type PrefixFlags, prefixOf } from './prefix.ts';
import { addPasswordOption, addWalletFile, passwordSource } from './wallet-options.ts';

export interface MakeWalletFlags extends PrefixFlags {
  readonly wallet: string;
  readonly passwordFile?: string;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet new --wallet car.json',
  'RAVEL_PASSWORD_FILE=secret.txt ravel wallet new --wallet station.json --json',
];

const NOTES = [
  'The 24 words of the recovery phrase are shown once, on standard error. Whoever',
  'has them has the money, and without them a lost file or password cannot be',
  'replaced: write them down, and keep them away from this machine.',
];

export function defineWalletNew(command: Command, host: CommandHost): void {
  command.description('Makes a wallet: a new recovery phrase, in a file under a password.');
  addPrefixOption(addPasswordOption(addWalletFile(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: MakeWalletFlags) => {
    const output = createOutput(host, flags.json === true);
    const phrase = newPhrase();
    await makeWallet(flags, phrase, host, output);
    output.note('Recovery phrase, to be written down:');
    const words = phrase.split(' ');
    for (let row = 0; row < words.length; row += 6) output.note(`  ${words.slice(row, row + 6).join(' ')}`);
  });
}

/** Seals a phrase under a password that is asked for, and says where it is. */
export async function makeWallet(
  flags: MakeWalletFlags,
  phrase: string,
  host: CommandHost,
  output: Output,
): Promise<void> {
  const prefix = await prefixOf(flags);
  const password = await choosePassword(passwordSource(flags, host));
  const text = await sealKeystore(phrase, password);
  await writeKeystore(flags.wallet, text);
  const address = formatAddress(prefix, readKeystoreHeader(text).address);
  output.line(`Made ${flags.wallet}. Its address is`);
  output.line(address);
  output.json({ wallet: flags.wallet, address });
}
