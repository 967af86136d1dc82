/**
 * The files of a network and of its nodes:
 *
 *   genesis.json                     what fixes the network, for people and programs
 *   validators/<i>/node.json         settings of validator i (node/config.ts)
 *   validators/<i>/validator.key     the key that it votes with, 64 hex digits, readable for its owner alone
 *   validators/<i>/validator.key.new a mark that the key has never voted; the node removes it at its first start
 *   validators/<i>/identity.key      the key of its network identity, likewise
 *   validators/<i>/db/               its database, made by the node itself
 */
import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import {
  type Allocation,
  type Genesis,
  type GenesisDraft,
  hex,
  makeGenesis,
  publicKeyOf,
  type Units,
  unhex,
} from '../ledger/index.ts';
import { formatAddress, parseAddress } from '../wallet/index.ts';

/**
 * - `network_exists` - the folder holds a network, or part of one, already
 * - `genesis_invalid` - a genesis file, or what one is to be made of, breaks a rule
 * - `genesis_unreadable` - there is no such file, or no right to read it
 * - `key_invalid` - a key file that holds no key, or that others can read
 */
export class NetworkFilesError extends Error {
  readonly code: 'network_exists' | 'genesis_invalid' | 'genesis_unreadable' | 'key_invalid';
  constructor(code: NetworkFilesError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NetworkFilesError';
    this.code = code;
  }
}

export interface InitOptions {
  /** The network's folder; made when it is missing. */
  readonly dir: string;
  /** Number of validators, 1 to COMMITTEE_MAX. */
  readonly validators: number;
  /** One for each validator, at least 1; all 1 when absent. */
  readonly weights?: readonly number[];
  /** Prefix of addresses, 1 to 16 characters a-z. */
  readonly prefix: string;
  /** Leading zero bits of a payment's work, 0 to 48. */
  readonly workBits: number;
  /** Who owns the supply, which is their sum; see evenAllocations. */
  readonly allocations: readonly Allocation[];
  /** Where each validator listens: one multiaddr each. Absent: ports 7300 and up of 127.0.0.1. */
  readonly addresses?: readonly string[];
}

export interface InitDeps {
  /** Secret bytes: node:crypto's randomBytes. */
  randomBytes(length: number): Uint8Array;
}

const KEY_BYTES = 32;
const PORT_FIRST = 7300;

/** One supply over some accounts, evenly; what does not divide goes to the first. */
export function evenAllocations(addresses: readonly Allocation['address'][], supply: number): Allocation[] {
  const share = Math.floor(supply / addresses.length);
  const first = supply - share * (addresses.length - 1);
  return addresses.map((address, i) => ({ address, amount: (i === 0 ? first : share) as Units }));
}

/** Genesis of a draft. Throws a RangeError when the draft says something that its fixed layout cannot. */
function genesisOf(draft: GenesisDraft): Genesis {
  const genesis = makeGenesis(draft);
  const told = (one: Pick<GenesisDraft, 'workBits' | 'committee' | 'allocations'>): string =>
    JSON.stringify([
      one.workBits,
      one.committee.map(({ weight }) => weight),
      one.allocations.map(({ address, amount }) => `${address} ${amount}`).sort(),
    ]);
  if (told(genesis) !== told(draft))
    throw new RangeError('work bits, weights and amounts are whole numbers within their limits');
  return genesis;
}

/** genesis.json. Unknown keys are refused: somebody would believe that they mean something. */
const genesisFile = z.strictObject({
  id: z.string(),
  prefix: z.string(),
  workBits: z.number(),
  supply: z.number(),
  committee: z.array(
    z.strictObject({
      scheme: z.literal('ed25519'),
      publicKey: z.string().regex(/^[0-9a-f]{64}$/),
      weight: z.number(),
    }),
  ),
  allocations: z.array(z.strictObject({ address: z.string(), amount: z.number() })),
});

/** The text of genesis.json. */
export function formatGenesis(genesis: Genesis): string {
  const { id, prefix, workBits, supply } = genesis;
  const committee = genesis.committee.map(({ publicKey, weight }) => ({
    scheme: 'ed25519',
    publicKey: hex(publicKey),
    weight,
  }));
  const allocations = genesis.allocations.map(({ address, amount }) => ({
    address: formatAddress(prefix, address),
    amount,
  }));
  return `${JSON.stringify({ id, prefix, workBits, supply, committee, allocations }, null, 2)}\n`;
}

/** @param file Its path, for messages. @throws NetworkFilesError genesis_invalid. */
export function parseGenesis(text: string, file: string): Genesis {
  const fail = (what: string, error?: unknown): never => {
    const cure = 'Take the genesis.json that the founder of the network handed out, unchanged.';
    throw new NetworkFilesError('genesis_invalid', `${file}: ${what}. ${cure}`, { cause: error });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(`not JSON (${(error as Error).message})`, error);
  }
  const parsed = genesisFile.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(`${issue!.path.join('.') || 'the file'}: ${issue!.message}`);
  }
  const { id, prefix, workBits, supply, committee, allocations } = parsed.data;
  let genesis: Genesis;
  try {
    genesis = genesisOf({
      prefix,
      workBits,
      committee: committee.map(({ publicKey, weight }) => ({
        scheme: 0,
        publicKey: unhex(publicKey),
        weight,
      })),
      allocations: allocations.map(({ address, amount }) => ({
        address: parseAddress(prefix, address),
        amount: amount as Units,
      })),
    });
  } catch (error) {
    return fail((error as Error).message, error);
  }
  if (genesis.supply !== supply)
    return fail(`the allocations sum to ${genesis.supply}, not to the supply of ${supply}`);
  if (genesis.id !== id)
    return fail(`it says that its id is ${id}, but what it says has the id ${genesis.id}: it was changed`);
  return genesis;
}

