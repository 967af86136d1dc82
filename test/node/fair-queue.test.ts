import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Address, PaymentId, Refusal, Units } from '../../ledger/index.ts';
import { FairQueue, type FairQueueOptions, type Queueable, type Standing } from '../../node/fair-queue.ts';

const BYTES = 285;

function payment(account: string, sequence: number, rival = 0): Queueable {
  return { id: `${account}/${sequence}/${rival}` as PaymentId, account: account as Address, sequence };
}

function standing(balance: number, more: Partial<Standing> = {}): Standing {
  return { balance: balance as Units, extraBits: 0, certified: false, bytes: BYTES, ...more };
}

function queue(options: Partial<FairQueueOptions> = {}) {
  const dropped: { id: string; refusal: Refusal }[] = [];
  const fair = new FairQueue<Queueable>(
    { paymentsMax: 1000, paymentsPerAccountMax: 64, ...options },
    { dropped: ({ id }, refusal) => dropped.push({ id, refusal }) },
  );
  return { fair, dropped };
}

/** Payments served per account. */
function tally(payments: readonly Queueable[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { account } of payments) counts.set(account, (counts.get(account) ?? 0) + 1);
  return counts;
}

describe('the fair queue', () => {
  it('serves an account by sequence, whatever order its payments came in', () => {
    const { fair } = queue();
    for (const sequence of [3, 1, 5, 2, 4]) fair.offer(payment('a', sequence), standing(100));
    assert.deepEqual(
      fair.take(10, 1e6).map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5],
    );
    assert.equal(fair.size, 0);
  });

  it('gives accounts of one bucket equal bytes, not equal payments', () => {
    const { fair } = queue();
    for (let sequence = 1; sequence <= 60; sequence++) {
      fair.offer(payment('small', sequence), standing(100, { bytes: 200 }));
      fair.offer(payment('large', sequence), standing(100, { bytes: 1000 }));
    }
    const served = tally(fair.take(60, 1e6));
    assert.ok(
      Math.abs(served.get('small')! - 50) <= 3 && Math.abs(served.get('large')! - 10) <= 3,
      `${[...served]}`,
    );
  });

  it('serves buckets by their weight: the richest gets fourteen times as much as the poorest, no more', () => {
    const { fair } = queue({ paymentsPerAccountMax: 400 });
    for (let sequence = 1; sequence <= 400; sequence++) {
      fair.offer(payment('poor', sequence), standing(0));
      fair.offer(payment('rich', sequence), standing(Number.MAX_SAFE_INTEGER));
    }
    const served = tally(fair.take(400, 1e6));
    const ratio = served.get('rich')! / served.get('poor')!;
    assert.ok(ratio > 12 && ratio < 16, String(ratio));
  });

  it('lets work above the minimum and a certificate lengthen a turn, up to a bound', () => {
    const rows: [Partial<Standing>, number][] = [
      [{ extraBits: 4 }, 1.5],
      [{ extraBits: 8 }, 2],
      [{ extraBits: 48 }, 2],
      [{ certified: true }, 2],
      [{ certified: true, extraBits: 48 }, 4],
    ];
    for (const [more, expected] of rows) {
      const { fair } = queue({ paymentsPerAccountMax: 400 });
      for (let sequence = 1; sequence <= 400; sequence++) {
        fair.offer(payment('plain', sequence), standing(100));
        fair.offer(payment('special', sequence), standing(100, more));
      }
      const served = tally(fair.take(400, 1e6));
      const ratio = served.get('special')! / served.get('plain')!;
      assert.ok(Math.abs(ratio - expected) < 0.2, `${JSON.stringify(more)}: ${ratio}`);
    }
  });

  it('stops where the next one does not fit, and goes on with it', () => {
    const { fair } = queue();
    fair.offer(payment('a', 1), standing(100, { bytes: 600 }));
    fair.offer(payment('a', 2), standing(100, { bytes: 600 }));
    fair.offer(payment('b', 1), standing(100, { bytes: 100 }));
    const all: string[] = [];
    while (fair.size > 0) {
      const part = fair.take(10, 700);
      assert.ok(part.length === 1 || part.length === 2);
      assert.ok(
        part.length === 1 || part.some(({ account }) => account === 'b'),
        '600 and 600 are more than 700',
      );
      all.push(...part.map(({ id }) => id));
    }
    assert.deepEqual(all.sort(), ['a/1/0', 'a/2/0', 'b/1/0']);
  });

  it('lets whoever pays now and then go first and use the reserve, but once in a round of turns', () => {
    const { fair } = queue();
    for (let sequence = 1; sequence <= 60; sequence++) fair.offer(payment('flood', sequence), standing(100));
    assert.equal(fair.take(6, 1e6).length, 6);
    assert.equal(fair.rare, 0);
    assert.equal(fair.take(5, 1e6, 0).length, 0, 'a reserve is not for those who wait');
    fair.offer(payment('rare', 1), standing(1e6));
    assert.equal(fair.rare, 1);
    assert.deepEqual(
      fair.take(5, 1e6, 0).map(({ id }) => id),
      ['rare/1/0'],
    );
    // As soon as it is served there is another one, before the others had their turn.
    fair.offer(payment('rare', 2), standing(1e6));
    assert.equal(fair.rare, 0);
    const next = fair.take(60, 1e6).map(({ account }) => account);
    assert.ok(next.indexOf('rare' as Address) > 0, 'the flood had its turn');
    assert.ok(next.indexOf('rare' as Address) <= 10, 'and no more than one');
    fair.offer(payment('rare', 3), standing(1e6));
    assert.equal(fair.rare, 1, 'all others have had their turn since');
  });

  it('takes the same payment once, and forgets one that came on another way', () => {
    const { fair } = queue();
    fair.offer(payment('a', 1), standing(100));
    assert.equal(fair.offer(payment('a', 1), standing(100)), undefined);
    fair.offer(payment('a', 1, 1), standing(100));
    assert.equal(fair.size, 2, 'a rival is another payment');
    assert.equal(fair.remove('a/1/0' as PaymentId), true);
    assert.equal(fair.remove('a/1/0' as PaymentId), false);
    assert.deepEqual(
      fair.take(10, 1e6).map(({ id }) => id),
      ['a/1/1'],
    );
  });

  it('moves an account whose balance has changed to its new bucket with all that it queued', () => {
    const { fair } = queue();
    fair.offer(payment('a', 1), standing(0));
    fair.offer(payment('a', 2), standing(1e12));
    for (let sequence = 1; sequence <= 20; sequence++) fair.offer(payment('b', sequence), standing(0));
    assert.equal(fair.sizeOf('a' as Address), 2);
    const served = fair.take(5, 1e6).filter(({ account }) => account === 'a');
    assert.deepEqual(
      served.map(({ sequence }) => sequence),
      [1, 2],
    );
  });

  it('refuses sizes that no payment has', () => {
    const { fair } = queue();
    assert.throws(() => fair.offer(payment('a', 1), standing(1, { bytes: 0 })), RangeError);
    assert.throws(() => fair.offer(payment('a', 1), standing(1, { bytes: Number.NaN })), RangeError);
  });
});

