/** `ravel wallet balance`. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatAddress } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { withInterruption } from './interruption.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { createOutput } from './output.ts';
import { duration } from './values.ts';
import {
  addPasswordOption,
  addWalletOptions,
  connect,
  lookOnly,
  type OpenWallet,
  type WalletFlags,
} from './wallet-options.ts';
import { describeLost, describeNodes, settle } from './wallet-settle.ts';

interface BalanceFlags extends WalletFlags, NetworkFlags {
  readonly timeout: number;
  readonly proof?: string;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet balance --wallet car.json --dir net',
  'ravel wallet balance --dir net --proof balance.proof',
  'ravel wallet balance --genesis genesis.json --node /ip4/192.0.2.1/tcp/7300/p2p/12D3Koo... --json',
];

const NOTES = [
  'The balance is the sum of what the wallet has itself verified; no node is believed.',
  'What nodes speak of and have not proven in time is named beside it.',
  '',
  'With --proof it also writes down what the account had in the youngest state that',
  'the nodes can prove. Anybody checks that file with `ravel wallet verify-balance`.',
];

export function defineWalletBalance(command: Command, host: CommandHost): void {
  command
    .description('Shows what can be spent, after reading from the nodes what was paid to the wallet.')
    .option('--timeout <time>', 'longest wait for the nodes', duration, 30_000)
    .option('--proof <file>', 'write a proof of the balance, for others');
  addNetworkOptions(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: BalanceFlags) => {
    const output = createOutput(host, flags.json === true);
    const signer = await lookOnly(flags, host);
    await withInterruption(output.note, async (signal) => {
      await using wallet = await connect(flags, host, { signer });
      const { client, genesis } = wallet;
      const claimed = await describeNodes(wallet, output, () => settle(wallet, flags.timeout, signal));
      const address = formatAddress(genesis.prefix, client.address);
      output.line(`${client.balance} units can be spent by ${address}.`);
      const underWay = client.underWay.reduce((sum, { total }) => sum + total, 0);
      if (underWay > 0)
        output.line(
          `${underWay} units in ${client.underWay.length} own payments are on their way, and not among them.`,
        );
      if (claimed !== client.balance) {
        output.note(
          `ravel: a node speaks of ${claimed} units, and has not proven it. Ask again, or another node with --node.`,
        );
      }
      for (const line of describeLost(wallet)) output.note(line);
      const proven =
        flags.proof === undefined ? undefined : await prove(wallet, flags.proof, flags.timeout, signal);
      if (proven !== undefined)
        output.line(`${flags.proof} proves ${proven.balance} units after round ${proven.round}.`);
      output.json({
        address,
        balance: client.balance,
        underWay,
        claimed,
        payments: client.historyLength,
        lost: client.lost.length,
        ...(proven === undefined ? {} : { proven }),
      });
    });
  });
}

interface Proven {
  readonly balance: number;
  readonly sequence: number;
  /** Of the commit that the state is after. */
  readonly round: number;
  /** ISO 8601, by the validators' clocks. */
  readonly time: string;
}

/** Writes the proof; never over a file that is there. */
async function prove(
  { client }: OpenWallet,
  file: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Proven> {
  const { balance, sequence, checkpoint, timeMs, proof } = await client.provenBalance({ timeoutMs, signal });
  await writeFile(file, proof, { flag: 'wx' });
  return { balance, sequence, round: checkpoint.round, time: new Date(timeMs).toISOString() };
}
