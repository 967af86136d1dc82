/**
 * The part of a node that votes: when to make the next witness (docs/protocol.md, section 5), what it refers to, what it says.
 * It decides from nothing but the past of that witness.
 */
import { Acceptance, type Decision, VOTES_PER_LIST_MAX } from './acceptance.ts';
import type { PaymentRecord } from './accounts.ts';
import { assert } from './assert.ts';
import type { Branch, Chain } from './branches.ts';
import type { Ledger } from './ledger.ts';
import { DEPTH_ROUNDS_MAX, WITNESS_REFERENCES_MAX, WITNESS_TIPS_MAX } from './limits.ts';
import type { Rounds } from './rounds.ts';
import { NewPast, type VertexRecord } from './tangle.ts';
import type { Round, ValidatorIndex, VertexId } from './types.ts';
import { encodeWitness } from './witness.ts';

export interface ValidatorOptions {
  readonly index: ValidatorIndex;
  /** Least time between two witnesses of one's own while payments are pending. */
  readonly roundFloorMs: number;
  /** How long to wait for the rest of the committee once q is in a round. */
  readonly roundLingerMs: number;
  /** Time between witnesses while nothing is pending. */
  readonly idleBeatMs: number;
}

export interface ValidatorDeps {
  /** Signs a header with the validator's key: 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Parents of a witness to come. */
interface References {
  readonly witnesses: VertexId[];
  readonly tips: VertexId[];
  readonly past: NewPast;
}

export class Validator {
  readonly #ledger: Ledger;
  readonly #rounds: Rounds;
  readonly #options: ValidatorOptions;
  readonly #deps: ValidatorDeps;
  readonly #branch: Branch;
  readonly #acceptance: Acceptance;
  /** Rows that are not in the past of the own chain. */
  readonly #uncovered = new Set<number>();
  #lastAtMs = 0;
  #lastTimeMs = 0;
  /** The next witness would cover, accept or certify something. */
  #news = false;
  #decided: { readonly round: Round; readonly decision: Decision } | undefined;

  constructor(ledger: Ledger, rounds: Rounds, options: ValidatorOptions, deps: ValidatorDeps) {
    this.#ledger = ledger;
    this.#rounds = rounds;
    this.#options = options;
    this.#deps = deps;
    this.#branch = ledger.tangle.branches.main(options.index);
    this.#acceptance = new Acceptance(ledger.genesis, ledger.accounts, ledger.votes);
  }

  /** The last round of one's own. */
  get round(): Round {
    return this.#branch.tipRound;
  }

  /** Bookkeeping for a vertex that has been attached, and for what became final by it. */
  onAttached(record: VertexRecord, finals: readonly PaymentRecord[]): void {
    for (const payment of finals) this.#acceptance.onFinal(payment);
    if (record.kind === 'witness' && record.branch === this.#branch) {
      this.#onOwn(record.row);
      return;
    }
    this.#uncovered.add(record.row);
    if (this.#isNews(record)) this.#news = true;
  }

  /** Payments or votes that the next own witness can cover; those of an equivocator it must not refer to. */
  #isNews(record: VertexRecord): boolean {
    if (record.kind === 'block') return record.payments.length > 0;
    return record.kind === 'witness' && record.accepted.length > 0 && this.#mayRefer(record.validator);
  }

