/** `ravel car`: a car with its own wallet that drives to a station and charges. */
import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Address, Units } from '../../ledger/index.ts';
import {
  CAR_WAITS,
  type ChargingPolicy,
  pacedClock,
  parseAddress,
  runCarSession,
  SESSION_PROTOCOL,
  type SessionMode,
  type SessionResult,
  systemClock,
} from '../../wallet/index.ts';
import { stateFolderOf } from '../wallet-files.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { withInterruption } from './interruption.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { createOutput } from './output.ts';
import { describeSession, isSettled, sessionJson } from './session-result.ts';
import { openSpendingFile } from './spending-file.ts';
import { modes, positiveNumber, wholeNumber } from './values.ts';
import {
  addPasswordOption,
  addWalletOptions,
  connect,
  type OpenWallet,
  unlock,
  type WalletFlags,
} from './wallet-options.ts';
import { describeNodes } from './wallet-settle.ts';

interface CarFlags extends WalletFlags, NetworkFlags {
  readonly kwh?: number;
  readonly payee?: string;
  readonly maxPerKwh: number;
  readonly maxPerMinute: number;
  readonly budget: number;
  readonly dayBudget: number;
  readonly modes: readonly SessionMode[];
  readonly powerKw: number;
  readonly receipt?: string;
  readonly speed: number;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel car /ip4/192.0.2.7/tcp/7400/p2p/12D3Koo... --wallet car.json --dir net --kwh 20',
  'ravel car /ip4/... --wallet car.json --dir net --kwh 7.6 --max-per-kwh 500000 --budget 10000000 --receipt r.json',
];

const NOTES = [
  'The car pays only for readings that the station has signed, that follow from the',
  'price, and that its own meter has seen. That meter is simulated: it sees energy at',
  '--power-kw. Ctrl+C ends the session in order: what was delivered is paid.',
  'Exit code 0: everything that is due is paid and final.',
];

const UNITS_MAX = Number.MAX_SAFE_INTEGER;

/** How much the readings of a station may differ from the car's own meter. */
const METER_TOLERANCE_RATIO = 0.1;
const METER_TOLERANCE_WH = 200;

/** Clocks of two machines that are set by radio or network are closer than this. */
const CLOCK_TOLERANCE_MS = 60_000;

export function defineCar(command: Command, host: CommandHost): void {
  command
    .description('Drives to a charging station, charges, and pays for it.')
    .argument('<station>', 'multiaddr of the station, as `ravel charger` prints it')
    .option(
      '--kwh <n>',
      'energy to take (default: until Ctrl+C or a budget is spent)',
      positiveNumber(5_000, '7.6'),
    )
    .option('--payee <address>', 'who must be paid, if the car knows it beforehand')
    .option('--max-per-kwh <units>', 'highest price of a kWh', wholeNumber(0, UNITS_MAX), 1_000_000)
    .option('--max-per-minute <units>', 'highest price of a minute', wholeNumber(0, UNITS_MAX), 100_000)
    .option('--budget <units>', 'most for this session', wholeNumber(1, UNITS_MAX), 100_000_000)
    .option('--day-budget <units>', 'most for a day (UTC)', wholeNumber(1, UNITS_MAX), 500_000_000)
    .addOption(
      new Option('--modes <mode,...>', 'what it agrees to, preferred first')
        .argParser(modes)
        .default(['stream', 'settle'], 'stream,settle'),
    )
    .option('--power-kw <n>', 'most power that the car takes', positiveNumber(5_000, '150'), 150)
    .option('--receipt <file>', 'keep the receipt here')
    .option(
      '--speed <x>',
      'as the station has it: x times faster than life',
      positiveNumber(100_000, '60'),
      1,
    );
  addNetworkOptions(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (station: string, flags: CarFlags) => {
    const output = createOutput(host, flags.json === true);
    const signer = await unlock(flags, host);
    await withInterruption(output.note, async (signal) => {
      await using wallet = await connect(flags, host, { signer });
      await describeNodes(wallet, output, () => wallet.client.ready({ timeoutMs: 30_000, signal }));
      const result = await charge(station, flags, wallet, signal, output.note);
      if (flags.receipt !== undefined && result.receipt !== undefined)
        await writeFile(flags.receipt, result.receipt);
      for (const line of describeSession(result)) output.line(line);
      output.json(sessionJson(result));
      host.exit = isSettled(result) ? EXIT.done : EXIT.failed;
    });
  });
}

function policyOf(flags: CarFlags): ChargingPolicy {
  // A meter runs ahead of the message that tells of it, and the more so the faster time runs.
  const skewWh = (flags.powerKw * 1000 * flags.speed) / 3_600;
  return {
    unitsPerKwhMax: flags.maxPerKwh,
    unitsPerMinuteMax: flags.maxPerMinute,
    unitsPerSessionMax: flags.budget,
    unitsPerDayMax: flags.dayBudget,
    modes: flags.modes,
    powerMaxW: flags.powerKw * 1000,
    meterToleranceRatio: METER_TOLERANCE_RATIO,
    meterToleranceWh: METER_TOLERANCE_WH + skewWh,
    ...(flags.speed === 1 ? { clockToleranceMs: CLOCK_TOLERANCE_MS } : {}),
  };
}

async function charge(
  station: string,
  flags: CarFlags,
  wallet: OpenWallet,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<SessionResult> {
  const { genesis, client, peers, signer, log } = wallet;
  const charger: { charger?: Address } =
    flags.payee === undefined ? {} : { charger: parseAddress(genesis.prefix, flags.payee) };
  const pace = flags.speed === 1 ? systemClock : pacedClock(systemClock, flags.speed, Date.now());
  const beganMs = pace.nowMs();
  const energyWantedWh = Math.round((flags.kwh ?? 0) * 1000);
  return runCarSession(
    { network: genesis.network, policy: policyOf(flags), ...charger, energyWantedWh, ...CAR_WAITS },
    {
      stream: await peers.openStream(station, SESSION_PROTOCOL),
      client,
      signer,
      meter: () => Math.floor((flags.powerKw * (pace.nowMs() - beganMs)) / 3_600),
      spending: await openSpendingFile(stateFolderOf(flags.wallet, flags.account)),
      clock: systemClock,
      pace,
      log,
      signal,
      reopen: () => peers.openStream(station, SESSION_PROTOCOL),
      onProgress: progressNotes(note),
    },
  );
}

/** A line when something has changed, so that one sees the session run. */
function progressNotes(note: (text: string) => void) {
  let last = '';
  return ({
    energyWh,
    unitsDue,
    unitsPaid,
  }: {
    energyWh: number;
    unitsDue: Units;
    unitsPaid: Units;
  }): void => {
    const text = `${(energyWh / 1000).toFixed(3)} kWh, ${unitsDue} units due, ${unitsPaid} paid`;
    if (text !== last) note(text);
    last = text;
  };
}
