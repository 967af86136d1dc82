/**
 * Which leaders are committed, in which order (docs/protocol.md, section 7.1): waves of three rounds, a leader witness in the
 * first, support for it in the second, ratification in the third. Everything follows from pasts alone, so nodes may hear of
 * vertices in any order and their committed sequences are prefixes of one another.
 */
import type { Branch, Clock } from './branches.ts';
import type { Committee } from './committee.ts';
import { WAVE_ROUNDS } from './limits.ts';
import type { WitnessRecord } from './tangle.ts';
import type { Round, ValidatorIndex } from './types.ts';

/** A witness of a leader round by the leader of that round. An equivocating leader can have several. */
export interface Leader {
  readonly witness: WitnessRecord;
  readonly round: Round;
  /** The leader before it, if this one is committed; undefined for the genesis. */
  readonly previous: Leader | undefined;
  /** Branches with a witness of the next round that supports it. */
  readonly supporters: Branch[];
  /** Branches with a witness of the round after that ratifies it. */
  readonly ratifiers: Branch[];
  /** Its number in the committed sequence, from 1; undefined while it is not committed. */
  index: number | undefined;
}

/** What came of a leader round: `commit`, `skip` (a later one was committed without it), or not yet known. */
export type Outcome = 'commit' | 'skip' | 'undecided';

/** "leader(r) = validator number (r / 3 - 1) mod n", for r = 3, 6, 9, ... */
export function leaderOf(round: Round, committee: Committee): ValidatorIndex {
  return (round / WAVE_ROUNDS - 1) % committee.size;
}

export class CommitRule {
  readonly #committee: Committee;
  readonly #leaders = new Map<Round, Leader[]>();
  /** The committed sequence from number `#first` on. */
  readonly #sequence: Leader[] = [];
  #first = 1;
  /** Leader rounds up to this one are forgotten. */
  #floor: Round = 0;

  constructor(committee: Committee) {
    this.#committee = committee;
  }

  /** The last committed leader; undefined while only the genesis is. */
  get last(): Leader | undefined {
    return this.#sequence.at(-1);
  }

  get lastIndex(): number {
    return this.#first + this.#sequence.length - 1;
  }

  /** A committed leader by its number; undefined for the genesis and for what is forgotten. */
  at(index: number): Leader | undefined {
    return this.#sequence[index - this.#first];
  }

  /** The sequence goes on after commit `index` of `round`, which this node has not seen being made. */
  startAfter(index: number, round: Round): void {
    this.#first = index + 1;
    this.#floor = round;
  }

