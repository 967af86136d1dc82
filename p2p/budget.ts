/** What each peer may cost, and what its faults have cost it. Bounded in the number of peers remembered. */
import { REACTION, type Refusal } from '../ledger/index.ts';
import { OVERDRAFT_POINTS, PENALTY_CUT_POINTS, PENALTY_POINTS, type PeerLimits } from './limits.ts';

/**
 * A token bucket. What takes more than the bucket holds is let through when the bucket is full, and is paid back after;
 * so nothing within the limits of the wire is refused for ever.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Milliseconds until `amount` may be taken; 0 = now. */
  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    const lacking = Math.min(amount, this.#burst) - this.#tokens;
    return lacking <= 0 ? 0 : Math.ceil(lacking / this.#perMs);
  }

  /** Spends without asking: for what is known only when it is done. */
  spend(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= amount;
  }

  /** Spends if there is enough: 0 = spent, else the milliseconds to wait. */
  take(amount: number, nowMs: number): number {
    const waitMs = this.waitMs(amount, nowMs);
    if (waitMs === 0) this.#tokens -= amount;
    return waitMs;
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}

/** The buckets and the points of one peer. */
export interface PeerBudget {
  readonly requests: TokenBucket;
  readonly bytesOut: TokenBucket;
  readonly submits: TokenBucket;
  readonly works: TokenBucket;
  readonly streams: TokenBucket;
  readonly gossipFrames: TokenBucket;
  readonly gossipBytes: TokenBucket;
  points: number;
  pointsAtMs: number;
}

/** Points of a refusal by REACTION; infinite = cut at once. */
export function pointsOf(refusal: Refusal): number {
  if (refusal.code === 'budget_spent') return OVERDRAFT_POINTS;
  switch (REACTION[refusal.code]) {
    case 'cut':
      return Number.POSITIVE_INFINITY;
    case 'penalise':
      return PENALTY_POINTS;
    case 'ignore':
      return 0;
  }
}

export class PeerBudgets {
  readonly #limits: PeerLimits;
  readonly #nowMs: () => number;
  readonly #budgets = new Map<string, PeerBudget>();
  readonly #deniedUntilMs = new Map<string, number>();

  constructor(limits: PeerLimits, deps: { nowMs(): number }) {
    this.#limits = limits;
    this.#nowMs = () => deps.nowMs();
  }

  /**
   * The budget of a peer. It outlives the connection, so that nobody gets a fresh one by reconnecting; when too many
   * are kept, the one that was used least lately is forgotten.
   */
  of(peer: string): PeerBudget {
    const known = this.#budgets.get(peer);
    if (known !== undefined) {
      this.#budgets.delete(peer);
      this.#budgets.set(peer, known);
      return known;
    }
    const budget = this.#fresh();
    this.#budgets.set(peer, budget);
    forgetOldest(this.#budgets, this.#limits.cutPeersMax);
    return budget;
  }

  /** Points now, after decay: 0 to PENALTY_CUT_POINTS. */
  points(peer: string): number {
    const budget = this.#budgets.get(peer);
    if (budget === undefined) return 0;
    this.#decay(budget);
    return Math.min(budget.points, PENALTY_CUT_POINTS);
  }

  /** Adds points; true when the peer has reached the threshold and must be cut. */
  addPoints(peer: string, points: number): boolean {
    const budget = this.of(peer);
    this.#decay(budget);
    budget.points = Math.min(budget.points + points, PENALTY_CUT_POINTS);
    return budget.points >= PENALTY_CUT_POINTS;
  }

  /** From now on the peer is refused for cutMs; then it starts with a clean slate. */
  deny(peer: string): void {
    this.#deniedUntilMs.delete(peer);
    this.#deniedUntilMs.set(peer, this.#nowMs() + this.#limits.cutMs);
    forgetOldest(this.#deniedUntilMs, this.#limits.cutPeersMax);
  }

  isDenied(peer: string): boolean {
    const untilMs = this.#deniedUntilMs.get(peer);
    if (untilMs === undefined) return false;
    if (this.#nowMs() < untilMs) return true;
    this.#deniedUntilMs.delete(peer);
    const budget = this.#budgets.get(peer);
    if (budget !== undefined) budget.points = 0;
    return false;
  }

  #decay(budget: PeerBudget): void {
    const nowMs = this.#nowMs();
    const decayed = ((nowMs - budget.pointsAtMs) / 1000) * this.#limits.decayPointsPerSecond;
    budget.points = Math.max(0, budget.points - Math.max(0, decayed));
    budget.pointsAtMs = nowMs;
  }

  #fresh(): PeerBudget {
    const nowMs = this.#nowMs();
    const l = this.#limits;
    return {
      requests: new TokenBucket(l.requestsPerSecond, l.requestsBurst, nowMs),
      bytesOut: new TokenBucket(l.bytesOutPerSecond, l.bytesOutBurst, nowMs),
      submits: new TokenBucket(l.submitsPerSecond, l.submitsBurst, nowMs),
      works: new TokenBucket(l.worksPerSecond, l.worksBurst, nowMs),
      streams: new TokenBucket(l.streamsPerSecond, l.streamsBurst, nowMs),
      gossipFrames: new TokenBucket(l.gossipFramesPerSecond, l.gossipFramesBurst, nowMs),
      gossipBytes: new TokenBucket(l.gossipBytesPerSecond, l.gossipBytesBurst, nowMs),
      points: 0,
      pointsAtMs: nowMs,
    };
  }
}

/** Maps keep insertion order, so the first key is the oldest. */
function forgetOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
