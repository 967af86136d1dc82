/** Validators as processes, accounts with money, and payments between them at any pace, with everything that was seen of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { sign, verify } from '../ledger/index.ts';
import type { Pacing } from '../node/load/pacing.ts';
import { openLoadTools } from '../node/load/tools.ts';
import { Traffic } from '../node/load/traffic.ts';
import { silentLog } from '../p2p/index.ts';
import { type Measurement, type Run, SAMPLES_MIN } from './harness.ts';
import { BenchNetwork, type Taken, until } from './network.ts';
import { owner } from './payments.ts';

export interface LoadedOptions {
  readonly validators: number;
  readonly accounts: number;
  /** See TrafficOptions. */
  readonly proveEvery: number;
}

/** A payment that was proven. */
export interface Proven {
  readonly dueMs: number;
  /** From when it was due until its proof had been checked. */
  readonly tookMs: number;
  /** From when it was due until it left the load generator. */
  readonly lagMs: number;
}

/** How everything was at one moment. */
export interface Mark {
  readonly atMs: number;
  /** Payments known to be final. */
  readonly final: number;
  readonly taken: readonly Taken[];
  /** CPU time of this process, which makes the load. */
  readonly ownCpuMs: number;
}

/** What was seen of one load. */
export interface Seen {
  readonly proven: readonly Proven[];
  /** At the beginning, and at the end of each of SAMPLES_MIN equal parts of the time. */
  readonly marks: readonly Mark[];
  /** Event loop delay of the slowest validator, in milliseconds, second by second. */
  readonly loopDelaysMs: readonly number[];
  /** Due, and taken by no validator. */
  readonly unsent: number;
}

/** Payments of one account are made for at most so many units. */
const UNITS_EACH = 1_000_000_000;

/** The work is the payer's, done before; a validator's check is one hash, whatever the bits. */
const WORK_BITS = 0;

const DRAIN_MS = 60_000;

const STATUS_EVERY_MS = 1_000;

/** What is signed of a payment with one transfer is about as long. */
const MESSAGE_BYTES = 200;

/** Of one sample: some hundred milliseconds. */
const CHECKS = 1_000;

const NEVER = new AbortController().signal;

export class LoadedNetwork implements AsyncDisposable {
  readonly network: BenchNetwork;
  readonly traffic: Traffic;
  readonly #owned: AsyncDisposable;
  readonly #proven: Proven[];

  private constructor(network: BenchNetwork, traffic: Traffic, proven: Proven[], owned: AsyncDisposable) {
    this.network = network;
    this.traffic = traffic;
    this.#proven = proven;
    this.#owned = owned;
  }

  static async start({ validators, accounts, proveEvery }: LoadedOptions): Promise<LoadedNetwork> {
    await using stack = new AsyncDisposableStack();
    const owners = Array.from({ length: accounts }, (_, i) => owner(i));
    const network = stack.use(
      await BenchNetwork.start({
        validators,
        workBits: WORK_BITS,
        owners: owners.map(({ address }) => address),
        unitsEach: UNITS_EACH,
      }),
    );
    const { genesis, addresses: nodes } = network;
    const { peers, findWork } = stack.use(await openLoadTools(genesis, silentLog));
    const proven: Proven[] = [];
    const traffic = stack.use(
      await Traffic.open(
        { genesis, nodes, proveEvery, secrets: owners.map(({ secret }) => secret) },
        {
          ...{ peers, findWork, log: silentLog },
          proven: (dueMs, sentMs, atMs) =>
            void proven.push({ dueMs, tookMs: atMs - dueMs, lagMs: sentMs - dueMs }),
        },
      ),
    );
    return new LoadedNetwork(network, traffic, proven, stack.move());
  }

  /** Signs so many payments in all, the accounts in turn; they are used by the next load. */
  make(count: number): Promise<void> {
    return this.traffic.make(Math.ceil(count / this.traffic.lanes.length), NEVER);
  }

