/**
 * The ledger as a machine: events in, effects out, no clock, no chance, no network. It glues the parts and holds no rule
 * itself. The same events in the same order give the same effects, in a node, in a test, in a simulator.
 */
import type { PaymentRecord } from './account.ts';
import { assert } from './assert.ts';
import { concat } from './bytes.ts';
import { decodeVertex } from './check.ts';
import type { Committed, Divergence, Fault } from './checkpoints.ts';
import { type Attached, Ledger, type LedgerOptions } from './ledger.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import { Rounds } from './rounds.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot-state.ts';
import type { Genesis, ValidatorIndex, Vertex, VertexId, Witness } from './types.ts';
import { Validator, type ValidatorDeps, type ValidatorOptions } from './validator.ts';
import { Waiting, type WaitingOptions, type Want } from './waiting.ts';

export type Event =
  /**
   * A vertex that has passed the stateless check; `from` is the peer, or `self` for what this node made. `requested`: it
   * was asked for, as something needs it.
   */
  | {
      readonly type: 'vertex';
      readonly vertex: Vertex;
      readonly from: string;
      readonly requested: boolean;
      readonly nowMs: number;
    }
  /** Time has passed. */
  | { readonly type: 'tick'; readonly nowMs: number };

export type Effect =
  /** Part of the tangle now: to be stored, and (when `own`) published once it is stored. */
  | { readonly type: 'attached'; readonly vertex: Vertex; readonly own: boolean }
  /** Final now, predecessors first: to be told once everything attached before is stored. */
  | { readonly type: 'final'; readonly payments: readonly PaymentRecord[] }
  /** A leader was committed; told in their order. */
  | ({ readonly type: 'committed' } & Committed)
  /** A validator has another state after a leader than this node. Told once for each validator and leader. */
  | ({ readonly type: 'diverges' } & Divergence)
  /** This node stops voting, and goes on answering. Told once. */
  | { readonly type: 'fault'; readonly fault: Fault }
  /** Its parents are not known: kept, and the parents are wanted. */
  | { readonly type: 'waiting'; readonly id: VertexId }
  /** Not taken unless a vertex needs it as a parent: it repeats payments, or its validator is known to equivocate. */
  | { readonly type: 'unneeded'; readonly id: VertexId }
  /** Missing parents to ask for. */
  | { readonly type: 'wanted'; readonly wants: readonly Want[] }
  | { readonly type: 'refused'; readonly id: VertexId; readonly refusal: Refusal; readonly from: string }
  /** A validator has signed two witnesses where an honest one signs one. Told once. */
  | { readonly type: 'equivocation'; readonly validator: ValidatorIndex; readonly ids: readonly VertexId[] };

export interface CoreOptions {
  readonly genesis: Genesis;
  readonly ledger?: LedgerOptions;
  readonly waiting?: WaitingOptions;
  /** Absent for a node that does not vote. */
  readonly validator?: ValidatorOptions;
}

/** Ids of invalid vertices that are remembered, so that their descendants are refused at once. */
const INVALID_MAX = 10_000;

/** Missing parents asked for in one effect. */
const WANTS_MAX = 512;

export class Core {
  readonly ledger: Ledger;
  readonly rounds: Rounds;
  readonly #waiting: Waiting;
  #validator: Validator | undefined;
  /** Of the snapshot that this began with. */
  #promises: Snapshot['promises'] = { validator: undefined, list: [] };
  readonly #invalid = new Map<VertexId, Refusal>();
  #faultTold = false;
  readonly #exposed = new Set<ValidatorIndex>();
  /** The greatest round of a witness that had to wait. */
  #heardRound = 0;
  /** The tangle has no room for another own witness. */
  #full = false;

  constructor(options: CoreOptions, deps?: ValidatorDeps) {
    this.ledger = new Ledger(options.genesis, options.ledger);
    this.rounds = new Rounds(this.ledger.committee);
    this.#waiting = new Waiting(options.waiting);
    if (options.validator !== undefined) {
      assert(deps !== undefined, 'a validator can sign');
      this.#validator = new Validator(this.ledger, this.rounds, options.validator, deps);
    }
  }