/** @throws NetworkFilesError genesis_unreadable, genesis_invalid. */
export async function loadGenesis(file: string): Promise<Genesis> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const message = `${file} cannot be read (${(error as Error).message}). Make a network with "ravel init", or name its genesis.json.`;
    throw new NetworkFilesError('genesis_unreadable', message, { cause: error });
  }
  return parseGenesis(text, file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Never over anything that is there. */
function writeNew(file: string, text: string, mode: number): Promise<void> {
  return writeFile(file, text, { flag: 'wx', mode, flush: true });
}

/** Makes a key file. @returns the key. */
export async function makeKey(file: string, deps: InitDeps): Promise<Uint8Array> {
  const key = Uint8Array.from(deps.randomBytes(KEY_BYTES));
  await writeNew(file, `${hex(key)}\n`, 0o600);
  return key;
}

/** Reads a key file: 32 bytes. @throws NetworkFilesError key_invalid; errors of the file system. */
export async function loadKey(file: string): Promise<Uint8Array> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new NetworkFilesError(
      'key_invalid',
      `Others than its owner may read or change ${file}. Run: chmod 600 ${file}`,
    );
  }
  const text = (await readFile(file, 'utf8')).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new NetworkFilesError(
      'key_invalid',
      `${file} holds no key: 64 hex digits are expected. Restore it from its backup.`,
    );
  }
  return unhex(text);
}

function markOf(keyFile: string): string {
  return `${keyFile}.new`;
}

/** True until the first start of a validator with this key file: then an empty database has lost no vote. */
export function neverVoted(keyFile: string): Promise<boolean> {
  return exists(markOf(keyFile));
}

/** The database knows from now on. */
export async function forgetNeverVoted(keyFile: string): Promise<void> {
  await rm(markOf(keyFile), { force: true });
}

/** Reads a key file, or makes it when there is none. */
export async function loadOrMakeKey(file: string, deps: InitDeps): Promise<Uint8Array> {
  return (await exists(file)) ? loadKey(file) : makeKey(file, deps);
}

function checkInit({ validators, weights, addresses }: InitOptions): void {
  const rows: [string, number | undefined][] = [
    ['weights', weights?.length],
    ['addresses', addresses?.length],
  ];
  for (const [name, length] of rows) {
    if (length === undefined || length === validators) continue;
    throw new NetworkFilesError(
      'genesis_invalid',
      `There are ${validators} validators and ${length} ${name}. Give one each.`,
    );
  }
}

/** Settings of one validator, with paths relative to its folder and the others as peers. */
function nodeSettings(addresses: readonly string[], index: number): object {
  return {
    dataDir: '.',
    genesis: '../../genesis.json',
    validatorKey: 'validator.key',
    identityKey: 'identity.key',
    listen: [addresses[index]],
    peers: addresses.filter((_, other) => other !== index),
  };
}

/**
 * Makes a new network: genesis, keys and settings. genesis.json is written last, so a folder that has it is whole.
 * @throws NetworkFilesError network_exists, genesis_invalid; errors of the file system.
 */
export async function initNetwork(options: InitOptions, deps: InitDeps): Promise<Genesis> {
  checkInit(options);
  const { dir, prefix, workBits, allocations } = options;
  const indices = Array.from({ length: options.validators }, (_, i) => i);
  const keys = indices.map(() => Uint8Array.from(deps.randomBytes(KEY_BYTES)));
  const committee = keys.map((key, i) => ({
    scheme: 0 as const,
    publicKey: publicKeyOf(key),
    weight: options.weights?.[i] ?? 1,
  }));
  let genesis: Genesis;
  try {
    genesis = genesisOf({ prefix, workBits, committee, allocations });
  } catch (error) {
    throw new NetworkFilesError(
      'genesis_invalid',
      `No network can be made of this: ${(error as Error).message}`,
      { cause: error },
    );
  }
  for (const part of ['genesis.json', 'validators']) {
    if (!(await exists(path.join(dir, part)))) continue;
    throw new NetworkFilesError(
      'network_exists',
      `${path.join(dir, part)} is there already. Choose another folder, or move that one away.`,
    );
  }
  const addresses = options.addresses ?? indices.map((i) => `/ip4/127.0.0.1/tcp/${PORT_FIRST + i}`);
  for (const i of indices) {
    const folder = path.join(dir, 'validators', String(i));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeNew(path.join(folder, 'validator.key'), `${hex(keys[i]!)}\n`, 0o600);
    await writeNew(markOf(path.join(folder, 'validator.key')), 'This key has never voted.\n', 0o600);
    await makeKey(path.join(folder, 'identity.key'), deps);
    await writeNew(
      path.join(folder, 'node.json'),
      `${JSON.stringify(nodeSettings(addresses, i), null, 2)}\n`,
      0o600,
    );
  }
  await writeNew(path.join(dir, 'genesis.json'), formatGenesis(genesis), 0o644);
  return genesis;
}
