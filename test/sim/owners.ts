/**
 * Owners of accounts and their wallets: honest ones, who spend what they know is final and send a payment again until they
 * hear of it; and others, who sign rivals, on purpose or from a wallet restored from an old backup, or more than they have.
 */
import type { Address, Payment, PaymentId, Slot } from '../../ledger/index.ts';
import { keysOf } from '../dsl/network.ts';
import type { Habit } from './mix.ts';
import type { Party, SimWorld } from './sim-world.ts';

const RESEND_MS = 700;
/** Payments of one honest wallet that may be under way at a time. */
const UNDER_WAY_MAX = 3;
const RIVALS_MAX = 8;

interface Wallet {
  readonly name: string;
  readonly address: Address;
  readonly habit: Habit;
  /** Never signed a rival, nor more than it had. */
  readonly honest: boolean;
  readonly signed: Payment[];
  /** The payment that the wallet would continue from. */
  last: Payment | undefined;
  /** What it knows that it has: the allocation, final credits, less all debits it has signed. Kept for honest ones. */
  available: number;
  readonly underWay: Map<PaymentId, Payment>;
}

export class Owners {
  readonly #world: SimWorld;
  readonly #parties: readonly Party[];
  readonly #wallets: Wallet[];
  readonly #byAddress = new Map<Address, Wallet>();
  readonly payments = new Map<PaymentId, Payment>();
  /** Final for somebody who said so. */
  readonly told = new Set<PaymentId>();
  #paying = true;

  constructor(world: SimWorld, parties: readonly Party[]) {
    this.#world = world;
    this.#parties = parties;
    this.#wallets = world.mix.owners.map(({ name, habit, funds }) => ({
      name,
      habit,
      address: keysOf(name).address,
      honest: habit === 'honest' || habit === 'self-payer',
      signed: [],
      last: undefined,
      available: funds,
      underWay: new Map(),
    }));
    for (const wallet of this.#wallets) this.#byAddress.set(wallet.address, wallet);
    world.time.after(world.chance.below(world.mix.payEveryMs), () => this.#next());
    world.time.after(RESEND_MS, () => this.#resend());
  }

  /** Nobody signs anything new; what is under way is sent again until it is final. */
  stop(): void {
    this.#paying = false;
  }

  #next(): void {
    if (!this.#paying) return;
    const { time, chance, mix } = this.#world;
    this.#pay(chance.pick(this.#wallets));
    time.after(1 + -Math.log(1 - chance.next()) * mix.payEveryMs, () => this.#next());
  }

  #pay(wallet: Wallet): void {
    const { chance } = this.#world;
    if (wallet.honest) {
      if (wallet.available < 1 || wallet.underWay.size >= UNDER_WAY_MAX) return;
      const most = Math.min(wallet.available, 10);
      this.#send(wallet, this.#sign(wallet, wallet.last, 1 + chance.below(most)));
      return;
    }
    const from = this.#from(wallet);
    const count = this.#countOf(wallet);
    const amountMax = wallet.habit === 'overdrawn' ? 2000 : 20;
    const parties = chance.shuffled(this.#parties);
    for (let i = 0; i < count; i++) {
      const payment = this.#sign(wallet, from, 1 + chance.below(amountMax));
      if (count === 1) this.#send(wallet, payment);
      // Rivals leave at one moment, to nodes of their own.
      else
        for (const [at, party] of parties.entries())
          if (at % count === i && chance.flip(0.7)) this.#sendTo(party, payment);
    }
  }

  /** What the next payment continues. */
  #from(wallet: Wallet): Payment | undefined {
    const { chance } = this.#world;
    const { habit, signed, last } = wallet;
    const goesBack = habit === 'brancher' ? 0.5 : habit === 'restored-backup' ? 0.15 : 0;
    if (!chance.flip(goesBack)) return last;
    return chance.pick([undefined, ...signed.slice(-6)]);
  }

  #countOf({ habit }: Wallet): number {
    const { chance } = this.#world;
    if (habit === 'double-spender' && chance.flip(0.5)) return 2;
    return habit === 'slot-flooder' && chance.flip(0.3) ? 2 + chance.below(RIVALS_MAX - 1) : 1;
  }

  #sign(wallet: Wallet, previous: Payment | undefined, total: number): Payment {
    const { chance, network } = this.#world;
    const count = Math.min(total, chance.pick([1, 1, 1, 2]));
    const amounts = count === 1 ? [total] : [total - 1, 1];
    const transfers = amounts.map((amount) => ({
      to: wallet.habit === 'self-payer' && chance.flip(0.7) ? wallet.name : chance.pick(this.#wallets).name,
      amount,
    }));
    const payment = network.payment({
      from: wallet.name,
      previous: (previous?.id ?? wallet.address) as Slot,
      sequence: (previous?.sequence ?? 0) + 1,
      transfers,
      name: `p${this.payments.size + 1}`,
    });
    this.payments.set(payment.id, payment);
    wallet.signed.push(payment);
    wallet.last = payment;
    wallet.available -= payment.total;
    wallet.underWay.set(payment.id, payment);
    return payment;
  }

  /** To one node, or to a few. */
  #send(wallet: Wallet, payment: Payment): void {
    const { chance } = this.#world;
    const count = wallet.honest ? 1 : chance.pick([1, 1, 2]);
    for (let i = 0; i < count; i++) this.#sendTo(chance.pick(this.#parties), payment);
  }

  #sendTo(party: Party, payment: Payment): void {
    const { chance, time, mix } = this.#world;
    time.after(1 + chance.below(mix.network.delayMs), () => party.submit(payment));
  }

  /** What the owner has not heard of is handed in again; whoever signed rivals does so with those that could still win. */
  #resend(): void {
    const { chance, time } = this.#world;
    for (const wallet of this.#wallets) {
      if (wallet.honest) for (const payment of wallet.underWay.values()) this.#send(wallet, payment);
      else if (!this.#paying)
        for (const payment of chance.shuffled(this.#open(wallet)).slice(0, 6)) this.#send(wallet, payment);
    }
    time.after(RESEND_MS, () => this.#resend());
  }

  /** Payments whose slot nobody has won, on top of what is final. */
  #open(wallet: Wallet): Payment[] {
    const { referee } = this.#world;
    return wallet.signed.filter(({ account, previous, sequence }) => {
      if (referee.winnerOf(account, previous) !== undefined) return false;
      return sequence === 1 || this.told.has(previous as PaymentId);
    });
  }

  /** A node says that it is final: the payer's wallet and those of the receivers learn it, once. */
  onTold(id: PaymentId): void {
    if (this.told.has(id)) return;
    this.told.add(id);
    const payment = this.payments.get(id)!;
    this.#byAddress.get(payment.account)?.underWay.delete(id);
    for (const { to, amount } of payment.transfers) {
      const receiver = this.#byAddress.get(to);
      if (receiver !== undefined) receiver.available += amount;
    }
  }

  get honest(): readonly { readonly name: string; readonly signed: readonly Payment[] }[] {
    return this.#wallets.filter(({ honest }) => honest);
  }

  get addresses(): readonly Address[] {
    return [...this.#byAddress.keys()];
  }

  get contested(): number {
    const slots = new Map<string, number>();
    for (const { account, previous } of this.payments.values())
      slots.set(`${account}/${previous}`, (slots.get(`${account}/${previous}`) ?? 0) + 1);
    return [...slots.values()].filter((count) => count > 1).length;
  }
}