describe('a fair queue that is full', () => {
  it('answers account_busy when an account has its places, but lets an earlier sequence in before a later one', () => {
    const { fair, dropped } = queue({ paymentsPerAccountMax: 2 });
    fair.offer(payment('a', 2), standing(100));
    fair.offer(payment('a', 3), standing(100));
    const expected = { code: 'account_busy', pending: 2, max: 2 } as const;
    assert.deepEqual(fair.offer(payment('a', 4), standing(100)), expected);
    assert.equal(fair.offer(payment('a', 1), standing(100)), undefined);
    assert.deepEqual(dropped, [{ id: 'a/3/0', refusal: expected }]);
  });

  it('drops the newest of the longest queue of the fullest bucket, and says so', () => {
    const { fair, dropped } = queue({ paymentsMax: 5 });
    for (let sequence = 1; sequence <= 4; sequence++) fair.offer(payment('greedy', sequence), standing(10));
    fair.offer(payment('modest', 1), standing(10));
    assert.equal(fair.offer(payment('rich', 1), standing(1e9)), undefined);
    assert.deepEqual(dropped, [{ id: 'greedy/4/0', refusal: { code: 'queue_full', waiting: 5, max: 5 } }]);
    assert.equal(fair.offer(payment('modest', 2), standing(10)), undefined);
    assert.deepEqual(dropped.at(-1)!.id, 'greedy/3/0');
  });

  it('refuses a newcomer who would be as greedy as those who wait', () => {
    const { fair, dropped } = queue({ paymentsMax: 4 });
    for (const account of ['a', 'b'])
      for (const sequence of [1, 2]) fair.offer(payment(account, sequence), standing(10));
    const full = { code: 'queue_full', waiting: 4, max: 4 } as const;
    assert.deepEqual(fair.offer(payment('a', 3), standing(10)), full);
    fair.offer(payment('c', 1), standing(10));
    assert.deepEqual(
      fair.offer(payment('c', 2), standing(10)),
      full,
      'c has as many as the longest other one',
    );
    assert.equal(dropped.length, 1);
  });

  it('does not let rich accounts drive the poor out', () => {
    const { fair } = queue({ paymentsMax: 100 });
    for (let n = 0; n < 1000; n++) fair.offer(payment(`rich${n % 50}`, n), standing(1e15));
    assert.equal(fair.offer(payment('poor', 1), standing(1)), undefined);
    for (let n = 1000; n < 2000; n++) fair.offer(payment(`rich${n % 50}`, n), standing(1e15));
    assert.equal(fair.sizeOf('poor' as Address), 1);
  });
});

