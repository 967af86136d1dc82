/** What session tests stand on: time that only the test moves, a stream in memory, and a ledger of one table. */
import assert from 'node:assert/strict';
import {
  type Address,
  decodePayment,
  encodePayment,
  encodeWitness,
  type FinalityProof,
  type Genesis,
  isRefusal,
  MerkleTree,
  makeGenesis,
  type Payment,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Round,
  type Slot,
  searchWork,
  sign,
  type Transfer,
  type Units,
  WITNESS_HEADER_BYTES,
  workSeed,
} from '../../ledger/index.ts';
import { decodeMessage, encodeMessage } from '../../p2p/codec.ts';
import type { FramedStream } from '../../p2p/index.ts';
import type { FinalPayment, Payer, PaymentWatch, SessionClock } from '../../wallet/session-ports.ts';
import { createSeedSigner, type Signer } from '../../wallet/signer.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** What the ledger of a test needs of time. */
export interface TestTime {
  after(ms: number, act: () => void): void;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Time stands still until nothing else can happen, then jumps to the next sleeper. */
export class VirtualTime implements SessionClock, TestTime {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { atMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  after(ms: number, act: () => void): void {
    this.#sleepers.push({ atMs: this.#nowMs + ms, wake: act });
  }

  /** How many wait for time to pass. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Lets time pass until `work` is done; fails when it waits for something that will never come. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => {});
    while (!done) {
      // All microtasks first: they take no time.
      await new Promise((resolve) => setImmediate(resolve));
      if (done) break;
      const next = this.#sleepers.reduce<Sleeper | undefined>(
        (first, sleeper) => (first === undefined || sleeper.atMs < first.atMs ? sleeper : first),
        undefined,
      );
      assert.ok(next !== undefined, 'everybody waits and nobody sleeps');
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    return settled;
  }
}

/** One direction of a stream. */
class Pipe {
  readonly #frames: (Uint8Array | Error | 'end')[] = [];
  #wake: (() => void) | undefined;

  push(frame: Uint8Array | Error | 'end'): void {
    this.#frames.push(frame);
    this.#wake?.();
  }

  async *read(): AsyncGenerator<unknown> {
    while (true) {
      while (this.#frames.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const frame = this.#frames.shift()!;
      if (frame === 'end') return;
      if (frame instanceof Error) throw frame;
      yield decodeMessage(frame);
    }
  }
}

export interface StreamPair {
  readonly charger: FramedStream;
  readonly car: FramedStream;
  /** Breaks the line for both. */
  cut(): void;
}

/** What may happen to a message on its way: pass (maybe changed), vanish, or break the line before it. */
export type OnTheWay = (message: Record<string, unknown>, from: 'car' | 'charger') => unknown;

/** Two ends of a stream that carries real msgpack frames. */
export function streamPair(onTheWay: OnTheWay = (message) => message): StreamPair {
  const pipes = { car: new Pipe(), charger: new Pipe() };
  let broken = false;
  const cut = () => {
    if (broken) return;
    broken = true;
    for (const pipe of [pipes.car, pipes.charger]) pipe.push(new Error('the line broke'));
  };
  const end = (own: 'car' | 'charger', other: 'car' | 'charger'): FramedStream => {
    let closed = false;
    return {
      remote: other,
      async send(message) {
        if (closed || broken) throw new Error('closed');
        const passed = onTheWay(decodeMessage(encodeMessage(message)) as Record<string, unknown>, own);
        if (passed === BREAK) cut();
        else if (passed !== undefined) pipes[own].push(encodeMessage(passed));
      },
      receive: () => pipes[other].read(),
      async close() {
        if (!closed) pipes[own].push('end');
        closed = true;
      },
      abort: cut,
    };
  };
  return { charger: end('charger', 'car'), car: end('car', 'charger'), cut };
}

/** Returned by OnTheWay to break the line. */
export const BREAK = Symbol('break');

function seedOf(text: string): Uint8Array {
  const seed = new Uint8Array(32);
  seed.set(new TextEncoder().encode(text));
  return seed;
}

const VALIDATORS = ['validator 1', 'validator 2', 'validator 3', 'validator 4'].map(seedOf);

export function signerOf(name: string): Signer {
  return createSeedSigner(seedOf(name));
}

/** @param workBits Leading zero bits of each payment's work. */
export function testGenesis(workBits = 2): Genesis {
  const genesis = makeGenesis({
    prefix: 'test',
    workBits,
    committee: VALIDATORS.map((seed) => ({ scheme: 0, publicKey: publicKeyOf(seed), weight: 1 })),
    allocations: [
      { address: signerOf('car').address, amount: 1_000_000_000 as Units },
      { address: signerOf('other car').address, amount: 1_000_000_000 as Units },
    ],
  });
  assert.ok(!isRefusal(genesis));
  return genesis;
}

/** A true proof that `payment` is final, one of four with its neighbours in the tree. */
export function proofOf(genesis: Genesis, payment: PaymentId, validators = 3): FinalityProof {
  const ids = [payment, ...['11', '77', 'ee'].map((byte) => byte.repeat(32) as PaymentId)].sort();
  const tree = new MerkleTree(genesis.network, ids);
  const index = ids.indexOf(payment);
  const certificates = VALIDATORS.slice(0, validators).map((seed, validator) => {
    const draft = {
      validator,
      round: 7 as Round,
      timeMs: 1_700_000_000_000,
      self: genesis.id,
      certifiedCount: ids.length,
      certifiedRoot: tree.root,
      checkpoint: genesis.checkpoint,
    };
    const body = { witnesses: [], tips: [], defers: [], accepts: [], freezes: [] };
    const witness = encodeWitness(genesis.network, draft, body, (message) => sign(seed, message));
    return { header: witness.slice(0, WITNESS_HEADER_BYTES), index, path: tree.path(index) };
  });
  return { payment, certificates };
}

/** An error as the light client rejects with. */
export function coded(code: string): Error {
  return Object.assign(new Error(`payment is ${code}`), { code });
}

/** Fate of a payment: final after so many ms, never, or dead after so many. */
export interface Fate {
  readonly finalMs?: number;
  readonly deadMs?: number;
}

/** The ledger as wallets see it: payments go in, and come out final with a proof. */
export class TestLedger {
  readonly genesis: Genesis;
  readonly #time: TestTime;
  readonly #finals = new Map<PaymentId, PromiseWithResolvers<FinalPayment>>();
  /** How long finality takes, or what happens instead. */
  fate: (payment: Payment) => Fate;

