/** Which payments of a session the charger has been told of, which it waits for, and which it counts. */
import { decodePayment, isRefusal, type PaymentId, type Units } from '../ledger/index.ts';
import type { ReadingChain } from './session-chain.ts';
import type { EndReason, Paid } from './session-messages.ts';
import type { FinalPayment, PaymentClaims } from './session-ports.ts';
import { checkSessionPayment } from './session-terms.ts';

/** Payments of one session that the charger waits for at once. A car that streams has one or two under way. */
export const PENDING_PAYMENTS_MAX = 64;

interface Fault {
  readonly reason: EndReason;
  readonly detail: string;
}

export class PaymentTally {
  readonly #chain: ReadingChain;
  readonly #claims: PaymentClaims;
  /** Payments that the car has named. */
  readonly #named = new Set<PaymentId>();
  readonly #pending = new Set<PaymentId>();
  readonly #finals = new Map<PaymentId, FinalPayment>();
  /** Sum of the named ones. */
  #announced = 0;
  #counted = 0;

  constructor(chain: ReadingChain, claims: PaymentClaims) {
    this.#chain = chain;
    this.#claims = claims;
  }

  /** Sum of the payments that count. */
  get counted(): Units {
    return this.#counted as Units;
  }

  get finals(): readonly FinalPayment[] {
    return [...this.#finals.values()];
  }

  /** Takes what the car says to have paid: its id when it has to be verified, undefined when it is known. */
  announce(paid: Paid): PaymentId | Fault | undefined {
    // On a new line the car says again what it does not know to be counted.
    if (this.#named.has(paid.payment)) return undefined;
    if (this.#pending.size >= PENDING_PAYMENTS_MAX) {
      return { reason: 'protocol', detail: `${this.#pending.size} payments wait for verification` };
    }
    const wrong = (detail: string): Fault => ({ reason: 'payment_wrong', detail });
    const chain = this.#chain;
    const payment = decodePayment(paid.bytes, chain.network);
    if (isRefusal(payment)) return wrong(`payment ${paid.payment} is ${payment.code}`);
    if (payment.id !== paid.payment) return wrong(`payment ${paid.payment} is in truth ${payment.id}`);
    const check = checkSessionPayment(payment, chain.terms, chain.heads);
    if ('problem' in check) return wrong(check.problem);
    const sum = this.#announced + check.amount;
    if (sum !== paid.cumulative || sum > chain.due) {
      return wrong(`payments make ${sum} units, the car says ${paid.cumulative}, ${chain.due} are due`);
    }
    this.#announced = sum;
    this.#named.add(payment.id);
    if (this.#finals.has(payment.id)) return undefined;
    this.#pending.add(payment.id);
    return payment.id;
  }

  /** Counts a payment that this charger's own client has verified; looks at what was verified, not at what was said. */
  count(final: FinalPayment): 'counted' | 'unasked' | Fault {
    const { payment } = final;
    if (!this.#pending.delete(payment.id)) return 'unasked';
    const check = checkSessionPayment(payment, this.#chain.terms, this.#chain.heads);
    if ('problem' in check) return { reason: 'payment_wrong', detail: check.problem };
    if (!this.#take(final, check.amount)) {
      return { reason: 'payment_wrong', detail: `payment ${payment.id} was counted before` };
    }
    return 'counted';
  }

  /**
   * Counts a verified payment to this account that nobody has named yet (the line broke before the car could), when it is
   * one of this session. Anybody can send units with any memo, so whatever else it is, it is nobody's fault.
   */
  find(final: FinalPayment): boolean {
    const check = checkSessionPayment(final.payment, this.#chain.terms, this.#chain.heads);
    if ('problem' in check || this.#counted + check.amount > this.#chain.due) return false;
    if (!this.#take(final, check.amount)) return false;
    this.#pending.delete(final.payment.id);
    return true;
  }

  #take(final: FinalPayment, amount: Units): boolean {
    if (!this.#claims.claim(final.payment.id)) return false;
    this.#counted += amount;
    this.#finals.set(final.payment.id, final);
    return true;
  }

  /** Waits no longer for a payment; false when it was not waited for. */
  drop(payment: PaymentId): boolean {
    return this.#pending.delete(payment);
  }
}
