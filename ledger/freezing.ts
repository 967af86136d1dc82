/**
 * When a correct validator freezes a slot (docs/protocol.md, section 7.3): a contest that does not end by itself, or a
 * payment that nobody can accept, is handed over to the commits. A validator that has certified a payment never freezes
 * its slot, and one that has frozen a slot says so again before that lapses.
 */
import { isDead, type PaymentRecord } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { Chain } from './branches.ts';
import { CONTESTED_WITNESSES } from './limits.ts';
import type { WitnessRecord } from './tangle.ts';
import type { PaymentId, Round, Slot } from './types.ts';
import type { Coverage, Vote, Votes } from './votes.ts';

/** Freezes of one witness; the rest of WITNESS_VOTES_MAX is for the other lists. */
export const FREEZES_PER_WITNESS_MAX = 128;

/** Payments remembered between two own witnesses: a few full blocks for each other validator. */
const LINKED_MAX = 65_536;

/** Own witnesses after a freeze within which the commit that resolves it is expected. */
const RESOLUTION_WITNESSES = 12;

export interface FreezingDeps {
  readonly accounts: Accounts;
  readonly votes: Votes;
  readonly epochRounds: number;
}

/** A payment that is deferred, and since which round. */
interface Waits {
  readonly payment: PaymentRecord;
  readonly round: Round;
}

export class Freezing {
  readonly #deps: FreezingDeps;
  /** Own witnesses so far. */
  #ordinal = 0;
  /** Slots with two rivals on the own chain, and the own witness since which; in order of time. */
  #contested: { readonly slot: Slot; readonly ordinal: number }[] = [];
  readonly #contestedSlots = new Set<Slot>();
  /** Deferred on the own chain, and since which round; in order of time. */
  #deferred: Waits[] = [];
  /** Slots frozen on the own chain and the round in which that was said last; oldest first. */
  readonly #frozen = new Map<Slot, Round>();
  /** Of a frozen slot: what was deferred so long that it would be a reason to freeze it. */
  readonly #held = new Map<Slot, Waits>();
  /** Slots in which the own chain has ever certified a payment. */
  readonly #certified = new Set<Slot>();
  /** Payments that have found their place in their account since the last own witness. */
  #linked: PaymentRecord[] = [];
  #resolutionBy = 0;

