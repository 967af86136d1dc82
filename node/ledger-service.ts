/**
 * The ledger thread's work: the one writer of the state and of the store. Glues core, store, queue and block assembly; the
 * rules are in ledger/.
 */
import {
  type Columns,
  type Core,
  decodeVertex,
  type Effect,
  EPOCH_ROUNDS,
  type Genesis,
  isRefusal,
  type PaymentRecord,
  type Refusal,
  type Round,
  type Vertex,
  type VertexId,
} from '../ledger/index.ts';
import type { Verdict } from '../p2p/index.ts';
import { Admission, type Submission } from './admission.ts';
import { BlockAssembly, type BlockAssemblyDeps } from './block-assembly.ts';
import { LedgerClock } from './ledger-clock.ts';
import type { LedgerCalls, LedgerEvent, LedgerThreadOptions, VerifiedVertex } from './ledger-messages.ts';
import { type OpenedLedger, openLedger } from './ledger-opening.ts';
import { LedgerViews } from './ledger-views.ts';
import { DISK_RETRY_MS, STALL_MS } from './limits.ts';
import { Outbox } from './outbox.ts';
import { PaymentNews } from './payment-news.ts';
import type { ReadyParents } from './ready-parents.ts';
import { Snapshots } from './snapshots.ts';
import { StoreError } from './store-error.ts';
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
  readonly #snapshots: Snapshots;
  readonly #assembly: BlockAssembly;
  readonly #clock: LedgerClock;
  #closed = false;
  #adopting = false;

  /** Reads back all that the store holds. Rejects when the store does not add up. */
  static async open(options: LedgerThreadOptions, deps: LedgerServiceDeps): Promise<LedgerService> {
    const startMs = deps.nowMs();
    const opened = await openLedger({ ...options, genesis: deps.genesis }, deps.store);
    const { tangle, accounts } = opened.core.ledger;
    const vertices = tangle.size - Math.max(1, tangle.base);
    deps.emit({ type: 'loaded', vertices, finals: accounts.finals, ms: deps.nowMs() - startMs });
    const service = new LedgerService(opened, options, deps);
    await service.#snapshots.open();
    if (opened.core.ledger.reading) deps.emit({ type: 'incomplete', awaited: opened.core.awaited });
    return service;
  }

  constructor(
    { core, coreOptions, rowOffset }: OpenedLedger,
    options: LedgerThreadOptions,
    deps: LedgerServiceDeps,
  ) {
    this.#deps = deps;
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
      { ledger: core.ledger, nowMs: deps.nowMs, round: () => core.rounds.highestQuorum, dropped },
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
    this.#snapshots = new Snapshots(
      { coreOptions, everyRounds: options.epochRounds ?? EPOCH_ROUNDS, rowOffset },
      {
        core,
        store: deps.store,
        outbox: this.#outbox,
        nowMs: deps.nowMs,
        failed: (error) => this.fail(error),
        made: ({ round }, bytes, ms) => deps.emit({ type: 'snapshot', round, bytes, ms }),
      },
    );
    this.#views = new LedgerViews({
      rowOffset,
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
    this.#assembly = this.#makeAssembly(options.blockLingerMs, dropped);
    this.#voting.wake();
    this.#clock = this.#makeClock(options);
    this.#republish();
    this.#schedule();
  }

  #makeAssembly(lingerMs: number, dropped: BlockAssemblyDeps['dropped']): BlockAssembly {
    return new BlockAssembly(
      { network: this.#deps.genesis.network, lingerMs },
      {
        admission: this.#admission,
        nowMs: this.#deps.nowMs,
        parents: () => this.#views.parents(),
        held: () => this.#held,
        attach: (block) => {
          const verdict = this.#step(block, 'self', false);
          this.#schedule();
          return verdict;
        },
        dropped,
        onTimer: (work) => this.#onTimer(work),
      },
    );
  }

  #makeClock(options: LedgerThreadOptions): LedgerClock {
    return new LedgerClock(
      { stallMs: Math.max(STALL_MS, 3 * (options.validator?.idleBeatMs ?? 0)) },
      {
        nowMs: this.#deps.nowMs,
        wakeAtMs: () => this.#core.wakeAtMs(),
        tick: (nowMs) => this.#tick(nowMs),
        round: () => this.#core.rounds.highestQuorum,
        stalled: (round) => {
          this.#deps.emit({ type: 'stalled', round });
          this.#republish();
        },
        onTimer: (work) => this.#onTimer(work),
      },
    );
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

  /** Nothing is attached now. */
  get #held(): boolean {
    return this.#adopting || this.#outbox.full;
  }

  /** With a full disk nothing is taken and nothing is voted; what is on the disk is served. */
  #onDisk(full: StoreError | undefined): void {
    if (this.#closed) return;
    this.#deps.emit({ type: 'disk', full: full !== undefined, message: full?.message ?? '' });
    if (full === undefined) this.#onTimer(() => this.#resume());
  }

  #resume(): void {
    this.#deps.emit({ type: 'stalled', round: this.#core.rounds.highestQuorum });
    this.#clock.tick();
    this.#assembly.soon();
  }

  async vertices(list: readonly VerifiedVertex[]): Promise<readonly Verdict[]> {
    if (this.#held) return list.map(() => NO_ROOM);
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
    else if (effect.type === 'committed') this.#dead(effect.dead);
    else if (effect.type !== 'waiting' && effect.type !== 'unneeded') this.#deps.emit(effect);
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
    this.#outbox.addFinals(payments);
    this.#admission.final(payments);
    this.#news.final(payments);
  }

  #dead(payments: readonly PaymentRecord[]): void {
    this.#admission.dead(payments);
    this.#news.standing(payments);
  }

  async submit(payments: readonly Submission[]) {
    if (this.#held) return payments.map(() => ({ refusal: NO_ROOM }));
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
    this.#wakeOthers();
    this.#clock.schedule();
  }

  /** What waits for something to hold in the ledger. */
  #wakeOthers(): void {
    this.#views.proofs.wake();
    this.#news.provable();
    this.#voting.wake();
    this.#snapshots.wake();
    this.#assembly.soon();
  }

  #tick(nowMs: number): void {
    if (this.#held) return;
    for (const effect of this.#core.step({ type: 'tick', nowMs })) this.#carryOut(effect);
    this.#wakeOthers();
  }

  readonly has: LedgerCalls['has'] = async (ids) => ids.map((id) => this.#core.has(id));
  readonly fetch: LedgerCalls['fetch'] = (ids) => this.#outbox.get(ids);
  readonly since: LedgerCalls['since'] = (request) => this.#views.since(request);
  readonly snapshot: LedgerCalls['snapshot'] = () => this.#snapshots.offer();
  readonly snapshotParts: LedgerCalls['snapshotParts'] = (request) => this.#snapshots.parts(request);
  readonly awaited: LedgerCalls['awaited'] = async () => this.#core.awaited;
  readonly lastWitness: LedgerCalls['lastWitness'] = (request) => this.#voting.lastWitness(request);
  readonly holds: LedgerCalls['holds'] = async (said) => this.#voting.holds(said);

  readonly tips: LedgerCalls['tips'] = async (count) => this.#views.parents().slice(0, count);

  readonly account: LedgerCalls['account'] = async (address) => this.#views.account(address);
  readonly status: LedgerCalls['status'] = async () => this.#views.status();
  readonly watch: LedgerCalls['watch'] = async (addresses, on) => this.#news.watch(addresses, on);
  readonly history: LedgerCalls['history'] = async (...args) =>
    this.#durable(await this.#views.history(...args));
  readonly proof: LedgerCalls['proof'] = async (id) => this.#durable(await this.#views.proof(id));
  readonly balance: LedgerCalls['balance'] = async (address) =>
    this.#durable(await this.#views.balance(address));
  readonly outcome: LedgerCalls['outcome'] = async (...args) =>
    this.#durable(await this.#views.outcome(...args));

  /** What is taken has no part in what was here: nothing may come between. */
  async adopt(file: string): Promise<Refusal | undefined> {
    this.#adopting = true;
    let adopted = false;
    try {
      await this.#outbox.flushed();
      const refusal = await this.#snapshots.adopt(file);
      adopted = refusal === undefined;
      return refusal;
    } finally {
      this.#adopting = adopted;
    }
  }

  async vote(notBeforeRound: Round): Promise<void> {
    await this.#voting.start(notBeforeRound);
    this.#onTimer(() => this.#clock.tick());
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
    this.#clock.stop();
    this.#assembly.stop();
  }

  /** Resolves when everything that the disk has room for is on it. */
  async flush(): Promise<void> {
    await this.#outbox.close();
  }
}

const NO_ROOM = { code: 'queue_full', waiting: 0, max: 0 } as const;

/** The disk's trouble in words for the operator; anything else is a bug, and its place matters. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof StoreError ? error.message : (error.stack ?? error.message);
}
