/** Honest payments at a steady rate beside the double spends: how long each takes until the first node has proven it final. */
import type { Address, PaymentId } from '../../ledger/index.ts';
import type { Log } from '../../p2p/index.ts';
import { Lane } from '../load/lane.ts';
import { Latency } from '../load/latency.ts';
import { Load, type LoadNode } from '../load/load.ts';
import { openLoop, type Pacing } from '../load/pacing.ts';
import type { FindWork, RawAccount } from '../load/raw-account.ts';
import { makeAhead } from '../load/stock.ts';
import { pause } from '../up/pause.ts';

export interface HonestLoadOptions {
  /** Payments a second, all accounts together. */
  readonly rate: number;
  readonly receiver: Address;
}

export interface HonestLoadDeps {
  readonly accounts: readonly RawAccount[];
  /** Told of every payment of these accounts. */
  readonly nodes: readonly LoadNode[];
  readonly findWork: FindWork;
  readonly log: Log;
  nowMs(): number;
}

/** Milliseconds of honest payments that fell due in some time. */
export interface Finality {
  readonly payments: number;
  /** Due in that time, and not final yet. */
  readonly open: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Nobody waits for longer. */
const SECONDS_MAX = 7 * 24 * 3600;

/** Payments of each account that are made ahead. */
const AHEAD = 3;
const REFILL_MS = 100;

export class HonestLoad {
  readonly #load: Load;
  readonly #pacing: Pacing;
  readonly #deps: HonestLoadDeps;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #startMs: number;
  /** When the attack began, and when it was over. */
  #borders: readonly number[] = [];
  readonly #before = new Latency();
  readonly #during = new Latency();

  /** Begins to pay at once, the accounts in turn. */
  constructor(options: HonestLoadOptions, deps: HonestLoadDeps) {
    this.#deps = deps;
    const { accounts, nodes, log, nowMs } = deps;
    const { rate, receiver } = options;
    const lanes = accounts.map((account, i) => new Lane(i, account, i % nodes.length));
    this.#load = new Load({
      ...{ lanes, nodes, log, nowMs },
      proven: (dueMs, _sentMs, atMs) => this.#record(dueMs, atMs),
    });
    this.#startMs = nowMs();
    this.#pacing = openLoop({ rate, lanes: lanes.length, startMs: this.#startMs, seconds: SECONDS_MAX });
    const { signal } = this.#stop;
    const stock = { lanes, findWork: deps.findWork, receiver: () => ({ to: receiver, watched: true }) };
    const refill = async (): Promise<void> => {
      while (!signal.aborted) {
        await makeAhead(stock, (lane) => lane.sent + AHEAD, signal);
        await pause(REFILL_MS, signal);
      }
    };
    this.#running = Promise.all([refill(), this.#load.run(this.#pacing, signal)]);
    this.#running.catch((error) => log.error({ error: String(error) }, 'the honest load has ended'));
  }

  #record(dueMs: number, atMs: number): void {
    const [attackMs = Number.POSITIVE_INFINITY] = this.#borders;
    (dueMs < attackMs ? this.#before : this.#during).record(atMs - dueMs);
  }

  /** The attack begins, or is over, now. */
  border(): void {
    this.#borders = [...this.#borders, this.#deps.nowMs()];
  }

  /** The proof came at `atMs`. False when it is none of these. */
  final(payment: PaymentId, atMs: number): boolean {
    return this.#load.final(payment, atMs);
  }

  /** No more payments; resolves when those that were sent are final, or the time is over. */
  async finish(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#load.drain(timeoutMs, signal);
  }

  /** Before and during the attack; both borders are known. */
  finality(): { readonly before: Finality; readonly during: Finality } {
    const [attackMs, endMs] = this.#borders.map((atMs) => this.#pacing.dueBy(atMs)!) as [number, number];
    return { before: told(this.#before, attackMs), during: told(this.#during, endMs - attackMs) };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#load[Symbol.asyncDispose]();
  }
}

function told(latency: Latency, payments: number): Finality {
  const { p50, p99 } = latency.percentiles;
  return { payments, open: payments - latency.count, p50, p99 };
}
