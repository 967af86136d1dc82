/**
 * Tip selection by itself: the production picker on columns as a node holds them, with arrivals in virtual time from a
 * fixed seed, so that a run can be told from its digest.
 *
 * Pool size. Theory: k * lambda * h / (k - 1) tips. It is Popov, "The Tangle" (2018), section 3, where k = 2 gives
 * L0 = 2 * lambda * h; lambda is the rate of new vertices (blocks a second here), h the time from when a vertex chooses its
 * parents to when others see it (work, blocks that gather, gossip; seconds), and k how many tips each approves. Of
 * L0 tips lambda * h are approved by vertices that nobody sees yet, so a chosen one is still a tip with probability
 * 1 - lambda * h / L0, and in balance k of those make up for one new tip. Blocks arrive as a Poisson process, as there. What the
 * picker sees is the tangle of h ago, whose tips are L0 as well. The witness that is each block's first parent is no tip and
 * does not count for k. Witnesses here name no tips, as theory knows none; in a network they do, and the pool is smaller.
 *
 * Time. Tangles of 10^4 to 10^7 vertices ever, in columns of the size that a node has: of 10^7 the youngest that fit are
 * held, the older ones are forgotten and their places taken, so the ring has gone round. They are measured in turns, so that
 * what else the machine does falls on all alike. A selection takes in the one block that came since the last, as in a node
 * whose tip worker keeps up.
 */
import { Columns, HASH_BYTES, ROW_KIND, TipPicker, type TipStrategy } from '../ledger/index.ts';
import { Chance } from '../test/generators/chance.ts';
import { type Bench, type Measurement, median, type Run } from './harness.ts';

/** As node/limits.ts has it: rooms of a node cannot be imported by benches, as they have no common door. */
const NODE_VERTICES_MAX = 4_000_000;

/** Seconds; its unit drops out, as only lambda * h counts. */
const DELAY_S = 0.1;

/** Of a busy network. */
const ROUNDS_PER_SECOND = 25;

/** Blocks that are on their way at a time: enough that a pool is more than its own noise. */
const UNDER_WAY = 100;

const ID = new Uint8Array(HASH_BYTES);

interface Arrival {
  readonly atS: number;
  readonly parents: readonly number[];
}

/** Blocks that choose their parents now and are seen DELAY_S later, and witnesses that let the rounds go on. */
class GrowingTangle {
  readonly columns: Columns;
  readonly #picker: TipPicker;
  readonly #chance = new Chance(4);
  readonly #random = (): number => this.#chance.next();
  readonly #lambda: number;
  readonly #tips: number;
  #nowS = 0;
  #round = 0;
  #witness = 0;
  #underWay: Arrival[] = [];

  /** @param options.tips k. */
  constructor(options: {
    readonly strategy: TipStrategy;
    readonly tips: number;
    readonly underWay: number;
    readonly capacity: number;
  }) {
    this.columns = new Columns({ capacity: options.capacity });
    this.columns.append(ROW_KIND.genesis, ID, 0, []);
    this.#lambda = options.underWay / DELAY_S;
    this.#tips = options.tips;
    // The node's own default of alpha.
    const { strategy, tips } = options;
    this.#picker = new TipPicker(this.columns, { strategy, alpha: 0.01, parents: tips + 1 });
  }

  /** The next block arrives at its time; before it, those that have become visible and the rounds that have passed. */
  next(): number {
    this.#nowS += -Math.log(1 - this.#chance.next()) / this.#lambda;
    while (this.#round < this.#nowS * ROUNDS_PER_SECOND) this.#nextRound();
    let seen = 0;
    while (seen < this.#underWay.length && this.#underWay[seen]!.atS <= this.#nowS) {
      this.#append(this.#underWay[seen++]!.parents);
    }
    if (seen > 0) this.#underWay = this.#underWay.slice(seen);
    const startMs = performance.now();
    const parents = this.#picker.pick(this.#random);
    const tookMs = performance.now() - startMs;
    this.#underWay.push({ atS: this.#nowS + DELAY_S, parents });
    return tookMs;
  }

  #nextRound(): void {
    this.#round++;
    this.#witness = this.#room(1).append(ROW_KIND.witness, ID, this.#round, [this.#witness]);
  }

