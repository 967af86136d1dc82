/** Honest payments at a steady rate: how long each takes until the first node has proven it final. */
import type { Address, Payment, PaymentId, Transfer, Units } from '../../ledger/index.ts';
import { pause } from '../up/pause.ts';
import type { FindWork, RawAccount } from './raw-account.ts';

export interface HonestLoadOptions {
  /** Payments a second, all accounts together. */
  readonly rate: number;
  readonly receiver: Address;
}

export interface HonestLoadDeps {
  readonly accounts: readonly RawAccount[];
  readonly findWork: FindWork;
  /** Brings a payment to some node. */
  submit(payment: Payment, turn: number): Promise<void>;
  nowMs(): number;
}

interface Sample {
  readonly sentMs: number;
  finalMs: number | undefined;
}

/** Milliseconds of honest payments that were sent in some time. */
export interface Finality {
  readonly payments: number;
  /** Sent in that time, and not final yet. */
  readonly open: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** The value at a percentile by the nearest rank; null of nothing. */
export function percentile(values: readonly number[], percent: number): number | null {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil((percent / 100) * ascending.length) - 1)] ?? null;
}

export class HonestLoad {
  readonly #options: HonestLoadOptions;
  readonly #deps: HonestLoadDeps;
  readonly #samples = new Map<PaymentId, Sample>();
  readonly #stop = new AbortController();
  readonly #payers: Promise<void>[];
  #trouble: unknown;

  /** Begins to pay at once, each account one payment after the other. */
  constructor(options: HonestLoadOptions, deps: HonestLoadDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#payers = deps.accounts.map((account, turn) => this.#run(account, turn));
  }

  /** Why an account stopped paying, if one did. */
  get trouble(): unknown {
    return this.#trouble;
  }

  async #run(account: RawAccount, turn: number): Promise<void> {
    const { accounts, findWork, submit, nowMs } = this.#deps;
    const everyMs = (1000 * accounts.length) / this.#options.rate;
    const transfers: readonly Transfer[] = [{ to: this.#options.receiver, amount: 1 as Units }];
    const { signal } = this.#stop;
    // Evenly, not all at the same time.
    let atMs = nowMs() + (everyMs * turn) / accounts.length;
    try {
      while (!signal.aborted) {
        const work = await account.work(findWork, signal);
        await pause(atMs - nowMs(), signal);
        if (signal.aborted) return;
        atMs = Math.max(atMs + everyMs, nowMs());
        const payment = account.pay(transfers, work);
        this.#samples.set(payment.id, { sentMs: nowMs(), finalMs: undefined });
        await submit(payment, turn);
      }
    } catch (error) {
      if (!signal.aborted) this.#trouble ??= error;
    }
  }

  /** The proof came at `atMs`. False when it is none of these. */
  final(payment: PaymentId, atMs: number): boolean {
    const sample = this.#samples.get(payment);
    if (sample === undefined) return false;
    sample.finalMs ??= atMs;
    return true;
  }

  /** Payments that are not final yet. */
  get open(): number {
    return [...this.#samples.values()].filter(({ finalMs }) => finalMs === undefined).length;
  }

  /** Of what was sent in that time. */
  finality(fromMs: number, untilMs: number): Finality {
    const samples = [...this.#samples.values()].filter(({ sentMs }) => sentMs >= fromMs && sentMs < untilMs);
    const times = samples.flatMap(({ sentMs, finalMs }) => (finalMs === undefined ? [] : [finalMs - sentMs]));
    const round = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 10) / 10);
    return {
      payments: samples.length,
      open: samples.length - times.length,
      p50: round(percentile(times, 50)),
      p99: round(percentile(times, 99)),
    };
  }

  /** No more payments; resolves when the last one has left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#payers);
  }
}
