/** An evil validator as a process of its own, and what it says it has done. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { eventually, within } from './deadline.ts';
import type { EvilArguments } from './evil-process.ts';

const PROCESS = path.resolve(import.meta.dirname, 'evil-process.ts');

export class EvilChild implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'close');
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-10_000);
    });
  }

  /** Resolves when it is connected to all of the honest. */
  static async start(options: EvilArguments): Promise<EvilChild> {
    const evil = new EvilChild(
      spawn(process.execPath, [PROCESS, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      }),
    );
    await eventually('the evil validator is connected', () => {
      if (!evil.running) throw new Error(`it ended: ${evil.#stderr}`);
      return evil.#said('ready');
    });
    return evil;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #said(event: string): Record<string, unknown> | undefined {
    const line = this.#stdout.split('\n').find((text) => text.includes(`"event":"${event}"`));
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
  }

  /** Peer ids of its faces, in the order of the honest nodes. */
  get faces(): readonly string[] {
    return this.#said('ready')?.faces as string[];
  }

  /** Waits until it has tried all its tricks. */
  async practised(): Promise<void> {
    await eventually(
      'the evil validator has tried all its tricks',
      () => this.#said('practised') !== undefined,
    );
  }

  /** Ends it. What it has done, by name. */
  async stop(): Promise<Readonly<Record<string, number>>> {
    this.#child.kill('SIGTERM');
    await within('the evil validator has ended', this.#gone);
    const ended = this.#said('ended');
    if (ended === undefined) throw new Error(`it ended by itself: ${this.#stderr}`);
    return ended.deeds as Record<string, number>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}
