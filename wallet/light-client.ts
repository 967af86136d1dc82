/**
 * The wallet of a vehicle or a charger. It trusts no node: what is final it checks with the committee's keys, what it owns
 * it adds up itself, and its own payments it keeps and sends again until they are final. This file glues; the rules stand
 * in account-book.ts (what may be signed), outbox.ts (how it gets out), history-sync.ts and final-watch.ts (how proofs
 * come in), restore-guard.ts (when the past is known well enough).
 */
import {
  type Address,
  decodePayment,
  type Genesis,
  isRefusal,
  type PaymentId,
  type Refusal,
  type Slot,
  type Transfer,
  type Units,
  type VertexId,
} from '../ledger/index.ts';
import type { LightLink, NodeView, PaymentStatus, SubmitReply } from '../p2p/index.ts';
import { AccountKeeper } from './account-keeper.ts';
import { abortedError, disposedError } from './alarms.ts';
import type { NetworkView } from './header-watch.ts';
import type {
  LightClient,
  LightClientDeps,
  LightClientOptions,
  PaymentLost,
  PaymentUnderWay,
  ProvenBalance,
  SentPayment,
  StatusEvent,
} from './light-options.ts';
import { buildParts, type LightParts } from './light-parts.ts';
import type { NodeLinkView } from './node-links.ts';
import { noNodeError } from './own-block.ts';
import { orderOf } from './payment-order.ts';
import type { ProvenState } from './proven-state.ts';
import { StatusBoard } from './status-board.ts';
import type { VerifiedPayment } from './verified-payment.ts';
import { WalletError } from './wallet-error.ts';

/**
 * Opens the wallet's store, begins to dial and to deliver what was left under way, and resolves without waiting for any
 * node. Throws `wallet_other` or `wallet_corrupted`.
 */
export async function createLightClient(
  options: LightClientOptions,
  deps: LightClientDeps,
): Promise<LightClient> {
  const keeper = await AccountKeeper.open(options.genesis, deps.signer.address, deps);
  return new RunningClient(options, deps, keeper);
}

/** A node that says so lacks something that this wallet has a proof of, or this wallet lacks a payment of its own. */
const BALANCE_IN_DOUBT: ReadonlySet<Refusal['code']> = new Set([
  'unfunded',
  'previous_unknown',
  'sequence_gap',
]);

function provenBalanceOf({ proof, checkpoint, timeMs, bytes }: ProvenState): ProvenBalance {
  const { address, balance, sequence, head } = proof;
  return { address, balance, sequence, head, checkpoint, timeMs, proof: bytes };
}

class RunningClient implements LightClient {
  readonly #genesis: Genesis;
  readonly #deps: LightClientDeps;
  readonly #keeper: AccountKeeper;
  readonly #board: StatusBoard;
  readonly #parts: LightParts;
  readonly #running = new Set<Promise<unknown>>();
  #asked = 0;

