/**
 * The one writer of a wallet's store: what it knows is on disk before anybody hears of it, and an own payment is on disk
 * before it is sent. One change at a time.
 */
import {
  type Address,
  decodePayment,
  encodePaymentProof,
  type Genesis,
  hex,
  isRefusal,
  type Payment,
  type PaymentId,
  type Slot,
} from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { AccountBook, type Burial } from './account-book.ts';
import { Lane } from './lane.ts';
import { LostPayments } from './lost-payments.ts';
import { spanOf } from './payment-span.ts';
import { baseOf, type ProvenState, provenStateOf, settledBy } from './proven-state.ts';
import { concerns, type VerifiedPayment, verifiedOf } from './verified-payment.ts';
import { WalletError } from './wallet-error.ts';
import type { LostPayment, OutgoingPayment, ReadyWork, WalletState, WalletStore } from './wallet-store.ts';

export interface AccountKeeperDeps {
  readonly store: WalletStore;
  readonly log: Log;
}

/** What is told about each change, after it is durable. */
export interface KeeperListener {
  verified(payment: VerifiedPayment): void;
  /** An own payment that never will be final: proven. */
  dead(payment: Payment, winner: PaymentId): void;
  /** An own payment whose slot is decided, and nobody remembers for whom. */
  forgotten(payment: Payment): void;
}

/** Changes waiting for the disk: pushes, pages of history and payments come from few places, each one at a time. */
const CHANGES_MAX = 1024;

/** An own payment under way, with its bytes. */
export interface Outgoing {
  readonly payment: Payment;
  readonly bytes: Uint8Array;
  readonly signedAtMs: number;
}

export class AccountKeeper {
  readonly address: Address;
  /** True when the store was empty: the account may have been used before, elsewhere. */
  readonly fresh: boolean;
  readonly #genesis: Genesis;
  readonly #deps: AccountKeeperDeps;
  readonly #book: AccountBook;
  readonly #lane = new Lane(CHANGES_MAX);
  /** Where in the store each verified payment stands: with the book's own sets some 300 bytes a payment are kept. */
  readonly #positions = new Map<PaymentId, number>();
  readonly #outgoing = new Map<PaymentId, Outgoing>();
  readonly #listeners: KeeperListener[] = [];
  #length = 0;
  #work: ReadyWork | undefined;
  #cursors: Readonly<Record<string, number>>;
  #spent: { readonly day: number; readonly units: number };
  #base: Uint8Array | undefined;
  readonly #lost: LostPayments;

  private constructor(
    genesis: Genesis,
    address: Address,
    state: WalletState | undefined,
    deps: AccountKeeperDeps,
  ) {
    this.#genesis = genesis;
    this.address = address;
    this.fresh = state === undefined;
    this.#deps = deps;
    const allocation = genesis.allocations.find((given) => given.address === address)?.amount ?? 0;
    const base = state?.base === undefined ? undefined : provenStateOf(genesis, address, state.base);
    if (base !== undefined && 'problem' in base) throw damagedBase(base.problem);
    this.#book = new AccountBook({ address, allocation, floor: state, base: base && baseOf(base) });
    this.#base = base?.bytes;
    this.#lost = new LostPayments(genesis.network, state?.lost);
    this.#work = state?.work;
    this.#cursors = state?.cursors ?? {};
    this.#spent = state?.spent ?? { day: 0, units: 0 };
  }

  /** Reads the store. Throws `wallet_other` when it belongs to another account or network, `wallet_corrupted`. */
  static async open(genesis: Genesis, address: Address, deps: AccountKeeperDeps): Promise<AccountKeeper> {
    const state = await deps.store.load();
    if (state !== undefined && (state.network !== hex(genesis.network) || state.address !== address)) {
      throw new WalletError(
        'wallet_other',
        `The wallet's files belong to account ${state.address} on network ${state.network}, not to ${address} on ` +
          `${hex(genesis.network)}: give this wallet its own files, or use the right genesis and key.`,
      );
    }
    const keeper = new AccountKeeper(genesis, address, state, deps);
    for await (const record of deps.store.records()) {
      const { payment, proof } = verifiedOf(genesis, record);
      keeper.#book.addVerified(payment, spanOf(genesis, proof));
      keeper.#positions.set(record.id, keeper.#length++);
    }
    for (const outgoing of state?.outgoing ?? []) keeper.#restore(outgoing);
    // Proven before a crash, and not yet told.
    keeper.#bury(keeper.#book.buryDead());
    return keeper;
  }

