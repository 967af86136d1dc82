/** A clock that a test turns, and nodes that answer and prove at its times. */
import type { PaymentId, Refusal, Units } from '../../../ledger/index.ts';
import { Lane } from '../../../node/load/lane.ts';
import { Load, type LoadNode } from '../../../node/load/load.ts';
import { RawAccount } from '../../../node/load/raw-account.ts';
import { type SubmitReply, silentLog } from '../../../p2p/index.ts';
import { keysOf, TestNetwork } from '../../dsl/network.ts';

const NET = new TestNetwork({ weights: [1], funds: { alice: 1000 }, signed: true });
const NO_WORK = new Uint8Array(8);

export class Clock {
  nowMs = 1000;
  readonly #events: { readonly atMs: number; readonly call: () => void }[] = [];

  after(ms: number, call: () => void): void {
    this.#events.push({ atMs: this.nowMs + ms, call });
  }

  /** Time passes, and what was to happen happens in its order. */
  readonly pause = async (ms: number): Promise<void> => {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = this.#events.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#events.splice(this.#events.indexOf(due), 1);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.call();
      await settled();
    }
    this.nowMs = endMs;
    await settled();
  };
}

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface Behaviour {
  /** From a submit to the proof; undefined: never. Asked for each payment. */
  finalAfterMs?(nowMs: number): number | undefined;
  /** Why the node does not take it. */
  refusal?(bytes: Uint8Array, nowMs: number): Refusal | undefined;
  /** It knows nothing of what it has taken. */
  readonly forgets?: boolean;
  /** The submit as a whole fails. */
  failure?(nowMs: number): Error | undefined;
}

export interface World {
  readonly clock: Clock;
  readonly load: Load;
  readonly lanes: readonly Lane[];
  /** What came to each node, in order. */
  readonly came: readonly Uint8Array[][];
  /** Milliseconds from due to proven, as told. */
  readonly times: number[];
  /** Signs so many more of every account; every `proveEvery`-th is watched. */
  make(count: number, proveEvery?: number): void;
}

/** Accounts in turn at the nodes, as the load sees them. */
export function worldOf(accounts: number, behaviours: readonly Behaviour[]): World {
  const clock = new Clock();
  const lanes = Array.from(
    { length: accounts },
    (_, i) => new Lane(i, new RawAccount(NET.genesis, keysOf(`payer ${i}`).secret), i % behaviours.length),
  );
  const ids = new Map<Uint8Array, { readonly id: PaymentId; readonly watched: boolean }>();
  const final = new Set<PaymentId>();
  const came = behaviours.map((): Uint8Array[] => []);
  const times: number[] = [];
  const nodes = behaviours.map((behaviour, n): LoadNode => {
    const taken = (bytes: Uint8Array): SubmitReply => {
      const refusal = behaviour.refusal?.(bytes, clock.nowMs);
      if (refusal !== undefined) return { refusal };
      came[n]!.push(bytes);
      const { id, watched } = ids.get(bytes)!;
      const afterMs = behaviour.finalAfterMs?.(clock.nowMs);
      if (afterMs !== undefined)
        clock.after(afterMs, () => {
          final.add(id);
          if (watched) load.final(id, clock.nowMs);
        });
      return { id, status: final.has(id) ? 'final' : 'queued' };
    };
    return {
      async submit(payments) {
        const failure = behaviour.failure?.(clock.nowMs);
        if (failure !== undefined) throw failure;
        return payments.map(({ bytes }) => taken(bytes));
      },
      async ask(id) {
        if (!final.has(id)) return behaviour.forgets ? undefined : 'pending';
        load.final(id, clock.nowMs);
        return 'final';
      },
    };
  });
  const load = new Load({
    ...{ lanes, nodes, log: silentLog, nowMs: () => clock.nowMs, pause: clock.pause },
    proven: (dueMs, _sentMs, atMs) => void times.push(atMs - dueMs),
  });
  const make = (count: number, proveEvery = 1): void => {
    for (const lane of lanes) {
      for (let i = 0; i < count; i++) {
        const payment = lane.account.pay([{ to: keysOf('zoe').address, amount: 1 as Units }], NO_WORK);
        const watched = lane.made % proveEvery === proveEvery - 1;
        lane.add(payment.id, payment.bytes, watched);
        ids.set(payment.bytes, { id: payment.id, watched });
      }
    }
  };
  return { clock, load, lanes, came, times, make };
}
