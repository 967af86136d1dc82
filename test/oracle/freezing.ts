/** When a correct validator freezes a slot (docs/protocol.md, section 7, *Freeze*). */
import type { Payment, PaymentId, Slot, Witness } from '../../ledger/index.ts';
import { isLinked } from './branches.ts';
import type { Ballot, Oracle } from './oracle.ts';

/**
 * Why a correct validator does not freeze: nothing in the slot is open any more; its last freeze holds long enough; some
 * payment of it is certified; or nothing has been contested or deferred for long.
 */
export type FreezeFault = 'freeze_settled' | 'freeze_too_soon' | 'freeze_certified' | 'freeze_too_early';

/**
 * How soon. `earliest` and `latest` leave a validator one witness on either side of `usual`: whether the witness that counts
 * is one of the three is its own affair.
 */
export type Haste = 'earliest' | 'usual' | 'latest';

/** Own witnesses before w, that of the second rival among them, which have both rivals behind them. */
const CONTESTED_WITNESSES: Record<Haste, number> = { earliest: 2, usual: 3, latest: 4 };

/** The payments that w or its chain has spoken of, linked and not void, and not settled. */
function openPayments(oracle: Oracle, w: Ballot, haste: Haste): readonly Payment[] {
  const payments = oracle.paymentsIn(w);
  const state = oracle.votes.state(w);
  const chain = [w, ...memory(oracle, w, haste)];
  const spoken = new Set(chain.flatMap((x) => [...oracle.votes.spokenOf(x)]));
  return [...payments.values()].filter(
    (payment) => spoken.has(payment.id) && isLinked(payment, payments) && !state.settles(payment),
  );
}

/** It may go by what it said before its votes lapsed, when another block brings the payment again; it need not. */
function memory(oracle: Oracle, w: Ballot, haste: Haste): readonly Witness[] {
  return haste === 'earliest' ? oracle.dag.chainBefore(w) : oracle.votes.chainHeard(w);
}

/** "(a) v's chain has covered two rivals of s, since at least 3 witnesses of its own." */
function isContested(oracle: Oracle, w: Ballot, rivals: readonly Payment[], haste: Haste): boolean {
  const since = memory(oracle, w, haste).slice(CONTESTED_WITNESSES[haste] - 1);
  const spoken = new Set(since.flatMap((x) => [...oracle.votes.spokenOf(x)]));
  return rivals.filter(({ id }) => spoken.has(id)).length >= 2;
}

/** "(b) v has deferred a payment of s for E/2 rounds." */
function isOverdue(oracle: Oracle, w: Ballot, payments: readonly Payment[], haste: Haste): boolean {
  const accepted = oracle.votes.acceptedUpTo(w);
  return payments.some(({ id }) => {
    const first = memory(oracle, w, haste).findLast((x) => oracle.votes.defers(x).includes(id));
    return first !== undefined && !accepted.has(id) && w.round - first.round >= oracle.epochRounds / 2;
  });
}

/** "s is not frozen by v's chain with more than E/2 rounds to go"; with just so many it is its own affair. */
function isFrozenLong(oracle: Oracle, w: Ballot, slot: Slot, haste: Haste): boolean {
  const freezes = oracle.votes.chainHeard(w).filter((x) => x.freezes.includes(slot));
  const rounds = Math.max(...freezes.map((x) => x.round)) - oracle.votes.horizon(w);
  return haste === 'latest' ? rounds >= oracle.epochRounds / 2 : rounds > oracle.epochRounds / 2;
}

/** Some witness of those has certified a payment of the slot. */
function isCertified(oracle: Oracle, ballots: readonly Ballot[], rivals: readonly Payment[]): boolean {
  return ballots.some((x) => rivals.some(({ id }) => oracle.certifies(x).has(id)));
}

/** The slots that a correct author of w freezes at w. */
export function dueFreezes(oracle: Oracle, w: Ballot, haste: Haste): ReadonlySet<Slot> {
  const bySlot = Map.groupBy(openPayments(oracle, w, haste), ({ previous }) => previous);
  const due = [...bySlot].filter(([slot, rivals]) => {
    if (isFrozenLong(oracle, w, slot, haste) || isCertified(oracle, oracle.ballotsIn(w), rivals))
      return false;
    return isContested(oracle, w, rivals, haste) || isOverdue(oracle, w, rivals, haste);
  });
  return new Set(due.map(([slot]) => slot));
}

/** Why a correct author of w does not freeze this slot at w, undefined when it may. */
export function freezeFault(oracle: Oracle, w: Ballot, slot: Slot): FreezeFault | undefined {
  const rivals = openPayments(oracle, w, 'earliest').filter(({ previous }) => previous === slot);
  if (rivals.length === 0) return 'freeze_settled';
  if (isFrozenLong(oracle, w, slot, 'earliest')) return 'freeze_too_soon';
  const own = [...oracle.votes.ownBefore(w), w];
  if (isCertified(oracle, [...oracle.votes.heard(w), ...own], rivals)) return 'freeze_certified';
  const reason = isContested(oracle, w, rivals, 'earliest') || isOverdue(oracle, w, rivals, 'earliest');
  return reason ? undefined : 'freeze_too_early';
}

/** Payments that a correct validator has certified though its chain had frozen their slot within the horizon. */
export function certifiedAfterFreeze(oracle: Oracle, w: Ballot): readonly PaymentId[] {
  const payments = oracle.paymentsIn(w);
  const frozen = new Set([w, ...oracle.votes.chainHeard(w)].flatMap((x) => x.freezes));
  return [...oracle.newlyCertifies(w)].filter((id) => frozen.has(payments.get(id)!.previous));
}
