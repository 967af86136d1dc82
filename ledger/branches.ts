/**
 * The witness chains of the committee. An honest validator has one branch; one that equivocates has several, each forking
 * off another at some round. "Since which round of a branch" is the one question that votes ask, about coverage,
 * acceptance and certificates alike; BranchRounds answers it for every branch in constant time.
 */
import type { Round, ValidatorIndex } from './types.ts';

export interface Branch {
  /** 0 .. n-1 are the validators' main branches, in committee order; forks follow. */
  readonly index: number;
  readonly author: ValidatorIndex;
  /** Where a fork left another branch of the same author; that branch counts up to and with `round`. */
  readonly fork?: Chain;
  /** Row of the branch's last witness, 0 (genesis) before the first. */
  tipRow: number;
  tipRound: Round;
}

/** A chain that ends with the witness of a branch at a round; `round` 0 is the chain before its first witness. */
export interface Chain {
  readonly of: Branch;
  readonly round: Round;
}

export class Branches {
  /** All branches by index. */
  readonly all: Branch[];
  readonly validators: number;
  readonly #forks: Branch[][];

  constructor(validators: number) {
    this.validators = validators;
    this.all = Array.from({ length: validators }, (_, author) => ({
      index: author,
      author,
      tipRow: 0,
      tipRound: 0,
    }));
    this.#forks = Array.from({ length: validators }, () => []);
  }

  main(author: ValidatorIndex): Branch {
    return this.all[author]!;
  }

  /** Branches of an author beside the main one; there are some only when it has equivocated. */
  forksOf(author: ValidatorIndex): readonly Branch[] {
    return this.#forks[author]!;
  }

  /** The author has signed two witnesses where an honest one signs one. */
  equivocated(author: ValidatorIndex): boolean {
    return this.#forks[author]!.length > 0;
  }

  /** The branch that a witness on top of the chain continues, or opens when the chain goes on elsewhere already. */
  continue(chain: Chain): Branch {
    if (chain.of.tipRound === chain.round) return chain.of;
    const { author } = chain.of;
    const branch: Branch = { index: this.all.length, author, fork: chain, tipRow: 0, tipRound: 0 };
    this.all.push(branch);
    this.#forks[author]!.push(branch);
    return branch;
  }
}

/** For each branch and row: the round of the branch's witness at which something first became true; 0 = not yet. */
export class BranchRounds {
  readonly #validators: number;
  #dense: Uint32Array;
  /** By branch index; for forks. */
  readonly #sparse = new Map<number, Map<number, Round>>();

  constructor(validators: number, rows = 1024) {
    this.#validators = validators;
    this.#dense = new Uint32Array(validators * rows);
  }

  /** Of an author's main branch. */
  main(author: ValidatorIndex, row: number): Round {
    return this.#dense[row * this.#validators + author] ?? 0;
  }

  get(branch: Branch, row: number): Round {
    if (branch.fork === undefined) return this.main(branch.author, row);
    const own = this.#sparse.get(branch.index)?.get(row);
    if (own !== undefined) return own;
    const before = this.get(branch.fork.of, row);
    return before <= branch.fork.round ? before : 0;
  }

  /** Round at which it became true on the chain, 0 when it is not true there. */
  on(chain: Chain, row: number): Round {
    const round = this.get(chain.of, row);
    return round <= chain.round ? round : 0;
  }

  set(branch: Branch, row: number, round: Round): void {
    if (branch.fork !== undefined) {
      let rounds = this.#sparse.get(branch.index);
      if (rounds === undefined) {
        rounds = new Map();
        this.#sparse.set(branch.index, rounds);
      }
      rounds.set(row, round);
      return;
    }
    const at = row * this.#validators + branch.author;
    if (at >= this.#dense.length) {
      const larger = new Uint32Array(Math.max(this.#dense.length * 2, (row + 1) * this.#validators));
      larger.set(this.#dense);
      this.#dense = larger;
    }
    this.#dense[at] = round;
  }
}

/** How far each branch reaches into the past of one witness: a vector clock. */
export class Clock {
  readonly #main: Uint32Array;
  #forks: Map<number, Round> | undefined;

  constructor(validators: number, from?: Clock) {
    this.#main = from === undefined ? new Uint32Array(validators) : from.#main.slice();
    this.#forks = from === undefined || from.#forks === undefined ? undefined : new Map(from.#forks);
  }

  /** Round of the last witness of the branch in this past, 0 for none. */
  get(branch: Branch): Round {
    if (branch.fork === undefined) return this.#main[branch.author]!;
    return this.#forks?.get(branch.index) ?? 0;
  }

  /** The branch's witness of this round is in the past. */
  raise(branch: Branch, round: Round): void {
    if (this.get(branch) >= round) return;
    if (branch.fork === undefined) {
      this.#main[branch.author] = round;
      return;
    }
    this.#forks ??= new Map();
    this.#forks.set(branch.index, round);
  }
}
