/**
 * Which leaders are committed (docs/protocol.md, section 7, *Leaders*), from the definitions: nothing but rounds, authors and
 * pasts goes in. The genesis, which is committed before all others, is `undefined` here.
 */
import type { Round, ValidatorIndex, Witness } from '../../ledger/index.ts';
import { authorsOf, type Ballot, type Dag, type Known } from './dag.ts';

export type Leader = Witness | undefined;

const WAVE_ROUNDS = 3;

export class Leaders {
  readonly #dag: Dag;

  constructor(dag: Dag) {
    this.#dag = dag;
  }

  /** "Leader rounds: 3, 6, 9, ...; leader(r) = validator number (r/3 - 1) mod n." */
  leaderOf(round: Round): ValidatorIndex | undefined {
    if (round < WAVE_ROUNDS || round % WAVE_ROUNDS !== 0) return undefined;
    return (round / WAVE_ROUNDS - 1) % this.#dag.genesis.committee.length;
  }

  isLeader(x: Known): x is Witness {
    return x.kind === 'witness' && this.leaderOf(x.round) === x.validator;
  }

  /** "L in past(u), and no other witness of L's author of that round in past(u)", for u of the round after. */
  supports(u: Ballot): readonly Witness[] {
    return this.#dag.once('supports', u, () => {
      const leaders = this.#dag
        .ballotsBelow(u)
        .filter((x) => x.round === u.round - 1 && this.leaderOf(x.round) === x.validator);
      return leaders.length === 1 ? leaders : [];
    });
  }

  /** "Authors of weight >= q have witnesses that support L in past(z)", for z two rounds after L. */
  ratifies(z: Ballot): readonly Witness[] {
    return this.#dag.once('ratifies', z, () => {
      const supporters = this.#dag.ballotsBelow(z).filter((u) => u.round === z.round - 1);
      return this.#ofQuorum(supporters, (u) => this.supports(u));
    });
  }

  #ofQuorum<B extends Ballot>(ballots: readonly B[], says: (ballot: B) => readonly Witness[]): Witness[] {
    const authors = authorsOf(ballots, says);
    return [...authors].filter(([, some]) => this.#dag.isQuorum(some)).map(([leader]) => leader);
  }

  /** "Authors of weight >= q have witnesses in it that ratify L": the highest such leader. */
  highestIn(ballots: readonly Ballot[]): Leader {
    return highest(this.#ofQuorum(ballots, (z) => this.ratifies(z)));
  }

  /** "C(w): the leader witness of the greatest round that is directly committed in past(w) without w itself." */
  committedAt(w: Ballot): Leader {
    const below = this.#dag.below(w);
    return this.#dag.once('committedAt', below, () => this.highestIn(this.#dag.ballotsBelow(w)));
  }

  /** "The leader witness of the greatest round below round(L) for which some ratifier lies in past(L)." */
  prev(leader: Witness): Leader {
    return this.#dag.once('prev', leader, () => {
      const ratified = this.#dag.ballotsBelow(leader).flatMap((z) => this.ratifies(z));
      return highest(ratified.filter(({ round }) => round < leader.round));
    });
  }

  /** "..., prev(prev(L)), prev(L), L": oldest first, without the genesis. */
  sequence(leader: Leader): readonly Witness[] {
    return leader === undefined ? [] : [...this.sequence(this.prev(leader)), leader];
  }

  /** Of a leader round, for a node whose last committed leader this is. */
  outcome(round: Round, last: Leader): 'commit' | 'skip' | 'undecided' {
    if (this.sequence(last).some((leader) => leader.round === round)) return 'commit';
    return last !== undefined && last.round > round ? 'skip' : 'undecided';
  }
}

/** Of the greatest round. Two of one round cannot both be ratified; were it so, the least id. */
function highest(leaders: readonly Witness[]): Leader {
  return [...leaders].sort((a, b) => b.round - a.round || (a.id < b.id ? -1 : 1))[0];
}
