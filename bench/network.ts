/** Validators as real processes on 127.0.0.1, as an operator starts them, and light clients that talk to them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Address, type Genesis, makeGenesis, unhex } from '../ledger/index.ts';
import { createLightPeers, type LightLink, silentLog } from '../p2p/index.ts';
import { formatAddress, parseAddress } from '../wallet/index.ts';

const RAVEL = path.resolve(import.meta.dirname, '../node/ravel.ts');

/** Generous: other programs may have the cores. */
const PATIENCE_MS = 60_000;

const POLL_MS = 20;

/** What a file system counts blocks in, whatever its own size of them. */
const BLOCK_BYTES = 512;

/** Linux counts processor time in these, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

/** Settings of whoever runs the bench are no settings of the nodes that it runs; the same Node runs both. */
const ENVIRONMENT = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RAVEL_'))),
  PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
};

export interface NetworkOptions {
  readonly validators: number;
  /** Leading zero bits that a payment's work needs. */
  readonly workBits: number;
  /** Owners in the beginning, each with the same. */
  readonly owners: readonly Address[];
  /** Units of each. */
  readonly unitsEach: number;
}

/** Waits until the answer is true; rejects when it never is. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await ask())) {
    if (performance.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms in vain until ${what}`);
    await pause(POLL_MS);
  }
}

/** What one validator has taken; NaN where /proc does not tell. */
export interface Taken {
  /** Since it was started, user and system. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Of its database, as the file system counts. */
  readonly diskBytes: number;
  /** Snapshots made: from the first on, it forgets what is old. */
  readonly snapshots: number;
}

export class BenchNetwork implements AsyncDisposable {
  readonly genesis: Genesis;
  /** Multiaddrs of the validators. */
  readonly addresses: readonly string[];
  readonly #dir: string;
  readonly #children: readonly ChildProcess[];
  readonly #owned: AsyncDisposableStack;

  private constructor(
    genesis: Genesis,
    dir: string,
    addresses: readonly string[],
    children: readonly ChildProcess[],
    owned: AsyncDisposableStack,
  ) {
    this.genesis = genesis;
    this.#dir = dir;
    this.addresses = addresses;
    this.#children = children;
    this.#owned = owned;
  }

