/**
 * Payments against a running network at a fixed rate, and how long each takes: fresh accounts get money from a wallet, pay one
 * another for a while, and every node is asked in the end whether it has all of it.
 */
import { randomBytes } from 'node:crypto';
import { type Genesis, UNITS_MAX, type Units } from '../../ledger/index.ts';
import type { LightPeers, Log } from '../../p2p/index.ts';
import type { LightClient } from '../../wallet/index.ts';
import { fund } from '../load/funding.ts';
import { Latency } from '../load/latency.ts';
import { openLoop } from '../load/pacing.ts';
import type { FindWork } from '../load/raw-account.ts';
import { Traffic, untilKnown } from '../load/traffic.ts';
import type { Display } from '../up/live-view.ts';
import { pause } from '../up/pause.ts';
import { makeReport, type SpamReport } from './report.ts';
import type { SpamView } from './view.ts';

export interface SpamOptions {
  readonly genesis: Genesis;
  /** Multiaddrs; the accounts are spread over them. */
  readonly nodes: readonly string[];
  /** Payments a second, all accounts together. */
  readonly rate: number;
  readonly accounts: number;
  readonly seconds: number;
  /** See TrafficOptions. */
  readonly proveEvery: number;
  /** For the funds, and in the end for all payments to be final. */
  readonly timeoutMs: number;
}

export interface SpamDeps {
  /** Has the money. */
  readonly funder: LightClient;
  /** Of its own identity. */
  readonly peers: LightPeers;
  readonly log: Log;
  readonly findWork: FindWork;
  /** A word on the way. */
  note(text: string): void;
  /** Begins to show how it goes. */
  show(view: () => SpamView): Display;
  /** Ends it early: what was sent is waited for and reported. */
  readonly signal: AbortSignal;
}

/** Payments kept ready, all accounts together: some tens of megabytes. */
const AHEAD_MAX = 50_000;

/** While payments are made, more are made so often. */
const REFILL_MS = 100;

const NOTE_MS = 2_000;

/** What is shown as "now" is the mean over this time. */
const RATE_WINDOW_MS = 5_000;

const NEVER = new AbortController().signal;

interface Tally {
  readonly atMs: number;
  readonly sent: number;
  readonly final: number;
}

export class Spam implements AsyncDisposable {
  readonly #options: SpamOptions;
  readonly #deps: SpamDeps;
  readonly #latency = new Latency();
  /** From when a payment was due to when it left: what the generator itself is late. */
  readonly #lag = new Latency();
  #traffic!: Traffic;
  readonly #tallies: Tally[] = [];
  #startMs = 0;

  constructor(options: SpamOptions, deps: SpamDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Rejects with errors of wallet and peers, before the first payment also with the signal's reason. */
  async run(): Promise<SpamReport> {
    const { rate, seconds, timeoutMs, accounts } = this.#options;
    const { note, signal } = this.#deps;
    const perAccount = Math.ceil((rate * seconds) / accounts);
    await this.#open(perAccount);
    const ahead = Math.max(1, Math.min(perAccount, Math.floor(AHEAD_MAX / accounts)));
    await this.#make(ahead);
    signal.throwIfAborted();
    this.#startMs = now();
    this.#tallies.push({ atMs: this.#startMs, sent: 0, final: 0 });
    const display = this.#deps.show(() => this.#view());
    const over = new AbortController();
    const load = this.#traffic.load;
    try {
      const pacing = openLoop({ rate, seconds, lanes: accounts, startMs: this.#startMs });
      const refilling = this.#refill(ahead, perAccount, AbortSignal.any([over.signal, signal]));
      await load.run(pacing, signal);
      over.abort();
      await refilling;
      const due = pacing.dueBy(now())!;
      const elapsedMs = now() - this.#startMs;
      const { final } = load.totals;
      await load.drain(timeoutMs, NEVER);
      display.stop();
      note('Asking every node for every account.');
      const disagreements = await this.#traffic.disagreements(timeoutMs, NEVER);
      return makeReport(
        { nodes: this.#options.nodes, rate, accounts, seconds, interrupted: signal.aborted },
        {
          totals: load.totals,
          stuck: load.stuck.map(({ stuck }) => stuck!),
          unsent: Math.max(0, due - load.totals.sent),
          finalPerSecond: (final * 1000) / elapsedMs,
          latency: this.#latency,
          lag: this.#lag,
          disagreements: disagreements.length,
          lies: this.#traffic.lies,
        },
      );
    } finally {
      over.abort();
      display.stop();
    }
  }

  /** Fresh accounts with as many units as they have payments to make, final on every node. */
  async #open(perAccount: number): Promise<void> {
    const { genesis, nodes, accounts, proveEvery, timeoutMs } = this.#options;
    const { funder, note, signal, ...deps } = this.#deps;
    this.#traffic = await Traffic.open(
      {
        genesis,
        nodes,
        proveEvery,
        secrets: Array.from({ length: accounts }, () => randomBytes(32)),
      },
      {
        ...deps,
        proven: (dueMs, sentMs, atMs) => {
          this.#latency.record(atMs - dueMs);
          this.#lag.record(sentMs - dueMs);
        },
      },
    );
    note(`${accounts} fresh accounts get ${perAccount} units each.`);
    const amount = Math.min(perAccount, UNITS_MAX) as Units;
    const transfers = this.#traffic.lanes.map(({ account }) => ({ to: account.address, amount }));
    const paid = await fund(funder, transfers, { timeoutMs, signal });
    const known = await untilKnown(this.#traffic.ears, paid, now() + timeoutMs, signal);
    signal.throwIfAborted();
    if (!known) note('Not every node has proven the funds final; going on all the same.');
  }

  async #make(perAccount: number): Promise<void> {
    const { note, signal } = this.#deps;
    const total = perAccount * this.#options.accounts;
    note(`Making ${total} payments.`);
    let noteMs = now() + NOTE_MS;
    await this.#traffic.make(perAccount, signal, (count) => {
      if (now() < noteMs) return;
      noteMs = now() + NOTE_MS;
      note(`  ${count} of ${total} made`);
    });
  }

  /** Keeps as many ready as fit the memory. */
  async #refill(ahead: number, perAccount: number, signal: AbortSignal): Promise<void> {
    if (ahead >= perAccount) return;
    while (!signal.aborted) {
      await this.#traffic.make(ahead, signal);
      await pause(REFILL_MS, signal);
    }
  }

  #view(): SpamView {
    const atMs = now();
    const { load } = this.#traffic;
    const { sent, final, refusals } = load.totals;
    this.#tallies.push({ atMs, sent, final });
    while (this.#tallies[1]!.atMs <= atMs - RATE_WINDOW_MS) this.#tallies.shift();
    const first = this.#tallies[0]!;
    const perSecond = (count: number): number =>
      atMs > first.atMs ? (count * 1000) / (atMs - first.atMs) : 0;
    return {
      elapsedMs: atMs - this.#startMs,
      rate: this.#options.rate,
      seconds: this.#options.seconds,
      nodes: this.#options.nodes.length,
      sent,
      final,
      waiting: load.waiting,
      sentPerSecond: perSecond(sent - first.sent),
      finalPerSecond: perSecond(final - first.final),
      latency: this.#latency,
      refusals,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#traffic?.[Symbol.asyncDispose]();
  }
}

function now(): number {
  return performance.now();
}
