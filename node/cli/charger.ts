/** `ravel charger`: a charging station with its own wallet, waiting for cars. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import type { Units } from '../../ledger/index.ts';
import type { FramedStream } from '../../p2p/index.ts';
import {
  amountDue,
  CHARGER_WAITS,
  formatAddress,
  memoryClaims,
  pacedClock,
  recordedEnergy,
  SESSION_PROTOCOL,
  type ServeChargerOptions,
  SessionDesk,
  type SessionMode,
  type SessionResult,
  serveChargerSession,
  systemClock,
  UNITS_PER_KWH_MAX,
  UNITS_PER_MINUTE_MAX,
} from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { withInterruption } from './interruption.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { createOutput, type Output } from './output.ts';
import { describeSession, sessionJson } from './session-result.ts';
import { duration, list, modes, positiveNumber, wholeNumber } from './values.ts';
import {
  addPasswordOption,
  addWalletOptions,
  connect,
  type OpenWallet,
  unlock,
  type WalletFlags,
} from './wallet-options.ts';
import { describeNodes } from './wallet-settle.ts';

interface ChargerFlags extends WalletFlags, NetworkFlags {
  readonly listen?: readonly string[];
  readonly unitsPerKwh: number;
  readonly unitsPerMinute: number;
  readonly currency: string;
  readonly powerKw: number;
  readonly modes: readonly SessionMode[];
  readonly stepWh: number;
  readonly stepTime: number;
  readonly unpaidMax?: number;
  readonly creditMax?: number;
  readonly receipts?: string;
  readonly sessions?: number;
  readonly speed: number;
  readonly json?: true;
}

const EXAMPLES = [
  'ravel charger --wallet station.json --dir net --units-per-kwh 450000 --power-kw 50',
  'ravel charger --wallet station.json --genesis genesis.json --node /ip4/192.0.2.1/tcp/7300 --listen /ip4/0.0.0.0/tcp/7400',
];

const NOTES = [
  'It prints the address that a car gives to `ravel car`, and runs until Ctrl+C. The',
  'contactor and the meter are simulated: energy flows at the given power until the',
  'car has what it wants. A payment counts when this wallet has verified that it is',
  'final. With --json each event is a line: {"event":"ready",...} and, for each',
  'session, {"event":"session",...}.',
];

/** Every address of this machine, on a port that the system chooses. */
const LISTEN_DEFAULT = ['/ip4/0.0.0.0/tcp/0'];

/** A car may take so long to accept a price. */
const OFFER_VALID_MS = 5 * 60_000;

/** Steps that may be unpaid while charging when no --unpaid-max is given. */
const UNPAID_STEPS = 2;

/** Energy on credit in mode settle when no --credit-max is given: a large car's battery. */
const CREDIT_WH = 100_000;

/** Energy that the simulated grid can deliver in a session: the most that a session may have. */
const GRID_WH = 5_000_000;

export function defineCharger(command: Command, host: CommandHost): void {
  command.description(
    'Runs a charging station: offers a price to cars, delivers energy, and is paid for it.',
  );
  addOptions(command);
  addNetworkOptions(addPasswordOption(addWalletOptions(command)));
  addExamples(addCommonOptions(command), EXAMPLES, NOTES);
  command.action(async (flags: ChargerFlags) => {
    const output = createOutput(host, flags.json === true);
    const signer = await unlock(flags, host);
    if (flags.receipts !== undefined) await mkdir(flags.receipts, { recursive: true });
    await withInterruption(output.note, async (signal) => {
      await using wallet = await connect(flags, host, { signer, listen: flags.listen ?? LISTEN_DEFAULT });
      await describeNodes(wallet, output, () => wallet.client.ready({ timeoutMs: 30_000, signal }));
      await serveCars(flags, wallet, output, signal);
    });
  });
}

