/**
 * What a correct validator may do at a witness, and which of its witnesses broke a rule (docs/protocol.md, sections 6 and 7):
 * from the definitions, on top of the slow votes.
 */
import type { Payment, PaymentId, Slot } from '../../ledger/index.ts';
import { before } from './branches.ts';
import { dueFreezes, type FreezeFault, freezeFault } from './freezing.ts';
import { areRivals, type Ballot, creditsOf, isVoid, type Oracle, sum } from './oracle.ts';
import { defersAll } from './votes.ts';

export type Hindrance = 'void' | 'rival_accepted' | 'slot_decided' | 'previous_not_accepted' | 'unfunded';

/** What counts when an acceptance is judged. */
export interface Standing {
  /** What is final in past(w). */
  readonly final: ReadonlySet<PaymentId>;
  /** What makes a predecessor accepted. */
  readonly accepted: ReadonlySet<PaymentId>;
}

/** All that a validator may go by: the certificates of w itself, and whatever it has accepted, however long ago. */
function utmost(oracle: Oracle, w: Ballot): Standing {
  return { final: oracle.votes.finalIn(w), accepted: oracle.votes.acceptedUpTo(w) };
}

/** What it has to go by: certificates before w, and what its chain has accepted within the horizon. */
function least(oracle: Oracle, w: Ballot): Standing {
  const chain = [w, ...oracle.votes.chainHeard(w)];
  return {
    final: oracle.votes.finalBelow(w),
    accepted: new Set(chain.flatMap((x) => [...oracle.accepts(x)])),
  };
}

/**
 * Which of the conditions keeps the author of w from accepting P at w, undefined when none does. What w itself accepts
 * counts as accepted before, and P itself is left aside.
 */
export function hindrance(
  oracle: Oracle,
  w: Ballot,
  payment: Payment,
  standing: Standing = utmost(oracle, w),
): Hindrance | undefined {
  const { final, accepted } = standing;
  const payments = oracle.paymentsIn(w);
  if (isVoid(payment, payments)) return 'void';
  // 1. "No rival accepted by v ever, and the slot not decided or final for a rival in past(w)"
  const rivals = [...payments.values()].filter((other) => areRivals(payment, other, payments));
  const ever = oracle.votes.acceptedUpTo(w);
  if (rivals.some(({ id }) => ever.has(id))) return 'rival_accepted';
  if (rivals.some(({ id }) => final.has(id))) return 'slot_decided';
  // "Nor is the slot of a payment before P decided for a rival in past(w)"
  const state = oracle.votes.state(w);
  const lost = (other: Payment): boolean => state.settles(other) && !state.decided.has(other.id);
  if ([payment, ...before(payment, payments)].some(lost)) return 'slot_decided';
  // 2. "previous is the account itself, or accepted by v, or final or decided in past(w)"
  const previous = payment.previous as PaymentId;
  const first = payment.previous === payment.account;
  if (!first && !(payments.has(previous) && (accepted.has(previous) || final.has(previous)))) {
    return 'previous_not_accepted';
  }
  // 3. "the account's final credits, less all debits along P's own branch up to and with P, leave no negative balance"
  const branch = [payment, ...before(payment, payments)];
  const settled = [...payments.values()].filter((other) => final.has(other.id));
  const credits = creditsOf(oracle.genesis, payment.account, settled);
  return credits < sum(branch.map((each) => each.total)) ? 'unfunded' : undefined;
}

/** Payments that w covers or its chain has deferred within the horizon, that its validator never accepted, not settled. */
export function waiting(oracle: Oracle, w: Ballot): readonly Payment[] {
  const open = new Set([...oracle.covers(w), ...oracle.votes.deferredBefore(w)]);
  const accepted = oracle.votes.acceptedUpTo(w);
  const state = oracle.votes.state(w);
  return [...oracle.paymentsIn(w).values()].filter(
    (payment) => open.has(payment.id) && !accepted.has(payment.id) && !state.settles(payment),
  );
}

/** w as if it accepted, of all that it accepts, only `some`. */
function acceptingOnly(oracle: Oracle, w: Ballot, some: ReadonlySet<PaymentId>): Ballot {
  return {
    ...w,
    defers: [...oracle.covers(w)].filter((id) => !some.has(id)),
    accepts: w.accepts.filter((id) => some.has(id) && !oracle.covers(w).has(id)),
  };
}

