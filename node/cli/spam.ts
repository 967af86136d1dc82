/** `ravel spam`: payments at a fixed rate, and how long each takes. */
import type { Command } from 'commander';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { addFundsOptions, type FundsFlags, openFunds } from './funds.ts';
import { withInterruption } from './interruption.ts';
import { needNodes } from './network-options.ts';
import { createOutput } from './output.ts';
import { duration, positiveNumber, wholeNumber } from './values.ts';

interface SpamFlags extends FundsFlags {
  readonly rate: number;
  readonly accounts: number;
  readonly seconds: number;
  readonly proveEvery?: number;
  readonly timeout: number;
  readonly json?: true;
}

const RATE_MAX = 100_000;
const SECONDS_MAX = 86_400;
const ACCOUNTS_MAX = 2_000;

/** Proofs a second that a check of them should not exceed by default: about a tenth of a core. */
const PROOFS_PER_SECOND = 250;

const EXAMPLES = [
  'ravel spam --dir net --rate 200 --accounts 100 --seconds 30',
  'ravel spam --dir net --rate 1000 --accounts 400 --seconds 60 --prove-every 1 --json',
  'ravel spam --genesis genesis.json --node /ip4/192.0.2.1/tcp/7300 --wallet funds.json --rate 20',
];

const NOTES = [
  'Fresh accounts get one unit for each payment from a wallet, or from the faucet of',
  'a folder that `ravel up` made, and pay one another. Payments are signed before they',
  'fall due, and fall due at fixed times, whether or not earlier ones are final: each',
  'counts from when it was due until its proof has been checked here. The accounts are',
  'spread over all nodes. The units stay in accounts whose keys end with the command.',
  '',
  'With --prove-every n the proof of one in n payments is checked. A payment is final',
  'only after all before it of its account, so none is left out; but only those times',
  'are in the histogram. In the end every node is asked for every account.',
  '',
  'Exit code 0: every payment that a node took is final, the same on every node; 1:',
  'some are lost, or nodes disagree. Ctrl+C ends it with the summary. With --json',
  'one line',
  '  {"ok","sent","final","lost","unsent","disagreements","falseProofs","stuck",',
  '   "proofs","finalPerSecond","finalityMs":{"p50","p90","p95","p99","max"},',
  '   "lagMs":{...},"histogram":[{"fromMs","untilMs","count"}],"refusals":{code: n},',
  '   "nodes","rate","accounts","seconds","interrupted"}',
];

export function defineSpam(command: Command, host: CommandHost): void {
  command
    .description(
      'Makes payments at a fixed rate, shows live how long each takes, and checks that none is lost.',
    )
    .option('--rate <n>', 'payments a second', positiveNumber(RATE_MAX, '100'), 50)
    .option('--accounts <n>', 'accounts that pay, in turn', wholeNumber(1, ACCOUNTS_MAX), 100)
    .option('--seconds <n>', 'how long payments fall due', wholeNumber(1, SECONDS_MAX), 30)
    .option(
      '--prove-every <n>',
      `check the proof of one in n payments (default: about ${PROOFS_PER_SECOND} a second)`,
      wholeNumber(1, 1_000),
    )
    .option('--timeout <time>', 'longest wait for the money, and in the end', duration, 60_000);
  addFundsOptions(command);
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: SpamFlags) => {
    const output = createOutput(host, flags.json === true);
    const nodes = await needNodes(flags);
    await withInterruption(output.note, async (signal) => {
      await using stack = new AsyncDisposableStack();
      const wallet = await openFunds(flags, host, stack);
      const { openLoadTools } = await import('../load/tools.ts');
      const { Spam } = await import('../spam/spam.ts');
      const { describeSpam } = await import('../spam/report.ts');
      const { peers, findWork } = stack.use(await openLoadTools(wallet.genesis, wallet.log));
      const { rate, accounts, seconds, timeout } = flags;
      const proveEvery = flags.proveEvery ?? Math.ceil(rate / PROOFS_PER_SECOND);
      const spam = stack.use(
        new Spam(
          { genesis: wallet.genesis, nodes, rate, accounts, seconds, proveEvery, timeoutMs: timeout },
          {
            ...{ funder: wallet.client, peers, findWork, log: wallet.log, note: output.note, signal },
            show: await displayOf(host, flags.json === true, output.note),
          },
        ),
      );
      const report = await spam.run();
      for (const line of describeSpam(report)) output.line(line);
      output.json(report);
      host.exit = !report.ok ? EXIT.failed : report.interrupted ? EXIT.interrupted : EXIT.done;
    });
  });
}

/** A picture in a terminal, else lines. */
async function displayOf(host: CommandHost, asJson: boolean, note: (text: string) => void) {
  const { showLines, showPicture } = await import('../up/live-view.ts');
  const { renderSpam, spamLine } = await import('../spam/view.ts');
  type View = Parameters<typeof renderSpam>[0];
  if (!host.stdout.isTTY || asJson) return (view: () => View) => showLines(note, () => spamLine(view()));
  return (view: () => View) =>
    showPicture(host.stdout, host.environment, (size, paint) => renderSpam(view(), size, paint));
}