  constructor(genesis: Genesis, time: TestTime, finalMs = 800) {
    this.genesis = genesis;
    this.#time = time;
    this.fate = () => ({ finalMs });
  }

  #slot(id: PaymentId): PromiseWithResolvers<FinalPayment> {
    let slot = this.#finals.get(id);
    if (slot === undefined) {
      slot = Promise.withResolvers();
      slot.promise.catch(() => {});
      this.#finals.set(id, slot);
    }
    return slot;
  }

  readonly #listeners = new Map<Address, Set<(payment: FinalPayment) => void>>();

  submit(bytes: Uint8Array): Promise<FinalPayment> {
    const payment = decodePayment(bytes, this.genesis.network);
    assert.ok(!isRefusal(payment));
    const { promise, resolve, reject } = this.#slot(payment.id);
    const { finalMs, deadMs } = this.fate(payment);
    const proof = proofOf(this.genesis, payment.id);
    if (finalMs !== undefined) {
      this.#time.after(finalMs, () => {
        resolve({ payment, bytes, proof });
        for (const { to } of payment.transfers) {
          for (const listener of this.#listeners.get(to) ?? []) listener({ payment, bytes, proof });
        }
      });
    }
    if (deadMs !== undefined) this.#time.after(deadMs, () => reject(coded('payment_dead')));
    return promise;
  }

  /** A client that only looks, with the eyes of an account. */
  watch(address: Address): PaymentWatch {
    return {
      onIncoming: (listener) => {
        const listeners = this.#listeners.get(address) ?? new Set();
        this.#listeners.set(address, listeners.add(listener));
        return () => listeners.delete(listener);
      },
      waitFinal: async (id, { timeoutMs }) => {
        const timer = new AbortController();
        const late = this.#time.sleep(timeoutMs, timer.signal).then(() => {
          throw coded('timeout');
        });
        return Promise.race([this.#slot(id).promise, late]).finally(() => {
          timer.abort();
          late.catch(() => {});
        });
      },
    };
  }

  wallet(name: string, balance = 1_000_000_000): TestWallet {
    return new TestWallet(this, this.#time, name, balance);
  }
}

export class TestWallet implements Payer {
  readonly signer: Signer;
  readonly address: Address;
  readonly #ledger: TestLedger;
  readonly #time: TestTime;
  readonly #name: string;
  #balance: number;
  #head: Slot;
  #sequence = 0;
  /** Every payment made. */
  readonly made: Payment[] = [];
  /** How long a node takes to queue a payment. */
  queueMs = 20;

  constructor(ledger: TestLedger, time: TestTime, name: string, balance: number) {
    this.#ledger = ledger;
    this.#time = time;
    this.#name = name;
    this.signer = signerOf(name);
    this.address = this.signer.address;
    this.#head = this.address;
    this.#balance = balance;
  }

  get balance(): Units {
    return this.#balance as Units;
  }

  get paid(): number {
    return this.made.reduce((sum, payment) => sum + payment.total, 0);
  }

  draft(transfers: readonly Transfer[], memo: Uint8Array): Uint8Array {
    const { network, workBits } = this.#ledger.genesis;
    const { scheme, publicKey } = this.signer;
    const previous = this.#head;
    const sequence = this.#sequence + 1;
    const essence = paymentEssence({ network, scheme, publicKey, previous, sequence, transfers, memo });
    const work = searchWork(workSeed(network, previous, this.address), workBits, 0, 2 ** 20)!;
    return encodePayment(essence, work, sign(seedOf(this.#name), essence));
  }

  async pay(transfers: readonly Transfer[], memo: Uint8Array = new Uint8Array()) {
    const bytes = this.draft(transfers, memo);
    const payment = decodePayment(bytes, this.#ledger.genesis.network);
    assert.ok(!isRefusal(payment));
    assert.ok(payment.total <= this.#balance, 'a wallet does not overdraw');
    this.#balance -= payment.total;
    this.#head = payment.id;
    this.#sequence++;
    this.made.push(payment);
    await this.#time.sleep(this.queueMs, new AbortController().signal);
    return { id: payment.id, bytes, final: this.#ledger.submit(bytes) };
  }
}
