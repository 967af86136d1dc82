/** Money for fresh accounts, out of a wallet. */
import { type PaymentId, TRANSFERS_MAX, type Transfer } from '../../ledger/index.ts';
import type { LightClient } from '../../wallet/index.ts';

/** Own payments of the funder under way. */
const PIPELINE = 6;

/**
 * Pays all of them, and waits until that is final.
 * @returns the last payment: where it is final, all are.
 * @throws (rejects with) WalletError, also after `timeoutMs` without progress; the signal's reason.
 */
export async function fund(
  funder: LightClient,
  transfers: readonly Transfer[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<PaymentId> {
  const { signal } = options;
  await funder.ready(options);
  const underWay: PaymentId[] = [];
  for (let from = 0; from < transfers.length; from += TRANSFERS_MAX) {
    if (underWay.length >= PIPELINE) await funder.waitFinal(underWay.shift()!, options);
    const sent = await funder.pay(transfers.slice(from, from + TRANSFERS_MAX), undefined, { signal });
    underWay.push(sent.id);
  }
  const last = underWay.at(-1)!;
  for (const id of underWay) await funder.waitFinal(id, options);
  return last;
}
