/** From an order to a signed payment on the disk, one at a time: checks, work, signature, the wallet's own check, store. */
import {
  checkPayment,
  decodePayment,
  encodePayment,
  type Genesis,
  isRefusal,
  paymentEssence,
  type Slot,
} from '../ledger/index.ts';
import type { AccountKeeper, Outgoing } from './account-keeper.ts';
import { type Alarms, abortedError, Bell, disposedError } from './alarms.ts';
import { Lane } from './lane.ts';
import { checkMeans, type PaymentOrder, type SpendingLimits } from './payment-order.ts';
import { dayOf } from './policy.ts';
import type { RestoreGuard } from './restore-guard.ts';
import type { Signer } from './signer.ts';
import { WalletError } from './wallet-error.ts';
import type { WorkAhead } from './work-ahead.ts';

export interface PayerOptions {
  readonly limits: SpendingLimits;
  readonly pipelineMax: number;
  readonly readyTimeoutMs: number;
  readonly readyPollMs: number;
  readonly workTimeoutMs: number;
  readonly signTimeoutMs: number;
}

export interface PayerDeps {
  readonly keeper: AccountKeeper;
  readonly guard: RestoreGuard;
  readonly work: WorkAhead;
  readonly signer: Signer;
  readonly alarms: Alarms;
  nowMs(): number;
}

/** The account moves on between work and signature only when somebody else uses the same key. */
const TRIES = 8;

export class Payer {
  readonly #genesis: Genesis;
  readonly #options: PayerOptions;
  readonly #deps: PayerDeps;
  readonly #lane: Lane;

  constructor(genesis: Genesis, options: PayerOptions, deps: PayerDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
    this.#lane = new Lane(options.pipelineMax);
  }

  /** Why nothing can be signed now, or undefined. */
  get problem(): string | undefined {
    const { keeper, guard } = this.#deps;
    if (keeper.outgoing.length >= this.#options.pipelineMax) return this.#fullError().message;
    return guard.problem;
  }

  /** See LightClient.ready. */
  async ready(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { alarms, guard, nowMs } = this.#deps;
    const endMs = nowMs() + timeoutMs;
    using bell = new Bell(alarms);
    const onAbort = () => bell.ring();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        if (alarms.disposed) throw disposedError();
        if (signal?.aborted) throw abortedError(signal);
        const { problem } = guard;
        if (problem === undefined) return;
        if (nowMs() >= endMs) throw new WalletError('not_ready', `Nothing can be paid yet: ${problem}.`);
        await bell.sleep(Math.min(this.#options.readyPollMs, endMs - nowMs()));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The payment, on the disk. Nothing is signed when it rejects, save with `wallet_disk`, where it is unknown. */
  async seal(order: PaymentOrder, signal: AbortSignal | undefined): Promise<Outgoing> {
    if (this.#lane.waiting >= this.#options.pipelineMax) throw this.#fullError();
    return this.#lane.run(async () => {
      await this.ready(this.#options.readyTimeoutMs, signal);
      for (let tries = 0; tries < TRIES; tries++) {
        const sealed = await this.#try(order, signal);
        if (sealed !== undefined) return sealed;
      }
      throw new WalletError(
        'not_ready',
        'The account is being used elsewhere at the same time. Pay again later.',
      );
    });
  }

  async #try(order: PaymentOrder, signal: AbortSignal | undefined): Promise<Outgoing | undefined> {
    const { keeper, work, alarms, nowMs } = this.#deps;
    this.#check(order);
    const slot = keeper.book.tip.head;
    const late = () =>
      new WalletError('work_failed', 'The work for this payment takes too long. Pay again later.');
    const nonce = await alarms.deadline(work.take(slot), this.#options.workTimeoutMs, late, signal);
    const day = dayOf(nowMs());
    return keeper.seal(async (tip) => {
      if (tip.head !== slot) return undefined;
      // The world may have moved on during the work.
      this.#check(order);
      return this.#sign(order, tip, nonce, signal);
    }, day);
  }

  #check(order: PaymentOrder): void {
    const { keeper, guard, nowMs, alarms } = this.#deps;
    if (alarms.disposed) throw disposedError();
    if (keeper.outgoing.length >= this.#options.pipelineMax) throw this.#fullError();
    const { problem } = guard;
    if (problem !== undefined) throw new WalletError('not_ready', `Nothing can be paid yet: ${problem}.`);
    checkMeans(order, keeper.book.balance, keeper.spentOn(dayOf(nowMs())), this.#options.limits);
  }

  async #sign(
    order: PaymentOrder,
    tip: { readonly sequence: number; readonly head: Slot },
    nonce: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Outgoing> {
    const { signer, alarms, nowMs } = this.#deps;
    const { network } = this.#genesis;
    const { scheme, publicKey } = signer;
    const { transfers, memo } = order;
    const essence = paymentEssence({
      network,
      scheme,
      publicKey,
      previous: tip.head,
      sequence: tip.sequence + 1,
      transfers,
      memo,
    });
    const late = () =>
      new WalletError('signer_failed', 'The signer did not answer in time. Pay again: nothing was signed.');
    const signature = await alarms.deadline(signer.sign(essence), this.#options.signTimeoutMs, late, signal);
    const bytes = encodePayment(essence, nonce, signature);
    // Whatever the rules of the network refuse must not reach the disk: what is there is never taken back.
    const payment = decodePayment(bytes, network);
    const refusal = isRefusal(payment) ? payment : checkPayment(payment, this.#genesis);
    if (refusal !== undefined || isRefusal(payment)) {
      const text = `The payment made from the signer's answer does not verify (${JSON.stringify(refusal)}). Check the signer.`;
      throw new WalletError('signer_failed', text);
    }
    return { payment, bytes, signedAtMs: nowMs() };
  }

  #fullError(): WalletError {
    const text = `${this.#options.pipelineMax} own payments are under way: wait until one of them is final.`;
    return new WalletError('pipeline_full', text);
  }
}
