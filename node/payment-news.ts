/** What the watched accounts hear of their payments, each when it may be told. */
import type { Address, Ledger, PaymentRecord } from '../ledger/index.ts';
import type { LightPush } from '../p2p/index.ts';
import { claimOf } from './admission.ts';
import type { LedgerViews } from './ledger-views.ts';
import { UNTOLD_PAYMENTS_MAX } from './limits.ts';
import type { Outbox } from './outbox.ts';

export interface PaymentNewsDeps {
  readonly ledger: Ledger;
  readonly views: Pick<LedgerViews, 'entry'>;
  readonly outbox: Pick<Outbox, 'after'>;
  push(addresses: readonly Address[], push: LightPush): void;
  failed(error: unknown): void;
}

export class PaymentNews {
  readonly #deps: PaymentNewsDeps;
  readonly #watched = new Map<Address, number>();
  /** Final, and not provable yet. */
  readonly #untold = new Set<PaymentRecord>();

  constructor(deps: PaymentNewsDeps) {
    this.#deps = deps;
  }

  /** One more or one less wants to hear of these accounts. */
  watch(addresses: readonly Address[], on: boolean): void {
    for (const address of addresses) {
      const count = (this.#watched.get(address) ?? 0) + (on ? 1 : -1);
      if (count > 0) this.#watched.set(address, count);
      else this.#watched.delete(address);
    }
  }

  tell(addresses: readonly Address[], push: LightPush): void {
    const watched = addresses.filter((address) => this.#watched.has(address));
    if (watched.length > 0) this.#deps.push(watched, push);
  }

  /** How these payments stand now: they have come into the tangle, or died. */
  standing(payments: readonly PaymentRecord[]): void {
    if (this.#watched.size === 0) return;
    for (const payment of payments) {
      if (!this.#isWatched(payment)) continue;
      const claim = claimOf(this.#deps.ledger, payment);
      if (claim !== undefined) this.tell(sides(payment), { type: 'status', payment: payment.id, ...claim });
    }
  }

  /** Told once everything that makes them final is on disk. */
  final(payments: readonly PaymentRecord[]): void {
    if (this.#watched.size === 0) return;
    for (const payment of payments) {
      if (this.#isWatched(payment)) void this.#tellFinal(payment);
    }
  }

  #isWatched(payment: PaymentRecord): boolean {
    if (this.#watched.has(payment.account.address)) return true;
    let watched = false;
    payment.eachTransfer((to) => {
      watched ||= this.#watched.has(to);
    });
    return watched;
  }

  /** Payments that commits have decided are told once the state after that can be proven; called now and then. */
  provable(): void {
    if (this.#untold.size === 0 || this.#deps.ledger.checkpoints.headers() === undefined) return;
    const payments = [...this.#untold];
    this.#untold.clear();
    this.final(payments);
  }

  /** The proof is made at once, as a state can be proven for a moment only, and told once everything before it is on disk. */
  async #tellFinal(payment: PaymentRecord): Promise<void> {
    const { views, outbox, failed } = this.#deps;
    try {
      const watched = sides(payment).filter((address) => this.#watched.has(address));
      const entries = await Promise.all(watched.map((address) => views.entry(payment, address)));
      outbox.after(() => {
        for (const [i, entry] of entries.entries()) {
          if (typeof entry !== 'string') this.tell([watched[i]!], { type: 'final', entry });
        }
      });
      if (entries.includes('early') && this.#untold.size < UNTOLD_PAYMENTS_MAX) this.#untold.add(payment);
    } catch (error) {
      failed(error);
    }
  }
}

/** The payer and the receivers, each once. */
function sides(payment: PaymentRecord): Address[] {
  return [...new Set([payment.account.address, ...payment.transfers.map(({ to }) => to)])];
}
