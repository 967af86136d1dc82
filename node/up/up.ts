/**
 * `ravel up`: brings up a network on this machine, replays charging sessions on it, shows them, and says how it went.
 * Whatever it starts ends with it.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { WriteStream } from 'node:tty';
import { silentLog } from '../../p2p/index.ts';
import { type Board, createBoard } from './board.ts';
import { createTraffic, endedError, type Fleet, startFleet } from './fleet.ts';
import type { FleetSetup, FromFleet } from './fleet-messages.ts';
import { type Display, showLines, showPicture } from './live-view.ts';
import { accountOfCar, accountOfStation, openUpFolder, type UpFolder } from './network-folder.ts';
import { pause } from './pause.ts';
import type { RecordedSession } from './recorded-session.ts';
import { planReplay, type ReplayPlan, type Speed } from './replay-plan.ts';
import { runReplay } from './replay-run.ts';
import { describeReport, isGood, makeReport, type ReplayReport } from './report.ts';
import { describeProblem, isProblem, parseSessions } from './session-file.ts';
import { generateSessions } from './session-generator.ts';
import { UpError } from './up-error.ts';
import { startValidators, type Validators } from './validators.ts';
import { progressLine, renderView } from './view.ts';

/** At 200 times life this is a few minutes to look at. */
const SESSIONS_DEFAULT = 60;

export interface UpOptions {
  readonly validators?: number;
  readonly cars?: number;
  readonly chargers?: number;
  /** CSV; undefined: made up. */
  readonly sessions?: string;
  readonly limit?: number;
  readonly speed: Speed;
  readonly mode: 'stream' | 'settle';
  readonly stepWh: number;
  readonly seed: number;
  /** Undefined: a temporary folder. */
  readonly dir?: string;
  readonly port?: number;
}

export interface UpDeps {
  /** Where to draw the picture; undefined: lines of progress by `note`. */
  readonly terminal: WriteStream | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A line for people. */
  note(text: string): void;
}

export interface UpResult {
  readonly report: ReplayReport;
  readonly good: boolean;
  /** For people. */
  readonly lines: readonly string[];
}

