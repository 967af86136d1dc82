/**
 * Who waits for a payment to be final, and the asking for proofs that were not pushed. A wait ends with a proof that this
 * client has verified, or with one that the payment is dead; never with a node's word.
 */
import { type Genesis, KnownHeaders, type PaymentId } from '../ledger/index.ts';
import type { LightLink, Log, PaymentStatus } from '../p2p/index.ts';
import type { AccountKeeper } from './account-keeper.ts';
import { type Alarms, Bell, disposedError } from './alarms.ts';
import type { NodeLinks } from './node-links.ts';
import { concerns, type VerifiedPayment, verifyClaim } from './verified-payment.ts';
import { WalletError } from './wallet-error.ts';

export interface FinalWatchOptions {
  /** Payments that somebody waits for at the same time. */
  readonly waitsMax: number;
  /** How often one node is asked for the proofs that are missing. */
  readonly proofAskMs: number;
  /** Proofs asked for each time; the others have their turn next time. */
  readonly proofAsksMax: number;
}

export interface FinalWatchDeps {
  readonly keeper: AccountKeeper;
  readonly links: NodeLinks;
  readonly alarms: Alarms;
  readonly log: Log;
  nowMs(): number;
  onStatus(link: LightLink, payment: PaymentId, status: PaymentStatus): void;
  /** A node knows nothing of a payment that is waited for. */
  onUnknown(link: LightLink, payment: PaymentId): void;
}

interface Waiter {
  readonly resolve: (payment: VerifiedPayment) => void;
  readonly reject: (error: Error) => void;
}

export function deadError(payment: PaymentId, winner: PaymentId | undefined): WalletError {
  const text =
    `Payment ${payment} never will be final: payment ${winner ?? '(not known which)'} of the same account took its ` +
    'place, and that is proven. The key is in use elsewhere too, or this wallet was restored from an old backup. Nothing ' +
    'of it was paid. Look at the history, then pay again if it is still owed.';
  return new WalletError('payment_dead', text, { payment, winner });
}

export function forgottenError(payment: PaymentId): WalletError {
  const text =
    `Of payment ${payment} nobody can tell any more whether it was paid: its place in the account is decided, so long ` +
    'ago that the nodes have forgotten for whom. Ask the receiver before you pay again.';
  return new WalletError('payment_forgotten', text, { payment });
}

export class FinalWatch {
  readonly #genesis: Genesis;
  readonly #headers = new KnownHeaders();
  readonly #options: FinalWatchOptions;
  readonly #deps: FinalWatchDeps;
  readonly #waiters = new Map<PaymentId, Set<Waiter>>();
  readonly #bell: Bell;
  readonly #asking = new Set<string>();
  #turn = 0;
  #asked = 0;

