/** What somebody wants to pay, checked before anything is signed. */
import { MEMO_BYTES_MAX, TRANSFERS_MAX, type Transfer, UNITS_MAX } from '../ledger/index.ts';
import { WalletError } from './wallet-error.ts';

export interface PaymentOrder {
  readonly transfers: readonly Transfer[];
  readonly total: number;
  readonly memo: Uint8Array;
}

/** The wallet's own limits, which hold whatever its caller wants; undefined = no limit. */
export interface SpendingLimits {
  readonly unitsPerPaymentMax?: number;
  /** By days of UTC. */
  readonly unitsPerDayMax?: number;
}

/** Throws `bad_payment` for what no payment can carry. Copies what the caller could change. */
export function orderOf(transfers: readonly Transfer[], memo: Uint8Array): PaymentOrder {
  if (transfers.length < 1 || transfers.length > TRANSFERS_MAX) {
    throw badPayment(
      `A payment has 1 to ${TRANSFERS_MAX} transfers, this one ${transfers.length}: split it.`,
    );
  }
  if (memo.length > MEMO_BYTES_MAX) {
    throw badPayment(
      `A memo has at most ${MEMO_BYTES_MAX} bytes, this one ${memo.length}: put its hash there instead.`,
    );
  }
  let total = 0;
  for (const { to, amount } of transfers) {
    if (!/^[0-9a-f]{64}$/.test(to)) {
      throw badPayment(
        'A receiver is not an account address in hex: parse what people typed with parseAddress.',
      );
    }
    if (!Number.isSafeInteger(amount) || amount < 1) {
      throw badPayment(`An amount of ${amount} cannot be paid: use whole units, at least 1.`);
    }
    total += amount;
  }
  if (total > UNITS_MAX)
    throw badPayment(`The amounts add up to ${total}, and ${UNITS_MAX} is the most there can be.`);
  return { transfers: transfers.map(({ to, amount }) => ({ to, amount })), total, memo: memo.slice() };
}

/** Throws `insufficient_funds` or `forbidden_by_policy`. */
export function checkMeans(
  order: PaymentOrder,
  balance: number,
  spentToday: number,
  limits: SpendingLimits,
): void {
  const { total } = order;
  if (total > balance) {
    const text = `${total} units are to be paid and ${balance} are spendable: ${total - balance} are missing.`;
    throw new WalletError('insufficient_funds', text);
  }
  const { unitsPerPaymentMax = UNITS_MAX, unitsPerDayMax = UNITS_MAX } = limits;
  if (total > unitsPerPaymentMax) {
    const text = `${total} units are more than this wallet's limit of ${unitsPerPaymentMax} for one payment.`;
    throw new WalletError('forbidden_by_policy', `${text} Raise the limit, or pay less.`);
  }
  if (spentToday + total > unitsPerDayMax) {
    const text =
      `${total} units after the ${spentToday} of today are more than this wallet's limit of ${unitsPerDayMax} for one ` +
      'day. Raise the limit, or pay tomorrow.';
    throw new WalletError('forbidden_by_policy', text);
  }
}

function badPayment(message: string): WalletError {
  return new WalletError('bad_payment', message);
}