function addOptions(command: Command): void {
  command
    .option(
      '--listen <address>',
      'multiaddr for cars; several times, or with commas (default: any free port)',
      list,
    )
    .option('--units-per-kwh <n>', 'price of energy', wholeNumber(0, UNITS_PER_KWH_MAX), 450_000)
    .option('--units-per-minute <n>', 'price of time', wholeNumber(0, UNITS_PER_MINUTE_MAX), 0)
    .option('--currency <text>', 'what a unit stands for', 'microEUR')
    .option('--power-kw <n>', 'power that it delivers', positiveNumber(5_000, '50'), 50)
    .addOption(
      new Option('--modes <mode,...>', 'what it allows, preferred first')
        .argParser(modes)
        .default(['stream', 'settle'], 'stream,settle'),
    )
    .option('--step-wh <n>', 'a reading each time so much was delivered', wholeNumber(1, 1_000_000), 500)
    .option('--step-time <time>', 'and at least each time so long has passed', duration, 60_000)
    .option(
      '--unpaid-max <units>',
      'pauses while more is unpaid, mode stream (default: 2 steps)',
      wholeNumber(0, 2 ** 52),
    )
    .option(
      '--credit-max <units>',
      'most that may be due, mode settle (default: 100 kWh)',
      wholeNumber(0, 2 ** 52),
    )
    .option('--receipts <folder>', 'keep the receipt of each session here')
    .option('--sessions <n>', 'end after n sessions', wholeNumber(1, 1_000_000))
    .option('--speed <x>', 'energy flows x times faster than life', positiveNumber(100_000, '60'), 1);
}

function offerOf(flags: ChargerFlags): Omit<ServeChargerOptions, 'network' | keyof typeof CHARGER_WAITS> {
  const { unitsPerKwh, unitsPerMinute, currency, stepWh, stepTime: stepMs } = flags;
  const tariff = {
    unitsPerKwh,
    unitsPerMinute,
    currency,
    validUntilMs: Date.now() + OFFER_VALID_MS * flags.speed,
  };
  return {
    tariff,
    modes: flags.modes,
    unpaidMax: (flags.unpaidMax ?? amountDue(tariff, UNPAID_STEPS * stepWh, UNPAID_STEPS * stepMs)) as Units,
    creditMax: (flags.creditMax ?? amountDue(tariff, CREDIT_WH, 24 * 3_600_000)) as Units,
    stepWh,
    stepMs,
    maxW: flags.powerKw * 1000,
  };
}

/** Until the signal, or until --sessions are served. */
async function serveCars(
  flags: ChargerFlags,
  wallet: OpenWallet,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { peers, client, genesis } = wallet;
  const desk = new SessionDesk();
  const claims = memoryClaims();
  const running = new Set<Promise<void>>();
  const over = Promise.withResolvers<void>();
  let served = 0;
  const serve = async (stream: FramedStream): Promise<void> => {
    try {
      const result = await serveCar(flags, wallet, stream, { desk, claims, signal });
      // Cars that decline, or that only come back to another session, are no sessions.
      if (result.receipt === undefined) return;
      await keepReceipt(flags, result);
      for (const line of describeSession(result)) output.line(line);
      output.json({ event: 'session', ...sessionJson(result) });
      served++;
      if (served === flags.sessions) over.resolve();
    } catch (error) {
      output.note(
        `ravel: a car could not be served: ${error instanceof Error ? error.message : String(error)}`,
      );
      stream.abort(new Error('the station has trouble'));
    }
  };
  await peers.handleStream(SESSION_PROTOCOL, (stream) => {
    const session = serve(stream).finally(() => running.delete(session));
    running.add(session);
  });
  const address = formatAddress(genesis.prefix, client.address);
  output.line(`Station of ${address} waits for cars at`);
  for (const place of peers.addresses) output.line(`  ${place}`);
  output.json({ event: 'ready', address, addresses: peers.addresses });
  signal.addEventListener('abort', () => over.resolve());
  if (signal.aborted) over.resolve();
  await over.promise;
  await Promise.all(running);
}

type Shared = Pick<Parameters<typeof serveChargerSession>[1], 'desk' | 'claims'> & {
  readonly signal: AbortSignal;
};

function serveCar(
  flags: ChargerFlags,
  wallet: OpenWallet,
  stream: FramedStream,
  shared: Shared,
): Promise<SessionResult> {
  const { genesis, client, signer, log } = wallet;
  const durationMs = (GRID_WH * 3_600_000) / (flags.powerKw * 1000);
  return serveChargerSession(
    {
      network: genesis.network,
      ...offerOf(flags),
      ...CHARGER_WAITS,
      sampleMs: CHARGER_WAITS.sampleMs * Math.max(1, flags.speed / 20),
    },
    {
      stream,
      client,
      signer,
      ...shared,
      energySource: recordedEnergy({ wh: GRID_WH, durationMs }),
      clock: systemClock,
      pace: flags.speed === 1 ? systemClock : pacedClock(systemClock, flags.speed, Date.now()),
      random: randomBytes,
      log,
    },
  );
}

async function keepReceipt({ receipts }: ChargerFlags, { session, receipt }: SessionResult): Promise<void> {
  if (receipts === undefined || receipt === undefined) return;
  await writeFile(path.join(receipts, `${session}.json`), receipt);
}
