/**
 * The arithmetic of one account, from nothing but the genesis, verified payments, proven balances and one's own
 * signatures. Pure.
 *
 * A slot is never used twice. The book's head is the last payment that was signed here or proven final; a new payment
 * extends it. There is one way back, and it needs a proof: when a rival of an own payment is proven final (the key was
 * used elsewhere), the own one and all that extend it can never be final, since two rivals never are; they are dead, and
 * the head is the rival's branch. No refusal of any node takes a payment back, whatever its code: the payment was checked
 * by the protocol's own rules before it was stored, so a node that calls its bytes wrong is wrong; `unfunded`,
 * `sequence_gap` and `previous_unknown` say what that node knows today; `slot_taken` is a claim. And a node that refused
 * it may still hand it to others, who take it. So a signed payment counts as alive until a proof says otherwise.
 *
 * Nodes forget old payments. What they cannot tell any more is replaced by a base: balance, sequence and head of the
 * account in one state, proven. Own payments above the base's sequence are debits after it. A credit counts after it when
 * its proof says that the state lacks it; where the proof leaves that open, it is uncertain and not counted until a
 * younger base has it for certain.
 */
import type { Address, Payment, PaymentId, Round, Slot, Units } from '../ledger/index.ts';
import type { PaymentSpan } from './payment-span.ts';

/** The account in one proven state. */
export interface AccountBase {
  /** Of the commit. */
  readonly round: Round;
  readonly balance: number;
  /** Of `head`, 0 before the first payment. */
  readonly sequence: number;
  readonly head: Slot;
}

export interface AccountBookOptions {
  readonly address: Address;
  /** What the genesis gave to the account. */
  readonly allocation: number;
  /** From the store: what the wallet knew of before. */
  readonly floor?: { readonly sequence: number; readonly head: Slot } | undefined;
  readonly base?: AccountBase | undefined;
}

/** An own payment that can never be final any more. */
export interface Burial {
  readonly payment: Payment;
  /** What is decided in the place of the branch that it belongs to. */
  readonly winner: PaymentId;
}

/** What a verified payment or a base changed. */
export interface BookChange {
  /** The own payment under way that is final now. */
  readonly settled?: Payment;
  /** Own payments under way that are dead now, lowest sequence first. */
  readonly dead: readonly Burial[];
}

interface Credit {
  readonly amount: number;
  readonly span: PaymentSpan;
}

/** An own verified payment. */
interface Own {
  readonly id: PaymentId;
  /** Total less what it pays to its own account. */
  readonly debit: number;
}

const NOTHING: BookChange = { dead: [] };

export class AccountBook {
  readonly address: Address;
  readonly #allocation: number;
  #base: AccountBase | undefined;
  /** From others, verified; those that the base has for certain are left out. */
  #credits: Credit[] = [];
  readonly #known = new Set<PaymentId>();
  /** By sequence. */
  readonly #finals = new Map<number, Own>();
  /** Own verified payments 1 to this are all there, or covered by the base. */
  #complete = 0;
  #highest = 0;
  /** Own payments under way, ascending by sequence. */
  #pending: Payment[] = [];
  #floor: { readonly sequence: number; readonly head: Slot };
  #broken: string | undefined;
  /** Credits that count less verified debits; undefined = to be added up anew. */
  #sum: number | undefined;

  constructor(options: AccountBookOptions) {
    this.address = options.address;
    this.#allocation = options.allocation;
    this.#floor = options.floor ?? { sequence: 0, head: options.address };
    this.#base = options.base;
    this.#complete = options.base?.sequence ?? 0;
  }