  /**
   * Begins with a snapshot instead of the genesis. The vertices that it speaks of are to follow, by `restore` from the own
   * store or by `step` from peers, in the order of their attachment; then `readBackDone`.
   */
  static fromSnapshot(options: Omit<CoreOptions, 'validator'>, parts: Iterable<Uint8Array>): Core | Refusal {
    const snapshot = decodeSnapshot(options.genesis, concat([...parts]));
    if (isRefusal(snapshot)) return snapshot;
    const core = new Core(options);
    try {
      core.ledger.adopt(snapshot);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { code: 'malformed', what: `snapshot: ${error.message}` };
    }
    core.#promises = snapshot.promises;
    return core;
  }

  /** Vertices that the snapshot speaks of and that have not come yet; until they have, nothing else is taken. */
  get awaited(): number {
    return this.ledger.awaited;
  }

  /** No more of the vertices that the snapshot speaks of will come. */
  readBackDone(): void {
    if (this.ledger.reading) this.ledger.readBackDone();
  }

  /** From now on this node votes; it has read back everything that it knows. */
  startVoting(options: ValidatorOptions, deps: ValidatorDeps): void {
    assert(this.#validator === undefined && !this.ledger.reading, 'a node begins to vote once');
    this.#validator = new Validator(this.ledger, this.rounds, options, deps);
    const { validator, list } = this.#promises;
    this.#validator.adopt(validator === options.index ? list : []);
  }

  /** The ledger as it is now, in parts; undefined in the moments in which no quorum has said what the last state is. */
  snapshotParts(): readonly Uint8Array[] | undefined {
    const validator = this.#validator?.index;
    return encodeSnapshot(this.ledger, { validator, list: this.#validator?.promises ?? [] });
  }

  /** It is part of the tangle, or waits for its parents. */
  has(id: VertexId): boolean {
    return this.ledger.tangle.has(id) || this.#waiting.has(id);
  }

  /** Vertices that wait for their parents. */
  get waiting(): number {
    return this.#waiting.size;
  }

  step(event: Event): Effect[] {
    const effects: Effect[] = [];
    if (event.type === 'vertex') this.#vertex(event, effects);
    else this.#tick(event.nowMs, effects);
    return effects;
  }

  /** Reads back a vertex that this node has stored, in the order of storing. Throws when the store does not add up. */
  restore(bytes: Uint8Array): void {
    const vertex = decodeVertex(bytes, this.ledger.genesis.network);
    if (isRefusal(vertex)) throw new Error(`stored vertex: ${JSON.stringify(vertex)}`);
    if (this.ledger.reading && !this.ledger.awaits(vertex.id)) this.readBackDone();
    const refusal = this.#attach(vertex, 'self', 0, []);
    if (refusal !== undefined) throw new Error(`stored vertex ${vertex.id}: ${JSON.stringify(refusal)}`);
  }

  /** When the next tick is due; undefined when only a vertex brings something to do. */
  wakeAtMs(): number | undefined {
    return this.fault === undefined ? this.#validator?.wakeAtMs() : undefined;
  }

  #vertex({ vertex, from, requested, nowMs }: Event & { type: 'vertex' }, effects: Effect[]): void {
    if (this.has(vertex.id)) return;
    if (this.ledger.reading) {
      if (this.ledger.awaits(vertex.id)) this.#attachAll(vertex, from, nowMs, effects);
      else effects.push({ type: 'unneeded', id: vertex.id });
      return;
    }
    const needed = requested || from === 'self' || this.#waiting.needs(vertex.id);
    if (!needed && this.#unneeded(vertex)) {
      effects.push({ type: 'unneeded', id: vertex.id });
      return;
    }
    const missing = this.ledger.missing(vertex);
    const { floor } = this.ledger.tangle;
    if (vertex.kind === 'witness' && vertex.round < floor) {
      const refusal: Refusal = { code: 'stale', round: vertex.round, current: this.rounds.highestQuorum };
      effects.push({ type: 'refused', id: vertex.id, refusal, from });
      return;
    }
    const invalid = this.#invalid.get(vertex.id) ?? this.#invalidParent(missing);
    if (invalid !== undefined) {
      this.#refuse(vertex.id, invalid, from, effects);
      return;
    }
    if (missing.length > 0) {
      this.#wait(vertex, missing, from, nowMs, effects);
      return;
    }
    this.#attachAll(vertex, from, nowMs, effects);
  }

  /**
   * "A node relays a block only when at least half of its payloads are new to it"; and a validator that has shown two faces
   * cannot fill the tangle with more of them, as nobody honest refers to them.
   */
  #unneeded(vertex: Vertex): boolean {
    if (vertex.kind === 'witness') return this.#exposed.has(vertex.validator);
    const { payloads } = vertex;
    const fresh = payloads.filter((payload) => !this.ledger.alive(payload, this.rounds.highestQuorum));
    return 2 * fresh.length < payloads.length;
  }

  #invalidParent(missing: readonly VertexId[]): Refusal | undefined {
    const parent = missing.find((id) => this.#invalid.has(id));
    return parent === undefined ? undefined : { code: 'parent_invalid', parent };
  }

  #wait(vertex: Vertex, missing: readonly VertexId[], from: string, nowMs: number, effects: Effect[]): void {
    if (!this.#waiting.add(vertex, missing, from, nowMs)) {
      const { size, max } = this.#waiting;
      effects.push({
        type: 'refused',
        id: vertex.id,
        refusal: { code: 'queue_full', waiting: size, max },
        from,
      });
      return;
    }
    if (vertex.kind === 'witness') this.#heardRound = Math.max(this.#heardRound, vertex.round);
    effects.push({ type: 'waiting', id: vertex.id });
  }

