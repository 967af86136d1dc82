/**
 * What a correct validator may do at a witness, and which of its witnesses broke a rule (docs/protocol.md, section 6,
 * *Votes*); and what must always hold (section 8). From the definitions, on top of the slow votes.
 */
import type { Payment, PaymentId, ValidatorIndex } from '../../ledger/index.ts';
import { areRivals, type Ballot, creditsOf, isVoid, type Oracle, sum } from './oracle.ts';

export type Hindrance = 'void' | 'rival_accepted' | 'previous_not_accepted' | 'unfunded';

/**
 * Which of the three conditions keeps the author of w from accepting P at w, undefined when none does. What w itself
 * accepts counts as accepted before, and P itself is left aside.
 * @param final What is final in past(w): by default with the certificates of w itself, as past(w) holds w.
 */
export function hindrance(
  oracle: Oracle,
  w: Ballot,
  payment: Payment,
  final: ReadonlySet<PaymentId> = oracle.finalAmong(oracle.ballotsIn(w)),
): Hindrance | undefined {
  const payments = oracle.paymentsIn(w);
  const accepted = oracle.acceptedUpTo(w);
  if (isVoid(payment, payments)) return 'void';
  // 1. "v has accepted no rival of P"
  for (const other of payments.values()) {
    if (accepted.has(other.id) && areRivals(payment, other, payments)) return 'rival_accepted';
  }
  // 2. "P's previous is P's own account (first payment), or v has accepted it, or it is final"
  const previous = payment.previous as PaymentId;
  const first = payment.previous === payment.account;
  if (!first && !(payments.has(previous) && (accepted.has(previous) || final.has(previous)))) {
    return 'previous_not_accepted';
  }
  // 3. "the account's final credits, less all debits along P's own branch up to and with P, leave no negative balance"
  const branch = [payment];
  for (let at = payments.get(previous); at !== undefined; at = payments.get(at.previous as PaymentId))
    branch.push(at);
  const settled = [...payments.values()].filter((other) => final.has(other.id));
  const credits = creditsOf(oracle.genesis, payment.account, settled);
  return credits < sum(branch.map((each) => each.total)) ? 'unfunded' : undefined;
}

/** Payments that w or an earlier witness of its chain covered and that none of them accepted. */
export function waiting(oracle: Oracle, w: Ballot): readonly Payment[] {
  const covered = new Set([w, ...oracle.chainBefore(w)].flatMap((x) => [...oracle.covers(x)]));
  const accepted = oracle.acceptedUpTo(w);
  return [...oracle.paymentsIn(w).values()].filter(({ id }) => covered.has(id) && !accepted.has(id));
}

/** w as if it accepted, of all that it accepts, only `some`. */
function acceptingOnly(oracle: Oracle, w: Ballot, some: ReadonlySet<PaymentId>): Ballot {
  return {
    ...w,
    defers: [...oracle.covers(w)].filter((id) => !some.has(id)),
    accepts: w.accepts.filter((id) => some.has(id)),
  };
}

/**
 * The lists of a correct validator for a witness with these parents. It takes the payments that wait in the order in
 * which they come, again and again until none can be accepted any more.
 * @param order Which of several payments is looked at first; between rivals this decides.
 * @param own True: finality by the validator's own new certificates is used too.
 */
export function vote(
  oracle: Oracle,
  place: Omit<Ballot, 'defers' | 'accepts'>,
  order: (payments: readonly Payment[]) => readonly Payment[],
  own: boolean,
): Ballot {
  const bare: Ballot = { ...place, defers: [], accepts: [] };
  const covers = oracle.covers(bare);
  const none: Ballot = { ...bare, defers: [...covers].sort() };
  const candidates = order(waiting(oracle, none));
  const taken = new Set<PaymentId>();
  const ballotOf = (): Ballot => ({
    ...bare,
    defers: [...covers].filter((id) => !taken.has(id)).sort(),
    accepts: [...taken].filter((id) => !covers.has(id)).sort(),
  });
  const before = oracle.finalAmong(oracle.ballotsIn(none).filter((x) => x !== none));
  for (let grew = true; grew; ) {
    grew = false;
    for (const payment of candidates) {
      if (taken.has(payment.id)) continue;
      const w = ballotOf();
      if (hindrance(oracle, w, payment, own ? undefined : before) !== undefined) continue;
      taken.add(payment.id);
      grew = true;
    }
  }
  return ballotOf();
}