  /** Makes it, starts it, and waits until every validator is connected to all others. */
  static async start(options: NetworkOptions): Promise<BenchNetwork> {
    await using owned = new AsyncDisposableStack();
    const dir = await mkdtemp(path.join(tmpdir(), 'ravel-bench-'));
    owned.defer(() => rm(dir, { recursive: true, force: true }));
    const ports = await freePorts(options.validators);
    const addresses = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`);
    const genesis = await initNetwork(dir, addresses, options);
    const children = addresses.map((_, i) => startValidator(dir, i));
    for (const child of children) owned.defer(() => end(child));
    endWithThisProcess(children, dir, owned);
    await Promise.all(children.map((child, i) => isReady(child, path.join(dir, `${i}.log`))));
    const network = new BenchNetwork(genesis, dir, addresses, children, owned.move());
    try {
      const links = await Promise.all(addresses.map((_, i) => network.link(i)));
      await until('all validators are connected', async () => {
        const views = await Promise.all(links.map((link) => link.status()));
        // Light clients do not count.
        return views.every(({ peers }) => peers >= children.length - 1);
      });
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A light client of its own identity, linked to this validator alone; ends with the network. */
  async link(validator: number): Promise<LightLink> {
    const peers = await createLightPeers(
      {
        network: this.genesis.network,
        identitySeed: randomBytes(32),
        listen: [],
        requestTimeoutMs: PATIENCE_MS,
      },
      { log: silentLog, nowMs: () => performance.now() },
    );
    this.#owned.use(peers);
    return peers.connect(this.addresses[validator]!);
  }

  /** What each validator has taken so far. */
  taken(): Promise<readonly Taken[]> {
    return Promise.all(
      this.#children.map(async ({ pid }, i) => {
        const stats = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
        const log = await readFile(path.join(this.#dir, `${i}.log`), 'utf8');
        // The name of the program, in brackets, may hold spaces; utime and stime are the 12th and 13th after it.
        const fields = stats.slice(stats.lastIndexOf(')') + 2).split(' ');
        return {
          cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND,
          rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
          diskBytes: await bytesIn(path.join(this.#dir, 'validators', String(i), 'db')),
          snapshots: log.split('Made a snapshot').length - 1,
        };
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function initNetwork(
  dir: string,
  listen: readonly string[],
  options: NetworkOptions,
): Promise<Genesis> {
  const allocations = options.owners.flatMap((owner) => [
    '--allocate',
    `${formatAddress('bench', owner)}=${options.unitsEach}`,
  ]);
  await promisify(execFile)(
    process.execPath,
    [
      ...[RAVEL, 'init', '--dir', dir, '--prefix', 'bench', '--validators', String(options.validators)],
      ...['--work-bits', String(options.workBits), '--listen', listen.join(','), ...allocations],
    ],
    { env: ENVIRONMENT, timeout: PATIENCE_MS },
  );
  const file = JSON.parse(await readFile(path.join(dir, 'genesis.json'), 'utf8')) as {
    readonly id: string;
    readonly prefix: string;
    readonly workBits: number;
    readonly committee: readonly { readonly publicKey: string; readonly weight: number }[];
    readonly allocations: readonly { readonly address: string; readonly amount: Genesis['supply'] }[];
  };
  const genesis = makeGenesis({
    prefix: file.prefix,
    workBits: file.workBits,
    committee: file.committee.map(({ publicKey, weight }) => ({
      scheme: 0,
      publicKey: unhex(publicKey),
      weight,
    })),
    allocations: file.allocations.map(({ address, amount }) => ({
      address: parseAddress(file.prefix, address),
      amount,
    })),
  });
  if (genesis.id !== file.id)
    throw new Error(`genesis.json is of ${file.id}, its content makes ${genesis.id}`);
  return genesis;
}

/** With a channel to this process: when this one dies, the validator ends by itself. */
function startValidator(dir: string, index: number): ChildProcess {
  const log = openSync(path.join(dir, `${index}.log`), 'a', 0o600);
  try {
    // As a command, with what its first line asks of Node.
    return spawn(RAVEL, ['node', '--dir', path.join(dir, 'validators', String(index))], {
      stdio: ['ignore', log, log, 'ipc'],
      env: ENVIRONMENT,
    });
  } finally {
    closeSync(log);
  }
}

/** Resolves when it can be reached; rejects with the end of its log when it ends or keeps silent. */
async function isReady(child: ChildProcess, logFile: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ready = once(child, 'message', { signal }).then(
    () => true,
    () => false,
  );
  const ended = new Promise<boolean>((resolve) => {
    child.once('exit', () => resolve(false));
    child.once('error', () => resolve(false));
  });
  if (await Promise.race([ready, ended])) return;
  throw new Error(`a validator did not start: ${(await readFile(logFile, 'utf8')).slice(-2_000)}`);
}

/** For a run that is cut short. */
function endWithThisProcess(
  children: readonly ChildProcess[],
  dir: string,
  owned: AsyncDisposableStack,
): void {
  const clean = (): void => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on('exit', clean);
  owned.defer(async () => {
    process.off('exit', clean);
  });
}

/** The database goes with the folder, so there is nothing to wait for. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Below those that the system gives to outgoing connections: a validator's first dial could take another one's port. */
async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 20_000 + (process.pid % 700) * 16; found.length < count && port < 32_000; port++) {
    if (await isFree(port)) found.push(port);
  }
  if (found.length < count) throw new Error('there are no free ports from 20000 to 32000');
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  // LevelDB deletes files at any time.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        ({ blocks }) => blocks * BLOCK_BYTES,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
