/**
 * What is known of one account and of its payments. A slot belongs to one account: a payment whose `previous` is somebody
 * else's payment, or whose sequence does not follow, is void: it stays in the tangle, is never accepted and is nobody's rival.
 */
import type { Address, Payment, PaymentId, Slot, Transfer, Units } from './types.ts';

/** Certifiers of all payments that have none yet. */
const NOBODY: readonly number[] = [];
const NONE: readonly Transfer[] = [];

/** The payments of one slot, in order of first sight. Nearly always one, which then stands for itself: a list of one would be two more objects. */
export type Rivals = PaymentRecord | PaymentRecord[] | undefined;

/** What a record is made of. */
export type PaymentOrder = Pick<
  Payment,
  'id' | 'previous' | 'sequence' | 'total' | 'transfers' | 'start' | 'end'
>;

/**
 * There are as many of them as a node remembers payments, and the collector looks at each of their objects again and again: so
 * a record is one object where it can be, and what is the same text is the same string.
 */
export class PaymentRecord {
  /** Dense number, in order of first sight. */
  readonly row: number;
  readonly id: PaymentId;
  readonly account: Account;
  previous: Slot;
  readonly sequence: number;
  readonly total: Units;
  /** The first receiver and its amount; see `transfers`. */
  readonly #to: Address;
  readonly #amount: Units;
  /** The other transfers, nearly always none. */
  readonly #others: readonly Transfer[];
  /** Where its bytes are: a range of the block last seen with it. */
  carrierRow: number;
  carrierStart: number;
  carrierEnd: number;
  /** The last row that carried it or said something about it. */
  lastRow: number;
  /** waiting: `previous` is not known yet. linked: part of the account's tree. void: can never be accepted. forgotten: in no map any more. */
  link: 'waiting' | 'linked' | 'void' | 'forgotten' = 'waiting';
  /** The payment before it; undefined for a first payment and while it waits. */
  parent: PaymentRecord | undefined = undefined;
  /** Payments that name this one as `previous`: more than one are rivals. */
  children: Rivals = undefined;
  /** All debits along its branch, with its own: sums over a life may exceed 2^53. */
  branchDebits: bigint;
  /** Weight of authors known to accept it, to certify it. */
  acceptWeight = 0;
  certifyWeight = 0;
  /** Rows of the first certifying witness of each of those authors. */
  certifiers: readonly number[] = NOBODY;
  final = false;
  /** Number of the commit that decided it, 0 while none has. */
  decidedAt = 0;

  /**
   * @param row Its number.
   * @param carrierRow Of the block that it was read from.
   * @param shared The string by which its receiver is known already.
   */
  constructor(
    row: number,
    account: Account,
    order: PaymentOrder,
    carrierRow: number,
    shared: (address: Address) => Address,
  ) {
    const { transfers } = order;
    const { to, amount } = transfers[0]!;
    this.row = row;
    this.id = order.id;
    this.account = account;
    this.previous = order.previous;
    this.sequence = order.sequence;
    this.total = order.total;
    this.#to = shared(to);
    this.#amount = amount;
    this.#others =
      transfers.length === 1
        ? NONE
        : transfers.slice(1).map((other) => ({ to: shared(other.to), amount: other.amount }));
    this.carrierRow = carrierRow;
    this.carrierStart = order.start;
    this.carrierEnd = order.end;
    this.lastRow = carrierRow;
    this.branchDebits = BigInt(order.total);
  }

