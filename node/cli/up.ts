/** `ravel up`: a whole network on this machine, and cars that pay its charging stations. What `npm start` calls. */
import { type Command, Option } from 'commander';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { withInterruption } from './interruption.ts';
import { createOutput } from './output.ts';
import { speed, wholeNumber } from './values.ts';

interface UpFlags {
  readonly validators?: number;
  readonly cars?: number;
  readonly chargers?: number;
  readonly sessions?: string;
  readonly limit?: number;
  readonly speed: number | 'max';
  readonly mode: 'stream' | 'settle';
  readonly stepWh: number;
  readonly seed: number;
  readonly dir?: string;
  readonly port?: number;
  readonly headless?: true;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel up',
  'ravel up --cars 20 --speed 600 --mode settle',
  'ravel up --sessions sessions.csv --limit 200 --speed max --headless --json',
  'ravel up --dir my-network --port 4001',
];

const NOTES = [
  'From npm: npm start -- --limit 200 --speed max --headless --json',
  '',
  'A file of sessions has the columns cp_id, connector, start, end and kwh; others',
  'are ignored. Without one, sessions like public ones are made up: median 7.6 kWh',
  'in 35 minutes, at 13 kW.',
  '',
  'It ends when all sessions have ended; exit code 0 only if every one was settled,',
  'the supply is as in the genesis and the validators agree about every balance.',
  'With --json the last line on standard output is',
  '  {"sessions","settled","payments","energyWh","unitsPaid",',
  '   "finalityMs":{"p50","p99"},"paymentsPerSecond","supply","supplyExpected",',
  '   "validatorsAgree"}',
  "The finality time of a payment is from the car's submission to the moment when",
  'the light client of the charging station has itself verified the proof.',
];

export function defineUp(command: Command, host: CommandHost): void {
  command.description(
    'Brings up validators, charging stations and cars on this machine, and replays charging sessions in which every car ' +
      'pays its station over the ledger.',
  );
  addOptions(command);
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: UpFlags) => {
    const { json, headless, ...options } = flags;
    const output = createOutput(host, json === true);
    const { runUp } = await import('../up/up.ts');
    const picture = host.stdout.isTTY && headless !== true && json !== true;
    const world = {
      terminal: picture ? host.stdout : undefined,
      environment: host.environment,
      note: output.note,
    };
    const result = await withInterruption(output.note, (signal) => runUp(options, world, signal));
    if (result === undefined) {
      host.exit = EXIT.interrupted;
      return;
    }
    if (picture) output.line('');
    for (const line of result.lines) output.line(line);
    output.json(result.report);
    host.exit = result.good ? EXIT.done : EXIT.failed;
  });
}

function addOptions(command: Command): void {
  command
    .option('--validators <n>', 'validator processes (default: 4, or as in --dir)', wholeNumber(1, 16))
    .option('--cars <n>', 'cars, each with a wallet (default: 12, or as in --dir)', wholeNumber(1, 200))
    .option(
      '--chargers <n>',
      'charging stations (default: as the sessions say, up to 6)',
      wholeNumber(1, 100),
    )
    .option('--sessions <file>', 'charging sessions to replay, CSV (default: made up)')
    .option(
      '--limit <n>',
      'only the earliest n (default: all of a file, 60 made up)',
      wholeNumber(1, 1_000_000),
    )
    .addOption(new Option('--speed <x|max>', 'how many times faster than life').argParser(speed).default(200))
    .addOption(
      new Option('--mode <mode>', 'stream: pay for each step while charging; settle: pay once when full')
        .choices(['stream', 'settle'])
        .default('stream'),
    )
    .option('--step-wh <n>', 'energy of a step in mode stream, in Wh', wholeNumber(10, 100_000), 500)
    .option('--seed <n>', 'other made-up sessions for another seed', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--dir <folder>', 'keep the network here, or go on with the one that is here')
    .option('--port <n>', 'first port of the validators (default: free ones)', wholeNumber(1, 65_000))
    .option('--headless', 'no live picture; a line of progress now and then');
}
