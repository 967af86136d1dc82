/**
 * Four nodes in virtual time, each with its admission, before a network that settles so many payments a second and no more:
 * honest accounts pay at their usual rate while attackers send ten times that much.
 */
import assert from 'node:assert/strict';
import {
  type Address,
  Core,
  makeGenesis,
  type PaymentId,
  type PaymentRecord,
  type Units,
} from '../../ledger/index.ts';
import { Admission, type Submission } from '../../node/admission.ts';
import { FLIGHT_BLOCKS } from '../../node/limits.ts';

const NODES = 4;
const STEP_MS = 5;
const ROUND_MS = 50;
const SETTLED_PER_SECOND = 2500;
const HONEST_PER_SECOND = 40;
const QUEUE_MAX = 2000;

/** Each account makes one payment in its life: what is shared is shared among accounts. */
const HONEST = 1200;
const ATTACKERS = 50_000;

function hexOf(kind: string, number: number): string {
  return kind + number.toString(16).padStart(64 - kind.length, '0');
}

function submission(kind: string, number: number): Submission {
  return {
    id: hexOf(`f${kind}`, number) as PaymentId,
    account: hexOf(kind, number) as Address,
    previous: hexOf(kind, number) as Address,
    sequence: 1,
    total: 1 as Units,
    workBits: 0,
    bytes: new Uint8Array(205),
  };
}

const allocations = (kind: string, count: number, amount: number) =>
  Array.from({ length: count }, (_, i) => ({
    address: hexOf(kind, i) as Address,
    amount: amount as Units,
  }));

const { ledger } = new Core({
  genesis: makeGenesis({
    prefix: 'test',
    workBits: 0,
    committee: Array.from({ length: NODES }, (_, i) => ({
      scheme: 0,
      publicKey: new Uint8Array(32).fill(i + 1),
      weight: 1,
    })),
    allocations: [...allocations('a', HONEST, 10_000), ...allocations('b', ATTACKERS, 10)],
  }),
});

interface Sent {
  readonly payments: readonly Submission[];
  done: number;
}

