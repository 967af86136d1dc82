/**
 * The part of a node that votes: when to make the next witness (docs/protocol.md, section 5), what it refers to, what it says.
 * It decides from nothing but the past of that witness.
 */
import { Acceptance, type Decision } from './acceptance.ts';
import type { PaymentRecord } from './account.ts';
import { assert } from './assert.ts';
import type { Branch, Chain } from './branches.ts';
import { Freezing } from './freezing.ts';
import type { Attached, Ledger } from './ledger.ts';
import { DEPTH_ROUNDS_MAX, WITNESS_REFERENCES_MAX, WITNESS_TIPS_MAX } from './limits.ts';
import type { Rounds } from './rounds.ts';
import { NewPast, type VertexRecord } from './tangle.ts';
import type { PaymentId, Round, Slot, ValidatorIndex, VertexId } from './types.ts';
import { type Coverage, DEFERS_ALL } from './votes.ts';
import { encodeWitness } from './witness.ts';

/** Rounds stand still when none has come for so many idle beats. */
const STANDSTILL_BEATS = 4;

export interface ValidatorOptions {
  readonly index: ValidatorIndex;
  /** Least time between two witnesses of one's own while payments are pending. */
  readonly roundFloorMs: number;
  /** How long to wait for the rest of the committee once q is in a round. */
  readonly roundLingerMs: number;
  /** Time between witnesses while nothing is pending. */
  readonly idleBeatMs: number;
  /** No own witness below this round: the key may have signed there before, with a database that is lost. */
  readonly notBeforeRound?: Round;
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
  readonly #freezing: Freezing;
  /** Rows that are not in the past of the own chain. */
  readonly #uncovered = new Set<number>();
  /** When the last commit reaches this round, what has lapsed is dropped. */
  #forgetAt: Round = 0;
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
    const { accounts, votes, epochRounds } = ledger;
    this.#acceptance = new Acceptance(ledger.genesis, accounts, votes);
    this.#freezing = new Freezing({ accounts, votes, epochRounds });
  }

  /** The last round of one's own. */
  get round(): Round {
    return this.#branch.tipRound;
  }

  /** What it has promised in open slots: part of a snapshot. */
  get promises(): readonly (readonly [Slot, PaymentId])[] {
    return this.#acceptance.promises;
  }

  get index(): ValidatorIndex {
    return this.#options.index;
  }

  /** Begins with a ledger that holds more than the genesis. */
  adopt(promises: Iterable<readonly [Slot, PaymentId]>): void {
    const { tangle, votes } = this.#ledger;
    const chain = { of: this.#branch, round: this.#branch.tipRound };
    for (let row = Math.max(1, tangle.base); row < tangle.size; row++) {
      const record = tangle.record(row);
      if (record.kind === 'witness' && record.branch === this.#branch) {
        this.#acceptance.onOwn(record.accepted, record.deferred);
        this.#freezing.onOwn(record, { of: this.#branch, round: record.round });
        this.#lastTimeMs = record.timeMs;
      } else if (!tangle.inPast(chain, row)) {
        this.#uncovered.add(row);
        if (this.#isNews(record)) this.#news = true;
      }
    }
    const tip = this.#branch.tipRow === 0 ? undefined : tangle.record(this.#branch.tipRow);
    const { commit = 0, clock } = tip?.kind === 'witness' ? tip : {};
    const own = clock === undefined ? undefined : { clock, commit, horizon: votes.horizonAfter(commit) };
    this.#acceptance.adopt(own, promises);
  }

  /** Bookkeeping for a vertex that has been attached, and for what became final by it. */
  onAttached(record: VertexRecord, { finals, commits }: Attached): void {
    for (const payment of finals) this.#acceptance.onFinal(payment);
    if (record.kind === 'witness' && record.branch === this.#branch) {
      this.#onOwn(record.row);
    } else {
      this.#uncovered.add(record.row);
      if (this.#isNews(record)) this.#news = true;
    }
    for (const { commit, dead } of commits) this.#onCommit(commit.decided, dead);
  }

  #onCommit(decided: readonly PaymentRecord[], dead: readonly PaymentRecord[]): void {
    this.#acceptance.onSettled(decided, dead);
    this.#freezing.onSettled([...decided, ...dead].map(({ previous }) => previous));
    const { lastCommit, epochRounds, forgetStep } = this.#ledger;
    if (lastCommit.round < this.#forgetAt) return;
    this.#forgetAt = lastCommit.round + forgetStep;
    const chain = { of: this.#branch, round: this.#branch.tipRound };
    this.#acceptance.forget(chain, lastCommit.round - epochRounds);
    this.#freezing.forget(lastCommit.round - epochRounds);
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
    this.#decided = undefined;
    this.#acceptance.onOwn(record.accepted, record.deferred);
    this.#freezing.onOwn(record, chain);
  }

  /** The clock of the next look: when a witness may be due, undefined when only a vertex can make it so. */
  wakeAtMs(): number | undefined {
    const round = this.#branch.tipRound;
    if (this.#rounds.highestQuorum > round) return this.#lastAtMs + this.#options.roundFloorMs;
    const quorumAtMs = round === 0 ? 0 : this.#rounds.quorumAtMs(round);
    if (quorumAtMs === undefined) return undefined;
    const wait = this.#busy ? this.#options.roundFloorMs : this.#options.idleBeatMs;
    const ready = this.#ledger.commitRule.ready(round) || this.#rounds.complete(round);
    return Math.max(this.#lastAtMs + wait, quorumAtMs + (ready ? 0 : this.#options.roundLingerMs));
  }

  /** Something is under way that more rounds bring to its end. */
  get #busy(): boolean {
    const { accounts } = this.#ledger;
    return (
      this.#news || this.#acceptance.pending || this.#freezing.pending || accounts.finals > accounts.decided
    );
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
    if (round < (this.#options.notBeforeRound ?? 0)) return undefined;
    const bytes = this.#unheard(nowMs) ? undefined : this.#make(round, nowMs);
    // Without a quorum to refer to there is nothing to do before the next vertex comes.
    this.#lastAtMs = nowMs;
    return bytes;
  }

  #make(round: Round, nowMs: number): Uint8Array | undefined {
    const ledger = this.#ledger;
    const found = this.#place(round);
    if (found === undefined) return undefined;
    const { witnesses, tips, coverage, selfRow } = found;
    const decision = this.#acceptance.decide(coverage);
    const defers = decision.defers === 'all' ? [DEFERS_ALL] : decision.defers.map(({ id }) => id);
    const accepts = decision.accepts.map(({ id }) => id);
    const bare = ledger.votes.vote(coverage, { defers, accepts, freezes: [] });
    assert(!('code' in bare), 'own votes have ground');
    // A slot in which something is certified now is not frozen, so freezes take nothing from this list.
    const certified = ledger.votes.certify(coverage, bare);
    const freezes = this.#freezing.decide(coverage, bare, certified);
    const checkpoint = ledger.checkpoints.at(coverage.commit);
    assert(checkpoint !== undefined, 'the last commit in the past is remembered');
    this.#decided = { round, decision };
    return encodeWitness(
      ledger.genesis.network,
      {
        validator: this.#options.index,
        round,
        timeMs: Math.max(nowMs, this.#lastTimeMs),
        self: ledger.tangle.record(selfRow).id,
        certifiedCount: certified.length,
        certifiedRoot: ledger.certificates(certified).root,
        checkpoint,
      },
      { witnesses, tips, defers, accepts, freezes },
      this.#deps.sign,
    );
  }

  /**
   * Where the next witness stands and what it sees: on the own chain, or, when all that this has said has lapsed, on the
   * genesis anew.
   */
  #place(round: Round): (References & { readonly coverage: Coverage; readonly selfRow: number }) | undefined {
    const { votes, rules } = this.#ledger;
    const { tipRow, tipRound } = this.#branch;
    for (const chain of [
      { of: this.#branch, round: tipRound },
      { of: this.#branch, round: 0 },
    ]) {
      const selfRow = chain.round === 0 ? 0 : tipRow;
      const references = this.#references(chain, round);
      if (references === undefined) return undefined;
      const coverage = votes.coverage(chain, selfRow, round, references.past);
      if (chain.round !== 0 && tipRound < coverage.horizon) continue;
      // There is no quorum yet that one could refer to; younger witnesses will make one.
      if (rules.tooOldIn(references.past, coverage) !== undefined) return undefined;
      return { ...references, coverage, selfRow };
    }
    return undefined;
  }

  /**
   * Commits have gone on for E/4 rounds without a witness of this validator: it hears, and is not heard. More of them would
   * make a tail that is too old for anybody once they come through. It begins anew when what it said last has surely lapsed.
   * When rounds do not move on, they may be waiting for just this validator.
   */
  #unheard(nowMs: number): boolean {
    const movedAtMs = this.#rounds.quorumAtMs(this.#rounds.highestQuorum) ?? 0;
    if (nowMs - movedAtMs > STANDSTILL_BEATS * this.#options.idleBeatMs) return false;
    const { tangle, lastCommit, epochRounds } = this.#ledger;
    const chain = { of: this.#branch, round: this.#branch.tipRound };
    const before = lastCommit.round - epochRounds / 4;
    const last = tangle.witnessesOf(chain, lastCommit.round - 1.25 * epochRounds, before).at(-1);
    return last !== undefined && !tangle.committedBy(last, lastCommit.index);
  }

  /** Undefined when weight >= q of the round before cannot be referred to. */
  #references(chain: Chain, round: Round): References | undefined {
    const { tangle, committee } = this.#ledger;
    const past = new NewPast(tangle, chain);
    const witnesses: VertexId[] = [];
    const tips: VertexId[] = [];
    const young = (row: number): boolean => this.#isYoung(row, round);
    const before = new Set<ValidatorIndex>(chain.round === round - 1 ? [chain.of.author] : []);
    const candidates = [...this.#ofRoundBefore(round)].filter(([author]) => !before.has(author));
    // A quorum there must be, whatever it brings.
    const needed = (): boolean => committee.weight(before) < committee.quorum;
    for (const [willDo, wanted] of [
      [young, () => true],
      [() => true, needed],
    ] as const) {
      for (const [author, row] of candidates) {
        if (before.has(author) || !wanted() || !past.tryAdd(row, willDo)) continue;
        before.add(author);
        witnesses.push(tangle.record(row).id);
      }
    }
    if (round > 1 && committee.weight(before) < committee.quorum) return undefined;
    const newestFirst = [...this.#uncovered].reverse();
    for (const row of newestFirst) {
      const record = tangle.record(row);
      if (record?.kind !== 'witness' || record.round >= round || past.has(row)) continue;
      if (!this.#mayRefer(record.validator) || round - record.round > DEPTH_ROUNDS_MAX) continue;
      if (witnesses.length >= WITNESS_REFERENCES_MAX) break;
      if (past.tryAdd(row, young)) witnesses.push(record.id);
    }
    for (const row of newestFirst) {
      const record = tangle.record(row);
      const age = round - tangle.round(row);
      if (record?.kind !== 'block' || past.has(row) || age < 0 || age > DEPTH_ROUNDS_MAX) continue;
      if (tips.length >= WITNESS_TIPS_MAX) break;
      if (past.tryAdd(row, young)) tips.push(record.id);
    }
    return { witnesses, tips, past };
  }

  /** Witnesses of the round before, one of each other validator that may be referred to. */
  #ofRoundBefore(round: Round): Map<ValidatorIndex, number> {
    const { tangle } = this.#ledger;
    const found = new Map<ValidatorIndex, number>();
    for (const [author, row] of this.#rounds.rows(round - 1))
      if (this.#mayRefer(author)) found.set(author, row);
    // What a witness of this round by somebody honest refers to is not new, though its author has been found out since.
    for (const [author, row] of this.#rounds.rows(round)) {
      if (!this.#mayRefer(author)) continue;
      for (const parent of tangle.parents(row)) {
        const record = tangle.record(parent);
        if (record.kind !== 'witness' || record.round !== round - 1 || found.has(record.validator)) continue;
        if (record.validator !== this.#options.index) found.set(record.validator, parent);
      }
    }
    return found;
  }

  /**
   * A correct validator "brings nothing newly into its past that is older than E/2 rounds, unless a commit has it": what one
   * of them has taken, the others can take too, long before it is too old for all.
   */
  #isYoung(row: number, round: Round): boolean {
    const { tangle, epochRounds, lastCommit } = this.#ledger;
    return tangle.round(row) >= round - epochRounds / 2 || tangle.committedBy(row, lastCommit.index);
  }

  /** "Correct nodes refer to no new witness of an equivocator directly." */
  #mayRefer(author: ValidatorIndex): boolean {
    return author !== this.#options.index && !this.#ledger.tangle.branches.equivocated(author);
  }
}
