/** Who has a witness in which round, and since when a quorum has: what the advance rule asks. */
import type { Committee } from './committee.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';
import type { Round, ValidatorIndex } from './types.ts';

interface RoundState {
  /** Row of each author's first witness of this round. */
  readonly rows: Map<ValidatorIndex, number>;
  weight: number;
  quorumAtMs: number | undefined;
}

export class Rounds {
  readonly #committee: Committee;
  readonly #rounds = new Map<Round, RoundState>();
  /** The greatest round in which weight >= q has witnesses; the genesis counts for everybody. */
  highestQuorum: Round = 0;
  /** Latest round of each validator. */
  readonly latest: Round[];

  constructor(committee: Committee) {
    this.#committee = committee;
    this.latest = committee.members.map(() => 0);
  }

  add(round: Round, author: ValidatorIndex, row: number, nowMs: number): void {
    let state = this.#rounds.get(round);
    if (state === undefined) {
      state = { rows: new Map(), weight: 0, quorumAtMs: undefined };
      this.#rounds.set(round, state);
    }
    if (state.rows.has(author)) return;
    state.rows.set(author, row);
    state.weight += this.#committee.weightOf(author);
    this.latest[author] = Math.max(this.latest[author]!, round);
    if (state.weight < this.#committee.quorum || state.quorumAtMs !== undefined) return;
    state.quorumAtMs = nowMs;
    if (round > this.highestQuorum) {
      this.highestQuorum = round;
      this.#rounds.delete(round - 2 * DEPTH_ROUNDS_MAX);
    }
  }

  /** Row of each author's first witness of the round. */
  rows(round: Round): ReadonlyMap<ValidatorIndex, number> {
    return this.#rounds.get(round)?.rows ?? new Map();
  }

  /** When weight >= q was first seen in the round; undefined before. */
  quorumAtMs(round: Round): number | undefined {
    return this.#rounds.get(round)?.quorumAtMs;
  }

  /** Every validator has a witness in the round. */
  complete(round: Round): boolean {
    return this.rows(round).size === this.#committee.size;
  }
}
