/** `ravel wallet restore`. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { phraseProblem } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { badInput } from './failure.ts';
import { createOutput } from './output.ts';
import { prompt } from './password.ts';
import { addPrefixOption } from './prefix.ts';
import { type MakeWalletFlags, makeWallet } from './wallet-new.ts';
import { addPasswordOption, addWalletFile } from './wallet-options.ts';

interface RestoreFlags extends MakeWalletFlags {
  readonly phraseFile?: string;
}

const EXAMPLES = [
  'ravel wallet restore --wallet car.json',
  'ravel wallet restore --wallet car.json --phrase-file words.txt --password-file secret.txt',
];

const NOTES = [
  'What the wallet paid and was paid before is read from the nodes when it is used.',
  'Do not use it while the old wallet is in use elsewhere: the two would not know of',
  "each other's payments.",
];

export function defineWalletRestore(command: Command, host: CommandHost): void {
  command
    .description('Makes the file of a wallet anew from its recovery phrase, under a new password.')
    .option('--phrase-file <file>', 'file with the 24 words (default: ask)');
  addPrefixOption(addPasswordOption(addWalletFile(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: RestoreFlags) => {
    const output = createOutput(host, flags.json === true);
    const phrase =
      flags.phraseFile === undefined
        ? await prompt(host, 'The 24 words of the recovery phrase: ')
        : await readFile(flags.phraseFile, 'utf8');
    const problem = phraseProblem(phrase);
    if (problem !== undefined) throw badInput(problem);
    await makeWallet(flags, phrase, host, output);
  });
}
