/** `ravel init`: a new network, as files. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Command } from 'commander';
import type { Allocation, Units } from '../../ledger/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { badInput } from './failure.ts';
import { createOutput } from './output.ts';
import { list, wholeNumber } from './values.ts';

interface InitFlags {
  readonly dir: string;
  readonly validators: number;
  readonly allocate?: readonly string[];
  readonly prefix: string;
  readonly workBits: number;
  readonly weights?: readonly string[];
  readonly listen?: readonly string[];
  readonly port: number;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet new --wallet owner.json',
  'ravel init --dir net --allocate ravel1...=1000000000',
  'ravel init --dir net --validators 4 --port 4001 --allocate ravel1...=500 --allocate ravel1...=700',
  'ravel node --dir net/validators/0',
];

const NOTES = [
  'The network is in the folder then: genesis.json, which every node and wallet needs',
  'and which never changes, and a folder for each validator with settings and keys.',
  'Move each of these to the machine of its validator, and give node.json there the',
  'addresses of the others. The supply is the sum of what is allocated, for ever.',
];

export function defineInit(command: Command, host: CommandHost): void {
  command
    .description('Makes a new network: its genesis, and settings and keys for its validators.')
    .requiredOption('--dir <folder>', 'where to make it')
    .option(
      '--validators <n>',
      'how many validators; more than two thirds of them decide',
      wholeNumber(1, 64),
      4,
    )
    .option(
      '--allocate <address=units>',
      'who owns how much in the beginning; may be given several times',
      list,
    )
    .option('--prefix <letters>', 'what addresses of this network begin with', 'ravel')
    .option('--work-bits <n>', 'leading zero bits of the work for a payment', wholeNumber(0, 48), 16)
    .option('--weights <n,...>', 'weight of each validator (default: all the same)', list)
    .option('--listen <address,...>', 'multiaddr of each validator (default: 127.0.0.1 and --port)', list)
    .option(
      '--port <n>',
      'port of the first validator; the others have the next ones',
      wholeNumber(1, 65_000),
      7300,
    );
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: InitFlags) => {
    const output = createOutput(host, flags.json === true);
    const { initNetwork } = await import('../network-files.ts');
    const { parseAddress } = await import('../../wallet/index.ts');
    const allocations = (flags.allocate ?? []).map((text) =>
      readAllocation(text, (address) => parseAddress(flags.prefix, address)),
    );
    if (allocations.length === 0) {
      throw badInput(
        'Nobody would own anything. Make a wallet with `ravel wallet new`, and give its address with --allocate ADDRESS=UNITS.',
      );
    }
    const { dir, validators, prefix, workBits } = flags;
    const addresses =
      flags.listen ??
      Array.from({ length: validators }, (_, index) => `/ip4/127.0.0.1/tcp/${flags.port + index}`);
    const genesis = await initNetwork(
      {
        dir,
        validators,
        prefix,
        workBits,
        allocations,
        addresses,
        ...(flags.weights === undefined ? {} : { weights: flags.weights.map(readWeight) }),
      },
      { randomBytes },
    );
    const genesisFile = path.join(dir, 'genesis.json');
    output.line(
      `Made network ${genesis.id} with ${validators} validators and a supply of ${genesis.supply} units.`,
    );
    output.line(`Its genesis is ${genesisFile}. Start each validator with:`);
    for (let index = 0; index < validators; index++) {
      output.line(`  ravel node --dir ${path.join(dir, 'validators', String(index))}`);
    }
    output.json({ id: genesis.id, genesis: genesisFile, validators, supply: genesis.supply, addresses });
  });
}

function readAllocation(text: string, parse: (address: string) => Allocation['address']): Allocation {
  const [address = '', amount = '', ...more] = text.split('=');
  const units = Number(amount);
  if (more.length > 0 || !/^\d+$/.test(amount) || !Number.isSafeInteger(units) || units < 1) {
    throw badInput(
      `"${text}" is no allocation. Write ADDRESS=UNITS with a whole number from 1, like ravel1...=1000000.`,
    );
  }
  return { address: parse(address), amount: units as Units };
}

function readWeight(text: string): number {
  const weight = Number(text);
  if (!/^\d+$/.test(text) || weight < 1)
    throw badInput(`"${text}" is no weight. Give whole numbers from 1, like 3,1,1,1.`);
  return weight;
}
