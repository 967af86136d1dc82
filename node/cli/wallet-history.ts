/** `ravel wallet history`. */
import type { Command } from 'commander';
import { formatAddress, type VerifiedPayment } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { withInterruption } from './interruption.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { createOutput } from './output.ts';
import { duration, wholeNumber } from './values.ts';
import {
  addPasswordOption,
  addWalletOptions,
  connect,
  lookOnly,
  type OpenWallet,
  type WalletFlags,
} from './wallet-options.ts';
import { describeLost, describeNodes, settle } from './wallet-settle.ts';

interface HistoryFlags extends WalletFlags, NetworkFlags {
  readonly limit: number;
  readonly timeout: number;
  readonly forgetLost?: true;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel wallet history --wallet car.json --dir net',
  'ravel wallet history --dir net --limit 100 --json',
];

const NOTES = [
  'Everything that is shown as final the wallet has verified itself. With --json one',
  'line {"balance","underWay":[...],"payments":[{"id","verifiedAt","direction",',
  '"units","from","to":[{"address","units"}],"sequence","memo"}],"lost":[{"id",',
  '"units","reason","winner"}]}, latest last. Lost are own payments that never will',
  'be final ("dead"), or of which no node knows any more whether they were paid',
  '("forgotten").',
];

export function defineWalletHistory(command: Command, host: CommandHost): void {
  command
    .description('Shows payments from and to the wallet, after reading new ones from the nodes.')
    .option('--limit <n>', 'only the latest n', wholeNumber(1, 10_000), 20)
    .option('--timeout <time>', 'longest wait for the nodes', duration, 30_000)
    .option('--forget-lost', 'do not show again what is shown now as lost');
  addNetworkOptions(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: HistoryFlags) => {
    const output = createOutput(host, flags.json === true);
    const signer = await lookOnly(flags, host);
    await withInterruption(output.note, async (signal) => {
      await using wallet = await connect(flags, host, { signer });
      const { client } = wallet;
      await describeNodes(wallet, output, () => settle(wallet, flags.timeout, signal));
      const from = Math.max(0, client.historyLength - flags.limit);
      const payments = (await client.history(from, flags.limit)).map((verified) =>
        describe(verified, wallet),
      );
      for (const { verifiedAt, direction, units, id, to, from: payer } of payments) {
        const others = direction === 'out' ? to.map(({ address }) => address).join(', ') : payer;
        output.line(
          `${verifiedAt}  ${direction.padEnd(3)} ${String(units).padStart(12)}  ${others}  ${id.slice(0, 16)}`,
        );
      }
      if (payments.length === 0) output.line('No payment from or to this wallet is final yet.');
      const underWay = client.underWay.map(({ id, total, claimed }) => ({
        id,
        units: total,
        status: claimed ?? 'stored',
      }));
      for (const { id, units, status } of underWay)
        output.line(`on its way (${status})  ${units}  ${id.slice(0, 16)}`);
      const lost = client.lost.map(({ id, total, reason, winner }) => ({
        id,
        units: total,
        reason,
        winner: winner ?? null,
      }));
      for (const line of describeLost(wallet)) output.line(line.replace('ravel: ', ''));
      if (flags.forgetLost === true) for (const { id } of lost) await client.forgetLost(id);
      output.json({ balance: client.balance, underWay, payments, lost });
    });
  });
}

function describe({ payment, verifiedAtMs }: VerifiedPayment, { client, genesis }: OpenWallet) {
  const out = payment.account === client.address;
  const mine = payment.transfers.filter(({ to }) => to === client.address);
  const received = mine.reduce((sum, { amount }) => sum + amount, 0);
  return {
    id: payment.id,
    verifiedAt: new Date(verifiedAtMs).toISOString(),
    direction: out ? 'out' : 'in',
    units: out ? payment.total : received,
    from: formatAddress(genesis.prefix, payment.account),
    to: payment.transfers.map(({ to, amount }) => ({
      address: formatAddress(genesis.prefix, to),
      units: amount,
    })),
    sequence: payment.sequence,
    memo: memoText(payment.memo),
  };
}

/** Text when it is text, else hex. */
function memoText(memo: Uint8Array): string {
  const text = new TextDecoder().decode(memo);
  return /^[\P{C}]*$/u.test(text) ? text : `0x${Buffer.from(memo).toString('hex')}`;
}
