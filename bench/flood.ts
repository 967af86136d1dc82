/** A flood of payments for a bench: its accounts get money, a thread of its own sends, and its rate follows the network. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { TRANSFERS_MAX, type Units } from '../ledger/index.ts';
import { RawAccount } from '../node/load/raw-account.ts';
import type { LightLink, NodeView } from '../p2p/index.ts';
import type { FloodOptions, FloodOrder, FloodTotals } from './flood.worker.ts';
import { type BenchNetwork, until } from './network.ts';
import type { Owner } from './payments.ts';

/** What attackers send over what the network settles. */
const FLOOD_FACTOR = 10;
/** Before the first look at what it settles, and at the least. */
const FLOOD_RATE_MIN = 4_000;
const LOOK_MS = 400;
/** Below what a node takes of one account. */
const FUNDING_AT_ONCE = 60;

/** All validators at one moment. */
export interface Look {
  readonly atMs: number;
  readonly views: readonly NodeView[];
  /** By the attackers so far. */
  readonly offered: number;
}

/** Gives each attacker what its payments need, out of one account. */
export async function fund(
  network: BenchNetwork,
  mint: Owner,
  attackers: readonly Owner[],
  each: number,
): Promise<void> {
  const account = new RawAccount(network.genesis, mint.secret);
  const link = await network.link(0);
  for (let from = 0, paid = 0; from < attackers.length; ) {
    const payments: Uint8Array[] = [];
    for (; payments.length < FUNDING_AT_ONCE && from < attackers.length; from += TRANSFERS_MAX) {
      const part = attackers.slice(from, from + TRANSFERS_MAX);
      const transfers = part.map(({ address }) => ({ to: address, amount: each as Units }));
      payments.push(account.pay(transfers, new Uint8Array(8)).bytes);
    }
    await link.submit(payments);
    paid += payments.length;
    await until('the attackers have money', async () => (await link.status()).finalPayments >= paid);
  }
}

/** The attackers' thread. */
export class Flood implements AsyncDisposable {
  readonly #worker: Worker;

  private constructor(options: FloodOptions) {
    this.#worker = new Worker(new URL('./flood.worker.ts', import.meta.url), { workerData: options });
  }

  /** Resolves when all is signed and connected. */
  static async start(options: FloodOptions): Promise<Flood> {
    const flood = new Flood(options);
    await once(flood.#worker, 'message');
    return flood;
  }

  async order(order: FloodOrder): Promise<FloodTotals> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(order);
    return (await answer)[0] as FloodTotals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Looks at all validators again and again, and lets the flood follow what they settle. */
export class Watch implements AsyncDisposable {
  readonly looks: Look[] = [];
  readonly #links: readonly LightLink[];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  flood: Flood | undefined;

  constructor(links: readonly LightLink[]) {
    this.#links = links;
    this.#running = this.#look();
  }

  async #look(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const views = await Promise.all(this.#links.map((link) => link.status()));
      const totals = await this.flood?.order({});
      this.looks.push({ atMs: performance.now(), views, offered: totals?.offered ?? 0 });
      const settled = this.settledBetween(this.looks.at(-6) ?? this.looks[0]!, this.looks.at(-1)!);
      await this.flood?.order({ rate: Math.max(FLOOD_RATE_MIN, FLOOD_FACTOR * (settled || 0)) });
      await pause(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** Payments a second, at the validator that is furthest. */
  settledBetween(from: Look, to: Look): number {
    const finals = ({ views }: Look): number => Math.max(...views.map(({ finalPayments }) => finalPayments));
    return ((finals(to) - finals(from)) * 1000) / (to.atMs - from.atMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
