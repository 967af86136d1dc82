/** A PostgreSQL of Debian's package for the length of a bench: a cluster of its own in a temporary folder, reached by a socket in there. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const PACKAGES = '/usr/lib/postgresql';

/** Generous: other programs may have the cores. */
const PATIENCE_MS = 120_000;
const POLL_MS = 50;

/** Until a server that was told to leave everything as it is has gone. */
const QUIT_MS = 500;

/** Whose clusters these are. */
const USER = 'bench';

/** The server refuses to run as root: one of these then, the first that the system knows. */
const UNPRIVILEGED = ['postgres', 'nobody'];

/** What is promised about durability, said aloud; all else is as the package sets it. */
export const DURABILITY = ['fsync=on', 'synchronous_commit=on'] as const;

/** Folder of the newest version's programs; undefined where the package is not installed. */
export function findPostgres(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined;
  return readdirSync(PACKAGES)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => path.join(PACKAGES, version, 'bin'))
    .find((bin) =>
      ['initdb', 'postgres', 'pgbench', 'psql'].every((name) => existsSync(path.join(bin, name))),
    );
}

export class PostgresCluster implements AsyncDisposable {
  /** `PostgreSQL 15.18`. */
  readonly version: string;
  /** Of this bench alone; gone with the cluster. */
  readonly dir: string;
  readonly #bin: string;
  readonly #owned: AsyncDisposableStack;

  private constructor(bin: string, dir: string, version: string, owned: AsyncDisposableStack) {
    this.#bin = bin;
    this.dir = dir;
    this.version = version;
    this.#owned = owned;
  }

  /**
   * Makes it, starts it, and waits until it answers. Rejects with the end of its log when it does not.
   * @param bin what `findPostgres` has found.
   */
  static async start(bin: string): Promise<PostgresCluster> {
    await using owned = new AsyncDisposableStack();
    const dir = await mkdtemp(path.join(tmpdir(), 'ravel-pg-'));
    owned.defer(() => rm(dir, { recursive: true, force: true }));
    const who = identity();
    if (who !== undefined) await chown(dir, who.uid, who.gid);
    const data = path.join(dir, 'data');
    const made = as(who, path.join(bin, 'initdb'));
    const options = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    await promisify(execFile)(made.file, [...made.args, '-D', data, '-U', USER, ...options], limits(dir));
    owned.use(new Server(as(who, path.join(bin, 'postgres')), data, dir));
    const version = await promisify(execFile)(path.join(bin, 'postgres'), ['--version'], limits(dir));
    const cluster = new PostgresCluster(bin, dir, versionOf(version.stdout), owned.move());
    try {
      await cluster.#answers();
      return cluster;
    } catch (error) {
      const log = await readFile(path.join(dir, 'log'), 'utf8').catch(() => '');
      await cluster[Symbol.asyncDispose]();
      throw new Error(`PostgreSQL did not start: ${log.slice(-2_000)}`, { cause: error });
    }
  }

  /** Runs one of its clients and resolves with what it printed. Rejects when it fails, or takes `timeoutMs`. */
  async client(name: 'psql' | 'pgbench', args: readonly string[], timeoutMs = PATIENCE_MS): Promise<string> {
    const all = ['--host', this.dir, '--username', USER, ...args, 'postgres'];
    const run = promisify(execFile)(path.join(this.#bin, name), all, {
      ...limits(this.dir),
      timeout: timeoutMs,
    });
    return (await run).stdout;
  }

  /** One value, as text. */
  async ask(sql: string): Promise<string> {
    const plain = ['--no-psqlrc', '--tuples-only', '--no-align'];
    return (await this.client('psql', [...plain, '--command', sql])).trim();
  }

  async #answers(): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await this.ask('select 1');
        return;
      } catch (error) {
        if (performance.now() > endMs || (error as { code?: unknown }).code === 'ENOENT') throw error;
        await pause(POLL_MS);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** The server's process: ends by its id, and with this process whatever ends that. */
class Server implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #clean: () => void;

  constructor({ file, args }: Program, data: string, dir: string) {
    const log = openSync(path.join(dir, 'log'), 'a', 0o600);
    const settings = ['listen_addresses=', `unix_socket_directories=${dir}`, ...DURABILITY];
    const options = settings.flatMap((setting) => ['-c', setting]);
    try {
      this.#child = spawn(file, [...args, '-D', data, ...options], {
        stdio: ['ignore', log, log],
        env: environment(),
      });
    } finally {
      closeSync(log);
    }
    this.#gone = once(this.#child, 'exit').catch(() => undefined);
    this.#clean = (): void => {
      this.#child.kill('SIGQUIT');
      // Nothing else runs any more in this process, and the server writes until it is gone.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUIT_MS);
      rmSync(dir, { recursive: true, force: true });
    };
    process.on('exit', this.#clean);
  }

  /** Ends connections first, then itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#clean);
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    this.#child.kill('SIGINT');
    await this.#gone;
  }
}

/** `postgres (PostgreSQL) 15.18 (Debian ...)` -> `PostgreSQL 15.18` */
function versionOf(text: string): string {
  return `PostgreSQL ${/\d+(\.\d+)*/.exec(text)?.[0] ?? 'of an unknown version'}`;
}

interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the server runs as when this process is root's; undefined for any other owner, who runs it as himself. */
function identity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of UNPRIVILEGED) {
    try {
      const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // The next one.
    }
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${UNPRIVILEGED.join(' or ')}`);
}

/** The program as that user; a signal of the kernel ends it when this process dies. */
function as(who: Identity | undefined, program: string): Program {
  const user = who === undefined ? [] : [`--reuid=${who.uid}`, `--regid=${who.gid}`, '--clear-groups'];
  return { file: 'setpriv', args: [...user, '--pdeathsig=QUIT', program] };
}

/** The folder is one that the server's user may enter; a default of the whole shell may not be. */
function limits(dir: string) {
  return { cwd: dir, timeout: PATIENCE_MS, env: environment(), maxBuffer: 1 << 24 };
}

/** Whoever runs the bench may have settings for databases of his own. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}