  constructor(deps: FreezingDeps) {
    this.#deps = deps;
    deps.accounts.onLinked = (payment) => {
      // Only one that was covered before it was linked is missed otherwise; whoever is away for so long has covered none.
      if (this.#linked.length >= LINKED_MAX) this.#linked = [];
      this.#linked.push(payment);
    };
  }

  /** A contest is under way: rounds should not wait for the next idle beat. */
  get pending(): boolean {
    return this.#contested.length > 0 || this.#ordinal < this.#resolutionBy;
  }

  /** Slots that the witness to come has to freeze. */
  decide(coverage: Coverage, vote: Vote, certifiedNow: readonly PaymentRecord[]): Slot[] {
    const half = this.#deps.epochRounds / 2;
    const now = new Set<Slot>(certifiedNow.map(({ previous }) => previous));
    const freezes = new Set<Slot>();
    const consider = (slot: Slot): boolean => {
      if (freezes.size >= FREEZES_PER_WITNESS_MAX) return false;
      const told = this.#frozen.get(slot);
      const fresh = told !== undefined && told - coverage.horizon > half;
      if (!fresh && !now.has(slot) && this.#mayFreeze(coverage, slot)) freezes.add(slot);
      return true;
    };
    for (const { slot, ordinal } of this.#contested) {
      if (this.#ordinal + 1 - ordinal < CONTESTED_WITNESSES || !consider(slot)) break;
    }
    for (const { payment, round } of this.#deferred) {
      if (coverage.round - round < half) break;
      // What the witness to come accepts is no longer deferred.
      const waits =
        payment.link === 'linked' &&
        !vote.accepted.has(payment) &&
        this.#deps.votes.deferredOn(coverage.chain, payment, 0);
      if (waits && !consider(payment.previous)) break;
    }
    for (const [slot, round] of this.#frozen) {
      if (round - coverage.horizon > half || !consider(slot)) break;
    }
    return [...freezes];
  }

  /** "Undecided, never certified by v, no witness in past(w) certifies one." */
  #mayFreeze(coverage: Coverage, slot: Slot): boolean {
    const { accounts, votes } = this.#deps;
    if (this.#certified.has(slot) || accounts.isSlotSettled(slot, coverage.commit)) return false;
    const rivals = accounts.rivalsFor(slot);
    if (rivals.some((rival) => votes.certifiedWithin(coverage, rival))) return false;
    // Decided already, by a commit that the witness to come does not know yet.
    if (rivals.some((rival) => rival.decidedAt !== 0 || isDead(rival))) return false;
    return votes.mayVoteOn(coverage, slot);
  }

  /** An own witness has been written down, now or read back. */
  onOwn(record: WitnessRecord, chain: Chain): void {
    this.#ordinal++;
    for (const payment of record.deferred) this.#deferred.push({ payment, round: record.round });
    for (const payment of record.certified) this.#certified.add(payment.previous);
    for (const slot of record.freezes) {
      this.#frozen.delete(slot);
      this.#frozen.set(slot, record.round);
      this.#resolutionBy = this.#ordinal + RESOLUTION_WITNESSES;
    }
    for (const payment of record.accepted) this.#watch(payment, chain);
    for (const payment of record.deferred) this.#watch(payment, chain);
    for (const payment of this.#linked) this.#watch(payment, chain);
    this.#linked = [];
    if (record.freezes.length < FREEZES_PER_WITNESS_MAX) this.#dropDue(record.round);
  }

  /** Whatever was due has been looked at by the witness just written. */
  #dropDue(round: Round): void {
    const later = this.#contested.findIndex(({ ordinal }) => this.#ordinal - ordinal < CONTESTED_WITNESSES);
    const due = this.#contested.splice(0, later < 0 ? this.#contested.length : later);
    for (const { slot } of due) this.#contestedSlots.delete(slot);
    const half = this.#deps.epochRounds / 2;
    const young = this.#deferred.findIndex((one) => round - one.round < half);
    for (const one of this.#deferred.splice(0, young < 0 ? this.#deferred.length : young)) {
      // Should the freeze lapse before it is renewed, this is still a reason for another.
      if (this.#frozen.has(one.payment.previous)) this.#held.set(one.payment.previous, one);
    }
  }

  /** A payment of the own chain that has a rival there begins a contest. */
  #watch(payment: PaymentRecord, chain: Chain): void {
    const { accounts, votes } = this.#deps;
    if (!accounts.hasRivals(payment) || this.#contestedSlots.has(payment.previous)) return;
    const covered = accounts
      .slotOf(payment)
      .filter((rival) => votes.acceptedOn(chain, rival, 0) || votes.deferredOn(chain, rival, 0));
    if (covered.length < 2) return;
    this.#contestedSlots.add(payment.previous);
    this.#contested.push({ slot: payment.previous, ordinal: this.#ordinal });
  }

  /** Commits have settled these slots. */
  onSettled(slots: Iterable<Slot | PaymentId>): void {
    for (const slot of slots) {
      this.#certified.delete(slot);
      this.#frozen.delete(slot);
      this.#held.delete(slot);
    }
  }

  /** Drops what has lapsed. */
  forget(horizon: Round): void {
    for (const [slot, round] of this.#frozen) {
      if (round >= horizon) break;
      this.#frozen.delete(slot);
      const held = this.#held.get(slot);
      this.#held.delete(slot);
      // Older than all that wait here: it is looked at next.
      if (held !== undefined) this.#deferred.unshift(held);
    }
  }
}
