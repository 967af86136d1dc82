/** Flags of commands that use a wallet, and the wallet opened as they say. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { type Genesis, isRefusal } from '../../ledger/index.ts';
import { createLightPeers, type LightPeers, type Log, silentLog } from '../../p2p/index.ts';
import {
  createLightClient,
  createSeedSigner,
  deriveKey,
  type LightClient,
  openKeystore,
  readKeystoreHeader,
  type Signer,
} from '../../wallet/index.ts';
import { createLog } from '../log.ts';
import { openWalletFiles, readKeystore, stateFolderOf } from '../wallet-files.ts';
import { WorkPool } from '../work-pool.ts';
import type { CommandHost } from './command-io.ts';
import { type NetworkFlags, needGenesis, needNodes } from './network-options.ts';
import { askPassword, type PasswordSource } from './password.ts';
import { wholeNumber } from './values.ts';

/** One answer of a node, over the Internet. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The highest account number of SLIP-10. */
const ACCOUNT_MAX = 2 ** 31 - 1;

export interface WalletFlags {
  readonly wallet: string;
  readonly account: number;
  readonly passwordFile?: string;
  readonly verbose?: true;
}

export function addWalletFile(command: Command): Command {
  return command.addOption(
    new Option('--wallet <file>', 'the wallet').env('RAVEL_WALLET').default('wallet.json'),
  );
}

export function addWalletOptions(command: Command): Command {
  return addWalletFile(command).option(
    '--account <n>',
    'account of the wallet',
    wholeNumber(0, ACCOUNT_MAX),
    0,
  );
}

export function addPasswordOption(command: Command): Command {
  return command.addOption(
    new Option('--password-file <file>', 'file with the password (default: ask)').env('RAVEL_PASSWORD_FILE'),
  );
}

export function passwordSource(flags: { readonly passwordFile?: string }, host: CommandHost): PasswordSource {
  return { file: flags.passwordFile, stdin: host.stdin, stderr: host.stderr };
}

/** The key of the wallet, after its password was given. */
export async function unlock(flags: WalletFlags, host: CommandHost): Promise<Signer> {
  const text = await readKeystore(flags.wallet);
  readKeystoreHeader(text);
  const password = await askPassword(passwordSource(flags, host));
  return createSeedSigner(deriveKey(await openKeystore(text, password), flags.account));
}

/** Enough of a signer to look at account 0: its key stays locked. Other accounts cannot be known without the password. */
export async function lookOnly(flags: WalletFlags, host: CommandHost): Promise<Signer> {
  if (flags.account !== 0) return unlock(flags, host);
  const { address } = readKeystoreHeader(await readKeystore(flags.wallet));
  return {
    scheme: 0,
    publicKey: new Uint8Array(),
    address,
    sign: () =>
      Promise.reject(new Error('broken invariant: a wallet that was opened to look at signs nothing')),
  };
}

/** A wallet that is connected to its network. */
export interface OpenWallet extends AsyncDisposable {
  readonly genesis: Genesis;
  readonly signer: Signer;
  readonly client: LightClient;
  readonly peers: LightPeers;
  readonly log: Log;
}

export interface ConnectOptions {
  readonly signer: Signer;
  /** Multiaddrs; only stations are dialled. */
  readonly listen?: readonly string[];
}

function millions(count: number): string {
  return Math.round(count / 1e6).toLocaleString('en');
}

/** Opens the wallet's files and begins to dial the nodes. Nothing waits for the network yet. */
export async function connect(
  flags: WalletFlags & NetworkFlags,
  host: CommandHost,
  { signer, listen = [] }: ConnectOptions,
): Promise<OpenWallet> {
  const genesis = await needGenesis(flags);
  const nodes = await needNodes(flags);
  const log = flags.verbose
    ? createLog({ level: 'info', format: 'pretty' }, { isTerminal: host.stderr.isTTY })
    : silentLog;
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openWalletFiles(stateFolderOf(flags.wallet, flags.account), { log }));
  const pool = stack.use(new WorkPool({ threads: availableParallelism() }, { log }));
  const peers = stack.use(
    await createLightPeers(
      {
        network: genesis.network,
        identitySeed: randomBytes(32),
        listen,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
      },
      { log, nowMs: () => performance.now() },
    ),
  );
  const client = stack.use(
    await createLightClient(
      { genesis, nodes },
      {
        signer,
        peers,
        store,
        log,
        nowMs: () => Date.now(),
        async findWork(seed, bits, signal) {
          const inAll = millions(2 ** bits);
          const found = await pool.find(seed, bits, signal, (tries) =>
            host.stderr.write(
              `The work for a payment goes on: ${millions(tries)} of about ${inAll} million tries.\n`,
            ),
          );
          if (isRefusal(found)) throw new Error(`the work pool is full: ${found.code}`);
          return found;
        },
      },
    ),
  );
  const moved = stack.move();
  return { genesis, signer, client, peers, log, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}
