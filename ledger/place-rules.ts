/**
 * What makes a vertex invalid whatever it says about payments (docs/protocol.md, section 4.2): its place among its parents. All
 * of it follows from the vertex' past alone.
 */
import type { Chain } from './branches.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Committee } from './committee.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { NewPast, Tangle } from './tangle.ts';
import type { Round, Witness } from './types.ts';
import type { Coverage } from './votes.ts';

export interface PlaceRulesDeps {
  readonly tangle: Tangle;
  readonly committee: Committee;
  readonly checkpoints: Checkpoints;
  /** E. */
  readonly epochRounds: number;
}

export class PlaceRules {
  readonly #deps: PlaceRulesDeps;

  constructor(deps: PlaceRulesDeps) {
    this.#deps = deps;
  }

  /** "A parent is at most D = 64 rounds older than its child." */
  tooDeep(round: Round, parents: readonly number[]): Refusal | undefined {
    for (const row of parents) {
      const rounds = round - this.#deps.tangle.round(row);
      if (rounds > DEPTH_ROUNDS_MAX) {
        return { code: 'too_deep', parent: this.#deps.tangle.record(row).id, rounds, max: DEPTH_ROUNDS_MAX };
      }
    }
    return undefined;
  }

  /** The chain that a witness says it continues; "self-parent is a validity rule". */
  chainOf(witness: Pick<Witness, 'validator' | 'self'>): Chain | undefined {
    const self = this.#deps.tangle.find(witness.self);
    if (self?.kind === 'genesis') return { of: this.#deps.tangle.branches.main(witness.validator), round: 0 };
    if (self?.kind !== 'witness' || self.validator !== witness.validator) return undefined;
    return { of: self.branch, round: self.round };
  }

  /** Order, parents and depth of a witness: what can be told before its past is looked at. */
  check(witness: Witness, selfRow: number, others: readonly number[]): Refusal | undefined {
    return this.#checkOrder(witness, selfRow) ?? this.#checkParents(witness, selfRow, others);
  }

  /** What the past of a witness says against it. */
  checkPast(witness: Witness, selfRow: number, coverage: Coverage, past: NewPast): Refusal | undefined {
    const { tangle, checkpoints } = this.#deps;
    if (Math.max(0, coverage.horizon) < tangle.floor) {
      // What still counts for this witness is forgotten here: nothing can be said about it, for or against.
      return { code: 'stale', round: witness.round, current: checkpoints.last.round };
    }
    return this.#tooOld(witness, selfRow, coverage, past) ?? this.#checkpoint(witness, coverage);
  }

  #checkOrder(witness: Witness, selfRow: number): Refusal | undefined {
    const self = this.#deps.tangle.record(selfRow);
    const selfRound = this.#deps.tangle.round(selfRow);
    if (witness.round <= selfRound)
      return { code: 'round_order', round: witness.round, parentRound: selfRound };
    if (self.kind === 'witness' && witness.timeMs < self.timeMs) {
      return { code: 'time_order', timeMs: witness.timeMs, selfTimeMs: self.timeMs };
    }
    return undefined;
  }

  /** Witnesses of others and of lower rounds, weight >= q in the round before; blocks not ahead of the witness; depth. */
  #checkParents(witness: Witness, selfRow: number, others: readonly number[]): Refusal | undefined {
    const before = new Set<number>();
    const { round, validator } = witness;
    if (this.#deps.tangle.round(selfRow) === round - 1) before.add(validator);
    for (const [i, row] of others.entries()) {
      const parent = this.#deps.tangle.record(row);
      const parentRound = this.#deps.tangle.round(row);
      if (i < witness.witnesses.length) {
        if (parent.kind !== 'witness' || parent.validator === validator)
          return { code: 'parent_kind', parent: parent.id };
        if (parentRound >= round) return { code: 'round_order', round, parentRound };
        if (parentRound === round - 1) before.add(parent.validator);
      } else {
        if (parent.kind !== 'block') return { code: 'parent_kind', parent: parent.id };
        if (parentRound > round) return { code: 'round_order', round, parentRound };
      }
    }
    const weight = round === 1 ? this.#deps.committee.total : this.#deps.committee.weight(before);
    const required = this.#deps.committee.quorum;
    if (weight < required) return { code: 'quorum_missing', weight, required };
    return this.tooDeep(round, others);
  }

  /**
   * "What w brings newly into its past is not older than horizon(w) - E, unless it is in past(C(w)). `self` is not older than
   * horizon(w), or it is the genesis." Whoever has committed C(w) and not E/2 rounds more lacks nothing of past(w).
   */
  #tooOld(
    witness: Witness,
    selfRow: number,
    { horizon, commit }: Coverage,
    past: NewPast,
  ): Refusal | undefined {
    const { tangle } = this.#deps;
    if (selfRow !== 0 && tangle.round(selfRow) < horizon) {
      return { code: 'past_too_old', vertex: witness.self, round: tangle.round(selfRow), horizon };
    }
    const row = this.tooOldIn(past, { horizon, commit });
    if (row === undefined) return undefined;
    return { code: 'past_too_old', vertex: tangle.record(row).id, round: tangle.round(row), horizon };
  }

  /** Something new in the past that is older than the horizon by E, and that no commit up to `commit` has. */
  tooOldIn(past: NewPast, { horizon, commit }: Pick<Coverage, 'horizon' | 'commit'>): number | undefined {
    const { tangle, epochRounds } = this.#deps;
    for (const row of past.rows) {
      if (tangle.round(row) < horizon - epochRounds && !tangle.committedBy(row, commit)) return row;
    }
    return undefined;
  }

  /** "Round and leader of C(w); anything else is invalid." The root after it is no matter of validity: see Checkpoints.compare. */
  #checkpoint({ checkpoint }: Witness, { commit }: Coverage): Refusal | undefined {
    const last = this.#deps.checkpoints.at(commit);
    const { round, leader } = checkpoint;
    if (last === undefined || (last.round === round && last.leader === leader)) return undefined;
    return { code: 'checkpoint_wrong', round };
  }
}
