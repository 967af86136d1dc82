/**
 * The ledger thread's work: the one writer of the state and of the store. Glues core, store, queue and block assembly; the
 * rules are in ledger/.
 */
import {
  type Columns,
  Core,
  decodeVertex,
  type Effect,
  type Genesis,
  isRefusal,
  type PaymentRecord,
  type Refusal,
  type Round,
  sign,
  type Vertex,
  type VertexId,
} from '../ledger/index.ts';
import type { Verdict } from '../p2p/index.ts';
import { Admission, type Submission } from './admission.ts';
import { BlockAssembly } from './block-assembly.ts';
import type { LedgerCalls, LedgerEvent, LedgerThreadOptions, VerifiedVertex } from './ledger-messages.ts';
import { LedgerViews } from './ledger-views.ts';
import { DISK_RETRY_MS, STALL_MS, TICK_MS } from './limits.ts';
import { Outbox } from './outbox.ts';
import { PaymentNews } from './payment-news.ts';
import type { ReadyParents } from './ready-parents.ts';
import { corrupted, StoreError } from './store-error.ts';
import type { VertexStore } from './vertex-store.ts';
import { Voting } from './voting.ts';

export interface LedgerServiceDeps {
  readonly genesis: Genesis;
  readonly store: VertexStore;
  readonly ready: ReadyParents;
  nowMs(): number;
  emit(event: LedgerEvent): void;
  /** How often a full disk is looked at; DISK_RETRY_MS. */
  readonly diskRetryMs?: number;
  /** The validator's votes may be elsewhere: it does not vote before it is told to. */
  readonly silent?: boolean;
}

export class LedgerService implements Omit<LedgerCalls, 'close'> {
  readonly #deps: LedgerServiceDeps;
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #admission: Admission;
  readonly #views: LedgerViews;
  readonly #news: PaymentNews;
  readonly #voting: Voting;
  readonly #assembly: BlockAssembly;
  #wake: NodeJS.Timeout | undefined;
  readonly #ticker: NodeJS.Timeout;
  #movedAtMs: number;
  #movedRound = 0;
  readonly #stallMs: number;
  #closed = false;

  /** Reads back all that the store holds. Rejects when the store does not add up. */
  static async open(options: LedgerThreadOptions, deps: LedgerServiceDeps): Promise<LedgerService> {
    const startMs = deps.nowMs();
    const { validatorSeed, verticesMax } = options;
    const validator = deps.silent === true ? undefined : options.validator;
    const signer = { sign: (message: Uint8Array) => sign(validatorSeed!, message) };
    const core = new Core(
      { genesis: deps.genesis, ledger: { verticesMax }, ...(validator === undefined ? {} : { validator }) },
      validator === undefined ? undefined : signer,
    );
    for await (const { sequence, bytes } of deps.store.load()) restore(core, sequence, bytes, options.folder);
    const { size } = core.ledger.tangle;
    const { finals } = core.ledger.accounts;
    deps.emit({ type: 'loaded', vertices: size - 1, finals, ms: deps.nowMs() - startMs });
    return new LedgerService(core, options, deps);
  }