/** Resolves when all is over and nothing is left running; undefined when the signal ended it. Rejects with coded errors. */
export async function runUp(
  options: UpOptions,
  deps: UpDeps,
  signal: AbortSignal,
): Promise<UpResult | undefined> {
  const sessions = await readSessions(options);
  await using stack = new AsyncDisposableStack();
  const { dir, validators, cars, port } = options;
  const folder = stack.use(await openUpFolder({ dir, validators, cars, port }));
  const plan = planReplay(sessions, {
    cars: folder.cars,
    speed: options.speed,
    ...(options.chargers === undefined ? {} : { stations: options.chargers }),
  });
  try {
    return await replay(options, deps, folder, plan, stack, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function readSessions(options: UpOptions): Promise<readonly RecordedSession[]> {
  const { sessions: file, limit } = options;
  if (file === undefined) return generateSessions({ count: limit ?? SESSIONS_DEFAULT, seed: options.seed });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UpError(
      'sessions_unreadable',
      `The file of sessions cannot be read (${message}). Check --sessions.`,
      error,
    );
  }
  const sessions = parseSessions(text, limit === undefined ? {} : { limit });
  if (isProblem(sessions)) throw new UpError('sessions_unreadable', describeProblem(file, sessions));
  return sessions;
}

async function replay(
  options: UpOptions,
  deps: UpDeps,
  folder: UpFolder,
  plan: ReplayPlan,
  stack: AsyncDisposableStack,
  outer: AbortSignal,
): Promise<UpResult | undefined> {
  const which = folder.resumed ? 'kept' : 'new';
  deps.note(`Starting the ${folder.validators.length} validators of a ${which} network in ${folder.dir}`);
  let onEnded = deps.note;
  const validators = await startValidators(
    { genesis: folder.genesis, folders: folder.validators, logsDir: path.join(folder.dir, 'logs') },
    { log: silentLog, onEnded: (text) => onEnded(text) },
    stack,
    outer,
  );
  if (options.dir !== undefined) {
    deps.note('Nodes that wallets can use:');
    for (const address of validators.addresses) deps.note(`  ${address}`);
  }
  deps.note(`Opening the wallets of ${folder.cars} cars and ${plan.stations.length} stations`);
  const [cars, stations] = await startFleets(options, folder, plan, validators, stack, outer);
  const board = createBoard(
    { plan, mode: options.mode, speed: options.speed },
    {
      nowMs: () => Date.now(),
      validators: validators.states,
      onNote: (text) => {
        if (deps.terminal === undefined) deps.note(text);
      },
    },
  );
  onEnded = board.note;
  for (const fleet of [cars, stations]) fleet.onMessage((message) => record(board, message));
  const display = stack.adopt(show(deps, board), (shown) => shown.stop());
  const beganMs = performance.now();
  await carryOut(options, plan, board, cars, stations, outer);
  if (outer.aborted) return undefined;
  const elapsedMs = performance.now() - beganMs;
  const agreement = await validators.watch.agreement(
    folder.genesis.supply,
    (index) => validators.states()[index]!.ended,
    outer,
  );
  display.stop();
  if (outer.aborted) return undefined;
  const report = makeReport(board.totals, board.statistics, agreement);
  return { report, good: isGood(report), lines: describeReport(report, elapsedMs, agreement.differences) };
}

function show(deps: UpDeps, board: Board): Display {
  return deps.terminal === undefined
    ? showLines(deps.note, () => progressLine(board.view()))
    : showPicture(deps.terminal, deps.environment, (size, paint) => renderView(board.view(), size, paint));
}

async function startFleets(
  options: UpOptions,
  folder: UpFolder,
  plan: ReplayPlan,
  validators: Validators,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<readonly [cars: Fleet, stations: Fleet]> {
  const setup = (accounts: readonly number[]): FleetSetup => ({
    type: 'setup',
    genesisFile: folder.genesisFile,
    nodes: validators.addresses,
    phrase: folder.phrase,
    accounts,
    walletsDir: path.join(folder.dir, 'wallets'),
    receiptsDir: options.dir === undefined ? undefined : path.join(folder.dir, 'receipts'),
  });
  const logFile = (name: string): string => path.join(folder.dir, 'logs', `${name}.log`);
  const carAccounts = Array.from({ length: folder.cars }, (_, car) => accountOfCar(car));
  const stationAccounts = plan.stations.map((_, station) => accountOfStation(station));
  return Promise.all([
    startFleet({ name: 'cars', logFile: logFile('cars'), setup: setup(carAccounts) }, stack, signal),
    startFleet(
      { name: 'stations', logFile: logFile('stations'), setup: setup(stationAccounts) },
      stack,
      signal,
    ),
  ]);
}

/** Replays everything; throws when one of the two processes of light clients is gone, as nothing can go on then. */
async function carryOut(
  options: UpOptions,
  plan: ReplayPlan,
  board: Board,
  cars: Fleet,
  stations: Fleet,
  outer: AbortSignal,
): Promise<void> {
  const { speed, mode, stepWh } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const traffic = createTraffic(cars, stations, { speed, mode, stepWh }, signal);
  let failure: UpError | undefined;
  for (const { child } of [cars, stations]) {
    void child.exited.then((exit) => {
      if (exit.expected) return;
      failure = endedError(child, exit);
      over.abort();
    });
  }
  await runReplay(
    plan,
    {
      drive: (departure) => traffic.drive(departure),
      nowMs: () => performance.now(),
      sleep: pause,
      started: board.started,
      ended: board.ended,
    },
    signal,
  );
  if (failure !== undefined) throw failure;
}

function record(board: Board, message: FromFleet): void {
  if (message.type === 'submitted') board.statistics.submitted(message.payment, message.atMs);
  else if (message.type === 'verified')
    board.statistics.verified(message.payment, message.units, message.atMs);
  else if (message.type === 'progress') board.progress(message.session, message.energyWh, message.unitsPaid);
}