  /** The vertex, then everything that waited for it. */
  #attachAll(first: Vertex, from: string, nowMs: number, effects: Effect[]): void {
    const ready = [{ vertex: first, from }];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const refusal = this.#forgotten(next.vertex) ?? this.#attach(next.vertex, next.from, nowMs, effects);
      if (refusal === undefined) ready.push(...this.#waiting.arrived(next.vertex.id, nowMs));
      else this.#refuse(next.vertex.id, refusal, next.from, effects);
    }
  }

  /** A parent was known when the vertex began to wait for another, and has been forgotten since. */
  #forgotten(vertex: Vertex): Refusal | undefined {
    if (this.ledger.awaits(vertex.id) || this.ledger.missing(vertex).length === 0) return undefined;
    return { code: 'stale', round: this.ledger.tangle.floor, current: this.rounds.highestQuorum };
  }

  #attach(vertex: Vertex, from: string, nowMs: number, effects: Effect[]): Refusal | undefined {
    const attached = this.ledger.awaits(vertex.id) ? this.#readBack(vertex) : this.ledger.attach(vertex);
    if ('code' in attached) return attached;
    const record = this.ledger.tangle.find(vertex.id);
    assert(record !== undefined, 'what was attached is found');
    if (vertex.kind === 'witness') {
      this.rounds.add(vertex.round, vertex.validator, record.row, nowMs);
      this.#expose(vertex, effects);
    }
    this.#validator?.onAttached(record, attached);
    effects.push({ type: 'attached', vertex, own: from === 'self' });
    this.#tell(attached, effects);
    return undefined;
  }

  #readBack(vertex: Vertex): Attached | Refusal {
    const refusal = this.ledger.readBack(vertex);
    if (refusal !== undefined) return refusal;
    if (this.ledger.awaited === 0) this.readBackDone();
    return { finals: [], commits: [] };
  }

  #tell({ finals, commits, divergence }: Attached, effects: Effect[]): void {
    if (finals.length > 0) effects.push({ type: 'final', payments: finals });
    for (const committed of commits) effects.push({ type: 'committed', ...committed });
    if (divergence !== undefined) effects.push({ type: 'diverges', ...divergence });
    if (this.fault === undefined || this.#faultTold) return;
    this.#faultTold = true;
    effects.push({ type: 'fault', fault: this.fault });
  }

  /** Why this node no longer votes; undefined while all is well. */
  get fault(): Fault | undefined {
    return this.ledger.checkpoints.fault;
  }

  #expose(witness: Witness, effects: Effect[]): void {
    const { validator } = witness;
    if (this.#exposed.has(validator) || !this.ledger.tangle.branches.equivocated(validator)) return;
    this.#exposed.add(validator);
    const twin = this.#twinOf(witness);
    effects.push({
      type: 'equivocation',
      validator,
      ids: twin === undefined ? [witness.id] : [twin, witness.id],
    });
  }

  /** The other witness on top of the same one: together they prove what their validator has done. */
  #twinOf(witness: Witness): VertexId | undefined {
    const { tangle } = this.ledger;
    const self = tangle.row(witness.self);
    for (let row = tangle.size - 1; row >= Math.max(1, tangle.base); row--) {
      const record = tangle.record(row);
      if (record.kind !== 'witness' || record.validator !== witness.validator || record.id === witness.id)
        continue;
      if (tangle.columns.parent(row, 0) === self) return record.id;
    }
    // It has been forgotten since.
    return undefined;
  }

  /** "An invalid vertex makes all its descendants invalid; its sender is penalised." */
  #refuse(id: VertexId, refusal: Refusal, from: string, effects: Effect[]): void {
    effects.push({ type: 'refused', id, refusal, from });
    // A full tangle, or a short memory, says nothing about the vertex.
    if (refusal.code === 'tangle_full' || refusal.code === 'stale') return;
    this.#remember(id, refusal);
    for (const { vertex, from: sender } of this.#waiting.drop(id)) {
      const inherited: Refusal = { code: 'parent_invalid', parent: id };
      this.#remember(vertex.id, inherited);
      effects.push({ type: 'refused', id: vertex.id, refusal: inherited, from: sender });
    }
  }

  #remember(id: VertexId, refusal: Refusal): void {
    if (this.#invalid.size >= INVALID_MAX)
      this.#invalid.delete(this.#invalid.keys().next().value as VertexId);
    this.#invalid.set(id, refusal);
  }

  /** A vertex whose parents did not come: somebody's fault only when this node is not itself behind. */
  #inVain(): Refusal {
    const current = this.rounds.highestQuorum;
    if (this.#heardRound > current + 2) return { code: 'stale', round: this.#heardRound, current };
    return { code: 'budget_spent', what: 'vertices without parents', retryAfterMs: 0 };
  }

  #tick(nowMs: number, effects: Effect[]): void {
    for (const { vertex, from } of this.#waiting.expired(nowMs)) {
      const refusal = this.#inVain();
      effects.push({ type: 'refused', id: vertex.id, refusal, from });
    }
    const wants = this.#waiting.wants(nowMs, WANTS_MAX);
    if (wants.length > 0) effects.push({ type: 'wanted', wants });
    const mayVote = !this.#full && this.fault === undefined;
    const bytes = mayVote ? this.#validator?.propose(nowMs) : undefined;
    if (bytes === undefined) return;
    const witness = decodeVertex(bytes, this.ledger.genesis.network);
    assert(!isRefusal(witness), 'own witnesses decode');
    const refusal = this.#attach(witness, 'self', nowMs, effects);
    if (refusal?.code === 'tangle_full') {
      this.#full = true;
      effects.push({ type: 'refused', id: witness.id, refusal, from: 'self' });
      return;
    }
    assert(refusal === undefined, `own witnesses are valid: ${JSON.stringify(refusal)}`);
    for (const { vertex, from } of this.#waiting.arrived(witness.id, nowMs))
      this.#attachAll(vertex, from, nowMs, effects);
  }
}
