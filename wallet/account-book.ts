/**
 * The arithmetic of one account, from nothing but the genesis, verified payments and one's own signatures. Pure.
 *
 * A slot is never used twice. The book's head is the last payment that was signed here or proven final; a new payment
 * extends it. There is one way back, and it needs a proof: when a rival of an own payment is proven final (the key was
 * used elsewhere), the own one and all that extend it can never be final, since two rivals never are; they are dead, and
 * the head is the rival's branch. No refusal of any node takes a payment back, whatever its code: the payment was checked
 * by the protocol's own rules before it was stored, so a node that calls its bytes wrong is wrong; `unfunded`,
 * `sequence_gap` and `previous_unknown` say what that node knows today; `slot_taken` is a claim. And a node that refused
 * it may still hand it to others, who take it. So a signed payment counts as alive until a proof says otherwise.
 */
import type { Address, Payment, PaymentId, Slot, Units } from '../ledger/index.ts';

export interface AccountBookOptions {
  readonly address: Address;
  /** What the genesis gave to the account. */
  readonly allocation: number;
  /** From the store: what the wallet knew of before. */
  readonly floor?: { readonly sequence: number; readonly head: Slot } | undefined;
}

/** What a verified payment changed. */
export interface BookChange {
  /** The own payment under way that is final now. */
  readonly settled?: Payment;
  /** Own payments under way that can never be final any more, lowest sequence first. */
  readonly dead: readonly Payment[];
}

export class AccountBook {
  readonly address: Address;
  /** Allocation and verified credits, from others and from oneself. */
  #credits: number;
  /** Totals of own verified payments. */
  #debits = 0;
  readonly #known = new Set<PaymentId>();
  /** Own verified payments by sequence. */
  readonly #finals = new Map<number, PaymentId>();
  /** Own verified payments 1 to this are all there. */
  #complete = 0;
  #highest = 0;
  /** Own payments under way, ascending by sequence, each extending the one before. */
  #pending: Payment[] = [];
  #floor: { readonly sequence: number; readonly head: Slot };
  #broken: string | undefined;

  constructor(options: AccountBookOptions) {
    this.address = options.address;
    this.#credits = options.allocation;
    this.#floor = options.floor ?? { sequence: 0, head: options.address };
  }

  /** What may be spent now; 0 while more debits than credits are known. */
  get balance(): Units {
    return Math.max(0, this.#net) as Units;
  }

  get #net(): number {
    const underWay = this.#pending.reduce((sum, payment) => sum + payment.total, 0);
    return this.#credits - this.#debits - underWay;
  }

  get pending(): readonly Payment[] {
    return this.#pending;
  }

  /** What the next payment extends, and its sequence. */
  get tip(): { readonly sequence: number; readonly head: Slot } {
    const last = this.#pending.at(-1);
    const own = Math.max(last?.sequence ?? 0, this.#highest);
    if (this.#floor.sequence > own || own === 0) return this.#floor;
    const head = last?.sequence === own ? last.id : this.#finals.get(own)!;
    return { sequence: own, head };
  }

  knows(id: PaymentId): boolean {
    return this.#known.has(id);
  }

  /** Why nothing may be signed now, or undefined. */
  get problem(): string | undefined {
    if (this.#broken !== undefined) return this.#broken;
    const { sequence } = this.tip;
    const missing = this.#firstMissing();
    if (missing <= sequence) {
      return (
        `own payment ${missing} of ${sequence} is not known with a proof, so the balance is not either; it is asked for ` +
        'from every node'
      );
    }
    if (this.#net < 0)
      return `${-this.#net} units of credits are not known yet; they are asked for from every node`;
    return undefined;
  }

  /** The lowest own sequence that is neither proven final nor under way. */
  #firstMissing(): number {
    const underWay = new Set(this.#pending.map((payment) => payment.sequence));
    let sequence = this.#complete + 1;
    while (this.#finals.has(sequence) || underWay.has(sequence)) sequence++;
    return sequence;
  }

  /** Takes an own payment that is signed and stored; it must extend the tip. */
  addPending(payment: Payment): void {
    this.#pending.push(payment);
  }

  /** Takes a verified payment from or to the account; nothing when it is known. */
  addVerified(payment: Payment): BookChange {
    if (this.#known.has(payment.id)) return { dead: [] };
    this.#known.add(payment.id);
    for (const { to, amount } of payment.transfers) if (to === this.address) this.#credits += amount;
    if (payment.account !== this.address) return { dead: [] };
    this.#debits += payment.total;
    return this.#addOwn(payment);
  }

  #addOwn(payment: Payment): BookChange {
    const { sequence, id } = payment;
    const other = this.#finals.get(sequence);
    if (other !== undefined) {
      this.#broken =
        `two payments of this account are proven final for sequence ${sequence} (${other} and ${id}): a third of the ` +
        'validators or more is dishonest, and nothing on this network can be relied on; talk to its operators';
      return { dead: [] };
    }
    this.#finals.set(sequence, id);
    this.#highest = Math.max(this.#highest, sequence);
    while (this.#finals.has(this.#complete + 1)) this.#complete++;
    const settled = this.#pending.find((pending) => pending.id === id);
    this.#pending = this.#pending.filter((pending) => pending.id !== id);
    const dead = this.buryDead();
    return settled === undefined ? { dead } : { settled, dead };
  }

  /** Drops the payments under way that can never be final, and the floor that stood on them; lowest sequence first. */
  buryDead(): readonly Payment[] {
    const first = this.#pending.findIndex((pending) => this.#contradicts(pending));
    if (first < 0) return [];
    this.#floor = { sequence: 0, head: this.address };
    return this.#pending.splice(first);
  }

  /** A rival of the payment, or of the one it extends, is final. */
  #contradicts({ id, sequence, previous }: Payment): boolean {
    const final = this.#finals.get(sequence);
    if (final !== undefined) return final !== id;
    const before = this.#finals.get(sequence - 1);
    return before !== undefined && before !== previous;
  }
}
