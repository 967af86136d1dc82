/**
 * Accounts as chains (and, where an owner made rivals, trees) of payments, and what is final in them. A slot belongs to one
 * account: a payment whose `previous` is somebody else's payment, or whose sequence does not follow, is void: it stays in
 * the tangle, is never accepted and is nobody's rival.
 */
import { assert } from './assert.ts';
import type { Address, Genesis, Payment, PaymentId, Slot, Transfer, Units } from './types.ts';

/** A range of bytes of a block. */
export interface Carrier {
  readonly row: number;
  readonly start: number;
  readonly end: number;
}

export interface PaymentRecord {
  /** Dense number, in order of first sight. */
  readonly row: number;
  readonly id: PaymentId;
  readonly account: Account;
  readonly previous: Slot;
  readonly sequence: number;
  readonly total: Units;
  readonly transfers: readonly Transfer[];
  /** Where its bytes are: in the block last seen with it. */
  carrier: Carrier;
  /** waiting: `previous` is not known yet. linked: part of the account's tree. void: can never be accepted. */
  link: 'waiting' | 'linked' | 'void';
  /** The payment before it; undefined for a first payment and while it waits. */
  parent: PaymentRecord | undefined;
  /** Payments that name this one as `previous`: more than one are rivals. */
  readonly children: PaymentRecord[];
  /** All debits along its branch, with its own: sums over a life may exceed 2^53. */
  branchDebits: bigint;
  /** Weight of authors known to accept it, to certify it. */
  acceptWeight: number;
  certifyWeight: number;
  /** Rows of the first certifying witness of each of those authors. */
  readonly certifiers: number[];
  final: boolean;
  /** Number of the commit that decided it, 0 while none has. */
  decidedAt: number;
}

/** What commits have made of an account. Everybody who knows as many commits has the same. */
export interface Decided {
  balance: number;
  /** Of the last decided payment, 0 before the first. */
  sequence: number;
  /** The last decided payment, else the address: the slot that the next payment spends. */
  head: Slot;
  /** The numbers of the commits that decided the last payments, the one of `sequence` at the end. */
  readonly at: number[];
}

export interface Account {
  readonly address: Address;
  /** First payments: more than one are rivals. */
  readonly firsts: PaymentRecord[];
  /** Last final payment. */
  head: PaymentRecord | undefined;
  /** Genesis allocation and all final credits ever. */
  credits: bigint;
  /** All final debits ever. */
  debits: bigint;
  readonly decided: Decided;
  /** Final payments from or to this account, in order of finality here. */
  readonly history: PaymentRecord[];
}

export class Accounts {
  readonly #accounts = new Map<Address, Account>();
  readonly #payments = new Map<PaymentId, PaymentRecord>();
  /** Payments that wait for their `previous`. */
  readonly #waiting = new Map<Slot, PaymentRecord[]>();
  /** Void payments by the slot that they name. */
  readonly #void = new Map<Slot, PaymentRecord[]>();
  #finals = 0;
  #decided = 0;
  /** Called for each payment that finds its place in its account. */
  onLinked: (payment: PaymentRecord) => void = () => {};

  constructor(genesis: Genesis) {
    for (const { address, amount } of genesis.allocations) {
      const account = this.account(address);
      account.credits = BigInt(amount);
      account.decided.balance = amount;
    }
  }

  account(address: Address): Account {
    let account = this.#accounts.get(address);
    if (account === undefined) {
      const decided: Decided = { balance: 0, sequence: 0, head: address, at: [] };
      account = { address, firsts: [], head: undefined, credits: 0n, debits: 0n, decided, history: [] };
      this.#accounts.set(address, account);
    }
    return account;
  }

  /** Without making one. */
  peek(address: Address): Account | undefined {
    return this.#accounts.get(address);
  }

  get(id: PaymentId): PaymentRecord | undefined {
    return this.#payments.get(id);
  }

  /** Payments that commits have decided; all of them are final. */
  get decided(): number {
    return this.#decided;
  }

  get finals(): number {
    return this.#finals;
  }

  all(): IterableIterator<Account> {
    return this.#accounts.values();
  }

  /** Final balance: 0 to the supply. */
  balanceOf(account: Account): Units {
    return Number(account.credits - account.debits) as Units;
  }