  constructor(genesis: Genesis, options: FinalWatchOptions, deps: FinalWatchDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
    this.#bell = new Bell(deps.alarms);
    deps.keeper.listen({
      verified: (verified) => this.#resolve(verified),
      dead: ({ id }, winner) => this.#reject(id, deadError(id, winner)),
      forgotten: ({ id }) => this.#reject(id, forgottenError(id)),
    });
    deps.alarms.onDispose(() => {
      for (const id of [...this.#waiters.keys()]) this.#reject(id, disposedError());
    });
  }

  /** Without a deadline: for own payments, whose number is bounded. Rejects with `payment_dead`, `payment_forgotten`, `disposed`. */
  outcome(id: PaymentId): Promise<VerifiedPayment> {
    const known = this.#deps.keeper.verified(id);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<VerifiedPayment>();
    this.#add(id, { resolve, reject });
    return promise;
  }

  /** Rejects with `timeout`, `payment_dead`, `payment_forgotten`, `too_busy`, `aborted` or `disposed`. */
  async wait(id: PaymentId, timeoutMs: number, signal: AbortSignal | undefined): Promise<VerifiedPayment> {
    const known = this.#deps.keeper.verified(id);
    if (known !== undefined) return known;
    const lost = this.#deps.keeper.lostOne(id);
    if (lost !== undefined) throw lost.reason === 'dead' ? deadError(id, lost.winner) : forgottenError(id);
    if (this.#waiters.size >= this.#options.waitsMax && !this.#waiters.has(id)) {
      const text = `${this.#options.waitsMax} payments are waited for already: wait for some of them first.`;
      throw new WalletError('too_busy', text, { payment: id });
    }
    const { promise, resolve, reject } = Promise.withResolvers<VerifiedPayment>();
    const waiter: Waiter = { resolve, reject };
    this.#add(id, waiter);
    const late = () => {
      const text =
        `Payment ${id} is not proven final after ${timeoutMs} ms. It still may become so: wait again, and check that ` +
        'the nodes can be reached.';
      return new WalletError('timeout', text, { payment: id });
    };
    try {
      return await this.#deps.alarms.deadline(promise, timeoutMs, late, signal);
    } finally {
      this.#remove(id, waiter);
    }
  }

  /** Asks one node for a proof of which it has spoken; once at a time, however often it speaks of it. */
  async ask(link: LightLink, id: PaymentId): Promise<void> {
    const question = `${link.address} ${id}`;
    if (this.#asking.has(question)) return;
    this.#asking.add(question);
    try {
      await this.#ask(link, id);
    } finally {
      this.#asking.delete(question);
    }
  }

  async #ask(link: LightLink, id: PaymentId): Promise<void> {
    const { links, keeper } = this.#deps;
    let claim: Awaited<ReturnType<LightLink['proof']>>;
    try {
      claim = await links.ask(link, () => link.proof(id));
    } catch {
      return;
    }
    if (claim === undefined) {
      this.#deps.onUnknown(link, id);
      return;
    }
    if ('status' in claim) {
      this.#deps.onStatus(link, id, claim.status);
      return;
    }
    const verdict = verifyClaim(this.#genesis, claim, this.#deps.nowMs(), this.#headers);
    if ('problem' in verdict) return links.distrust(link, verdict.problem);
    const { verified } = verdict;
    if (verified.payment.id !== id)
      return links.distrust(link, `proof of ${verified.payment.id} instead of ${id}`);
    if (concerns(verified.payment, keeper.address)) await keeper.absorb([verified]);
    this.#resolve(verified);
  }

  /** Asks for what is missing, one node each time, until everything ends. */
  async run(): Promise<void> {
    const { alarms, links, log } = this.#deps;
    while (!alarms.disposed) {
      if (this.#wanted().length === 0) {
        await this.#bell.sleep(undefined);
        continue;
      }
      await this.#bell.sleep(this.#options.proofAskMs);
      const link = links.rotation(this.#asked++)[0];
      if (link === undefined) continue;
      for (const id of this.#nextOf(this.#wanted())) {
        await this.ask(link, id).catch((error) => log.error({ error }, 'a proof could not be stored'));
      }
    }
  }

  /** Something new is wanted. */
  #ring(): void {
    if (this.#waiters.size === 1) this.#bell.ring();
  }

  #wanted(): readonly PaymentId[] {
    const own = this.#deps.keeper.outgoing.map(({ payment }) => payment.id);
    return [...new Set([...own, ...this.#waiters.keys()])];
  }

  #nextOf(wanted: readonly PaymentId[]): readonly PaymentId[] {
    const { proofAsksMax } = this.#options;
    if (wanted.length <= proofAsksMax) return wanted;
    const first = this.#turn % wanted.length;
    this.#turn += proofAsksMax;
    return [...wanted.slice(first), ...wanted.slice(0, first)].slice(0, proofAsksMax);
  }

  #add(id: PaymentId, waiter: Waiter): void {
    const waiters = this.#waiters.get(id);
    if (waiters === undefined) this.#waiters.set(id, new Set([waiter]));
    else waiters.add(waiter);
    this.#ring();
  }

  #remove(id: PaymentId, waiter: Waiter): void {
    const waiters = this.#waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(id);
  }

  #resolve(verified: VerifiedPayment): void {
    const { id } = verified.payment;
    for (const waiter of this.#waiters.get(id) ?? []) waiter.resolve(verified);
    this.#waiters.delete(id);
  }

  #reject(id: PaymentId, error: Error): void {
    for (const waiter of this.#waiters.get(id) ?? []) waiter.reject(error);
    this.#waiters.delete(id);
  }
}
