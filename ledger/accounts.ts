/**
 * Accounts as chains (and, where an owner made rivals, trees) of payments: what is final in them for this node, and what commits
 * have decided.
 */
import {
  type Account,
  areSeveral,
  type Decided,
  firstOf,
  isDead,
  listOf,
  type PaymentOrder,
  PaymentRecord,
  type Rivals,
  type Standing,
  settledIn,
  withoutRival,
  withRival,
} from './account.ts';
import { assert } from './assert.ts';
import type { Snapshot } from './snapshot-state.ts';
import type { Address, Genesis, Payment, PaymentId, Slot, Units } from './types.ts';

export class Accounts {
  readonly #accounts = new Map<Address, Account>();
  readonly #payments = new Map<PaymentId, PaymentRecord>();
  /** Payments that wait for their `previous`. */
  readonly #waiting = new Map<Slot, PaymentRecord[]>();
  /** Void payments by the slot that they name. */
  readonly #void = new Map<Slot, PaymentRecord[]>();
  /** Accounts whose root is a forgotten payment, by that. */
  readonly #roots = new Map<Slot, Account>();
  /** Numbers of forgotten payments, to be given again. */
  readonly #freeRows: number[] = [];
  #rows = 0;
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
      const decided: Decided = { balance: 0, sequence: 0, head: address, rooted: undefined, at: [] };
      account = {
        address,
        root: { slot: address, sequence: 0, debits: 0n },
        firsts: undefined,
        rivalled: false,
        head: address,
        headSequence: 0,
        credits: 0n,
        debits: 0n,
        decided,
        history: [],
        historyBase: 0,
        payments: 0,
      };
      this.#accounts.set(address, account);
    }
    return account;
  }

  /** All remembered payments, in order of first sight. */
  payments(): IterableIterator<PaymentRecord> {
    return this.#payments.values();
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

  /** The record of a payment in the block at `blockRow`, made when it is new. */
  register(payment: Payment, blockRow: number): PaymentRecord {
    const known = this.#payments.get(payment.id);
    if (known !== undefined) {
      known.carriedBy(blockRow, payment);
      return known;
    }
    return this.#add(payment, blockRow);
  }

  #add(payment: PaymentOrder & { readonly account: Address }, blockRow: number): PaymentRecord {
    const row = this.#freeRows.pop() ?? this.#rows++;
    const account = this.account(payment.account);
    const record = new PaymentRecord(row, account, payment, blockRow, this.#known);
    this.#payments.set(record.id, record);
    record.account.payments++;
    this.#link(record);
    return record;
  }

  /** The string that an account has already. */
  readonly #known = (address: Address): Address => this.#accounts.get(address)?.address ?? address;

  #link(record: PaymentRecord): void {
    const { account, previous } = record;
    const owner = previous === account.address ? account : this.#roots.get(previous);
    if (owner !== undefined) this.#linkToRoot(record, owner);
    else {
      const parent = this.#payments.get(previous as PaymentId);
      if (parent === undefined || parent.link === 'waiting') {
        addTo(this.#waiting, previous, record);
        return;
      }
      this.#linkTo(record, parent);
    }
    this.#linkWaiting(record);
  }

  #linkToRoot(record: PaymentRecord, owner: Account): void {
    const { account, previous, sequence } = record;
    const { root } = account;
    if (owner !== account || root.slot !== previous || root.sequence + 1 !== sequence) {
      this.#setVoid(record);
      return;
    }
    record.link = 'linked';
    record.previous = root.slot;
    record.branchDebits += root.debits;
    account.firsts = withRival(account.firsts, record);
    account.rivalled ||= areSeveral(account.firsts);
    this.onLinked(record);
  }

  #setVoid(record: PaymentRecord): void {
    record.link = 'void';
    addTo(this.#void, record.previous, record);
  }

  #linkTo(record: PaymentRecord, parent: PaymentRecord): void {
    const follows = parent.account === record.account && parent.sequence + 1 === record.sequence;
    if (!follows || parent.link === 'void') {
      this.#setVoid(record);
      return;
    }
    record.link = 'linked';
    record.parent = parent;
    record.previous = parent.id;
    record.branchDebits += parent.branchDebits;
    parent.children = withRival(parent.children, record);
    parent.account.rivalled ||= areSeveral(parent.children);
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
    return listOf(this.#slotOf(record));
  }

  /** Others spend the same slot. */
  hasRivals(record: PaymentRecord): boolean {
    return areSeveral(this.#slotOf(record));
  }

  #slotOf(record: PaymentRecord): Rivals {
    const { link, parent, account, previous } = record;
    if (link !== 'linked' || (parent === undefined && account.root.slot !== previous)) return record;
    return parent === undefined ? account.firsts : parent.children;
  }

  /** The known payments that rightly spend a slot: rivals when there are several. */
  rivalsFor(slot: Slot): readonly PaymentRecord[] {
    return listOf(this.#spending(slot));
  }

  #spending(slot: Slot): Rivals {
    const payment = this.#payments.get(slot as PaymentId);
    if (payment !== undefined) return payment.children;
    const account = this.#roots.get(slot) ?? this.#accounts.get(slot as Address);
    // The address is no longer anybody's slot once what spent it is forgotten.
    return account?.root.slot === slot ? account.firsts : undefined;
  }

  /**
   * Takes over accounts and payments from a snapshot, into accounts that know nothing but the genesis.
   * @returns the payments by their index in the snapshot; throws a RangeError when they do not fit together.
   */
  adopt(state: Pick<Snapshot, 'accounts' | 'payments' | 'finals' | 'decided'>): PaymentRecord[] {
    for (const { address, balance, sequence, head, root } of state.accounts) {
      const account = this.account(address);
      account.root = { ...root, debits: 0n };
      if (root.slot !== address) this.#roots.set(root.slot, account);
      Object.assign(account.decided, { balance, sequence, head });
      account.credits = BigInt(balance);
      account.head = head;
      account.headSequence = sequence;
    }
    const records = state.payments.map((payment) => {
      const total = payment.transfers.reduce((sum, { amount }) => sum + amount, 0) as Units;
      const record = this.#add({ ...payment, total, start: 0, end: 0 }, 0);
      record.decidedAt = payment.decidedAt;
      record.final = payment.final;
      return record;
    });
    for (const record of [...records].sort((a, b) => a.sequence - b.sequence)) this.#adoptFinal(record);
    for (const { address, historyBase, history } of state.accounts) {
      const account = this.account(address);
      account.historyBase = historyBase;
      account.history = history.map((index) => records[index]!);
      if (account.history.includes(undefined as never)) throw new RangeError('history of unknown payments');
    }
    this.#finals = state.finals;
    this.#decided = state.decided;
    return records;
  }

  /** The account's balance after the last commit is known; a decided payment is part of it, a final one comes on top. */
  #adoptFinal(record: PaymentRecord): void {
    const { account, decidedAt, final, total } = record;
    if (decidedAt !== 0) {
      account.credits += BigInt(total);
      account.decided.at.push(decidedAt);
    } else if (final) {
      account.head = record.id;
      account.headSequence = record.sequence;
      record.eachTransfer((to, amount) => {
        this.account(to).credits += BigInt(amount);
      });
    } else return;
    account.debits += BigInt(total);
  }

  /** @param commit Number of the last commit. */
  standingOf(id: PaymentId, commit: number): Standing {
    const payment = this.#payments.get(id);
    if (payment === undefined) return 'unknown';
    if (payment.decidedAt !== 0) return 'decided';
    if (payment.final) return 'final';
    if (isDead(payment)) return 'dead';
    if (settledIn(payment, commit)) return 'settled';
    return this.hasRivals(payment) ? 'contested' : 'pending';
  }

  /** All known payments that name the slot, rightly or not. */
  naming(slot: Slot): readonly PaymentRecord[] {
    return [...this.rivalsFor(slot), ...(this.#waiting.get(slot) ?? []), ...(this.#void.get(slot) ?? [])];
  }

  /** Whose slot it is; undefined when nobody has been heard of who could spend it. */
  ownerOf(slot: Slot): Account | undefined {
    const payment = this.#payments.get(slot as PaymentId);
    return payment?.account ?? this.#roots.get(slot) ?? this.#accounts.get(slot as Address);
  }

  /** Commits up to number `commit` have decided who spends the slot. */
  isSlotSettled(slot: Slot, commit: number): boolean {
    const rival = firstOf(this.#spending(slot));
    return rival !== undefined && settledIn(rival, commit);
  }

  /**
   * Forgets a payment of which nothing counts any more. Of the decided ones an account forgets the oldest first, so that its
   * root moves along its chain; of the others the youngest.
   * @returns false while something else still hangs on the payment.
   */
  forget(payment: PaymentRecord): boolean {
    if (payment.decidedAt === 0) {
      if (payment.final || payment.children !== undefined) return false;
    } else {
      if (payment.parent !== undefined) return false;
      this.#moveRoot(payment);
    }
    this.#drop(payment);
    return true;
  }

  #moveRoot(payment: PaymentRecord): void {
    const { account, children } = payment;
    this.#roots.delete(account.root.slot);
    account.root = { slot: payment.id, sequence: payment.sequence, debits: payment.branchDebits };
    this.#roots.set(payment.id, account);
    // Rivals of a decided payment are dead: they go when their time comes, and nothing can be built on the old root.
    account.firsts = children;
    for (const child of listOf(children)) child.parent = undefined;
  }

  #drop(payment: PaymentRecord): void {
    const { account, parent, previous, id } = payment;
    this.#payments.delete(id);
    this.#freeRows.push(payment.row);
    if (parent === undefined) account.firsts = withoutRival(account.firsts, payment);
    else parent.children = withoutRival(parent.children, payment);
    if (payment.link === 'waiting') removeFrom(this.#waiting, previous, payment);
    if (payment.link === 'void') removeFrom(this.#void, previous, payment);
    payment.link = 'forgotten';
    account.payments--;
    const unused = account.payments === 0 && account.credits === 0n && account.root.sequence === 0;
    if (unused) this.#accounts.delete(account.address);
  }

  /** Once for many forgotten payments, as it copies what is left. */
  trimHistory(account: Account): void {
    const kept = account.history.findIndex(({ link }) => link !== 'forgotten');
    const count = kept < 0 ? account.history.length : kept;
    if (count === 0) return;
    account.history = account.history.slice(count);
    account.historyBase += count;
  }

  /** Final: applied to both sides, once, after its predecessor. */
  finalise(record: PaymentRecord): void {
    const { account } = record;
    assert(!record.final, 'a payment becomes final once');
    assert(account.head === record.previous, 'finality follows the chain: no two final rivals, no gap');
    // From here on nothing may fail.
    record.final = true;
    account.head = record.id;
    account.headSequence = record.sequence;
    account.debits += BigInt(record.total);
    account.history.push(record);
    record.eachTransfer((to, amount) => {
      const receiver = this.account(to);
      receiver.credits += BigInt(amount);
      // Each side has it once, however often it is named.
      if (receiver.history.at(-1) !== record) receiver.history.push(record);
    });
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
    if (decided.at.length > DECIDED_AT_MAX) decided.at.splice(0, DECIDED_AT_MAX / 2);
    this.#decided++;
    record.eachTransfer((to, amount) => {
      this.account(to).decided.balance += amount;
    });
  }
}

/**
 * Commits of which an account remembers that they decided a payment of it, at least half of so many. An account that pays a
 * thousand times a second has that many in a second; nobody asks about a commit of that age.
 */
const DECIDED_AT_MAX = 4096;

function addTo(lists: Map<Slot, PaymentRecord[]>, slot: Slot, record: PaymentRecord): void {
  const list = lists.get(slot);
  if (list === undefined) lists.set(slot, [record]);
  else list.push(record);
}

function removeFrom(lists: Map<Slot, PaymentRecord[]>, slot: Slot, record: PaymentRecord): void {
  const rest = lists.get(slot)?.filter((other) => other !== record) ?? [];
  if (rest.length === 0) lists.delete(slot);
  else lists.set(slot, rest);
}