/**
 * The lists of a correct validator for a witness with these parents. It takes the payments that wait in the order in
 * which they come, again and again until none can be accepted any more; and freezes what it has to.
 * @param order Which of several payments is looked at first; between rivals this decides.
 * @param own True: finality by the validator's own new certificates is used too.
 */
export function vote(
  oracle: Oracle,
  place: Omit<Ballot, 'defers' | 'accepts' | 'freezes'>,
  order: (payments: readonly Payment[]) => readonly Payment[],
  own: boolean,
): Ballot {
  const bare: Ballot = { ...place, defers: [], accepts: [], freezes: [] };
  const covers = oracle.covers(bare);
  // What it has accepted once it accepts again when another block brings it after the votes have lapsed.
  const taken = new Set([...covers].filter((id) => oracle.votes.acceptedUpTo(none(bare, covers)).has(id)));
  const ballotOf = (): Ballot => ({
    ...bare,
    defers: [...covers].filter((id) => !taken.has(id)).sort(),
    accepts: [...taken].filter((id) => !covers.has(id)).sort(),
  });
  const candidates = order(waiting(oracle, none(bare, covers)));
  for (let grew = true; grew; ) {
    grew = false;
    for (const payment of candidates) {
      if (taken.has(payment.id)) continue;
      const w = ballotOf();
      if (hindrance(oracle, w, payment, own ? undefined : least(oracle, w)) !== undefined) continue;
      taken.add(payment.id);
      grew = true;
    }
  }
  const voted = ballotOf();
  return { ...voted, freezes: [...dueFreezes(oracle, voted, 'usual')].sort() };
}

function none(bare: Ballot, covers: ReadonlySet<PaymentId>): Ballot {
  return { ...bare, defers: [...covers].sort() };
}

export interface Violation {
  readonly about: PaymentId | Slot;
  /**
   * Why it should not have been accepted or frozen; `acceptable`: nothing hindered it and it was not accepted; `not_frozen`:
   * it had to be.
   */
  readonly why: Hindrance | FreezeFault | 'acceptable' | 'unfounded' | 'not_frozen';
}

/**
 * What w says that the witness of a correct validator does not say. In which order it looked at its payments is its own
 * affair: what it accepts is right when there is some order in which each was acceptable after those before it.
 */
export function violations(oracle: Oracle, w: Ballot): readonly Violation[] {
  const found: Violation[] = unfounded(oracle, w).map((about) => ({ about, why: 'unfounded' }));
  const payments = oracle.paymentsIn(w);
  const older = new Set(oracle.votes.ownBefore(w).flatMap((x) => [...oracle.accepts(x)]));
  const left = new Set([...oracle.accepts(w)].filter((id) => payments.has(id) && !older.has(id)));
  const taken = new Set([...oracle.accepts(w)].filter((id) => older.has(id)));
  for (let grew = true; grew; ) {
    grew = false;
    for (const id of left) {
      if (hindrance(oracle, acceptingOnly(oracle, w, taken), payments.get(id)!) !== undefined) continue;
      taken.add(id);
      left.delete(id);
      grew = true;
    }
  }
  for (const id of left) {
    found.push({ about: id, why: hindrance(oracle, acceptingOnly(oracle, w, taken), payments.get(id)!)! });
  }
  // It may leave aside what is acceptable only by the finality that its own certificates of this very witness complete.
  for (const payment of waiting(oracle, w)) {
    if (hindrance(oracle, w, payment, least(oracle, w)) === undefined)
      found.push({ about: payment.id, why: 'acceptable' });
  }
  for (const slot of w.freezes) {
    const fault = freezeFault(oracle, w, slot);
    if (fault !== undefined) found.push({ about: slot, why: fault });
  }
  for (const slot of dueFreezes(oracle, w, 'latest')) {
    if (!w.freezes.includes(slot)) found.push({ about: slot, why: 'not_frozen' });
  }
  return found;
}

/**
 * Votes that make a witness invalid whoever made it: `defers` holds something that w does not cover, `accepts` something
 * that its chain has not deferred and left so, `freezes` a slot of which it and its chain know no payment.
 */
export function unfounded(oracle: Oracle, w: Ballot): readonly (PaymentId | Slot)[] {
  const covers = oracle.covers(w);
  const deferred = oracle.votes.deferredBefore(w);
  const freezable = oracle.votes.freezable(w);
  return [
    ...(defersAll(w) ? [] : w.defers.filter((id) => !covers.has(id))),
    ...w.accepts.filter((id) => !deferred.has(id) && !(defersAll(w) && covers.has(id))),
    ...w.freezes.filter((slot) => !freezable.has(slot)),
  ];
}
