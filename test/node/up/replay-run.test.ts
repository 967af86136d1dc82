import assert from 'node:assert/strict';
import type { RecordedSession } from '../../../node/up/recorded-session.ts';
import { type Departure, planReplay, type Speed } from '../../../node/up/replay-plan.ts';
import { runReplay, type SessionOutcome } from '../../../node/up/replay-run.ts';

const good: SessionOutcome = { settled: true, energyWh: 1, unitsPaid: 1 };

function session(chargePoint: string, startMs: number, lastsMs = 100): RecordedSession {
  return { chargePoint, connector: '1', startMs, endMs: startMs + lastsMs, energyWh: 1_000 };
}

/** A world whose time goes on only when everybody sleeps. */
class World {
  now = 0;
  readonly log: string[] = [];
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const sleeper = { untilMs: this.now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  /** Lets time pass until `done` is settled. */
  async pass(done: Promise<void>): Promise<void> {
    let over = false;
    void done.finally(() => {
      over = true;
    });
    while (!over) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      if (over) break;
      const next = this.#sleepers.sort((a, b) => a.untilMs - b.untilMs).shift();
      assert(next !== undefined && next.untilMs !== Infinity, 'everybody sleeps for ever');
      this.now = next.untilMs;
      next.wake();
    }
    await done;
  }
}

function run(
  sessions: readonly RecordedSession[],
  options: { cars: number; speed: Speed },
  world: World,
  signal = new AbortController().signal,
  drive = async (departure: Departure): Promise<SessionOutcome> => {
    await world.sleep(departure.session.durationMs || 10, new AbortController().signal);
    return good;
  },
): Promise<void> {
  return runReplay(
    planReplay(sessions, options),
    {
      drive,
      nowMs: () => world.now,
      sleep: (ms, wake) => world.sleep(ms, wake),
      started: ({ session: { index }, car }) => world.log.push(`${world.now} start ${index} car ${car}`),
      ended: ({ session: { index } }, { settled }) => world.log.push(`${world.now} end ${index} ${settled}`),
    },
    signal,
  );
}

describe('a replay', () => {
  it('starts sessions at their time, and waits for the last one', async () => {
    const world = new World();
    await world.pass(
      run([session('A', 1_000), session('B', 1_050), session('C', 1_500)], { cars: 3, speed: 0.5 }, world),
    );
    assert.deepEqual(world.log, [
      '0 start 0 car 0',
      '100 start 1 car 1',
      '200 end 0 true',
      '300 end 1 true',
      '1000 start 2 car 2',
      '1200 end 2 true',
    ]);
  });

  it('at max starts a session as soon as a car is free', async () => {
    const world = new World();
    await world.pass(
      run([session('A', 0), session('B', 9_000), session('C', 99_000)], { cars: 2, speed: 'max' }, world),
    );
    assert.deepEqual(world.log, [
      '0 start 0 car 0',
      '0 start 1 car 1',
      '10 end 0 true',
      '10 start 2 car 0',
      '10 end 1 true',
      '20 end 2 true',
    ]);
  });

  it('goes on after a session that failed', async () => {
    const world = new World();
    const drive = async ({ session: { index } }: Departure): Promise<SessionOutcome> => ({
      ...good,
      settled: index > 0,
    });
    await world.pass(
      run([session('A', 0), session('A', 1)], { cars: 1, speed: 'max' }, world, undefined, drive),
    );
    assert.deepEqual(world.log, ['0 start 0 car 0', '0 end 0 false', '0 start 1 car 0', '0 end 1 true']);
  });

  it('ends at once when it is interrupted', async () => {
    const world = new World();
    const interruption = new AbortController();
    const done = run(
      [session('A', 0), session('A', 1)],
      { cars: 1, speed: 'max' },
      world,
      interruption.signal,
      () => new Promise(() => {}),
    );
    interruption.abort();
    await done;
    assert.deepEqual(world.log, ['0 start 0 car 0']);
  });
});