export interface Violation {
  readonly payment: PaymentId;
  /** Why it should not have been accepted; `acceptable`: nothing hindered it and it was not accepted. */
  readonly why: Hindrance | 'acceptable' | 'not_covered';
}

/**
 * What w says that the witness of a correct validator does not say. In which order it looked at its payments is its own
 * affair: what it accepts is right when there is some order in which each was acceptable after those before it.
 */
export function violations(oracle: Oracle, w: Ballot): readonly Violation[] {
  const found: Violation[] = unfounded(oracle, w).map((payment) => ({ payment, why: 'not_covered' }));
  const payments = oracle.paymentsIn(w);
  const left = new Set([...oracle.accepts(w)].filter((id) => payments.has(id)));
  const taken = new Set<PaymentId>();
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
    found.push({ payment: id, why: hindrance(oracle, acceptingOnly(oracle, w, taken), payments.get(id)!)! });
  }
  // It may leave aside what is acceptable only by the finality that its own certificates of this very witness complete.
  const before = oracle.finalAmong(oracle.ballotsIn(w).filter((x) => x !== w));
  for (const payment of waiting(oracle, w)) {
    if (hindrance(oracle, w, payment, before) === undefined)
      found.push({ payment: payment.id, why: 'acceptable' });
  }
  return found;
}

/**
 * Votes that make a witness invalid whoever made it: `defers` holds something that w does not cover, or `accepts`
 * something that its chain has not deferred and left so.
 */
export function unfounded(oracle: Oracle, w: Ballot): readonly PaymentId[] {
  const covers = oracle.covers(w);
  const chain = oracle.chainBefore(w);
  const deferred = new Set(chain.flatMap((x) => x.defers));
  const accepted = new Set(chain.flatMap((x) => [...oracle.accepts(x)]));
  return [
    ...w.defers.filter((id) => !covers.has(id)),
    ...w.accepts.filter((id) => !deferred.has(id) || accepted.has(id)),
  ];
}

/** What is wrong with the known vertices if all but `byzantine` are correct: one sentence each, none when all holds. */
export function brokenInvariants(oracle: Oracle, byzantine: ReadonlySet<ValidatorIndex>): readonly string[] {
  const broken: string[] = [];
  const payments = oracle.payments();
  const final = oracle.finals();
  const correct = oracle.witnesses().filter((w) => !byzantine.has(w.validator));
  const certified = new Set(correct.flatMap((w) => [...oracle.certifies(w)]));
  for (const [name, ids] of [['final', final] as const, ['certified', certified] as const]) {
    for (const a of ids) {
      for (const b of ids) {
        if (a < b && areRivals(payments.get(a)!, payments.get(b)!, payments))
          broken.push(`${a} and ${b} both ${name}`);
      }
    }
  }
  for (const id of final) {
    const { previous, account } = payments.get(id)!;
    if (previous !== account && !final.has(previous as PaymentId))
      broken.push(`${id} final before its previous`);
  }
  const accounts = new Set([
    ...oracle.genesis.allocations.map(({ address }) => address),
    ...[...payments.values()].flatMap((payment) => [
      payment.account,
      ...payment.transfers.map(({ to }) => to),
    ]),
  ]);
  const balances = [...accounts].map((address) => oracle.balanceOf(address, final, payments));
  if (balances.some((balance) => balance < 0)) broken.push('a final balance is negative');
  if (sum(balances) !== oracle.genesis.supply) broken.push(`the supply is ${sum(balances)}`);
  const seen = new Map<string, string>();
  for (const w of correct) {
    const place = `${w.validator}/${w.round}`;
    if (seen.has(place))
      broken.push(`correct validator ${w.validator} has two witnesses of round ${w.round}`);
    seen.set(place, w.id);
    for (const violation of violations(oracle, w)) {
      broken.push(`witness ${w.id} of round ${w.round}: ${violation.payment} ${violation.why}`);
    }
  }
  return broken;
}
