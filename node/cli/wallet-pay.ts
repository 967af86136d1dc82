/** `ravel wallet pay`. */
import type { Command } from 'commander';
import type { Units } from '../../ledger/index.ts';
import { parseAddress, WalletError } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { withInterruption } from './interruption.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { createOutput } from './output.ts';
import { duration, wholeNumber } from './values.ts';
import { addPasswordOption, addWalletOptions, connect, unlock, type WalletFlags } from './wallet-options.ts';
import { describeNodes } from './wallet-settle.ts';

interface PayFlags extends WalletFlags, NetworkFlags {
  readonly memo?: string;
  readonly timeout: number;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet pay --wallet car.json --dir net ravel1... 500',
  'ravel wallet pay --dir net --memo "invoice 17" --json ravel1... 1250000',
];

const NOTES = [
  'Exit code 0 means that the wallet has itself verified that the payment is final.',
  'After code 3 the payment is signed and stored: do not pay again. It is sent again',
  'whenever the wallet is used, and `ravel wallet history` shows when it is final.',
];

export function defineWalletPay(command: Command, host: CommandHost): void {
  command
    .description('Pays, and waits until the wallet has verified that the payment is final.')
    .argument('<address>', 'whom to pay')
    .argument('<units>', 'how much', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--memo <text>', 'up to 256 bytes that the receiver sees')
    .option('--timeout <time>', 'longest wait until it is final', duration, 60_000);
  addNetworkOptions(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (to: string, units: number, flags: PayFlags) => {
    const output = createOutput(host, flags.json === true);
    const signer = await unlock(flags, host);
    await withInterruption(output.note, async (signal) => {
      await using wallet = await connect(flags, host, { signer });
      const { client, genesis } = wallet;
      const receiver = parseAddress(genesis.prefix, to);
      await describeNodes(wallet, output, () => client.ready({ timeoutMs: flags.timeout, signal }));
      const beganMs = performance.now();
      const memo = new TextEncoder().encode(flags.memo ?? '');
      const sent = await client.pay([{ to: receiver, amount: units as Units }], memo, { signal });
      output.note(`Payment ${sent.id} is on its way.`);
      await waitFinal(client, sent.id, flags.timeout, signal);
      const finalMs = Math.round(performance.now() - beganMs);
      output.line(`Final after ${finalMs} ms: ${units} units to ${to}. ${client.balance} units are left.`);
      output.json({ payment: sent.id, to, units, finalMs, balance: client.balance });
    });
  });
}

type Client = Awaited<ReturnType<typeof connect>>['client'];

async function waitFinal(
  client: Client,
  id: Parameters<Client['waitFinal']>[0],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.waitFinal(id, { timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof WalletError) || (error.code !== 'timeout' && error.code !== 'aborted'))
      throw error;
    throw new Failure(
      error.code === 'aborted' ? EXIT.interrupted : EXIT.unreachable,
      `Payment ${id} is signed and sent, and not final yet. Do not pay again: look at it later with \`ravel wallet history\`.`,
      error,
    );
  }
}