  constructor(options: LightClientOptions, deps: LightClientDeps, keeper: AccountKeeper) {
    this.#genesis = options.genesis;
    this.#deps = deps;
    this.#keeper = keeper;
    this.#board = new StatusBoard(deps.log);
    this.#parts = buildParts(options, deps, keeper, {
      onUp: (link) => this.#onUp(link),
      onClaim: (link, payment, status, refusal) => this.#onClaim(link, payment, status, refusal),
      onReply: (link, payment, reply) => this.#onReply(link, payment, reply),
      onUnknown: (link, payment) => this.#onUnknown(link, payment),
      run: (task) => this.#run(task),
    });
    keeper.listen({
      verified: (verified) => this.#onVerified(verified),
      dead: (payment, winner) => this.#onDead(payment, winner),
      forgotten: (payment) => {
        this.#board.forgotten(payment);
        this.#settled();
      },
    });
    const { headers, links, outbox, watch, work } = this.#parts;
    deps.peers.onHeader((header) => {
      if (!this.#parts.alarms.disposed) headers.take(header);
    });
    this.#run(outbox.run());
    this.#run(watch.run());
    work.prepare(keeper.book.tip.head);
    links.start();
  }

  get address(): Address {
    return this.#keeper.address;
  }

  get balance(): Units {
    return this.#keeper.book.balance;
  }

  get head(): Slot {
    return this.#keeper.book.tip.head;
  }

  get sequence(): number {
    return this.#keeper.book.tip.sequence;
  }

  get problem(): string | undefined {
    return this.#parts.payer.problem;
  }

  ready(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    return this.#parts.payer.ready(options.timeoutMs, options.signal);
  }

  async pay(
    transfers: readonly Transfer[],
    memo: Uint8Array = new Uint8Array(),
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<SentPayment> {
    const { alarms, payer, work, watch, outbox, payTimeoutMs } = this.#parts;
    if (alarms.disposed) throw disposedError();
    const { payment, bytes } = await payer.seal(orderOf(transfers, memo), signal);
    const { id } = payment;
    // From here on the payment is under way, whatever becomes of this call.
    const final = watch.outcome(id);
    final.catch(() => {});
    this.#board.signed(id);
    work.prepare(this.#keeper.book.tip.head);
    const taken = outbox.taken(id);
    outbox.ring();
    const late = () => {
      const text =
        `Payment ${id} is signed and stored, and no node has taken it after ${payTimeoutMs} ms. It is sent again until ` +
        'it is final, also after a restart: do not pay again, check that the nodes can be reached.';
      return new WalletError('still_sending', text, { payment: id });
    };
    await alarms.deadline(taken, payTimeoutMs, late, signal);
    return { id, bytes, final };
  }

  waitFinal(
    id: PaymentId,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<VerifiedPayment> {
    return this.#parts.watch.wait(id, timeoutMs, signal);
  }

  get underWay(): readonly PaymentUnderWay[] {
    return this.#keeper.outgoing.map(({ payment, bytes, signedAtMs }) => {
      const { id, sequence, transfers, total } = payment;
      return { id, bytes, sequence, transfers, total, signedAtMs, claimed: this.#board.claimed(id) };
    });
  }

  get lost(): readonly PaymentLost[] {
    return this.#keeper.lost.flatMap(({ bytes, reason, winner }) => {
      const payment = decodePayment(bytes, this.#genesis.network);
      if (isRefusal(payment)) return [];
      const { id, sequence, transfers, total, memo } = payment;
      return [{ id, bytes, sequence, transfers, total, memo, reason, winner }];
    });
  }

  forgetLost(id: PaymentId): Promise<void> {
    return this.#keeper.forgetLost(id);
  }

  get uncertain(): Units {
    return this.#keeper.book.uncertain as Units;
  }

  async provenBalance({
    timeoutMs,
    signal,
  }: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<ProvenBalance> {
    const { alarms, balanceAskMs } = this.#parts;
    const endMs = this.#deps.nowMs() + timeoutMs;
    for (;;) {
      if (alarms.disposed) throw disposedError();
      if (signal?.aborted) throw abortedError(signal);
      const state = await this.#youngest();
      if (state !== undefined) return provenBalanceOf(state);
      const restMs = endMs - this.#deps.nowMs();
      if (restMs <= 0) throw this.#unproven(timeoutMs);
      await alarms.pause(Math.min(balanceAskMs, restMs), signal);
    }
  }

  /** The youngest state that any linked node proves now. */
  async #youngest(): Promise<ProvenState | undefined> {
    const { links, outcomes } = this.#parts;
    const asked = links.rotation(0).map((link) => outcomes.proven(link).catch(() => undefined));
    const states = (await Promise.all(asked)).filter((state) => state !== undefined);
    return states.sort((a, b) => b.round - a.round)[0];
  }

  #unproven(timeoutMs: number): WalletError {
    if (this.#parts.links.rotation(0).length === 0) return noNodeError();
    const text =
      `No node has proven the balance in ${timeoutMs} ms. A young network has to commit first: ask again, or ask other ` +
      'nodes.';
    return new WalletError('timeout', text);
  }

  onIncoming(listener: (payment: VerifiedPayment) => void): () => void {
    return this.#board.onIncoming(listener);
  }

  onStatus(listener: (event: StatusEvent) => void): () => void {
    return this.#board.onStatus(listener);
  }

  get historyLength(): number {
    return this.#keeper.length;
  }

  history(from: number, count: number): Promise<readonly VerifiedPayment[]> {
    return this.#keeper.history(from, count);
  }

  tips(count: number): Promise<readonly VertexId[]> {
    return this.#parts.blocks.tips(count);
  }

  async nodeStatus(): Promise<NodeView> {
    const { links } = this.#parts;
    for (const link of links.rotation(this.#asked++)) {
      const view = await links.ask(link, () => link.status()).catch(() => undefined);
      if (view !== undefined) return view;
    }
    throw noNodeError();
  }

  get network(): NetworkView {
    return this.#parts.headers.view;
  }

  get nodes(): readonly NodeLinkView[] {
    return this.#parts.links.views;
  }

  #onUp(link: LightLink): void {
    this.#run(this.#parts.sync.follow(link));
    this.#parts.outbox.ring();
  }

  #onVerified(verified: VerifiedPayment): void {
    const { payment } = verified;
    this.#board.final(verified, payment.account !== this.address);
    this.#settled();
  }

  #onDead(payment: Parameters<StatusBoard['dead']>[0], winner: PaymentId): void {
    this.#deps.log.error(
      { payment: payment.id, winner },
      'a rival of an own payment is final: the key is in use elsewhere, or this wallet comes from an old backup',
    );
    this.#board.dead(payment, winner);
    this.#settled();
  }

  /** The account has moved on: its next slot may be another one, and a payment may have found its money. */
  #settled(): void {
    this.#parts.work.prepare(this.#keeper.book.tip.head);
    this.#parts.outbox.ring();
  }

  #onReply(link: LightLink, payment: PaymentId, reply: SubmitReply): void {
    if ('status' in reply) {
      this.#onClaim(link, payment, reply.status);
      return;
    }
    const { refusal } = reply;
    this.#deps.log.info({ node: link.address, payment, refusal }, 'a node refuses an own payment');
    const event = { payment, status: 'refused', proven: false, node: link.address, refusal } as const;
    this.#board.claim(event, true);
    // A final rival would stand in this node's history, and a proven balance shows what is missing here.
    if (refusal.code === 'slot_taken') this.#parts.sync.hurry(link);
    else if (BALANCE_IN_DOUBT.has(refusal.code)) this.#parts.sync.hurry(link, true);
    this.#seek(link, payment);
  }

  /** Where its slot is decided already, the node is asked for whom. */
  #seek(link: LightLink, payment: PaymentId): void {
    const { outcomes } = this.#parts;
    if (outcomes.isSettled(payment)) this.#run(outcomes.ask(link, payment));
  }

  #onUnknown(link: LightLink, payment: PaymentId): void {
    this.#seek(link, payment);
  }

  #onClaim(link: LightLink, payment: PaymentId, status: PaymentStatus, refusal?: Refusal): void {
    const own = this.#keeper.outgoing.some((outgoing) => outgoing.payment.id === payment);
    this.#board.claim({ payment, status, proven: false, node: link.address, refusal }, own);
    if (!own) return;
    if (status === 'final') this.#run(this.#parts.watch.ask(link, payment));
    if (status === 'dead' || status === 'contested') this.#parts.sync.hurry(link);
    if (status === 'dead') this.#run(this.#parts.outcomes.ask(link, payment));
    else this.#seek(link, payment);
  }

  #run(task: Promise<unknown>): void {
    const logged = task.catch((error) => {
      if (this.#parts.alarms.disposed) return;
      this.#deps.log.error({ error: String(error) }, 'a part of the wallet failed');
    });
    this.#running.add(logged);
    logged.finally(() => this.#running.delete(logged));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { alarms, work, links } = this.#parts;
    alarms[Symbol.dispose]();
    work[Symbol.dispose]();
    await links[Symbol.asyncDispose]();
    await Promise.all(this.#running);
    await this.#keeper.idle();
  }
}
