/**
 * The folder of a network that `ravel up` runs: what `ravel init` makes, and beside it
 *
 *   up.json      how many cars there are, and the recovery phrase of all their wallets (readable for the owner alone);
 *                account 0 of it is a faucet
 *   wallets/     what the light clients of cars and stations remember
 *   logs/        what every process said
 *   receipts/    of charging sessions
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Allocation, Genesis, Units } from '../../ledger/index.ts';
import { createSeedSigner, deriveKey, newPhrase } from '../../wallet/index.ts';
import { lockFolder } from '../folder-lock.ts';
import { evenAllocations, initNetwork, loadGenesis } from '../network-files.ts';
import { freePorts, needPorts } from './ports.ts';
import { UpError } from './up-error.ts';

/** Validators and their clients run on this machine alone. */
const HOST = '127.0.0.1';

const VALIDATORS_DEFAULT = 4;
const CARS_DEFAULT = 12;

/** A million of a currency whose millionth is the unit: no car of a replay runs out of money. */
const UNITS_PER_CAR = 1_000_000_000_000;

/** Prefix of addresses, as `ravel init` has it too. */
const PREFIX = 'ravel';

/**
 * 256 tries, a millisecond with the portable hash. Cars and validators share the cores of one machine here, and the work
 * of many cars would leave none for the ledger.
 */
const WORK_BITS = 8;

/** Money to try things with that belongs to no car, out of what the first one has: account 0 of the phrase. */
const FAUCET_ACCOUNT = 0;
const FAUCET_UNITS = 1_000_000_000;

/** Cars own the accounts from 1 on of the phrase, stations those from here on. */
const STATION_ACCOUNT_FIRST = 1_000_001;

const manifestShape = z.strictObject({
  version: z.literal(1),
  cars: z.number().int().min(1),
  phrase: z.string(),
});
type Manifest = z.output<typeof manifestShape>;

export interface UpFolderOptions {
  /** Undefined: a temporary folder, removed in the end. */
  readonly dir: string | undefined;
  /** Undefined: as many as the folder has, or the default. */
  readonly validators: number | undefined;
  readonly cars: number | undefined;
  /** First of consecutive ports; undefined: those that the folder names, or free ones. */
  readonly port: number | undefined;
}

/** A network that is ready to be started. Disposing of it frees the folder, and removes a temporary one. */
export interface UpFolder extends AsyncDisposable {
  readonly dir: string;
  readonly genesis: Genesis;
  readonly genesisFile: string;
  /** Folders of the validators, for `ravel node --dir`. */
  readonly validators: readonly string[];
  readonly cars: number;
  readonly phrase: string;
  /** It was there before. */
  readonly resumed: boolean;
}

/** Account number of a car (from 0) within the phrase. */
export function accountOfCar(car: number): number {
  return 1 + car;
}

/** Account number of a station (from 0) within the phrase. */
export function accountOfStation(station: number): number {
  return STATION_ACCOUNT_FIRST + station;
}

/** Makes a network, or opens the one that is there. Throws UpError `folder_unsuitable` or `port_busy`, FolderLockError. */
export async function openUpFolder(options: UpFolderOptions): Promise<UpFolder> {
  const dir =
    options.dir === undefined ? await mkdtemp(path.join(tmpdir(), 'ravel-up-')) : path.resolve(options.dir);
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  });
  undo.use(await lockFolder(dir));
  const found = options.dir === undefined ? undefined : await readManifest(dir);
  const manifest = found ?? (await makeNetwork(dir, options));
  const validators = await validatorFolders(dir);
  checkCounts(dir, options, { validators: validators.length, cars: manifest.cars });
  if (found !== undefined) await settleAddresses(validators, options.port);
  for (const folder of ['wallets', 'logs', 'receipts']) {
    await mkdir(path.join(dir, folder), { recursive: true, mode: 0o700 });
  }
  const genesisFile = path.join(dir, 'genesis.json');
  const genesis = await loadGenesis(genesisFile);
  const disposable = undo.move();
  return {
    dir,
    genesis,
    genesisFile,
    validators,
    cars: options.cars ?? manifest.cars,
    phrase: manifest.phrase,
    resumed: found !== undefined,
    [Symbol.asyncDispose]: () => disposable.disposeAsync(),
  };
}

/**
 * The key of an account with money to try things with, 32 bytes. Undefined for a folder that `ravel up` did not make. Throws
 * UpError `folder_unsuitable` when up.json is damaged.
 */