  #restore({ bytes, signedAtMs }: OutgoingPayment): void {
    const payment = decodePayment(bytes, this.#genesis.network);
    if (isRefusal(payment) || payment.account !== this.address) {
      throw new WalletError(
        'wallet_corrupted',
        `The wallet's state holds an unsent payment that cannot be read (${JSON.stringify(payment)}). Take a backup of ` +
          'the state file; without one move it away, and the wallet asks the nodes what this account has paid.',
      );
    }
    // Proven final before the crash, and not yet struck from the state.
    if (this.#book.knows(payment.id)) return;
    this.#book.addPending(payment);
    this.#outgoing.set(payment.id, { payment, bytes, signedAtMs });
  }

  get book(): Readonly<AccountBook> {
    return this.#book;
  }

  /** Own payments under way, lowest sequence first. */
  get outgoing(): readonly Outgoing[] {
    return this.#book.pending.map((payment) => this.#outgoing.get(payment.id)!);
  }

  /** Number of verified payments. */
  get length(): number {
    return this.#length;
  }

  get work(): ReadyWork | undefined {
    return this.#work;
  }

  /** Own payments that never will be final, or of which nobody knows; until the caller says that it knows. */
  get lost(): readonly LostPayment[] {
    return this.#lost.list;
  }

  lostOne(id: PaymentId): LostPayment | undefined {
    return this.#lost.get(id);
  }

  cursor(node: string): number | undefined {
    return this.#cursors[node];
  }

  /** Units signed away on a day. */
  spentOn(day: number): number {
    return this.#spent.day === day ? this.#spent.units : 0;
  }

  listen(listener: KeeperListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Signs and stores a payment: `seal` is called alone, with the tip that the payment has to extend, and may give up by
   * returning undefined. Durable when this resolves; only then may the bytes leave this machine.
   */
  seal(
    seal: (tip: { sequence: number; head: Slot }) => Promise<Outgoing | undefined>,
    day: number,
  ): Promise<Outgoing | undefined> {
    return this.#lane.run(async () => {
      const sealed = await seal(this.#book.tip);
      if (sealed === undefined) return undefined;
      const { payment } = sealed;
      const spent = { day, units: this.spentOn(day) + payment.total };
      await this.#save({ outgoing: [...this.outgoing, sealed], tip: payment, spent, work: undefined });
      // From here on nothing may fail.
      this.#outgoing.set(payment.id, sealed);
      this.#book.addPending(payment);
      this.#spent = spent;
      this.#work = undefined;
      return sealed;
    });
  }

  /** Other work under the same essence, so the same id: never a rival. False when the payment is not under way any more. */
  replaceBytes(replacement: Outgoing): Promise<boolean> {
    const { id } = replacement.payment;
    return this.#lane.run(async () => {
      if (!this.#outgoing.has(id)) return false;
      const outgoing = this.outgoing.map((old) => (old.payment.id === id ? replacement : old));
      await this.#save({ outgoing });
      this.#outgoing.set(id, replacement);
      return true;
    });
  }

