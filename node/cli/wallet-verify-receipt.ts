/** `ravel wallet verify-receipt`: offline, by anybody who has the genesis. */
import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatAddress, RECEIPT_LENGTH_MAX, type ReceiptSummary, verifyReceipt } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { badInput } from './failure.ts';
import { addGenesisOptions, type NetworkFlags, needGenesis } from './network-options.ts';
import { createOutput } from './output.ts';

const EXAMPLES = [
  'ravel wallet verify-receipt receipt.json --genesis genesis.json',
  'ravel wallet verify-receipt my-network/receipts/session-1-car.json --dir my-network --json',
];

const NOTES = [
  'It needs no node and no wallet. Exit code 0: all that the receipt says about',
  'readings and payments is proven; 1: it is not, and every reason is named.',
];

export function defineWalletVerifyReceipt(command: Command, host: CommandHost): void {
  command
    .description(
      "Checks a receipt of a charging session: both signatures, the tariff, every payment and the validators' proofs that it is final.",
    )
    .argument('<file>', 'the receipt');
  addExamples(addCommonOptions(addGenesisOptions(command)), EXAMPLES, NOTES);
  command.action(async (file: string, flags: NetworkFlags & { readonly json?: true }) => {
    const output = createOutput(host, flags.json === true);
    const genesis = await needGenesis(flags);
    if ((await stat(file)).size > RECEIPT_LENGTH_MAX)
      throw badInput(`${file} is too large for a receipt. Check the path.`);
    const { ok, problems, summary } = verifyReceipt(genesis, await readFile(file, 'utf8'));
    if (ok && summary !== undefined) {
      for (const line of describe(summary, (address) =>
        formatAddress(genesis.prefix, address as Parameters<typeof formatAddress>[1]),
      )) {
        output.line(line);
      }
    } else {
      output.line('THE RECEIPT IS FALSE:');
      for (const problem of problems) output.line(`  ${problem}`);
    }
    output.json({ ok, problems, summary: summary ?? null });
    host.exit = ok ? EXIT.done : EXIT.failed;
  });
}

function describe(summary: ReceiptSummary, format: (address: string) => string): string[] {
  const { energyWh, durationMs, unitsDue, unitsPaid, currency, payments, settled } = summary;
  return [
    `The receipt is true. Session ${summary.session}, kept by the ${summary.holder}:`,
    `  charger  ${format(summary.charger)}`,
    `  car      ${format(summary.car)}`,
    `  from     ${new Date(summary.startedAtMs).toISOString()}`,
    `  energy   ${energyWh} Wh in ${Math.round(durationMs / 60_000)} minutes`,
    `  due      ${unitsDue} ${currency}`,
    `  paid     ${unitsPaid} ${currency} in ${payments} final payments${settled ? ', in full' : ''}`,
    `  ended    ${summary.ended.reason}, says the ${summary.holder}`,
  ];
}
