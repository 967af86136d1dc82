/** `ravel` as a process of its own: started, heard, signalled, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { NODE_FLAGS } from '../../node/limits.ts';
import { PATIENCE_MS, within } from './deadline.ts';

export const RAVEL = path.resolve(import.meta.dirname, '../../node/ravel.ts');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing that a test reads is longer. */
const OUTPUT_CHARACTERS_MAX = 4_000_000;

/** Whatever is set where the tests run is no setting of the nodes that they run. */
const OTHERS = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RAVEL_')));

const alive = new Set<ChildProcess>();

// The hooks of the tests end every process; this is for a run that is cut short.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class RavelProcess implements AsyncDisposable {
  /** Resolves when it is gone and all that it said has been read. Never rejects. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #heard: () => void = () => {};

  /** @param options Without a channel it is like a process that a person has started; with one it ends when this one does. */
  constructor(
    args: readonly string[],
    options: { readonly channel: boolean; readonly environment?: Readonly<Record<string, string>> } = {
      channel: true,
    },
  ) {
    const child = spawn(process.execPath, [...NODE_FLAGS, RAVEL, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.channel ? ['ipc' as const] : [])],
      env: { ...OTHERS, ...options.environment },
    });
    this.#child = child;
    alive.add(child);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = `${this.#stdout}${text}`.slice(-OUTPUT_CHARACTERS_MAX);
      this.#heard();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-OUTPUT_CHARACTERS_MAX);
    });
    // Not the event 'close': it never comes once the channel was closed from here.
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const read = [once(child.stdout!, 'close'), once(child.stderr!, 'close')];
    this.ended = Promise.all([exit, ...read]).then(([[code, signal]]) => {
      alive.delete(child);
      this.#heard();
      return { code, signal, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return alive.has(this.#child);
  }

  /** What it has written so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The addresses of a `ravel node --json` once it is reachable. Rejects with its last words when it ends before. */
  ready(): Promise<readonly string[]> {
    const ready = new Promise<readonly string[]>((resolve, reject) => {
      this.#heard = () => {
        const line = this.#stdout.split('\n').find((text) => text.includes('"event":"ready"'));
        if (line !== undefined) resolve((JSON.parse(line) as { addresses: string[] }).addresses);
        else if (!this.running) reject(new Error(`it ended before it was ready:\n${this.#stderr}`));
      };
      this.#heard();
    });
    return within('the node is ready', ready);
  }

  /** Sends a signal at once, and does not wait. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the channel, as it ends when the parent dies. */
  disconnect(): void {
    this.#child.disconnect();
  }

  /** SIGTERM, and its end; rejects when it has not ended in time. */
  stop(): Promise<Ended> {
    this.signal('SIGTERM');
    return within(`process ${this.pid} has ended`, this.ended, PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** Runs one command to its end. */
export async function ravel(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  await using child = new RavelProcess(args, { channel: true, environment });
  return await within(`ravel ${args.join(' ')} has ended`, child.ended);
}