  /** Keeps work done ahead; dropped when the tip has moved on. */
  keepWork(work: ReadyWork): Promise<void> {
    return this.#lane.run(async () => {
      if (work.slot !== this.#book.tip.head) return;
      await this.#save({ work });
      this.#work = work;
    });
  }

  /** Remembers how far a node's history has been read. */
  keepCursors(cursors: Readonly<Record<string, number>>): Promise<void> {
    return this.#lane.run(async () => {
      this.#cursors = { ...this.#cursors, ...cursors };
      await this.#save({});
    });
  }

  /** Takes verified payments; those that are known or do not concern the account are left out. Durable when it resolves. */
  absorb(candidates: readonly VerifiedPayment[]): Promise<void> {
    return this.#lane.run(async () => {
      const fresh = new Map<PaymentId, VerifiedPayment>();
      for (const verified of candidates) {
        const { payment } = verified;
        if (!this.#book.knows(payment.id) && concerns(payment, this.address)) fresh.set(payment.id, verified);
      }
      if (fresh.size === 0) return;
      const { dead, settled } = await this.#take([...fresh.values()]);
      // The history alone says the same after a crash, so a state that cannot be written now does no harm.
      if (settled || dead.length > 0) await this.#save({}).catch((error) => this.#complain(error));
      this.#announce([...fresh.values()], dead);
    });
  }

  /** Writes verified payments down, then takes them into the book. */
  async #take(fresh: readonly VerifiedPayment[]): Promise<{ dead: readonly Burial[]; settled: boolean }> {
    await this.#deps.store.append(fresh.map(recordOf));
    const dead: Burial[] = [];
    let settled = false;
    for (const { payment, proof } of fresh) {
      const change = this.#book.addVerified(payment, spanOf(this.#genesis, proof));
      this.#positions.set(payment.id, this.#length++);
      settled ||= change.settled !== undefined;
      dead.push(...change.dead);
      this.#outgoing.delete(payment.id);
    }
    this.#bury(dead);
    return { dead, settled };
  }

  /**
   * Takes a proven state as what the balance starts from, when it is younger than the one before. Own payments that lead
   * to its head are final by it, those that contradict it are dead. Durable when it resolves.
   */
  rebase(state: ProvenState, nowMs: number): Promise<void> {
    return this.#lane.run(async () => {
      const base = baseOf(state);
      if (base.round <= (this.#book.base?.round ?? -1)) return;
      const fresh = settledBy(state, this.outgoing, nowMs);
      const dead = fresh.length === 0 ? [] : [...(await this.#take(fresh)).dead];
      const buried = this.#book.rebase(base).dead;
      this.#bury(buried);
      this.#base = state.bytes;
      await this.#save({});
      this.#announce(fresh, [...dead, ...buried]);
    });
  }

  /** Gives up an own payment whose slot is decided, and of which nobody knows more. Durable when it resolves. */
  giveUp(id: PaymentId): Promise<void> {
    return this.#lane.run(async () => {
      const outgoing = this.#outgoing.get(id);
      if (outgoing === undefined || outgoing.payment.sequence > this.#book.settledSequence) return;
      this.#book.dropPending(id);
      this.#outgoing.delete(id);
      this.#lost.add({ bytes: outgoing.bytes, reason: 'forgotten', winner: undefined });
      await this.#save({});
      for (const listener of this.#listeners) listener.forgotten(outgoing.payment);
    });
  }

  /** The caller knows of a lost payment. Durable when it resolves. */
  forgetLost(id: PaymentId): Promise<void> {
    return this.#lane.run(async () => {
      if (!this.#lost.delete(id)) return;
      await this.#save({});
    });
  }

  #bury(dead: readonly Burial[]): void {
    for (const { payment, winner } of dead) {
      const bytes = this.#outgoing.get(payment.id)?.bytes ?? payment.bytes;
      this.#outgoing.delete(payment.id);
      this.#lost.add({ bytes, reason: 'dead', winner });
    }
  }

  /** One verified payment with its proof, from the disk; undefined at once when there is none. */
  verified(id: PaymentId): Promise<VerifiedPayment> | undefined {
    const position = this.#positions.get(id);
    if (position === undefined) return undefined;
    return this.history(position, 1).then(([verified]) => verified!);
  }

  /** Verified payments in the order in which they were verified, from position `from`. */
  async history(from: number, count: number): Promise<readonly VerifiedPayment[]> {
    const records = await this.#deps.store.read(from, count);
    return records.map((record) => verifiedOf(this.#genesis, record));
  }

  /** Resolves when everything given so far is on disk or has failed. */
  idle(): Promise<void> {
    return this.#lane.idle();
  }

  async #save(change: {
    outgoing?: readonly Outgoing[];
    tip?: Payment;
    work?: ReadyWork | undefined;
    spent?: { readonly day: number; readonly units: number };
  }): Promise<void> {
    const { tip } = this.#book;
    const outgoing = change.outgoing ?? this.outgoing;
    await this.#deps.store.save({
      network: hex(this.#genesis.network),
      address: this.address,
      sequence: change.tip?.sequence ?? tip.sequence,
      head: change.tip?.id ?? tip.head,
      outgoing: outgoing.map(({ bytes, signedAtMs }) => ({ bytes, signedAtMs })),
      work: 'work' in change ? change.work : this.#work,
      cursors: this.#cursors,
      spent: change.spent ?? this.#spent,
      base: this.#base,
      lost: this.#lost.list,
    });
  }

  #announce(fresh: readonly VerifiedPayment[], dead: readonly Burial[]): void {
    for (const listener of this.#listeners) {
      for (const verified of fresh) listener.verified(verified);
      for (const { payment, winner } of dead) listener.dead(payment, winner);
    }
  }

  #complain(error: unknown): void {
    this.#deps.log.error({ error }, 'the wallet state could not be written');
  }
}

function recordOf({ payment, bytes, proof, verifiedAtMs }: VerifiedPayment) {
  return { id: payment.id, payment: bytes, proof: encodePaymentProof(proof), verifiedAtMs };
}

function damagedBase(problem: string): WalletError {
  const text =
    `The balance proof in the wallet's state does not hold (${problem}). Take a backup of the state file, or move it ` +
    'away once every payment of this wallet is final: the wallet then asks the nodes.';
  return new WalletError('wallet_corrupted', text);
}