  #append(parents: readonly number[]): void {
    const round = Math.max(...parents.map((row) => this.columns.round(row)));
    this.#room(parents.length).append(ROW_KIND.block, ID, round, parents);
  }

  /** What no longer fits is forgotten, a sixteenth at a time, as nodes forget in steps. */
  #room(parents: number): Columns {
    const { columns } = this;
    if (columns.full(parents)) columns.forget(columns.base + (columns.capacity >> 4));
    return columns;
  }

  /** Makes the tangle so many rows long: witnesses as they come, and blocks that each approve those before. */
  fill(rows: number): void {
    const { columns } = this;
    const rowsPerRound = Math.round(this.#lambda / ROUNDS_PER_SECOND);
    while (columns.rows < rows) {
      if (columns.rows % rowsPerRound === 0) this.#nextRound();
      const before = Array.from({ length: this.#tips }, (_, i) => columns.rows - 1 - i);
      this.#append([this.#witness, ...before.filter((row) => row > this.#witness)]);
    }
    this.#nowS = this.#round / ROUNDS_PER_SECOND;
  }

  get tips(): number {
    return this.#picker.tips().length;
  }
}

/** How far the pool is from theory. */
function measurePool(run: Run, k: number, slices: number): number {
  const theory = (k * UNDER_WAY) / (k - 1);
  const operation = `tips in the pool with k = ${k}, theory ${theory.toFixed(1)}`;
  run.progress(operation);
  const tangle = new GrowingTangle({ strategy: 'uniform', tips: k, underWay: UNDER_WAY, capacity: 100_000 });
  // Blocks of ten delays: what was before the balance, and then what is close to independent.
  const slice = (): number => {
    let sum = 0;
    for (let i = 0; i < 10 * UNDER_WAY; i++) {
      tangle.next();
      sum += tangle.tips;
    }
    return sum / (10 * UNDER_WAY);
  };
  slice();
  slice();
  const samples = Array.from({ length: slices }, slice);
  const mean = samples.reduce((sum, one) => sum + one, 0) / slices;
  const digest = mean.toFixed(6);
  run.record({ operation, unit: 'count', samples, whole: mean, better: 'less', digest });
  const distance = (pool: number): number => Math.abs(pool / theory - 1) * 100;
  run.record({
    operation: `distance of the pool from theory, k = ${k}`,
    unit: '%',
    samples: samples.map(distance),
    whole: distance(mean),
    goal: { atMost: 3 },
    digest,
  });
  return mean;
}

function measurePools(run: Run, ks: readonly number[], slices: number): void {
  const pools = ks.map((k) => [k, measurePool(run, k, slices)] as const);
  const axes = {
    plot: 'Tips in the pool',
    x: 'k, tips that a block approves',
    y: 'tips',
    mark: 'line',
  } as const;
  run.series({ ...axes, name: 'measured', points: pools });
  run.series({ ...axes, name: 'theory', points: ks.map((k) => [k, (k * UNDER_WAY) / (k - 1)]) });
}

/** As a node chooses by default: a witness and two tips. */
const TIPS = 2;

function measureTimes(run: Run, strategy: TipStrategy, sizes: readonly number[], turns: number): void {
  const tangles = sizes.map((size) => {
    run.progress(`${strategy}: a tangle of ${size.toLocaleString('en')}`);
    const capacity = Math.min(NODE_VERTICES_MAX, 2 * size);
    const tangle = new GrowingTangle({ strategy, tips: TIPS, underWay: UNDER_WAY, capacity });
    tangle.fill(size);
    return { size, tangle, samples: [] as number[] };
  });
  const picks = strategy === 'walk' ? 20 : 500;
  // The first turns meet code that is not compiled yet, and tangles that were filled and not chosen.
  const warmUp = Math.ceil((30 * UNDER_WAY) / picks);
  for (let turn = -warmUp; turn < turns; turn++) {
    if (turn % 20 === 0) run.progress(`${strategy}: selections`, Math.max(0, turn / turns));
    for (const { tangle, samples } of tangles) {
      // The middle of a turn: one pause of the machine is no property of a tangle.
      const took = median(Array.from({ length: picks }, () => tangle.next()));
      if (turn >= 0) samples.push(took * 1000);
    }
  }
  const figures = tangles.map(({ size, tangle, samples }) =>
    recordTime(run, strategy, size, tangle, samples),
  );
  run.ratio({
    operation: `${strategy}: a selection at ${sizes.at(-1)!.toLocaleString('en')} over one at ${sizes[0]!.toLocaleString('en')}`,
    of: figures.at(-1)!,
    to: figures[0]!,
    goal: { atMost: 1.2 },
  });
  run.series({
    plot: 'Time of a selection',
    name: strategy,
    x: 'vertices ever',
    y: 'µs',
    mark: 'line',
    log: 'xy',
    points: figures.map(({ median: time }, i) => [sizes[i]!, time]),
  });
}

function recordTime(
  run: Run,
  strategy: TipStrategy,
  size: number,
  { columns, tips }: GrowingTangle,
  samples: readonly number[],
): Measurement {
  const held = columns.rows - columns.base;
  return run.record({
    operation: `${strategy}: a selection at ${size.toLocaleString('en')} vertices`,
    unit: 'µs',
    samples,
    digest: `${columns.rows} ever, ${held} held, ${tips} tips`,
  });
}

export const bench: Bench = {
  question:
    'Is the tip pool as large as theory says, and does a selection cost the same whatever the age of the tangle?',
  comparable:
    'The size of the pool, with any tangle of the same k, lambda and h. The ratios of times, with any machine.',
  notComparable:
    'The pool of a running network: its witnesses name tips too, which keeps it smaller. Microseconds of other machines.',
  async run(run) {
    measurePools(run, run.parameter([2, 3], [2, 3, 4, 5, 6, 7]), run.parameter(20, 400));
    const sizes = run.parameter([10_000, 20_000], [10_000, 100_000, 1_000_000, 10_000_000]);
    measureTimes(run, 'uniform', sizes, run.parameter(20, 200));
    measureTimes(run, 'walk', sizes, run.parameter(5, 200));
  },
};