  #onOwn(row: number): void {
    const { tangle } = this.#ledger;
    const record = tangle.record(row);
    assert(record.kind === 'witness', 'own vertices are witnesses');
    const chain = { of: this.#branch, round: record.round };
    this.#news = record.accepted.length > 0;
    for (const uncovered of this.#uncovered) {
      const stale = record.round - tangle.round(uncovered) > DEPTH_ROUNDS_MAX;
      if (stale || tangle.inPast(chain, uncovered)) this.#uncovered.delete(uncovered);
      // A vote of this own witness's round could not be covered by it: waiting for a beat would hold up its payments.
      else if (this.#isNews(tangle.record(uncovered))) this.#news = true;
    }
    this.#lastTimeMs = record.timeMs;
    if (this.#decided?.round === record.round) this.#acceptance.commit(this.#decided.decision);
    else this.#restored(record.accepted, record.deferred);
    this.#decided = undefined;
  }

  /** An own witness that was read from the store, not made just now. */
  #restored(accepted: readonly PaymentRecord[], deferred: readonly PaymentRecord[]): void {
    for (const payment of accepted) this.#acceptance.accept(payment);
    for (const payment of deferred) this.#acceptance.defer(payment);
  }

  /** The clock of the next look: when a witness may be due, undefined when only a vertex can make it so. */
  wakeAtMs(): number | undefined {
    const round = this.#branch.tipRound;
    if (this.#rounds.highestQuorum > round) return this.#lastAtMs + this.#options.roundFloorMs;
    const quorumAtMs = round === 0 ? 0 : this.#rounds.quorumAtMs(round);
    if (quorumAtMs === undefined) return undefined;
    const wait =
      this.#news || this.#acceptance.pending ? this.#options.roundFloorMs : this.#options.idleBeatMs;
    const lingerMs = this.#rounds.complete(round) ? 0 : this.#options.roundLingerMs;
    return Math.max(this.#lastAtMs + wait, quorumAtMs + lingerMs);
  }

  /**
   * "Never skip a round of one's own, save a jump to round r when q of weight is already at r, and then still extending
   * one's own chain."
   */
  #nextRound(): Round {
    return Math.max(this.#branch.tipRound + 1, this.#rounds.highestQuorum);
  }

  /** The next witness, signed, when it is due. It counts only when it has been attached like any other. */
  propose(nowMs: number): Uint8Array | undefined {
    const dueMs = this.wakeAtMs();
    if (dueMs === undefined || nowMs < dueMs) return undefined;
    const round = this.#nextRound();
    for (let tipsMax = WITNESS_TIPS_MAX; ; tipsMax = Math.floor(tipsMax / 4)) {
      const bytes = this.#make(round, nowMs, tipsMax);
      if (bytes !== 'too many defers') {
        // Without a quorum to refer to there is nothing to do before the next vertex comes.
        this.#lastAtMs = nowMs;
        return bytes;
      }
      // Not even without blocks of one's own choice: wait for others to move on.
      if (tipsMax === 0) return undefined;
    }
  }

  #make(round: Round, nowMs: number, tipsMax: number): Uint8Array | undefined | 'too many defers' {
    const ledger = this.#ledger;
    const chain: Chain = { of: this.#branch, round: this.#branch.tipRound };
    const references = this.#references(chain, round, tipsMax);
    if (references === undefined) return undefined;
    const { witnesses, tips, past } = references;
    const coverage = ledger.votes.coverage(chain, this.#branch.tipRow, round, past);
    const decision = this.#acceptance.decide(coverage);
    if (decision.defers.length > VOTES_PER_LIST_MAX) return 'too many defers';
    const defers = decision.defers.map(({ id }) => id);
    const accepts = decision.accepts.map(({ id }) => id);
    const vote = ledger.votes.vote(coverage, defers, accepts);
    assert(!('code' in vote), 'own votes have ground');
    const certified = ledger.votes.certify(coverage, vote, []);
    this.#decided = { round, decision };
    return encodeWitness(
      ledger.genesis.network,
      {
        validator: this.#options.index,
        round,
        timeMs: Math.max(nowMs, this.#lastTimeMs),
        self: ledger.tangle.record(this.#branch.tipRow).id,
        certifiedCount: certified.length,
        certifiedRoot: ledger.certifiedRoot(certified),
        checkpoint: ledger.genesis.checkpoint,
      },
      { witnesses, tips, defers, accepts, freezes: [] },
      this.#deps.sign,
    );
  }

  /** Undefined when weight >= q of the round before cannot be referred to. */
  #references(chain: Chain, round: Round, tipsMax: number): References | undefined {
    const { tangle, committee } = this.#ledger;
    const past = new NewPast(tangle, chain);
    const witnesses: VertexId[] = [];
    const tips: VertexId[] = [];
    const before = new Set<ValidatorIndex>(chain.round === round - 1 ? [chain.of.author] : []);
    for (const [author, row] of this.#rounds.rows(round - 1)) {
      if (!this.#mayRefer(author)) continue;
      before.add(author);
      witnesses.push(tangle.record(row).id);
      past.add(row);
    }
    // What a witness of this round by somebody honest refers to is not new, though its author has been found out since.
    for (const [author, row] of this.#rounds.rows(round)) {
      if (!this.#mayRefer(author)) continue;
      for (const parent of tangle.parents(row)) {
        const record = tangle.record(parent);
        if (record.kind !== 'witness' || record.round !== round - 1 || before.has(record.validator)) continue;
        if (record.validator === this.#options.index) continue;
        before.add(record.validator);
        witnesses.push(record.id);
        past.add(parent);
      }
    }
    if (round > 1 && committee.weight(before) < committee.quorum) return undefined;
    const newestFirst = [...this.#uncovered].reverse();
    for (const row of newestFirst) {
      const record = tangle.record(row);
      if (record.kind !== 'witness' || record.round >= round || past.has(row)) continue;
      if (!this.#mayRefer(record.validator) || round - record.round > DEPTH_ROUNDS_MAX) continue;
      if (witnesses.length >= WITNESS_REFERENCES_MAX) break;
      witnesses.push(record.id);
      past.add(row);
    }
    for (const row of newestFirst) {
      const record = tangle.record(row);
      const age = round - tangle.round(row);
      if (record.kind !== 'block' || past.has(row) || age < 0 || age > DEPTH_ROUNDS_MAX) continue;
      if (tips.length >= tipsMax) break;
      tips.push(record.id);
      past.add(row);
    }
    return { witnesses, tips, past };
  }

  /** "Correct nodes refer to no new witness of an equivocator directly." */
  #mayRefer(author: ValidatorIndex): boolean {
    return author !== this.#options.index && !this.#ledger.tangle.branches.equivocated(author);
  }
}
