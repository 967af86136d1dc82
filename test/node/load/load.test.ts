import assert from 'node:assert/strict';
import type { PaymentId } from '../../../ledger/index.ts';
import { closedLoop, openLoop } from '../../../node/load/pacing.ts';
import { PeersError } from '../../../p2p/index.ts';
import { type World, worldOf } from './virtual-nodes.ts';

const NEVER = new AbortController().signal;

function open({ clock, lanes }: World, rate: number, seconds: number) {
  return openLoop({ rate, seconds, lanes: lanes.length, startMs: clock.nowMs });
}

describe('the load', () => {
  it('hands payments over when they are due, spread over the nodes, each account in its order', async () => {
    const world = worldOf(4, [{ finalAfterMs: () => 30 }, { finalAfterMs: () => 30 }]);
    world.make(10);
    await world.load.run(open(world, 20, 2), NEVER);
    await world.load.drain(1_000, NEVER);
    assert.deepEqual(world.load.totals, { sent: 40, final: 40, refusals: {} });
    assert.deepEqual(
      world.came.map((bytes) => bytes.length),
      [20, 20],
    );
    // Ticks are 10 ms apart.
    for (const ms of world.times) assert.ok(ms >= 30 && ms <= 41, `${ms}`);
    assert.equal(world.times.length, 40);
  });

  it('counts from when a payment was due, however late a node takes it', async () => {
    const standsUntilMs = 2_000;
    const full = { code: 'queue_full', waiting: 1, max: 1 } as const;
    const world = worldOf(1, [
      {
        finalAfterMs: () => 10,
        refusal: (_bytes, nowMs) => (nowMs < standsUntilMs ? full : undefined),
      },
    ]);
    world.make(20);
    await world.load.run(open(world, 10, 2), NEVER);
    await world.load.drain(5_000, NEVER);
    const { final, refusals } = world.load.totals;
    assert.equal(final, 20);
    assert.ok(refusals.queue_full! > 2 && refusals.queue_full! < 12, 'it is not asked again without a pause');
    // The first was due a second before the node went on, and so on, one less each time.
    const [first, second, third] = world.times as [number, number, number];
    assert.ok(first >= 1_000 && first < 3_000, `${first}`);
    assert.deepEqual([first - second, second - third], [100, 100]);
  });

  it('offers what follows a refused payment again too, and counts that once', async () => {
    let refuse = true;
    const world = worldOf(1, [
      {
        finalAfterMs: () => 10,
        refusal: () => {
          if (!refuse) return undefined;
          return { code: 'previous_unknown', previous: 'x' as PaymentId };
        },
      },
    ]);
    world.make(8);
    world.clock.after(150, () => {
      refuse = false;
    });
    await world.load.run(closedLoop({ window: 8, startMs: world.clock.nowMs, seconds: 1 }), NEVER);
    assert.equal(world.load.totals.final, 8);
    assert.equal(world.load.totals.refusals.previous_unknown, 2);
    assert.deepEqual(world.lanes[0]!.made, 8);
  });

  it('has the proof of a payment speak for those before it, and asks for the last one', async () => {
    const world = worldOf(2, [{ finalAfterMs: () => 20 }]);
    world.make(10, 4);
    await world.load.run(open(world, 100, 0.2), NEVER);
    await world.clock.pause(100);
    assert.deepEqual(world.load.totals, { sent: 20, final: 16, refusals: {} });
    assert.equal(world.times.length, 4, 'only times of watched payments are told');
    await world.load.drain(2_000, NEVER);
    assert.deepEqual(world.load.totals, { sent: 20, final: 20, refusals: {} });
    assert.equal(world.times.length, 4);
  });

  it('keeps so many under way in a closed loop, and no more', async () => {
    const world = worldOf(3, [{ finalAfterMs: () => 95 }]);
    world.make(50);
    const pacing = closedLoop({ window: 2, startMs: world.clock.nowMs, seconds: 1 });
    let most = 0;
    const look = (): void => {
      const { sent, final } = world.load.totals;
      most = Math.max(most, sent - final);
      world.clock.after(5, look);
    };
    look();
    await world.load.run(pacing, NEVER);
    assert.equal(most, 6);
    // Two of each of three accounts every tenth of a second.
    assert.ok(world.load.totals.sent >= 54 && world.load.totals.sent <= 66, `${world.load.totals.sent}`);
  });

  it('turns to another node when one fails, or proves nothing for seconds', async () => {
    const gone = new PeersError('unreachable', 'nothing answers');
    const world = worldOf(3, [{ failure: () => gone }, {}, { finalAfterMs: () => 20 }]);
    world.make(1);
    await world.load.run(open(world, 3, 1), NEVER);
    await world.load.drain(40_000, NEVER);
    assert.equal(world.load.totals.final, 3);
    assert.equal(world.load.totals.refusals.unreachable, 1);
    assert.equal(world.came[2]!.length, 3);
    assert.equal(world.came[1]!.length, 2, 'what a node has is not submitted to it again');
  });

  it('offers again what a node has forgotten', async () => {
    let forgets = true;
    const world = worldOf(1, [{ forgets: true, finalAfterMs: () => (forgets ? undefined : 20) }]);
    world.make(2);
    world.clock.after(2_000, () => {
      forgets = false;
    });
    await world.load.run(open(world, 2, 1), NEVER);
    await world.load.drain(10_000, NEVER);
    assert.equal(world.load.totals.final, 2);
    assert.equal(world.came[0]!.length, 4);
  });

  it('offers again what a node has lost, though it refuses all that follows', async () => {
    let first: Uint8Array | undefined;
    let comes = 0;
    const world = worldOf(1, [
      {
        forgets: true,
        finalAfterMs: () => (comes > 1 ? 20 : undefined),
        refusal: (bytes) => {
          first ??= bytes;
          if (bytes === first) comes++;
          const previous = 'ab'.repeat(32) as PaymentId;
          return comes > 1 || bytes === first ? undefined : { code: 'previous_unknown', previous };
        },
      },
    ]);
    world.make(3);
    await world.load.run(open(world, 3, 1), NEVER);
    await world.load.drain(20_000, NEVER);
    assert.equal(comes, 2);
    assert.equal(world.load.totals.final, 3);
  });

  it('waits as long as a node asks for whose budget is spent', async () => {
    const asked: number[] = [];
    const world = worldOf(1, [
      {
        finalAfterMs: () => 10,
        failure: (nowMs) => {
          asked.push(nowMs);
          const refusal = { code: 'budget_spent', what: 'submits', retryAfterMs: 400 } as const;
          return asked.length < 3 ? new PeersError('refused', 'slower', { refusal }) : undefined;
        },
      },
    ]);
    world.make(1);
    await world.load.run(open(world, 1, 2), NEVER);
    assert.deepEqual(world.load.totals, { sent: 1, final: 1, refusals: { budget_spent: 2 } });
    assert.ok(asked[1]! - asked[0]! >= 400 && asked[2]! - asked[1]! >= 400);
  });

  it('says which accounts cannot go on, what is lost, and what nobody took', async () => {
    const by = 'y' as PaymentId;
    const world = worldOf(2, [{ refusal: () => ({ code: 'slot_taken', by }) }, {}]);
    world.make(5);
    await world.load.run(open(world, 10, 1), NEVER);
    assert.equal(world.load.waiting, 5);
    await world.load.drain(1_000, NEVER);
    const { sent, final } = world.load.totals;
    assert.deepEqual([sent, final], [5, 0]);
    assert.deepEqual(
      world.load.stuck.map(({ index, stuck }) => [index, stuck]),
      [[0, 'slot_taken']],
    );
  });

  it('goes on offering what fell due in the end, unless it was ended early', async () => {
    for (const early of [false, true]) {
      const refusal = { code: 'queue_full', waiting: 1, max: 1 } as const;
      let full = true;
      const world = worldOf(1, [{ finalAfterMs: () => 10, refusal: () => (full ? refusal : undefined) }]);
      const stop = new AbortController();
      world.make(10);
      world.clock.after(900, () => early && stop.abort());
      world.clock.after(2_000, () => {
        full = false;
      });
      await world.load.run(open(world, 10, 1), stop.signal);
      await world.load.drain(10_000, NEVER);
      const expected = early ? 0 : 10;
      assert.deepEqual(world.load.totals.final, expected);
      assert.equal(world.times.length, expected);
      if (!early) assert.ok(world.times[0]! >= 2_000);
    }
  });

  it('begins a new pace without what nobody took in the one before', async () => {
    let full = true;
    const refusal = { code: 'queue_full', waiting: 1, max: 1 } as const;
    const world = worldOf(1, [{ finalAfterMs: () => 10, refusal: () => (full ? refusal : undefined) }]);
    world.make(10);
    await world.load.run(open(world, 5, 1), NEVER);
    await world.load.drain(100, NEVER);
    assert.equal(world.load.waiting, 5);
    full = false;
    await world.load.run(open(world, 10, 1), NEVER);
    await world.load.drain(1_000, NEVER);
    assert.equal(world.load.totals.final, 10);
    for (const ms of world.times) assert.ok(ms <= 30, `${ms} counts from the second pace`);
  });
});