/** One step of a random history. */
type Step =
  | { take: number; bytes: number }
  | {
      account: number;
      sequence: number;
      rival: number;
      balance: number;
      extraBits: number;
      certified: boolean;
      bytes: number;
    };

const steps = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ take: fc.nat(20), bytes: fc.nat(5000) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        account: fc.nat(12),
        sequence: fc.integer({ min: 1, max: 12 }),
        rival: fc.nat(1),
        balance: fc.constantFrom(0, 1, 5, 100, 1e6, 2 ** 52),
        extraBits: fc.nat(10),
        certified: fc.boolean(),
        bytes: fc.integer({ min: 150, max: 1200 }),
      }),
    },
  ),
  { maxLength: 300 },
);

describe('whatever happens to the fair queue', () => {
  it('never exceeds its bounds, accounts for every payment, and drains completely', () => {
    fc.assert(
      fc.property(steps, (history: Step[]) => {
        const { fair, dropped } = queue({ paymentsMax: 30, paymentsPerAccountMax: 5 });
        let taken = 0;
        let refused = 0;
        for (const step of history) {
          if ('take' in step) {
            const part = fair.take(step.take, step.bytes);
            assert.ok(part.length <= step.take);
            taken += part.length;
          } else {
            const { account, sequence, rival, balance, ...more } = step;
            const refusal = fair.offer(payment(`a${account}`, sequence, rival), standing(balance, more));
            if (refusal !== undefined) refused += 1;
            assert.ok(fair.size <= 30);
            assert.ok(fair.sizeOf(`a${account}` as Address) <= 5);
          }
          const { offered, duplicates } = fair.counters;
          assert.equal(offered, duplicates + refused + dropped.length + taken + fair.size);
        }
        const waiting = fair.size;
        const rest = fair.take(1000, 1e9);
        assert.equal(rest.length, waiting);
        assert.equal(fair.size, 0);
        for (const [account] of tally(rest)) {
          const sequences = rest.filter((one) => one.account === account).map(({ sequence }) => sequence);
          assert.deepEqual(
            sequences,
            [...sequences].sort((a, b) => a - b),
          );
        }
        assert.deepEqual(fair.take(1, 1e9), []);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('starves nobody: every account that waits is served within a bounded number of takes', () => {
    const account = fc.record({
      balance: fc.constantFrom(0, 1, 100, 1e6, 2 ** 52),
      extraBits: fc.nat(10),
      certified: fc.boolean(),
      bytes: fc.integer({ min: 150, max: 1200 }),
    });
    fc.assert(
      fc.property(fc.array(account, { minLength: 2, maxLength: 40 }), (accounts) => {
        const { fair } = queue({ paymentsMax: 100_000 });
        const sequences = accounts.map(() => 0);
        const refill = (): void => {
          accounts.forEach(({ balance, ...more }, i) => {
            while (fair.sizeOf(`a${i}` as Address) < 8) {
              sequences[i] = sequences[i]! + 1;
              fair.offer(payment(`a${i}`, sequences[i]), standing(balance, more));
            }
          });
        };
        // A turn of all accounts is at most 2,048 bytes and a payment each; the poorest bucket has 4 of at most 57 shares
        // and five buckets are occupied: the bytes between two services of one account.
        const perTurn = accounts.length * (2048 + 1200);
        const boundBytes = 3 * perTurn * Math.ceil((5 * 57) / 4) + 5 * 8000;
        const since = accounts.map(() => 0);
        for (let n = 0; n < 3000; n++) {
          refill();
          const [one] = fair.take(1, 1e6);
          const served = Number(one!.account.slice(1));
          accounts.forEach((_, i) => {
            since[i] = i === served ? 0 : since[i]! + accounts[served]!.bytes;
            assert.ok(since[i]! <= boundBytes, `account ${i} waited for ${since[i]} bytes`);
          });
        }
      }),
      { seed: 5, numRuns: 8 },
    );
  });

  it("leaves an honest account's service untouched when poor accounts send ten times what the node can take", () => {
    /** Honest payments served and honest latency, in ticks, under a flood from `attackers` accounts. */
    function run(attackers: number, attackerBalance: number) {
      const { fair, dropped } = queue({ paymentsMax: 2000 });
      const capacity = 100;
      const waits: number[] = [];
      const offeredAt = new Map<string, number>();
      let refused = 0;
      let flood = 0;
      for (let tick = 0; tick < 300; tick++) {
        for (let n = 0; attackers > 0 && n < 10 * capacity; n++, flood++) {
          fair.offer(payment(`bad${flood % attackers}`, flood), standing(attackerBalance));
        }
        for (let car = 0; car < 20; car++) {
          const honest = payment(`car${car}`, tick + 1);
          offeredAt.set(honest.id, tick);
          if (fair.offer(honest, standing(10_000 + 1000 * car)) !== undefined) refused += 1;
        }
        for (const { id } of fair.take(capacity, 1e6)) {
          const at = offeredAt.get(id);
          if (at !== undefined) waits.push(tick - at);
        }
      }
      const lost = dropped.filter(({ id }) => id.startsWith('car')).length + refused;
      return { served: waits.length, worst: Math.max(...waits), lost };
    }
    const quiet = run(0, 0);
    assert.deepEqual(quiet, { served: 6000, worst: 0, lost: 0 });
    // Ten accounts, as many as the queue has places, and more than that; with next to nothing or a tenth of a car's money.
    for (const attackers of [10, 2000, 50_000]) {
      for (const balance of [1, 1000])
        assert.deepEqual(run(attackers, balance), quiet, `${attackers} attackers with ${balance}`);
    }
  });

  it('leaves an account its equal share even among as rich attackers', () => {
    const { fair } = queue({ paymentsMax: 2000 });
    let served = 0;
    for (let tick = 0; tick < 200; tick++) {
      for (let n = 0; n < 1000; n++) fair.offer(payment(`bad${n % 99}`, tick * 1000 + n), standing(10_000));
      fair.offer(payment('car', tick + 1), standing(10_000));
      served += fair.take(100, 1e6).filter(({ account }) => account === 'car').length;
    }
    assert.ok(
      served >= 198,
      `one of a hundred accounts asks for one of a hundred places and got ${served} of 200`,
    );
  });
});
