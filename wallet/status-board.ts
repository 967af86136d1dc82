/** News of payments for whoever listens, with what is proven kept apart from what a node says. */
import type { Payment, PaymentId } from '../ledger/index.ts';
import type { Log, PaymentStatus } from '../p2p/index.ts';
import type { StatusEvent } from './light-options.ts';
import type { VerifiedPayment } from './verified-payment.ts';

type Listener<T> = (event: T) => void;

export class StatusBoard {
  readonly #log: Log;
  readonly #status = new Set<Listener<StatusEvent>>();
  readonly #incoming = new Set<Listener<VerifiedPayment>>();
  /** Of own payments under way: the last word of a node. */
  readonly #claimed = new Map<PaymentId, PaymentStatus>();

  constructor(log: Log) {
    this.#log = log;
  }

  onStatus(listener: Listener<StatusEvent>): () => void {
    this.#status.add(listener);
    return () => this.#status.delete(listener);
  }

  onIncoming(listener: Listener<VerifiedPayment>): () => void {
    this.#incoming.add(listener);
    return () => this.#incoming.delete(listener);
  }

  claimed(id: PaymentId): PaymentStatus | undefined {
    return this.#claimed.get(id);
  }

  /** @param own True for an own payment under way: the same word twice is no news. */
  claim(event: StatusEvent, own: boolean): void {
    const { payment, status } = event;
    if (own && status !== 'signed' && status !== 'refused' && status !== 'forgotten') {
      if (this.#claimed.get(payment) === status) return;
      this.#claimed.set(payment, status);
    }
    this.#tell(this.#status, event);
  }

  signed(payment: PaymentId): void {
    this.#tell(this.#status, { payment, status: 'signed', proven: true });
  }

  final(verified: VerifiedPayment, incoming: boolean): void {
    const { id } = verified.payment;
    this.#claimed.delete(id);
    this.#tell(this.#status, { payment: id, status: 'final', proven: true });
    if (incoming) this.#tell(this.#incoming, verified);
  }

  dead({ id }: Payment, winner: PaymentId): void {
    this.#claimed.delete(id);
    this.#tell(this.#status, { payment: id, status: 'dead', proven: true, winner });
  }

  forgotten({ id }: Payment): void {
    this.#claimed.delete(id);
    this.#tell(this.#status, { payment: id, status: 'forgotten', proven: true });
  }

  #tell<T>(listeners: ReadonlySet<Listener<T>>, event: T): void {
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ error: String(error) }, 'a listener of the wallet threw');
      }
    }
  }
}
