import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { isRefusal, workBits } from '../../ledger/index.ts';
import { WORK_SLICE_TRIES, WORK_WAITING_MAX } from '../../node/limits.ts';
import { WorkPool } from '../../node/work-pool.ts';
import { silentLog } from '../../p2p/log.ts';

function seedOf(n: number): Uint8Array {
  return new Uint8Array(32).fill(n);
}

/** No machine finds these. */
const HOPELESS_BITS = 48;

describe('the work pool', function () {
  this.timeout(30_000);

  it('finds nonces with enough work, on one thread and on several', async () => {
    for (const threads of [1, 2]) {
      await using pool = new WorkPool({ threads }, { log: silentLog });
      const found = await Promise.all([1, 2, 3, 4].map((n) => pool.find(seedOf(n), 10)));
      found.forEach((nonce, i) => {
        assert.ok(!isRefusal(nonce) && nonce.length === 8);
        assert.ok(workBits(seedOf(i + 1), nonce) >= 10);
      });
    }
  });

  it('gives a search up when asked, whether it runs or waits, and its threads go on with the next', async () => {
    await using pool = new WorkPool({ threads: 2 }, { log: silentLog });
    const running = new AbortController();
    const waiting = new AbortController();
    const first = pool.find(seedOf(1), HOPELESS_BITS, running.signal);
    const second = pool.find(seedOf(2), HOPELESS_BITS, waiting.signal);
    const third = pool.find(seedOf(3), 8);
    assert.equal(pool.waiting, 2);
    waiting.abort(new Error('not the second'));
    await assert.rejects(second, /not the second/);
    running.abort(new Error('not the first'));
    await assert.rejects(first, /not the first/);
    const nonce = await third;
    assert.ok(!isRefusal(nonce) && workBits(seedOf(3), nonce) >= 8);
    await assert.rejects(pool.find(seedOf(1), 8, running.signal), /not the first/);
  });

  it('tells whoever waits how many nonces it has tried, until it ends', async () => {
    await using pool = new WorkPool({ threads: 2 }, { log: silentLog });
    const giveUp = new AbortController();
    const told: number[] = [];
    const search = pool.find(seedOf(1), HOPELESS_BITS, giveUp.signal, (tries) => {
      told.push(tries);
      if (told.length === 2) giveUp.abort(new Error('told twice'));
    });
    await assert.rejects(search, /told twice/);
    assert.ok(told[1]! > told[0]! && told[1]! % WORK_SLICE_TRIES === 0, `${told}`);
  });

  it('answers full when too many wait', async () => {
    const pool = new WorkPool({ threads: 1 }, { log: silentLog });
    const finds = Array.from({ length: WORK_WAITING_MAX + 1 }, (_, n) => pool.find(seedOf(n), HOPELESS_BITS));
    const settled = Promise.allSettled(finds);
    const full = await pool.find(seedOf(1), HOPELESS_BITS);
    assert.deepEqual(full, { code: 'queue_full', waiting: WORK_WAITING_MAX, max: WORK_WAITING_MAX });
    await pool[Symbol.asyncDispose]();
    for (const find of await settled)
      assert.equal(find.status === 'rejected' && find.reason.code, 'pool_closed');
  });

  it('refuses every search when it has no thread', async () => {
    await using pool = new WorkPool({ threads: 0 }, { log: silentLog });
    assert.deepEqual(await pool.find(seedOf(1), 1), { code: 'queue_full', waiting: 0, max: 0 });
  });

  it('ends searches with their pool, even ones that run', async () => {
    const pool = new WorkPool({ threads: 1 }, { log: silentLog });
    const found = await pool.find(seedOf(1), 4);
    assert.ok(!isRefusal(found));
    const hopeless = pool.find(seedOf(1), HOPELESS_BITS);
    const settled = assert.rejects(hopeless, { code: 'pool_closed' });
    // The thread is in the middle of a slice; whether it stops or is ended makes no difference to the caller.
    await delay(20);
    await pool[Symbol.asyncDispose]();
    await settled;
  });

  it('refuses to look for what is out of range', async () => {
    await using pool = new WorkPool({ threads: 1 }, { log: silentLog });
    await assert.rejects(pool.find(seedOf(1), 49), RangeError);
    await assert.rejects(pool.find(seedOf(1), Number.NaN), RangeError);
  });
});