export async function keyOfFaucet(dir: string): Promise<Uint8Array | undefined> {
  const file = path.join(dir, 'up.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  return deriveKey(parseManifest(text, file).phrase, FAUCET_ACCOUNT);
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  const file = path.join(dir, 'up.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await refuseForeign(dir);
    return undefined;
  }
  return parseManifest(text, file);
}

function parseManifest(text: string, file: string): Manifest {
  try {
    return manifestShape.parse(JSON.parse(text));
  } catch (error) {
    throw new UpError(
      'folder_unsuitable',
      `${file} is damaged. Choose another --dir, or restore the file.`,
      error,
    );
  }
}

/** A network is only made in an empty folder: everything else belongs to somebody. */
async function refuseForeign(dir: string): Promise<void> {
  const entries = (await readdir(dir)).filter((name) => name !== 'ravel.lock');
  if (entries.length === 0) return;
  const what = entries.includes('genesis.json') ? 'a network that "ravel up" did not make' : 'other files';
  throw new UpError(
    'folder_unsuitable',
    `${dir} holds ${what} (${entries.slice(0, 3).join(', ')}). Choose an empty or a new folder with --dir.`,
  );
}

async function makeNetwork(dir: string, options: UpFolderOptions): Promise<Manifest> {
  const validators = options.validators ?? VALIDATORS_DEFAULT;
  const cars = options.cars ?? CARS_DEFAULT;
  const phrase = newPhrase();
  const addresses = Array.from(
    { length: cars },
    (_, car) => createSeedSigner(deriveKey(phrase, accountOfCar(car))).address,
  );
  const ports =
    options.port === undefined
      ? await freePorts(validators, HOST)
      : await portsFrom(options.port, validators);
  await initNetwork(
    {
      dir,
      validators,
      prefix: PREFIX,
      workBits: WORK_BITS,
      allocations: withFaucet(evenAllocations(addresses, cars * UNITS_PER_CAR), phrase),
      addresses: ports.map(addressOf),
    },
    { randomBytes },
  );
  const manifest: Manifest = { version: 1, cars, phrase };
  // Written last: a folder that has it is whole.
  await writeFile(path.join(dir, 'up.json'), `${JSON.stringify(manifest, undefined, 2)}\n`, {
    flag: 'wx',
    mode: 0o600,
  });
  return manifest;
}

function withFaucet([first, ...others]: readonly Allocation[], phrase: string): Allocation[] {
  const { address } = createSeedSigner(deriveKey(phrase, FAUCET_ACCOUNT));
  const [faucet, left] = [FAUCET_UNITS, first!.amount - FAUCET_UNITS] as [Units, Units];
  return [{ address, amount: faucet }, { address: first!.address, amount: left }, ...others];
}

async function portsFrom(first: number, count: number): Promise<readonly number[]> {
  const ports = Array.from({ length: count }, (_, index) => first + index);
  await needPorts(ports, HOST, 'End that program, choose another --port, or leave --port out.');
  return ports;
}

function addressOf(port: number): string {
  return `/ip4/${HOST}/tcp/${port}`;
}

async function validatorFolders(dir: string): Promise<string[]> {
  const names = await readdir(path.join(dir, 'validators'));
  return names
    .map(Number)
    .sort((a, b) => a - b)
    .map((index) => path.join(dir, 'validators', String(index)));
}

function checkCounts(
  dir: string,
  options: UpFolderOptions,
  has: { readonly validators: number; readonly cars: number },
): void {
  if (options.validators !== undefined && options.validators !== has.validators) {
    throw new UpError(
      'folder_unsuitable',
      `The network in ${dir} has ${has.validators} validators for ever, not ${options.validators}. Leave --validators out, or choose another --dir.`,
    );
  }
  if (options.cars !== undefined && options.cars > has.cars) {
    throw new UpError(
      'folder_unsuitable',
      `The network in ${dir} has ${has.cars} cars with money, not ${options.cars}. Give --cars ${has.cars} or fewer, or choose another --dir.`,
    );
  }
}

/** Of node.json: everything else stays as it is. */
const settingsShape = z.looseObject({ listen: z.array(z.string()).length(1), peers: z.array(z.string()) });

/** Sees to it that the ports of a network that was made before are free, or gives it others. */
async function settleAddresses(folders: readonly string[], port: number | undefined): Promise<void> {
  const files = folders.map((folder) => path.join(folder, 'node.json'));
  const settings = await Promise.all(
    files.map(async (file) => settingsShape.parse(JSON.parse(await readFile(file, 'utf8')))),
  );
  if (port === undefined) {
    const ports = settings.map(({ listen }) => Number(listen[0]!.split('/').at(-1)));
    await needPorts(ports, HOST, 'End that program, or give the network other ports with --port.');
    return;
  }
  const addresses = (await portsFrom(port, folders.length)).map(addressOf);
  for (const [index, file] of files.entries()) {
    const changed = {
      ...settings[index],
      listen: [addresses[index]],
      peers: addresses.filter((_, other) => other !== index),
    };
    await writeFile(file, `${JSON.stringify(changed, undefined, 2)}\n`);
    await chmod(file, 0o600);
  }
}
