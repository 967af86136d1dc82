import assert from 'node:assert/strict';
import { REACTION, type Refusal, type RefusalCode } from '../../ledger/index.ts';
import { PeerBudgets, pointsOf, TokenBucket } from '../../p2p/budget.ts';
import { PEER_LIMITS, PENALTY_CUT_POINTS, PENALTY_POINTS } from '../../p2p/limits.ts';

const A = 'peer-a';

function budgets(limits = {}) {
  const clock = { ms: 1_000 };
  return { clock, budgets: new PeerBudgets({ ...PEER_LIMITS, ...limits }, { nowMs: () => clock.ms }) };
}

describe('a token bucket', () => {
  it('gives its burst at once, then its rate', () => {
    const bucket = new TokenBucket(10, 3, 0);
    assert.deepEqual(
      [1, 1, 1].map((n) => bucket.take(n, 0)),
      [0, 0, 0],
    );
    const waitMs = bucket.take(1, 0);
    assert.ok(waitMs > 0 && waitMs <= 100, `${waitMs}`);
    assert.equal(bucket.take(1, 100), 0);
    assert.ok(bucket.take(1, 100) > 0);
  });

  it('lets through what is more than it holds, when it is full, and is paid back first', () => {
    const bucket = new TokenBucket(10, 3, 0);
    assert.equal(bucket.take(23, 0), 0);
    assert.equal(bucket.waitMs(1, 0), 2_100);
    assert.ok(bucket.take(1, 2_000) > 0);
    assert.equal(bucket.take(1, 2_100), 0);
    assert.ok(bucket.take(23, 2_200) > 0);
    assert.equal(bucket.take(23, 9_000), 0);
  });

  it('never holds more than its burst, and a clock that goes back gives nothing', () => {
    const bucket = new TokenBucket(10, 3, 1_000_000);
    bucket.spend(3, 2_000_000);
    assert.ok(bucket.waitMs(1, 2_000_000) > 0);
    assert.ok(bucket.waitMs(1, 1) > 0);
  });
});

describe('penalty points', () => {
  it('follow REACTION for every refusal: cut is the threshold, penalise a fifth, ignore nothing', () => {
    const codes = Object.keys(REACTION) as RefusalCode[];
    assert.ok(codes.length > 20);
    for (const code of codes) {
      const points = pointsOf({ code } as Refusal);
      if (code === 'budget_spent') assert.equal(points, 1);
      else if (REACTION[code] === 'cut') assert.equal(points, Number.POSITIVE_INFINITY, code);
      else if (REACTION[code] === 'penalise') assert.equal(points, PENALTY_POINTS, code);
      else assert.equal(points, 0, code);
    }
  });

  it('cut at the threshold and decay with time', () => {
    const { budgets: peers, clock } = budgets({ decayPointsPerSecond: 1 });
    for (let i = 0; i < 4; i++) assert.equal(peers.addPoints(A, PENALTY_POINTS), false);
    clock.ms += 20_000;
    assert.equal(peers.points(A), 60);
    assert.equal(peers.addPoints(A, PENALTY_POINTS), false);
    assert.equal(peers.addPoints(A, PENALTY_POINTS), true);
    assert.equal(peers.points(A), PENALTY_CUT_POINTS);
    clock.ms += 1_000_000;
    assert.equal(peers.points(A), 0);
  });

  it('refuse a peer for cutMs and start anew after it', () => {
    const { budgets: peers, clock } = budgets({ cutMs: 500 });
    peers.addPoints(A, Number.POSITIVE_INFINITY);
    peers.deny(A);
    assert.equal(peers.isDenied(A), true);
    clock.ms += 499;
    assert.equal(peers.isDenied(A), true);
    clock.ms += 1;
    assert.equal(peers.isDenied(A), false);
    assert.equal(peers.points(A), 0);
  });

  it('remember a bounded number of peers, the latest ones', () => {
    const { budgets: peers } = budgets({ cutPeersMax: 3 });
    for (let i = 0; i < 5; i++) peers.deny(`peer-${i}`);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((i) => peers.isDenied(`peer-${i}`)),
      [false, false, true, true, true],
    );
    for (let i = 0; i < 5; i++) peers.addPoints(`peer-${i}`, 50);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((i) => peers.points(`peer-${i}`)),
      [0, 0, 50, 50, 50],
    );
  });

  it('outlive a connection: the same budget comes back', () => {
    const { budgets: peers } = budgets();
    assert.equal(peers.of(A), peers.of(A));
  });
});