  /** The record of a payment, made when it is new. */
  register(payment: Payment, carrier: Carrier): PaymentRecord {
    const known = this.#payments.get(payment.id);
    if (known !== undefined) {
      known.carrier = carrier;
      return known;
    }
    const record: PaymentRecord = {
      row: this.#payments.size,
      id: payment.id,
      account: this.account(payment.account),
      previous: payment.previous,
      sequence: payment.sequence,
      total: payment.total,
      transfers: payment.transfers,
      carrier,
      link: 'waiting',
      parent: undefined,
      children: [],
      branchDebits: BigInt(payment.total),
      acceptWeight: 0,
      certifyWeight: 0,
      certifiers: [],
      final: false,
      decidedAt: 0,
    };
    this.#payments.set(record.id, record);
    this.#link(record);
    return record;
  }

  #link(record: PaymentRecord): void {
    const { account, previous } = record;
    if (previous === account.address) {
      // The decoder lets only sequence 1 through here.
      record.link = 'linked';
      account.firsts.push(record);
      this.onLinked(record);
    } else {
      const parent = this.#payments.get(previous as PaymentId);
      if (parent === undefined || parent.link === 'waiting') {
        const waiting = this.#waiting.get(previous);
        if (waiting === undefined) this.#waiting.set(previous, [record]);
        else waiting.push(record);
        return;
      }
      this.#linkTo(record, parent);
    }
    this.#linkWaiting(record);
  }

  #linkTo(record: PaymentRecord, parent: PaymentRecord): void {
    const follows = parent.account === record.account && parent.sequence + 1 === record.sequence;
    if (!follows || parent.link === 'void') {
      record.link = 'void';
      const others = this.#void.get(record.previous);
      if (others === undefined) this.#void.set(record.previous, [record]);
      else others.push(record);
      return;
    }
    record.link = 'linked';
    record.parent = parent;
    record.branchDebits += parent.branchDebits;
    parent.children.push(record);
    this.onLinked(record);
  }

  /** A chain may wait behind one payment; without recursion, as it can be long. */
  #linkWaiting(first: PaymentRecord): void {
    const ready = [first];
    for (let parent = ready.pop(); parent !== undefined; parent = ready.pop()) {
      const waiting = this.#waiting.get(parent.id);
      if (waiting === undefined) continue;
      this.#waiting.delete(parent.id);
      for (const record of waiting) {
        this.#linkTo(record, parent);
        ready.push(record);
      }
    }
  }

  /** Payments of the same slot, itself among them. A void or waiting payment has no rivals. */
  slotOf(record: PaymentRecord): readonly PaymentRecord[] {
    if (record.link !== 'linked') return [record];
    return record.parent === undefined ? record.account.firsts : record.parent.children;
  }

  /** The known payments that rightly spend a slot: rivals when there are several. */
  rivalsFor(slot: Slot): readonly PaymentRecord[] {
    return (
      this.#payments.get(slot as PaymentId)?.children ?? this.#accounts.get(slot as Address)?.firsts ?? []
    );
  }

  /** All known payments that name the slot, rightly or not. */
  naming(slot: Slot): readonly PaymentRecord[] {
    return [...this.rivalsFor(slot), ...(this.#waiting.get(slot) ?? []), ...(this.#void.get(slot) ?? [])];
  }

  /** Whose slot it is; undefined when nobody has been heard of who could spend it. */
  ownerOf(slot: Slot): Account | undefined {
    return this.#payments.get(slot as PaymentId)?.account ?? this.#accounts.get(slot as Address);
  }

  /** Commits up to number `commit` have decided who spends the slot. */
  isSlotSettled(slot: Slot, commit: number): boolean {
    const [rival] = this.rivalsFor(slot);
    return rival !== undefined && settledIn(rival, commit);
  }

  /** Final: applied to both sides, once, after its predecessor. */
  finalise(record: PaymentRecord): void {
    const { account } = record;
    assert(!record.final, 'a payment becomes final once');
    assert(account.head === record.parent, 'finality follows the chain: never two final rivals, never a gap');
    // From here on nothing may fail.
    record.final = true;
    account.head = record;
    account.debits += BigInt(record.total);
    const touched = new Set([account]);
    for (const { to, amount } of record.transfers) {
      const receiver = this.account(to);
      receiver.credits += BigInt(amount);
      touched.add(receiver);
    }
    for (const side of touched) side.history.push(record);
    this.#finals++;
    assert(account.credits >= account.debits, 'no balance is negative');
  }

  /** Decided by commit `index`: applied to the state that commits make. The caller has asked whether it can be paid. */
  decide(record: PaymentRecord, index: number): void {
    const { decided } = record.account;
    assert(decided.head === record.previous && decided.balance >= record.total, 'decided in order, and paid');
    record.decidedAt = index;
    decided.balance -= record.total;
    decided.sequence = record.sequence;
    decided.head = record.id;
    decided.at.push(index);
    this.#decided++;
    for (const { to, amount } of record.transfers) this.account(to).decided.balance += amount;
  }
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