  constructor(core: Core, options: LedgerThreadOptions, deps: LedgerServiceDeps) {
    this.#deps = deps;
    this.#stallMs = Math.max(STALL_MS, 3 * (options.validator?.idleBeatMs ?? 0));
    this.#core = core;
    this.#outbox = new Outbox(
      { retryMs: deps.diskRetryMs ?? DISK_RETRY_MS },
      {
        store: deps.store,
        failed: (error) => this.fail(error),
        full: (error) => this.#onDisk(error),
      },
    );
    const dropped = ({ id, account }: Submission, refusal: Refusal): void =>
      this.#news.tell([account], { type: 'status', payment: id, status: 'dropped', refusal });
    this.#admission = new Admission(
      { paymentsMax: options.queuePaymentsMax, paymentsPerAccountMax: options.queuePaymentsPerAccountMax },
      {
        ledger: core.ledger,
        dropped,
      },
    );
    this.#voting = new Voting(
      {
        genesis: deps.genesis,
        validator: options.validator,
        seed: options.validatorSeed,
        silent: deps.silent === true,
      },
      { core, outbox: this.#outbox, store: deps.store },
    );
    this.#views = new LedgerViews({
      core,
      admission: this.#admission,
      outbox: this.#outbox,
      store: deps.store,
      ready: deps.ready,
      voting: this.#voting,
      nowMs: deps.nowMs,
    });
    this.#news = new PaymentNews({
      ledger: core.ledger,
      views: this.#views,
      outbox: this.#outbox,
      push: (addresses, push) => deps.emit({ type: 'push', addresses, push }),
      failed: (error) => this.fail(error),
    });
    this.#assembly = new BlockAssembly(
      { network: deps.genesis.network, lingerMs: options.blockLingerMs },
      {
        admission: this.#admission,
        parents: () => this.#views.parents(),
        held: () => this.#outbox.full,
        attach: (block) => {
          const verdict = this.#step(block, 'self', false);
          this.#schedule();
          return verdict;
        },
        dropped,
        onTimer: (work) => this.#onTimer(work),
      },
    );
    this.#movedAtMs = deps.nowMs();
    this.#ticker = setInterval(() => this.#onTimer(() => this.#tick()), TICK_MS);
    this.#republish();
    this.#schedule();
  }

  get columns(): Columns {
    return this.#core.ledger.tangle.columns;
  }

  /** The last own witness may have been stored and not sent. */
  #republish(): void {
    const own = this.#views.ownTip();
    if (own === undefined) return;
    const publish = ([bytes]: Uint8Array[]): void => {
      if (bytes !== undefined) this.#deps.emit({ type: 'publish', kind: 'witness', bytes });
    };
    // When the disk fails, that is told elsewhere.
    this.#outbox.get([own]).then(publish, () => undefined);
  }

  /** With a full disk nothing is taken and nothing is voted; what is on the disk is served. */
  #onDisk(full: StoreError | undefined): void {
    if (this.#closed) return;
    this.#deps.emit({ type: 'disk', full: full !== undefined, message: full?.message ?? '' });
    if (full === undefined) this.#onTimer(() => this.#resume());
  }

  #resume(): void {
    this.#movedAtMs = this.#deps.nowMs();
    this.#deps.emit({ type: 'stalled', round: this.#core.rounds.highestQuorum });
    this.#tick();
    this.#assembly.soon();
  }

  async vertices(list: readonly VerifiedVertex[]): Promise<readonly Verdict[]> {
    if (this.#outbox.full) return list.map(() => NO_ROOM);
    return this.#guard(() => {
      const verdicts = list.map((vertex) => this.#vertex(vertex));
      this.#schedule();
      return verdicts;
    });
  }

  /** Whatever writes the state runs in here: when an invariant breaks, the node stops. */
  #guard<T>(write: () => T): T {
    if (this.#closed) throw new Error('The ledger has stopped.');
    try {
      return write();
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  #vertex({ bytes, hashes, from, requested }: VerifiedVertex): Verdict {
    const vertex = decodeVertex(bytes, this.#deps.genesis.network, hashes);
    if (isRefusal(vertex)) return vertex;
    return this.#step(vertex, from, requested);
  }

  /** What happened to the vertex itself; effects on others are carried out on the way. */
  #step(vertex: Vertex, from: string, requested: boolean): Verdict {
    const effects = this.#core.step({ type: 'vertex', vertex, from, requested, nowMs: this.#deps.nowMs() });
    let verdict: Verdict = 'ignore';
    for (const effect of effects) {
      if (effect.type === 'attached' && effect.vertex.id === vertex.id) verdict = 'accept';
      if (effect.type === 'refused' && effect.id === vertex.id) verdict = effect.refusal;
      else this.#carryOut(effect);
    }
    return verdict;
  }

  #carryOut(effect: Effect): void {
    if (effect.type === 'attached') this.#attached(effect.vertex, effect.own);
    else if (effect.type === 'final') this.#final(effect.payments);
    else if (effect.type === 'committed') this.#news.standing(effect.dead);
    else if (effect.type === 'wanted' || effect.type === 'refused' || effect.type === 'equivocation') {
      this.#deps.emit(effect);
    }
  }

  #attached(vertex: Vertex, own: boolean): void {
    this.#outbox.add(vertex);
    Atomics.notify(this.columns.heads, 0);
    if (own) {
      // Durable before visible: never two witnesses for one round, and no block on top of one that a crash could undo.
      const { kind, bytes } = vertex;
      this.#outbox.after(() => this.#deps.emit({ type: 'publish', kind, bytes }));
    }
    if (vertex.kind === 'block') this.#tellAttached(vertex.id);
  }

  #tellAttached(block: VertexId): void {
    const record = this.#core.ledger.tangle.find(block);
    if (record?.kind !== 'block') return;
    for (const { id } of record.payments) this.#admission.attached(id);
    this.#news.standing(record.payments);
  }

  #final(payments: readonly PaymentRecord[]): void {
    for (const { id } of payments) this.#outbox.addFinal(id);
    this.#news.final(payments);
  }

  async submit(payments: readonly Submission[]) {
    if (this.#outbox.full) return payments.map(() => ({ refusal: NO_ROOM }));
    const replies = this.#guard(() => payments.map((payment) => this.#admission.submit(payment)));
    this.#assembly.soon();
    return replies.some((reply) => 'status' in reply && reply.status === 'final')
      ? this.#durable(replies)
      : replies;
  }

  /**
   * Durable before visible: nobody is told that a payment is final before the disk has all that makes it so, which may be
   * younger than the payment.
   */
  async #durable<T>(answer: T): Promise<T> {
    await this.#outbox.settled();
    return answer;
  }

  /** A broken invariant has been told already when this returns; a timer has nobody else to tell. */
  #onTimer(work: () => void): void {
    if (this.#closed) return;
    try {
      this.#guard(work);
    } catch {
      // Told by the guard.
    }
  }

  /** Sets the clock for the next witness. */
  #schedule(): void {
    this.#views.proofs.wake();
    this.#news.provable();
    clearTimeout(this.#wake);
    const atMs = this.#core.wakeAtMs();
    if (atMs === undefined || this.#closed) return;
    this.#wake = setTimeout(
      () => this.#onTimer(() => this.#tick()),
      Math.max(0, Math.min(atMs - this.#deps.nowMs(), TICK_MS)),
    );
  }

  #tick(): void {
    if (this.#outbox.full) return;
    const nowMs = this.#deps.nowMs();
    for (const effect of this.#core.step({ type: 'tick', nowMs })) this.#carryOut(effect);
    const round = this.#core.rounds.highestQuorum;
    if (round > this.#movedRound) {
      this.#movedRound = round;
      this.#movedAtMs = nowMs;
    } else if (nowMs - this.#movedAtMs > this.#stallMs) {
      this.#movedAtMs = nowMs;
      this.#deps.emit({ type: 'stalled', round });
      this.#republish();
    }
    this.#schedule();
  }

  fetch(ids: readonly VertexId[]): Promise<readonly Uint8Array[]> {
    return this.#outbox.get(ids);
  }

  since(...args: Parameters<LedgerCalls['since']>): ReturnType<LedgerCalls['since']> {
    return this.#views.since(...args);
  }

  async tips(count: number): Promise<readonly VertexId[]> {
    return this.#views.parents().slice(0, count);
  }

  async account(...args: Parameters<LedgerCalls['account']>) {
    return this.#views.account(...args);
  }

  async history(...args: Parameters<LedgerCalls['history']>) {
    return this.#durable(await this.#views.history(...args));
  }

  async proof(...args: Parameters<LedgerCalls['proof']>) {
    return this.#durable(await this.#views.proof(...args));
  }

  async balance(...args: Parameters<LedgerCalls['balance']>) {
    return this.#durable(await this.#views.balance(...args));
  }

  async outcome(...args: Parameters<LedgerCalls['outcome']>) {
    return this.#durable(await this.#views.outcome(...args));
  }

  lastWitness(...[request]: Parameters<LedgerCalls['lastWitness']>) {
    return this.#voting.lastWitness(request);
  }

  async holds(...[said]: Parameters<LedgerCalls['holds']>): Promise<boolean> {
    return this.#voting.holds(said);
  }

  async vote(notBeforeRound: Round): Promise<void> {
    await this.#voting.start(notBeforeRound);
    this.#onTimer(() => this.#tick());
  }

  async status() {
    return this.#views.status();
  }

  async watch(...[addresses, on]: Parameters<LedgerCalls['watch']>): Promise<void> {
    this.#news.watch(addresses, on);
  }

  /** The node cannot go on. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.stop();
    const damaged = error instanceof StoreError && error.code === 'store_corrupted';
    this.#deps.emit({ type: 'failed', message: reasonOf(error), damaged });
  }

  /** No more witnesses and blocks. */
  stop(): void {
    this.#closed = true;
    clearTimeout(this.#wake);
    this.#assembly.stop();
    clearInterval(this.#ticker);
  }

  /** Resolves when everything that the disk has room for is on it. */
  async flush(): Promise<void> {
    await this.#outbox.close();
  }
}

const NO_ROOM = { code: 'queue_full', waiting: 0, max: 0 } as const;

/** What does not follow from what was stored before it was not stored so. */
function restore(core: Core, sequence: number, bytes: Uint8Array, folder: string): void {
  try {
    core.restore(bytes);
  } catch (error) {
    throw corrupted(folder, `vertex ${sequence} does not fit (${(error as Error).message})`, {
      cause: error,
    });
  }
}

/** The disk's trouble in words for the operator; anything else is a bug, and its place matters. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof StoreError ? error.message : (error.stack ?? error.message);
}
