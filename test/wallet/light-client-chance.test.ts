import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBlock, type Refusal } from '../../ledger/index.ts';
import { silentLog } from '../../p2p/index.ts';
import type { LightClient } from '../../wallet/light-options.ts';
import { car, charger, LightWorld, to } from './light-world.ts';

const REFUSALS: readonly Refusal[] = [
  { code: 'queue_full', waiting: 1, max: 1 },
  { code: 'unfunded', available: 0 as never, needed: 1 as never },
  { code: 'previous_unknown', previous: car },
  { code: 'slot_taken', by: 'ff'.repeat(32) as never },
  { code: 'too_little_work', bits: 4, required: 6 },
  { code: 'budget_spent', what: 'submits', retryAfterMs: 5000 },
];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pay' as const), amount: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('finalize' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), inSave: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'die' as const,
        'rise' as const,
        'mute' as const,
        'speak' as const,
        'refuse' as const,
      ),
      node: fc.integer({ min: 0, max: 2 }),
      refusal: fc.integer({ min: 0, max: REFUSALS.length - 1 }),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A car on a bad day: nodes come and go and refuse, the machine stops at any moment, even while it writes. */
class BadDay {
  readonly world = new LightWorld();
  client: LightClient | undefined;

  async run(steps: readonly Step[]): Promise<void> {
    this.world.peers.reach = 1;
    this.world.peers.header(this.world.network.header(0, 20));
    await this.restart();
    for (const step of steps) await this.do(step);
    await this.heal();
  }

  async restart(): Promise<void> {
    this.client = await this.world.start({
      tuning: { payTimeoutMs: 5000, readyTimeoutMs: 5000 },
      log: silentLog,
    });
  }

  async do(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'pay':
        // Whether it succeeds is for the end to say.
        this.client!.pay(to(charger, step.amount)).catch(() => {});
        return world.time.settle();
      case 'wait':
        return world.time.advance(step.ms);
      case 'finalize': {
        const accepted = new Map(world.nodes.flatMap((node) => [...node.accepted]));
        const open = [...accepted.values()].filter(
          ({ id }) => !world.network.finals.some((f) => f.payment.id === id),
        );
        for (const payment of open.sort((a, b) => a.sequence - b.sequence).slice(0, step.count)) {
          world.network.finalize(payment);
        }
        return world.time.settle();
      }
      case 'crash':
        return this.crash(step.inSave);
      default: {
        const node = world.nodes[step.node]!;
        if (step.do === 'die') node.die();
        if (step.do === 'rise') node.up = true;
        node.mute = step.do === 'mute';
        node.refuse = () => (step.do === 'refuse' ? REFUSALS[step.refusal] : undefined);
        return world.time.settle();
      }
    }
  }

  async crash(inSave: boolean): Promise<void> {
    const { world } = this;
    if (inSave) {
      // What is being written when the machine stops is written, and nobody hears of it.
      world.store.onSaved = () => new Promise(() => {});
      this.client!.pay(to(charger, 1)).catch(() => {});
      await world.time.settle();
      world.store.onSaved = () => {};
    }
    world.crash(this.client!);
    for (const node of world.nodes) for (const link of [...node.links]) link.end();
    await world.time.settle();
    await this.restart();
  }

  async heal(): Promise<void> {
    const { world } = this;
    for (const node of world.nodes) {
      node.up = true;
      node.mute = false;
      node.refuse = () => undefined;
    }
    await world.time.until(
      'all is final',
      () => {
        world.finalizeAccepted();
        return this.client!.underWay.length === 0 && this.client!.problem === undefined;
      },
      1_000_000,
    );
  }

  /** All that anybody outside has ever seen, by slot. */
  get rivals(): number {
    const { network, peers } = this.world;
    const payments = [...this.world.distinctSubmitted].map((bytes) =>
      network.decode(Buffer.from(bytes, 'hex')),
    );
    for (const bytes of peers.published) {
      const block = decodeBlock(bytes, network.genesis.network);
      if ('payloads' in block)
        payments.push(...block.payloads.flatMap((p) => (p.kind === 'payment' ? [p] : [])));
    }
    const slots = new Map<string, Set<string>>();
    for (const { previous, id } of payments) slots.set(previous, (slots.get(previous) ?? new Set()).add(id));
    return [...slots.values()].filter((ids) => ids.size > 1).length;
  }
}

describe('a light client on bad days', () => {
  it('never makes a rival, loses no payment that it has stored, and its balance is the network’s', async function () {
    this.timeout(60_000);
    let paid = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const day = new BadDay();
        await day.run(steps);
        const { network } = day.world;
        assert.equal(day.rivals, 0, 'rivals were made');
        assert.equal(day.client!.balance, network.balance(car));
        assert.equal(day.client!.sequence, network.finals.length);
        paid += network.finals.length;
        await day.world.end();
      }),
      { seed: 20261121, numRuns: 60 },
    );
    assert.ok(paid > 200, `only ${paid} payments`);
  });
});
