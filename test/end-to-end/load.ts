/**
 * Owners who pay as wallets do, for as long as they are let: a few payments on their way at once, and the identical bytes to
 * the next node when they do not become final soon.
 */
import type { Payment } from '../../ledger/index.ts';
import type { Client } from './client.ts';
import { eventually, within } from './deadline.ts';
import type { Owner } from './owner.ts';

export interface LoadOptions {
  readonly owners: readonly Owner[];
  /** Payments of one owner on their way at once. */
  readonly window: number;
  /** Who is paid. */
  readonly to: string;
  /** Whom the owners turn to. */
  readonly nodes: readonly number[];
}

/** After so long without finality the owner turns to the next node. */
const RETRY_MS = 1_500;

export class Load implements AsyncDisposable {
  readonly #client: Client;
  readonly #options: LoadOptions;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** All that was signed, in no order. */
  readonly made: Payment[] = [];
  #finishing = false;
  readonly #failures: unknown[] = [];

  /** Starts at once. */
  constructor(client: Client, options: LoadOptions) {
    this.#client = client;
    this.#options = options;
    this.#running = this.#run();
  }

  /** Those that the client has proof for. */
  get proven(): readonly Payment[] {
    return this.made.filter(({ id }) => this.#client.final.has(id));
  }

  /** Waits until so many more payments are proven. */
  async more(count: number): Promise<void> {
    const wanted = this.proven.length + count;
    await eventually(
      () => `${wanted} payments are final, ${this.proven.length} are; ${this.#failures.at(-1) ?? ''}`,
      () => this.proven.length >= wanted,
    );
  }

  async #run(): Promise<void> {
    await this.#client.watch(this.#options.owners.map(({ address }) => address));
    await Promise.all(this.#options.owners.map((owner, i) => this.#payOn(owner, i)));
  }

  async #payOn(owner: Owner, first: number): Promise<void> {
    const { window, to, nodes } = this.#options;
    let turn = first;
    while (!this.#stopped.signal.aborted && !this.#finishing) {
      const payments = Array.from({ length: window }, () => owner.pay({ to, amount: 1 }));
      this.made.push(...payments);
      const open = (): Payment[] => payments.filter(({ id }) => !this.#client.final.has(id));
      while (open().length > 0 && !this.#stopped.signal.aborted) {
        const node = nodes[turn++ % nodes.length]!;
        await this.#ask(node, open());
        await this.#until(() => open().length === 0);
      }
    }
  }

  /** A node that does not answer, or has never heard of what comes before, is no trouble: there is the next one. */
  async #ask(node: number, payments: readonly Payment[]): Promise<void> {
    try {
      const replies = await this.#client.submit(node, ...payments);
      for (const reply of replies) {
        if ('refusal' in reply) this.#failures.push(JSON.stringify(reply.refusal));
        else if (reply.status === 'final') await this.#client.isFinal(node, reply.id);
      }
    } catch (error) {
      this.#failures.push(error);
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    const endMs = performance.now() + RETRY_MS;
    await eventually('the time has passed', () => {
      return holds() || this.#stopped.signal.aborted || performance.now() > endMs;
    });
  }

  /** No further payments; resolves when all that were made are final. */
  async finish(): Promise<void> {
    this.#finishing = true;
    await within(`all of ${this.made.length} payments are final`, this.#running);
  }

  /** No further payments; those under way may or may not become final. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