  outcome(round: Round): Outcome {
    if (this.#leaders.get(round)?.some(({ index }) => index !== undefined)) return 'commit';
    const last = this.last?.round ?? this.#floor;
    return round < last ? 'skip' : 'undecided';
  }

  /**
   * Takes note of a witness that has been attached. `witness.clock` reaches to the witness itself.
   * @returns leaders that are committed by it, oldest first; 'conflict' when they do not continue the sequence, which takes
   *   Byzantine weight of W/3 or more.
   */
  add(witness: WitnessRecord): readonly Leader[] | 'conflict' {
    const place = witness.round % WAVE_ROUNDS;
    if (place === 0) this.#addLeader(witness);
    else if (place === 1) this.#addSupport(witness);
    else return this.#addRatification(witness);
    return [];
  }

  #addLeader(witness: WitnessRecord): void {
    const { round } = witness;
    if (witness.validator !== leaderOf(round, this.#committee) || round <= this.#floor) return;
    const leader: Leader = {
      witness,
      round,
      previous: this.#previous(witness),
      supporters: [],
      ratifiers: [],
      index: undefined,
    };
    const others = this.#leaders.get(round);
    if (others === undefined) this.#leaders.set(round, [leader]);
    else others.push(leader);
  }

  /** "The leader witness of the greatest round below round(L) for which some ratifier lies in past(L)." */
  #previous({ round, clock }: WitnessRecord): Leader | undefined {
    for (let before = round - WAVE_ROUNDS; before > this.#floor; before -= WAVE_ROUNDS) {
      const found = this.#leaders
        .get(before)
        ?.find(({ ratifiers }) => ratifiers.some((branch) => clock.get(branch) >= before + 2));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** "L is in past(u), and no other witness of L's author of round r is." */
  #addSupport({ round, clock, branch }: WitnessRecord): void {
    const seen = this.#leaders.get(round - 1)?.filter((leader) => this.#reaches(clock, leader));
    if (seen?.length === 1) seen[0]!.supporters.push(branch);
  }

  #reaches(clock: Clock, { witness, round }: Leader): boolean {
    return clock.get(witness.branch) >= round;
  }

  /** "Authors of weight >= q have witnesses that support L in past(z)." */
  #addRatification({ round, clock, branch }: WitnessRecord): readonly Leader[] | 'conflict' {
    const of = round - 2;
    for (const leader of this.#leaders.get(of) ?? []) {
      if (this.#weight(leader.supporters, (one) => clock.get(one) >= of + 1) < this.#committee.quorum)
        continue;
      leader.ratifiers.push(branch);
      if (leader.index !== undefined) continue;
      if (this.#weight(leader.ratifiers, () => true) >= this.#committee.quorum) return this.#commit(leader);
    }
    return [];
  }

  /** Weight of the distinct authors of those branches. */
  #weight(branches: readonly Branch[], counts: (branch: Branch) => boolean): number {
    let weight = 0;
    for (const [i, branch] of branches.entries()) {
      if (!counts(branch)) continue;
      const before = branches.findIndex((other) => other.author === branch.author && counts(other));
      if (before === i) weight += this.#committee.weightOf(branch.author);
    }
    return weight;
  }

  /** "Then walk back, wave by wave, to the last committed leader. Output them oldest first." */
  #commit(leader: Leader): readonly Leader[] | 'conflict' {
    const fresh: Leader[] = [];
    const last = this.last;
    let at: Leader | undefined = leader;
    while (at !== undefined && at !== last) {
      fresh.unshift(at);
      at = at.previous;
    }
    if (at !== last || fresh[0]!.round <= (last?.round ?? this.#floor)) return 'conflict';
    for (const each of fresh) {
      this.#sequence.push(each);
      each.index = this.lastIndex;
    }
    return fresh;
  }

  /**
   * "The leader witness of the greatest round that is directly committed in past(w) without w itself": its number, 0 for the
   * genesis. What lies below the sequence that is kept counts as the commit before it.
   */
  lastWithin(clock: Clock): number {
    for (let i = this.#sequence.length - 1; i >= 0; i--) {
      const { ratifiers, round } = this.#sequence[i]!;
      const weight = this.#weight(ratifiers, (branch) => clock.get(branch) >= round + 2);
      if (weight >= this.#committee.quorum) return this.#first + i;
    }
    return this.#first - 1;
  }

  /** What the advance rule waits for before it leaves `round` has come (docs/protocol.md, section 5). */
  ready(round: Round): boolean {
    const place = round % WAVE_ROUNDS;
    const leaders = this.#leaders.get(round - place);
    if (leaders === undefined) return round < WAVE_ROUNDS;
    if (place === 0) return true;
    const { quorum } = this.#committee;
    return leaders.some((leader) => {
      const branches = place === 1 ? leader.supporters : leader.ratifiers;
      return this.#weight(branches, () => true) >= quorum;
    });
  }

  /** Forgets leader rounds below `round`. The last commit is never forgotten. */
  forget(round: Round): void {
    for (const old of this.#leaders.keys()) if (old < round) this.#leaders.delete(old);
    while (this.#sequence.length > 1 && this.#sequence[0]!.round < round) {
      this.#sequence.shift();
      this.#first++;
    }
    const oldest = this.#sequence[0];
    // The link to what is forgotten would keep all of it in memory.
    if (oldest?.previous !== undefined) (oldest as { previous: Leader | undefined }).previous = undefined;
    this.#floor = Math.max(this.#floor, Math.min(round, oldest?.round ?? round) - 1);
  }
}
