/** `ravel doublespend`: rivals on purpose, and what every node makes of them. */
import type { Command } from 'commander';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { addFundsOptions, type FundsFlags, openFunds } from './funds.ts';
import { withInterruption } from './interruption.ts';
import { needNodes } from './network-options.ts';
import { createOutput } from './output.ts';
import { duration, positiveNumber, wholeNumber } from './values.ts';

interface DoubleSpendFlags extends FundsFlags {
  readonly accounts: number;
  readonly rivals: number;
  readonly spread?: true;
  readonly over: number;
  readonly honestRate?: number;
  readonly warmup: number;
  readonly timeout: number;
  readonly json?: true;
}

/** With the honest accounts beside them no more than one client may watch on a node. */
const ACCOUNTS_MAX = 900;
const HONEST_RATE_MAX = 50;

const EXAMPLES = [
  'ravel doublespend --dir net --accounts 20 --rivals 2 --spread',
  'ravel doublespend --dir net --accounts 500 --rivals 3 --spread --honest-rate 20 --over 10s --json',
  'ravel doublespend --genesis genesis.json --node /ip4/192.0.2.1/tcp/7300 --wallet funds.json',
];

const NOTES = [
  'Fresh accounts get one unit each from a wallet, or from the faucet of a folder',
  'that `ravel up` made. Each then signs several payments for the same slot. A node',
  'that has one of them refuses the others; these go out by gossip all the same.',
  'What a node says counts once its proof has been checked here.',
  '',
  'Exit code 0: every slot has one winner, the same on every node; 1: nodes disagree,',
  'or a slot was not resolved within --timeout. With --json one line',
  '  {"ok","slots":[{"slot","account","rivals","winners":[a node each],"winner","by",',
  '   "disagreed","ms","rounds","firstMs"}],"resolved","unresolved","disagreements",',
  '   "byCertificates","byCommit","resolutionMs":{"p50","p99","max"},',
  '   "resolutionRounds":{...},"honest":{"before":{"payments","open","p50","p99"},',
  '   "during":{...}},"nodes","rivals","spread","gossiped","refusals"}',
  'Times are from the first rival to the proof from the last node. Never run it',
  'against a network on which others rely: it costs them votes and rounds.',
];

export function defineDoubleSpend(command: Command, host: CommandHost): void {
  command
    .description(
      'Spends the same money several times at once, and reports which payment wins on each node, and when.',
    )
    .option('--accounts <n>', 'slots, each of another account', wholeNumber(1, ACCOUNTS_MAX), 20)
    .option('--rivals <n>', 'payments for each slot', wholeNumber(2, 16), 2)
    .option('--spread', 'each rival of a slot to another node (default: all to one)')
    .option('--over <time>', 'begin the slots evenly over this time (default: all at once)', duration, 0)
    .option('--honest-rate <n>', 'honest payments a second beside it', positiveNumber(HONEST_RATE_MAX, '10'))
    .option('--warmup <time>', 'honest payments alone, before the first rival', duration, 10_000)
    .option('--timeout <time>', 'longest wait for the money, and for all slots', duration, 60_000);
  addFundsOptions(command);
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: DoubleSpendFlags) => {
    const output = createOutput(host, flags.json === true);
    const nodes = await needNodes(flags);
    await withInterruption(output.note, async (signal) => {
      await using stack = new AsyncDisposableStack();
      const wallet = await openFunds(flags, host, stack);
      const { openLoadTools } = await import('../load/tools.ts');
      const { DoubleSpend } = await import('../doublespend/double-spend.ts');
      const { describeReport } = await import('../doublespend/report.ts');
      const { accounts, rivals, spread = false, over, honestRate = 0, warmup, timeout } = flags;
      const options = {
        accounts,
        rivals,
        spread,
        overMs: over,
        honestRate,
        warmupMs: warmup,
        timeoutMs: timeout,
      };
      const { peers, findWork } = stack.use(await openLoadTools(wallet.genesis, wallet.log));
      const run = stack.use(
        new DoubleSpend(
          { ...options, genesis: wallet.genesis, nodes },
          { peers, findWork, funder: wallet.client, log: wallet.log, note: output.note, signal },
        ),
      );
      const report = await run.run();
      for (const line of describeReport(report)) output.line(line);
      output.json(report);
      host.exit = report.ok ? EXIT.done : EXIT.failed;
    });
  });
}