  async mark(): Promise<Mark> {
    const { final } = this.traffic.load.totals;
    const { user, system } = process.cpuUsage();
    const ownCpuMs = (user + system) / 1000;
    return { atMs: performance.now(), final, ownCpuMs, taken: await this.network.taken() };
  }

  /**
   * Pays at this pace, and waits until all of it is proven. Rejects when a payment is lost, an account cannot go on, or a
   * node sends what does not hold.
   * @param leadMs Until the network is full; marks begin after it.
   */
  async pay(pacing: Pacing, leadMs = 0): Promise<Seen> {
    const { load, ears, lies } = this.traffic;
    const from = this.#proven.length;
    const over = new AbortController();
    const loopDelaysMs: number[] = [];
    const looking = this.#lookAtLoops(loopDelaysMs, over.signal);
    const marking = this.#markParts(performance.now() + leadMs, pacing.endMs);
    const before = load.totals.sent;
    await load.run(pacing, NEVER);
    const marks = await marking;
    over.abort();
    await load.drain(DRAIN_MS, NEVER);
    await looking;
    const { sent, final, refusals } = load.totals;
    if (sent !== final)
      throw new Error(`${sent - final} payments are not final: ${JSON.stringify(refusals)}`);
    if (load.stuck.length > 0) throw new Error(`accounts could not go on: ${load.stuck[0]!.stuck}`);
    if (lies.length > 0) throw new Error(`a node sent what does not hold: ${lies[0]}`);
    if (ears.length === 0) throw new Error('no node was listened to');
    const unsent = Math.max(0, (pacing.dueBy(performance.now()) ?? 0) - (sent - before));
    return { proven: this.#proven.slice(from), marks, loopDelaysMs, unsent };
  }

  async #markParts(fromMs: number, untilMs: number): Promise<readonly Mark[]> {
    const marks: Promise<Mark>[] = [];
    for (let part = 0; part <= SAMPLES_MIN; part++) {
      const atMs = fromMs + ((untilMs - fromMs) * part) / SAMPLES_MIN;
      await pause(Math.max(0, atMs - performance.now()));
      marks.push(this.mark());
    }
    return Promise.all(marks);
  }

  async #lookAtLoops(delays: number[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(STATUS_EVERY_MS, undefined, { signal }).catch(() => undefined);
      const views = await Promise.all(this.traffic.ears.map((ear) => ear.status().catch(() => undefined)));
      const each = views.flatMap((view) => view?.vitals?.loopDelayMs ?? []);
      if (each.length > 0) delays.push(Math.max(...each));
    }
  }

  /** What all validators say in the end: as many final payments as were made, and the supply of the genesis. */
  async outcome(): Promise<string> {
    const { final } = this.traffic.load.totals;
    for (const [i, ear] of this.traffic.ears.entries()) {
      await until(`validator ${i} knows of ${final} final payments`, async () => {
        const { finalPayments, supply } = await ear.status();
        if (supply !== this.network.genesis.supply) throw new Error(`validator ${i}: a supply of ${supply}`);
        return finalPayments === final;
      });
    }
    return `supply ${this.network.genesis.supply} on ${this.traffic.ears.length} validators, none lost`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

/** CPU microseconds of one signature check by libsodium on one core, in samples: the bound that nobody gets around. */
export function checkCost(run: Run): Measurement {
  const [{ secret, publicKey }, message] = [owner(0), new Uint8Array(MESSAGE_BYTES)];
  const signature = sign(secret, message);
  let held = 0;
  const samples = Array.from({ length: SAMPLES_MIN }, () => {
    const from = process.cpuUsage();
    for (let i = 0; i < CHECKS; i++) if (verify(0, publicKey, message, signature)) held++;
    const { user, system } = process.cpuUsage(from);
    return (user + system) / CHECKS;
  });
  return run.record({
    operation: 'a signature check by libsodium',
    unit: 'CPU µs',
    samples,
    digest: `${held} of ${SAMPLES_MIN * CHECKS} hold`,
  });
}
