/**
 * The witness chains of the committee. An honest validator has one branch; one that equivocates has several, each forking
 * off another at some round. "At which round of a branch" is the one question that votes ask, about coverage,
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

  /**
   * The branch that a witness on top of the chain continues, or opens when the chain goes on elsewhere already. A chain that
   * starts anew after everything it had said has lapsed forks off nothing.
   * @param horizon What was said before this round does not count for the witness.
   */
  continue(chain: Chain, horizon: Round): Branch {
    if (chain.of.tipRound === chain.round) return chain.of;
    if (chain.round === 0 && chain.of.tipRound < horizon) return chain.of;
    const { author } = chain.of;
    const branch: Branch = { index: this.all.length, author, fork: chain, tipRow: 0, tipRound: 0 };
    this.all.push(branch);
    this.#forks[author]!.push(branch);
    return branch;
  }
}

/**
 * For each branch and row: the rounds of the branch's witnesses that said something, nearly always one or none. What was
 * said before some round has lapsed and does not count, so every question names the rounds it asks about.
 */
export class BranchRounds {
  readonly #validators: number;
  /** The last round at which a main branch said it; 0 = never. */
  #dense: Uint32Array;
  /** By branch index; for forks. */
  readonly #sparse = new Map<number, Map<number, Round>>();
  /** By branch and row: earlier rounds, where it was said again after it had lapsed. */
  readonly #earlier = new Map<string, Round[]>();

  constructor(validators: number, rows = 1024) {
    this.#validators = validators;
    this.#dense = new Uint32Array(validators * rows);
  }

  /** The last round at which the branch itself said it, 0 for never. */
  #last(branch: Branch, row: number): Round {
    if (branch.fork !== undefined) return this.#sparse.get(branch.index)?.get(row) ?? 0;
    return this.#dense[row * this.#validators + branch.author] ?? 0;
  }

  /** The branch itself, without what it forked off, said it at a round from `from` to `to`. */
  said(branch: Branch, row: number, from: Round, to: Round): boolean {
    const last = this.#last(branch, row);
    if (last === 0 || last < from) return false;
    if (last <= to) return true;
    if (this.#earlier.size === 0) return false;
    const earlier = this.#earlier.get(`${branch.index}/${row}`);
    return earlier?.some((round) => round >= from && round <= to) ?? false;
  }

  /** Some witness of the chain, of round `from` or later, said it. */
  on(chain: Chain, row: number, from: Round): boolean {
    for (let part: Chain | undefined = chain, to = chain.round; part !== undefined; ) {
      if (this.said(part.of, row, from, to)) return true;
      part = part.of.fork;
      if (part !== undefined) to = Math.min(to, part.round);
    }
    return false;
  }

  set(branch: Branch, row: number, round: Round): void {
    const last = this.#last(branch, row);
    if (last !== 0) {
      const key = `${branch.index}/${row}`;
      this.#earlier.set(key, [...(this.#earlier.get(key) ?? []), last]);
    }
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

  /** Forgets the first `count` rows; the others move down by so many. */
  shift(count: number): void {
    this.#dense.copyWithin(0, count * this.#validators);
    this.#dense.fill(0, Math.max(0, this.#dense.length - count * this.#validators));
    for (const [index, rounds] of this.#sparse) {
      const moved = [...rounds].filter(([row]) => row >= count).map(([row, round]) => [row - count, round]);
      this.#sparse.set(index, new Map(moved as [number, Round][]));
    }
    // Earlier rounds matter only to questions with an upper end, which rows are never asked.
    this.#earlier.clear();
  }

  /** Nothing has been said about the row: it gets another meaning. */
  clear(row: number, branches: readonly Branch[]): void {
    const at = row * this.#validators;
    const end = Math.min(at + this.#validators, this.#dense.length);
    for (let i = at; i < end; i++) this.#dense[i] = 0;
    if (this.#sparse.size > 0) for (const rounds of this.#sparse.values()) rounds.delete(row);
    if (this.#earlier.size > 0) {
      for (const { index } of branches) this.#earlier.delete(`${index}/${row}`);
    }
  }
}

/** How far each branch reaches into the past of one witness: a vector clock. */
export class Clock {
  /** Not a typed array: one of a few numbers would take three times as much, and there is a clock for each witness. */
  readonly #main: Round[];
  #forks: Map<number, Round> | undefined;

  constructor(validators: number, from?: Clock) {
    this.#main = from === undefined ? new Array<Round>(validators).fill(0) : from.#main.slice();
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
