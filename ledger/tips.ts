/**
 * Which parents a new block takes (docs/protocol.md, section 4). Reads the shared columns only, so that it runs on another
 * thread than the one that writes them. The first parent is a witness of the last but one round: it keeps the block's
 * depth young and has reached everybody. The others are blocks, chosen by a strategy. Nothing is chosen that is late: one
 * vertex that validators no longer take would have all later blocks on top of it, and stop every payment.
 *
 *   uniform   any tips not older than D/2, each with the same chance
 *   walk      walks from D/2 rounds ago towards the tips, preferring heavy vertices: P(x -> y) ~ exp(alpha * weight(y)),
 *             as in Popov, "The Tangle" (2018), section 4.1, where the weight is the number of vertices behind y
 */
import { type Columns, ROW_KIND } from './columns.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';

export type TipStrategy = 'uniform' | 'walk';

export interface TipOptions {
  readonly strategy: TipStrategy;
  /** Preference for heavy vertices in a walk: 0 none; beyond 0.05 tips are left behind. */
  readonly alpha: number;
  /** Parents of a block, 1 to PARENTS_MAX, the witness among them. */
  readonly parents: number;
}

/** Vertices that a walk looks at: more cost more and change nothing, as walks start D/2 rounds ago at most. */
export const WALK_ROWS_MAX = 1024;

const AGE_ROUNDS_MAX = DEPTH_ROUNDS_MAX / 2;

export class TipPicker {
  readonly #columns: Columns;
  readonly #options: TipOptions;
  /** Rows of blocks that nobody had named as a parent when they were last looked at. */
  #tips: number[] = [];
  /** Rows looked at so far. */
  #seen = 1;
  #round = 0;
  /** Witnesses of the greatest round, and of the one before. */
  #latest: number[] = [];
  #before: number[] = [0];
  /** The last witness that was looked at. */
  #newest = 0;

  constructor(columns: Columns, options: TipOptions) {
    this.#columns = columns;
    this.#options = options;
  }

  /** Tips not older than D/2, oldest first. */
  tips(): readonly number[] {
    this.#look();
    return this.#tips;
  }

  /** @param random From 0 up to but not including 1. @returns 1 to `parents` distinct rows. */
  pick(random: () => number): number[] {
    this.#look();
    const known = this.#before.filter((row) => row >= this.#columns.base);
    const witnesses = known.length > 0 ? known : [Math.max(0, this.#newest)];
    const parents = [witnesses[Math.floor(random() * witnesses.length)]!];
    const wanted = this.#options.parents - 1;
    const tips =
      this.#options.strategy === 'walk' ? this.#walk(wanted, random) : this.#uniform(wanted, random);
    parents.push(...tips);
    return parents;
  }

  /** Takes in what has been attached since the last look. */
  #look(): void {
    const columns = this.#columns;
    const { rows, base } = columns;
    for (this.#seen = Math.max(this.#seen, base); this.#seen < rows; this.#seen++) {
      if (columns.kind(this.#seen) === ROW_KIND.witness) this.#witness(this.#seen, columns.round(this.#seen));
      else this.#tips.push(this.#seen);
    }
    const oldest = this.#round - AGE_ROUNDS_MAX;
    this.#tips = this.#tips.filter(
      (row) =>
        row >= base && columns.children(row) === 0 && columns.round(row) >= oldest && !columns.late(row),
    );
  }

  #witness(row: number, round: number): void {
    if (round > this.#round) {
      if (this.#latest.length > 0) this.#before = this.#latest;
      this.#latest = [];
      this.#round = round;
    }
    this.#newest = row;
    if (round === this.#round && !this.#columns.late(row)) this.#latest.push(row);
  }

  #uniform(count: number, random: () => number): number[] {
    const chosen = new Set<number>();
    const wanted = Math.min(count, this.#tips.length);
    while (chosen.size < wanted) chosen.add(this.#tips[Math.floor(random() * this.#tips.length)]!);
    return [...chosen];
  }

  #walk(count: number, random: () => number): number[] {
    if (count === 0 || this.#tips.length === 0) return [];
    const { first, children, weights } = this.#window();
    const chosen = new Set<number>();
    // A walk can end at a tip that is chosen already: a few more tries, then fewer parents.
    for (let tries = 0; chosen.size < Math.min(count, this.#tips.length) && tries < 4 * count; tries++) {
      let at = 0;
      for (let next = children[at]!; next.length > 0; next = children[at]!)
        at = this.#step(next, weights, random);
      if (this.#columns.kind(first + at) === ROW_KIND.block) chosen.add(first + at);
    }
    return [...chosen];
  }

  #step(next: readonly number[], weights: readonly number[], random: () => number): number {
    const heaviest = Math.max(...next.map((at) => weights[at]!));
    const chances = next.map((at) => Math.exp(this.#options.alpha * (weights[at]! - heaviest)));
    let left = random() * chances.reduce((sum, chance) => sum + chance, 0);
    for (const [i, chance] of chances.entries()) {
      left -= chance;
      if (left < 0) return next[i]!;
    }
    return next.at(-1)!;
  }

  /** The youngest rows, their children among themselves, and how many vertices stand behind each. Index 0 is `first`. */
  #window(): { first: number; children: number[][]; weights: number[] } {
    const columns = this.#columns;
    const { rows } = columns;
    let first = Math.max(columns.base, rows - WALK_ROWS_MAX);
    while (first < rows - 1 && columns.round(first) < this.#round - AGE_ROUNDS_MAX) first++;
    const size = rows - first;
    const words = Math.ceil(size / 32);
    const behind = new Uint32Array(size * words);
    const children: number[][] = Array.from({ length: size }, () => []);
    for (let at = size - 1; at >= 0; at--) {
      const row = first + at;
      behind[at * words + (at >> 5)]! |= 1 << (at & 31);
      for (let i = 0; i < columns.parents(row); i++) {
        const parent = columns.parent(row, i) - first;
        if (parent < 0 || columns.late(row)) continue;
        children[parent]!.push(at);
        // Whoever stands behind the child stands behind the parent; children are done before their parents.
        for (let word = 0; word < words; word++) behind[parent * words + word]! |= behind[at * words + word]!;
      }
    }
    return { first, children, weights: children.map((_, at) => countBits(behind, at * words, words)) };
  }
}

function countBits(bits: Uint32Array, start: number, words: number): number {
  let count = 0;
  for (let i = start; i < start + words; i++) {
    for (let word = bits[i]!; word !== 0; word &= word - 1) count++;
  }
  return count;
}
