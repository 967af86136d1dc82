/** What a node's refusal of an own payment means for its payer. It never means that the payment is void: see account-book.ts. */
import type { PaymentId, Refusal } from '../ledger/index.ts';
import { WalletError } from './wallet-error.ts';

/** There is no room today; the payment itself is all right. */
const CAPACITY: ReadonlySet<Refusal['code']> = new Set([
  'stale',
  'queue_full',
  'account_busy',
  'budget_spent',
  'tangle_full',
]);

/** The node lacks something that others have, or claims to know a rival. */
const IGNORANCE: ReadonlySet<Refusal['code']> = new Set([
  'slot_taken',
  'previous_unknown',
  'sequence_gap',
  'unfunded',
]);

export function isCapacity(refusal: Refusal): boolean {
  return CAPACITY.has(refusal.code);
}

/** The shortest wait that a node has asked for; 0 when none has. */
export function retryAfterMs(refusals: readonly Refusal[]): number {
  const waits = refusals.flatMap((refusal) =>
    refusal.code === 'budget_spent' ? [refusal.retryAfterMs] : [],
  );
  return waits.length === 0 ? 0 : Math.min(...waits);
}

export function refusedError(payment: PaymentId, refusal: Refusal): WalletError {
  const why = IGNORANCE.has(refusal.code)
    ? 'Either the nodes lack something that this wallet has a proof of, or the key is in use elsewhere too'
    : 'The wallet has checked the payment by the rules of the network, so these nodes follow other rules';
  const text =
    `Every node that could be asked refuses payment ${payment} (${JSON.stringify(refusal)}). ${why}. It is signed, ` +
    'stored, and offered again until it is final: do not pay again, wait for it instead, or add other nodes.';
  return new WalletError('refused', text, { payment, refusal });
}
