import assert from 'node:assert/strict';
import { Pool } from '../../node/pool.ts';
import { silentLog } from '../../p2p/log.ts';
import type { GateTask } from './gate.worker.ts';

const worker = new URL('./gate.worker.ts', import.meta.url);

function newGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

function poolOf(threads: number, waitingMax: number): Pool<GateTask, string> {
  return new Pool(
    { name: 'gate', worker, handler: 'pass', threads, threadsAtStart: 1, waitingMax, workerData: 'hello' },
    { log: silentLog },
  );
}

describe('a pool of threads', function () {
  this.timeout(20_000);

  it('runs as many as it has threads, lets so many wait, in order, and answers full to the rest', async () => {
    await using pool = poolOf(2, 2);
    const gate = newGate();
    const done: string[] = [];
    const runs = ['a', 'b', 'c', 'd', 'e'].map(async (name) => {
      const answer = await pool.run({ name, gate });
      done.push(name);
      return answer;
    });
    assert.deepEqual([pool.free, pool.waiting], [0, 2]);
    assert.deepEqual(await runs[4], { code: 'queue_full', waiting: 2, max: 2 });
    open(gate);
    assert.deepEqual((await Promise.all(runs)).slice(0, 4), ['hello:a', 'hello:b', 'hello:c', 'hello:d']);
    assert.deepEqual([pool.free, pool.waiting], [2, 0]);
  });

  it('forgets what is given up while it waits, and its place is free at once', async () => {
    await using pool = poolOf(1, 1);
    const gate = newGate();
    const running = pool.run({ name: 'a', gate });
    const abort = new AbortController();
    const given = pool.run({ name: 'b', gate }, { signal: abort.signal });
    abort.abort(new Error('changed my mind'));
    const next = pool.run({ name: 'c', gate });
    await assert.rejects(given, /changed my mind/);
    await assert.rejects(pool.run({ name: 'd', gate }, { signal: abort.signal }), /changed my mind/);
    open(gate);
    assert.deepEqual(await Promise.all([running, next]), ['hello:a', 'hello:c']);
  });

  it('moves what it is told to move', async () => {
    await using pool = poolOf(1, 0);
    const gate = newGate();
    open(gate);
    const payload = new Uint8Array(1000);
    const answer = pool.run({ name: 'a', gate, payload }, { transfer: [payload.buffer] });
    assert.equal(payload.length, 0);
    assert.equal(await answer, 'hello:a:1000');
  });

  it('says what threw, replaces a thread that died, and goes on', async () => {
    await using pool = poolOf(1, 8);
    const gate = newGate();
    open(gate);
    const runs = await Promise.allSettled([
      pool.run({ name: 'a', gate, fail: 'throw' }),
      pool.run({ name: 'b', gate, fail: 'exit' }),
      pool.run({ name: 'c', gate }),
    ]);
    const codes = runs.map((run) => (run.status === 'fulfilled' ? run.value : run.reason.code));
    assert.deepEqual(codes, ['pool_failed', 'pool_failed', 'hello:c']);
    assert.match((runs[0] as PromiseRejectedResult).reason.message, /gate pool failed: as told/);
  });

  it('ends what runs and what waits, and takes nothing after', async () => {
    const pool = poolOf(1, 8);
    const gate = newGate();
    const runs = [pool.run({ name: 'a', gate }), pool.run({ name: 'b', gate })];
    const settled = Promise.allSettled(runs);
    await pool[Symbol.asyncDispose]();
    const codes = (await settled).map((run) => run.status === 'rejected' && run.reason.code);
    assert.deepEqual(codes, ['pool_closed', 'pool_closed']);
    await assert.rejects(pool.run({ name: 'c', gate }), { code: 'pool_closed' });
  });
});
