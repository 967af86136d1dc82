/** `ravel wallet balance`. */
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
  type WalletFlags,
} from './wallet-options.ts';
import { describeNodes, settle } from './wallet-settle.ts';

interface BalanceFlags extends WalletFlags, NetworkFlags {
  readonly timeout: number;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet balance --wallet car.json --dir net',
  'ravel wallet balance --genesis genesis.json --node /ip4/192.0.2.1/tcp/7300/p2p/12D3Koo... --json',
];

const NOTES = [
  'The balance is the sum of what the wallet has itself verified; no node is believed.',
  'What nodes speak of and have not proven in time is named beside it.',
];

export function defineWalletBalance(command: Command, host: CommandHost): void {
  command
    .description('Shows what can be spent, after reading from the nodes what was paid to the wallet.')
    .option('--timeout <time>', 'longest wait for the nodes', duration, 30_000);
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
      output.json({ address, balance: client.balance, underWay, claimed, payments: client.historyLength });
    });
  });
}