  /** A list made when asked for. */
  get transfers(): readonly Transfer[] {
    return [{ to: this.#to, amount: this.#amount }, ...this.#others];
  }

  /** The same without a list. */
  eachTransfer(visit: (to: Address, amount: Units) => void): void {
    visit(this.#to, this.#amount);
    for (const { to, amount } of this.#others) visit(to, amount);
  }

  /** It has come in another block. */
  carriedBy(blockRow: number, { start, end }: Pick<Payment, 'start' | 'end'>): void {
    this.carrierRow = blockRow;
    this.carrierStart = start;
    this.carrierEnd = end;
    this.lastRow = blockRow;
  }
}

/** What commits have made of an account. Everybody who knows as many commits has the same. */
export interface Decided {
  balance: number;
  /** Of the last decided payment, 0 before the first. */
  sequence: number;
  /** The last decided payment, else the address: the slot that the next payment spends. */
  head: Slot;
  /** What of the balance the state tree has; undefined while the account is not in it. */
  rooted: number | undefined;
  /** The numbers of the commits that decided the last payments, the one of `sequence` at the end. */
  readonly at: number[];
}

export interface Account {
  readonly address: Address;
  /** Where the remembered tree of payments begins: the address, or a decided payment that is forgotten. */
  root: Root;
  /** Payments that spend the root: more than one are rivals. */
  firsts: Rivals;
  /** Two of its payments have spent one slot: one of them may be dead, and what stands on it. */
  rivalled: boolean;
  /** The last final payment, else the address. */
  head: Slot;
  /** Of the head, 0 before the first payment. */
  headSequence: number;
  /** Genesis allocation and all final credits ever. */
  credits: bigint;
  /** All final debits ever. */
  debits: bigint;
  readonly decided: Decided;
  /** The last final payments from or to this account, in order of finality here. */
  history: PaymentRecord[];
  /** How many older ones are forgotten. */
  historyBase: number;
  /** Remembered payments of this account. */
  payments: number;
}

/** Where the remembered part of an account begins. */
export interface Root {
  readonly slot: Slot;
  readonly sequence: number;
  /** All debits up to and with it. */
  readonly debits: bigint;
}

/** Commits up to number `index` have decided the payment's slot: for it, or for a rival of it or of one before it. */
export function settledIn({ account: { decided }, sequence }: PaymentRecord, index: number): boolean {
  if (sequence > decided.sequence) return false;
  const at = decided.at[sequence - decided.sequence + decided.at.length - 1];
  // What is no longer remembered was decided long before any commit that anybody asks about.
  return at === undefined || at <= index;
}

export function decidedIn({ decidedAt }: PaymentRecord, index: number): boolean {
  return decidedAt !== 0 && decidedAt <= index;
}

/** Can never be decided: a rival of it, or of a payment before it, has been. */
export function isDead(payment: PaymentRecord): boolean {
  if (payment.link !== 'linked') return false;
  const { sequence } = payment.account.decided;
  let at: PaymentRecord | undefined = payment;
  while (at !== undefined && at.sequence > sequence) at = at.parent;
  return at !== undefined && at.decidedAt === 0;
}

/**
 * Where a payment stands, as far as this node knows. `settled`: decided so long ago that this node no longer knows whether for it or for a
 * rival.
 */
export type Standing = 'unknown' | 'pending' | 'contested' | 'final' | 'decided' | 'dead' | 'settled';

export function listOf(rivals: Rivals): readonly PaymentRecord[] {
  if (rivals === undefined) return [];
  return rivals instanceof PaymentRecord ? [rivals] : rivals;
}

export function firstOf(rivals: Rivals): PaymentRecord | undefined {
  return rivals instanceof PaymentRecord ? rivals : rivals?.[0];
}

export function eachOf(rivals: Rivals, visit: (one: PaymentRecord) => void): void {
  if (rivals instanceof PaymentRecord) visit(rivals);
  else if (rivals !== undefined) for (const one of rivals) visit(one);
}

export function areSeveral(rivals: Rivals): boolean {
  return rivals !== undefined && !(rivals instanceof PaymentRecord) && rivals.length > 1;
}

export function withRival(rivals: Rivals, one: PaymentRecord): Rivals {
  if (rivals === undefined) return one;
  if (rivals instanceof PaymentRecord) return [rivals, one];
  rivals.push(one);
  return rivals;
}

export function withoutRival(rivals: Rivals, one: PaymentRecord): Rivals {
  if (rivals === undefined || rivals === one) return undefined;
  if (rivals instanceof PaymentRecord) return rivals;
  const rest = rivals.filter((rival) => rival !== one);
  return rest.length > 1 ? rest : rest[0];
}