class World {
  nowMs = 0;
  readonly tookMs: number[] = [];
  refusedHonest = 0;
  settled = 0;
  /** Payments in blocks that are not final: what every validator has to hold. */
  onTheWay = 0;
  mostOnTheWay = 0;
  mostQueued = 0;
  readonly #dueMs = new Map<PaymentId, number>();
  readonly #taken = new Set<PaymentId>();
  readonly #blocks: Sent[] = [];
  readonly #finalAt: { readonly atMs: number; readonly payment: Submission }[] = [];
  readonly #lastBlockMs = new Array<number>(NODES).fill(Number.NEGATIVE_INFINITY);
  readonly nodes = Array.from(
    { length: NODES },
    () =>
      new Admission(
        { paymentsMax: QUEUE_MAX, paymentsPerAccountMax: 64 },
        {
          ledger,
          nowMs: () => this.nowMs,
          round: () => Math.floor(this.nowMs / ROUND_MS),
          dropped: ({ id }) => {
            if (this.#dueMs.has(id)) this.refusedHonest++;
          },
        },
      ),
  );

  #submit(node: number, payment: Submission): void {
    if (this.#taken.has(payment.id)) return;
    const reply = this.nodes[node]!.submit(payment);
    if ('refusal' in reply && this.#dueMs.has(payment.id)) this.refusedHonest++;
  }

  /** What the nodes send, and what the network makes of it. */
  #network(): void {
    for (const [i, admission] of this.nodes.entries()) {
      const gapMs = Math.max(STEP_MS, admission.usualMs / FLIGHT_BLOCKS);
      if (admission.ready === 0 || this.nowMs < this.#lastBlockMs[i]! + gapMs) continue;
      const payments = admission.take();
      this.#lastBlockMs[i] = this.nowMs;
      this.#blocks.push({ payments, done: 0 });
      this.onTheWay += payments.length;
      for (const { id } of payments) {
        this.#taken.add(id);
        for (const other of this.nodes) other.attached(id);
      }
    }
    let capacity = (SETTLED_PER_SECOND * STEP_MS) / 1000;
    for (let block = this.#blocks[0]; block !== undefined && capacity > 0; block = this.#blocks[0]) {
      const count = Math.min(capacity, block.payments.length - block.done);
      const atMs = (Math.floor(this.nowMs / ROUND_MS) + 2) * ROUND_MS;
      for (const payment of block.payments.slice(block.done, block.done + count))
        this.#finalAt.push({ atMs, payment });
      block.done += count;
      capacity -= count;
      if (block.done === block.payments.length) this.#blocks.shift();
    }
  }

  #finality(): void {
    const due = this.#finalAt.findIndex(({ atMs }) => atMs > this.nowMs);
    const final = this.#finalAt.splice(0, due < 0 ? this.#finalAt.length : due);
    if (final.length === 0) return;
    const records = final.map(({ payment }) => payment as unknown as PaymentRecord);
    for (const node of this.nodes) node.final(records);
    this.onTheWay -= final.length;
    this.settled += final.length;
    for (const { payment } of final) {
      const dueMs = this.#dueMs.get(payment.id);
      if (dueMs !== undefined) this.tookMs.push(this.nowMs - dueMs);
    }
  }

  /** @param flood Which nodes the attackers send to, each payment to all of them. */
  run(seconds: number, flood: readonly number[]): this {
    let honest = 0;
    let attack = 0;
    for (; this.nowMs < seconds * 1000; this.nowMs += STEP_MS) {
      const perStep = (10 * SETTLED_PER_SECOND * STEP_MS) / 1000;
      for (let n = 0; n < perStep && flood.length > 0; n++, attack++) {
        const payment = submission('b', Math.floor(attack / flood.length) % ATTACKERS);
        this.#submit(flood[attack % flood.length]!, payment);
      }
      for (; (honest * 1000) / HONEST_PER_SECOND <= this.nowMs; honest++) {
        const payment = submission('a', honest);
        this.#dueMs.set(payment.id, this.nowMs);
        this.#submit(honest % NODES, payment);
      }
      this.#network();
      this.#finality();
      this.mostOnTheWay = Math.max(this.mostOnTheWay, this.onTheWay);
      this.mostQueued = Math.max(this.mostQueued, ...this.nodes.map(({ size }) => size));
    }
    return this;
  }

  get p99Ms(): number {
    const sorted = this.tookMs.toSorted((a, b) => a - b);
    return sorted[Math.ceil(0.99 * sorted.length) - 1]!;
  }
}

describe('a flood from many poor accounts', () => {
  let quiet: World;
  before(() => {
    quiet = new World().run(10, []);
  });

  for (const [name, nodes] of [
    ['at one node', [2]],
    ['at all nodes', [0, 1, 2, 3]],
  ] as const) {
    describe(name, () => {
      let flooded: World;
      before(() => {
        flooded = new World().run(15, nodes);
      });

      it('leaves honest payments within three times their quiet p99', () => {
        assert.equal(flooded.refusedHonest, 0);
        assert.ok(flooded.p99Ms <= 3 * quiet.p99Ms, `${flooded.p99Ms} ms, quiet ${quiet.p99Ms} ms`);
      });

      it('gets what is left of the network', () => {
        const perSecond = flooded.settled / 15;
        assert.ok(perSecond >= 0.85 * SETTLED_PER_SECOND, `${perSecond} settled a second`);
      });

      it('fills queues and not the tangle', () => {
        const { mostOnTheWay, mostQueued } = flooded;
        // Without a bound they would be all that was not refused: eight queues full.
        assert.ok(mostOnTheWay <= SETTLED_PER_SECOND / 2, `${mostOnTheWay} on their way`);
        assert.ok(mostQueued <= QUEUE_MAX, `${mostQueued} queued`);
      });
    });
  }
});