  /** What may be spent now; 0 while more debits than credits are known. */
  get balance(): Units {
    return Math.max(0, this.#net) as Units;
  }

  /** Without payments under way. */
  get verifiedBalance(): number {
    this.#sum ??= this.#addUp();
    return this.#sum;
  }

  #addUp(): number {
    const from = this.#base?.sequence ?? 0;
    let sum = this.#base?.balance ?? this.#allocation;
    for (const credit of this.#credits) if (this.#isAfterBase(credit)) sum += credit.amount;
    for (const [sequence, { debit }] of this.#finals) if (sequence > from) sum -= debit;
    return sum;
  }

  #isAfterBase({ span }: Credit): boolean {
    return this.#base === undefined || this.#base.round < span.from;
  }

  /** Verified credits of which it is open whether the base has them; not part of the balance. */
  get uncertain(): number {
    if (this.#base === undefined) return 0;
    return this.#credits.reduce((sum, credit) => (this.#isAfterBase(credit) ? sum : sum + credit.amount), 0);
  }

  get #net(): number {
    const from = this.#base?.sequence ?? 0;
    // What is settled already is in the base, or dead.
    const underWay = this.#pending.filter(({ sequence }) => sequence > from);
    return this.verifiedBalance - underWay.reduce((sum, { total }) => sum + total, 0);
  }

  get base(): AccountBase | undefined {
    return this.#base;
  }

  get pending(): readonly Payment[] {
    return this.#pending;
  }

  /** What the next payment extends, and its sequence. */
  get tip(): { readonly sequence: number; readonly head: Slot } {
    const last = this.#pending.at(-1);
    const sequence = Math.max(last?.sequence ?? 0, this.settledSequence);
    if (this.#floor.sequence > sequence || sequence === 0) return this.#floor;
    const head = last?.sequence === sequence ? last.id : this.#settledAt(sequence)!;
    return { sequence, head };
  }

  /** Slots below this one are decided. */
  get settledSequence(): number {
    return Math.max(this.#highest, this.#base?.sequence ?? 0);
  }

  /** The payment that is final with this sequence, where that is known. */
  #settledAt(sequence: number): Slot | undefined {
    return (
      this.#finals.get(sequence)?.id ?? (this.#base?.sequence === sequence ? this.#base.head : undefined)
    );
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

  /** Gives up an own payment of which nobody can tell what became of it. */
  dropPending(id: PaymentId): void {
    this.#pending = this.#pending.filter((pending) => pending.id !== id);
  }

  /** Takes a verified payment from or to the account; nothing when it is known. */
  addVerified(payment: Payment, span: PaymentSpan): BookChange {
    if (this.#known.has(payment.id)) return NOTHING;
    this.#known.add(payment.id);
    this.#sum = undefined;
    const received = payment.transfers.reduce(
      (sum, { to, amount }) => (to === this.address ? sum + amount : sum),
      0,
    );
    if (payment.account === this.address) return this.#addOwn(payment, payment.total - received);
    if (this.#base === undefined || this.#base.round < span.until)
      this.#credits.push({ amount: received, span });
    return NOTHING;
  }

  #addOwn(payment: Payment, debit: number): BookChange {
    const { sequence, id } = payment;
    const other = this.#settledAt(sequence);
    if (other !== undefined && other !== id) {
      this.#break(sequence, other, id);
      return NOTHING;
    }
    this.#finals.set(sequence, { id, debit });
    this.#highest = Math.max(this.#highest, sequence);
    this.#advance();
    const settled = this.#pending.find((pending) => pending.id === id);
    this.dropPending(id);
    const dead = this.buryDead();
    return settled === undefined ? { dead } : { settled, dead };
  }

  #advance(): void {
    this.#complete = Math.max(this.#complete, this.#base?.sequence ?? 0);
    while (this.#finals.has(this.#complete + 1)) this.#complete++;
  }

  #break(sequence: number, one: Slot, other: Slot): void {
    this.#broken =
      `two payments of this account are proven final for sequence ${sequence} (${one} and ${other}): a third of the ` +
      'validators or more is dishonest, and nothing on this network can be relied on; talk to its operators';
  }

  /**
   * What is known adds up to the balance in a proven state, as far as the credits' proofs tell which of them it has. Then
   * nothing is missing, and the base may stay as it is.
   */
  explains({ round, balance, sequence, head }: AccountBase): boolean {
    if (sequence > this.#complete) return false;
    const known = sequence === 0 ? this.address : this.#settledAt(sequence);
    const from = this.#base?.sequence ?? 0;
    if (round <= (this.#base?.round ?? 0) || sequence < from) return true;
    let least = this.#base?.balance ?? this.#allocation;
    for (const [own, { debit }] of this.#finals) if (own > from && own <= sequence) least -= debit;
    let most = least;
    for (const { amount, span } of this.#credits) {
      if (round >= span.from) most += amount;
      if (round >= span.until) least += amount;
    }
    return (known === undefined || known === head) && least <= balance && balance <= most;
  }

  /** Takes a younger proven state as the base; nothing when it is not younger. */
  rebase(base: AccountBase): BookChange {
    if (base.round <= (this.#base?.round ?? -1)) return NOTHING;
    const known = this.#finals.get(base.sequence)?.id;
    if (known !== undefined && known !== base.head) {
      this.#break(base.sequence, known, base.head);
      return NOTHING;
    }
    this.#base = base;
    this.#credits = this.#credits.filter(({ span }) => base.round < span.until);
    this.#sum = undefined;
    this.#advance();
    return { dead: this.buryDead() };
  }

  /** Drops the payments under way that can never be final, and the floor that stood on them; lowest sequence first. */
  buryDead(): readonly Burial[] {
    const first = this.#pending.findIndex((pending) => this.#winnerOver(pending) !== undefined);
    if (first < 0) return [];
    const winner = this.#winnerOver(this.#pending[first]!)!;
    this.#floor = { sequence: 0, head: this.address };
    return this.#pending.splice(first).map((payment) => ({ payment, winner }));
  }

  /** The payment that is final in the place of this one, or of the one that it extends. */
  #winnerOver({ id, sequence, previous }: Payment): PaymentId | undefined {
    const final = this.#settledAt(sequence);
    if (final !== undefined) return final === id ? undefined : (final as PaymentId);
    const before = this.#settledAt(sequence - 1);
    return before === undefined || before === previous ? undefined : (before as PaymentId);
  }
}
