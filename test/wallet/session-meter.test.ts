import assert from 'node:assert/strict';
import { recordedEnergy } from '../../wallet/meter.ts';
import { leapingClock, pacedClock } from '../../wallet/session-clock.ts';
import { memoryClaims } from '../../wallet/session-ports.ts';
import { VirtualTime } from './session-world.ts';

const never = new AbortController().signal;

describe('a recorded session', () => {
  it('flows evenly, and all of it', () => {
    const source = recordedEnergy({ wh: 1000, durationMs: 3_600_000, registerWh: 500 });
    assert.equal(source.readWh(0), 500);
    source.start();
    assert.equal(source.readWh(1_800_000), 1000);
    assert.equal(source.done, false);
    assert.equal(source.readWh(3_600_000), 1500);
    assert.equal(source.done, true);
    assert.equal(source.readWh(9_999_999), 1500);
  });

  it('waits while it is paused', () => {
    const source = recordedEnergy({ wh: 1000, durationMs: 1000 });
    source.readWh(0);
    source.start();
    assert.equal(source.readWh(300), 300);
    source.pause();
    assert.equal(source.readWh(700), 300);
    source.resume();
    assert.equal(source.readWh(900), 500);
  });

  it('takes longer when the charger gives less', () => {
    const source = recordedEnergy({ wh: 1000, durationMs: 3_600_000 });
    source.readWh(0);
    source.start(250);
    assert.equal(source.readWh(3_600_000), 250);
    assert.equal(source.readWh(4 * 3_600_000), 1000);
    assert.ok(source.done);
  });

  it('ends however finely it is looked at', () => {
    for (const looks of [3, 7, 999, 30_011]) {
      const source = recordedEnergy({ wh: 7777, durationMs: 1_234_567 });
      source.readWh(0);
      source.start();
      for (let i = 1; i <= looks; i++) source.readWh((1_234_567 * i) / looks);
      assert.equal(source.readWh(1_234_567), 7777);
      assert.ok(source.done);
    }
  });

  it('of no energy is done at once', () => {
    const source = recordedEnergy({ wh: 0, durationMs: 1 });
    assert.equal(source.readWh(0), 0);
    assert.ok(source.done);
  });
});

describe('the pace of a session', () => {
  it('can be faster than life', async () => {
    const time = new VirtualTime(1000);
    const pace = pacedClock(time, 60, 5_000_000);
    assert.equal(pace.nowMs(), 5_000_000);
    await time.until(pace.sleep(60_000, never));
    assert.equal(time.nowMs(), 2000);
    assert.equal(pace.nowMs(), 5_060_000);
  });

  it('can leap, and lets others run meanwhile', async () => {
    let breaths = 0;
    const pace = leapingClock(0, async () => {
      breaths++;
    });
    await pace.sleep(1000, never);
    await pace.sleep(500, never);
    assert.deepEqual([pace.nowMs(), breaths], [1500, 2]);
    await pace.sleep(500, AbortSignal.abort());
    assert.deepEqual([pace.nowMs(), breaths], [1500, 2]);
  });
});

describe('the claims of a charger', () => {
  it('give each payment once, and forget the oldest beyond their bound', () => {
    const claims = memoryClaims(2);
    const claim = (name: string) => claims.claim(name as never);
    assert.deepEqual(
      [claim('a'), claim('a'), claim('b'), claim('b'), claim('c')],
      [true, false, true, false, true],
    );
    assert.deepEqual([claim('b'), claim('c'), claim('a')], [false, false, true]);
  });
});
