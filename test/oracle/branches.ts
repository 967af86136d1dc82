/** Payments among payments: void ones, rivals, branches, dead ones (docs/protocol.md, sections 1 and 7). */
import type { Address, Genesis, Payment, PaymentId, Units } from '../../ledger/index.ts';
import { type Payments, sum } from './dag.ts';

/**
 * A slot belongs to one account. A payment on another account's payment, or whose sequence is not one more than that of
 * its previous, is void: never accepted by a correct validator, never certified, never a rival; so is one on a void
 * payment. While the previous payment is unknown, nothing can be said yet.
 */
export function isVoid(payment: Payment, payments: Payments): boolean {
  if (payment.previous === payment.account) return payment.sequence !== 1;
  const previous = payments.get(payment.previous as PaymentId);
  if (previous === undefined) return false;
  if (previous.account !== payment.account || payment.sequence !== previous.sequence + 1) return true;
  return isVoid(previous, payments);
}

/** The payments before it in its account, nearest first, as far as they are known. */
export function before(payment: Payment, payments: Payments): readonly Payment[] {
  const branch: Payment[] = [];
  for (let at = payments.get(payment.previous as PaymentId); at !== undefined; ) {
    branch.push(at);
    at = payments.get(at.previous as PaymentId);
  }
  return branch;
}

/** Not void, and all payments before it are known. */
export function isLinked(payment: Payment, payments: Payments): boolean {
  const first = before(payment, payments).at(-1) ?? payment;
  return first.previous === first.account && !isVoid(payment, payments);
}

/** Two different payments of one account with the same `previous`, neither void. */
export function areRivals(a: Payment, b: Payment, payments: Payments): boolean {
  if (a.id === b.id || a.account !== b.account || a.previous !== b.previous) return false;
  return !isVoid(a, payments) && !isVoid(b, payments);
}

/** "Rivals of a decided payment, and their descendants, are dead." */
export function deadAmong(payments: Payments, decided: ReadonlySet<PaymentId>): ReadonlySet<PaymentId> {
  const winners = [...decided].flatMap((id) => payments.get(id) ?? []);
  const lost = (payment: Payment): boolean => winners.some((winner) => areRivals(winner, payment, payments));
  const dead = [...payments.values()].filter(
    (payment) => isLinked(payment, payments) && [payment, ...before(payment, payments)].some(lost),
  );
  return new Set(dead.map(({ id }) => id));
}

/** What an account has been given by the genesis and by those payments. */
export function creditsOf(genesis: Genesis, address: Address, settled: readonly Payment[]): Units {
  const transfers = [...genesis.allocations.map(({ address: to, amount }) => ({ to, amount }))];
  for (const payment of settled) transfers.push(...payment.transfers);
  return sum(transfers.filter(({ to }) => to === address).map(({ amount }) => amount)) as Units;
}
