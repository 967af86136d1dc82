/** What one seed is about: committee, network, disks, clocks, who lies and how, who pays and how. Each seed draws its own mix. */
import type { ValidatorIndex } from '../../ledger/index.ts';
import { Chance } from '../generators/chance.ts';

/** What a Byzantine validator may do when it could make a witness. */
export const TRICKS = [
  'behave',
  'silent',
  'late',
  'withhold',
  'equivocate',
  'twice',
  'twin-block',
  'two-faced',
  'fork',
  'defer',
  'accept-all',
  'freeze',
  'stale',
  'shun-leader',
  'invalid',
  'wrong-root',
  'flood-witnesses',
  'flood-blocks',
  'bomb',
] as const;
export type Trick = (typeof TRICKS)[number];

/** How an owner pays. */
export const HABITS = [
  'honest',
  'double-spender',
  'brancher',
  'restored-backup',
  'overdrawn',
  'self-payer',
  'slot-flooder',
] as const;
export type Habit = (typeof HABITS)[number];

export interface Mix {
  readonly seed: number;
  readonly weights: readonly number[];
  readonly byzantine: ReadonlySet<ValidatorIndex>;
  readonly tricks: readonly Trick[];
  /** Byzantine validators go on without tricks when the network heals; else they fall silent. */
  readonly byzantineGoOn: boolean;
  readonly epochRounds: number;
  readonly times: {
    readonly roundFloorMs: number;
    readonly roundLingerMs: number;
    readonly idleBeatMs: number;
  };
  readonly network: {
    readonly delayMs: number;
    readonly jitterMs: number;
    readonly loss: number;
    readonly duplicates: number;
    /** To how many others a node passes on what it has attached. */
    readonly fanout: number;
    /** What each node takes longer. */
    readonly slowMs: readonly number[];
  };
  readonly disk: {
    readonly syncMs: number;
    /** Share of syncs that take twenty times as long. */
    readonly stalls: number;
    /** A crash keeps some first part of what was being written. */
    readonly torn: boolean;
  };
  readonly clocks: { readonly skewMs: readonly number[]; readonly jumpMsMax: number };
  /** Mean time between two of the kind over the whole network; 0 for never. */
  readonly crashEveryMs: number;
  readonly downMsMax: number;
  readonly partitionEveryMs: number;
  readonly partitionMsMax: number;
  readonly oneWay: number;
  readonly waitingMax: number;
  /** Mean time between two snapshots of a node, after which its disk forgets what lies before them; 0 for never. */
  readonly snapshotEveryMs: number;
  /** Without a new round for so long a node asks what it has missed, and shows its last witness again. */
  readonly stallMs: number;
  readonly owners: readonly { readonly name: string; readonly habit: Habit; readonly funds: number }[];
  readonly payEveryMs: number;
  readonly safetyMs: number;
  /** At the end the slow rules recompute the run: such runs are short. */
  readonly askOracle: boolean;
  readonly tips: { readonly strategy: 'uniform' | 'walk'; readonly alpha: number; readonly parents: number };
}

const COMMITTEES: readonly (readonly number[])[] = [
  [1, 1, 1, 1],
  [1, 1, 1, 1],
  [1, 1, 1, 1],
  [3, 2, 2, 2],
  [5, 4, 3, 3, 2],
  [1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
  [6, 5, 4, 3, 2, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  [7, 5, 5, 4, 3, 3, 2, 2, 1, 1],
];

export function drawMix(seed: number): Mix {
  const chance = new Chance(seed ^ 0x5eed);
  const askOracle = chance.flip(0.12);
  const weights = chance.pick(askOracle ? SMALL_COMMITTEES : COMMITTEES);
  const byzantine = chance.flip(0.2) ? new Set<number>() : lessThanAThird(weights, chance);
  const nodes = weights.map(() => 0);
  const delayMs = chance.pick([2, 5, 15, 40]);
  const epochRounds = chance.pick([40, 80, 80, 160]);
  const slow = chance.flip(0.25) ? chance.below(nodes.length) : -1;
  const few = 1 + chance.below(5);
  const times = {
    roundFloorMs: chance.pick([10, 20, 40]),
    roundLingerMs: chance.pick([10, 30, 100]),
    idleBeatMs: chance.pick([50, 120, 300]),
  };
  // Whoever is away for longer than the others remember needs more than this simulator plays: E rounds at most.
  const awayMsMax = epochRounds * Math.max(times.roundFloorMs, delayMs);
  return {
    seed,
    weights,
    byzantine,
    tricks: chance.shuffled(TRICKS).slice(0, few),
    byzantineGoOn: chance.flip(0.3),
    epochRounds,
    times,
    network: {
      delayMs,
      jitterMs: delayMs * chance.pick([0, 0.5, 1, 3]),
      loss: chance.pick([0, 0, 0, 0.01, 0.05, 0.2]),
      duplicates: chance.pick([0, 0, 0.1, 0.5]),
      fanout: chance.pick([0, 1, 1, 2]),
      slowMs: nodes.map((_, i) => (i === slow ? chance.pick([40, 100, 300]) : 0)),
    },
    disk: {
      syncMs: chance.pick([1, 5, 20]),
      stalls: chance.pick([0, 0, 0.05]),
      torn: chance.flip(0.5),
    },
    clocks: {
      skewMs: nodes.map(() => (chance.flip(0.3) ? chance.below(100_000) : 0)),
      jumpMsMax: chance.pick([0, 0, 1500]),
    },
    crashEveryMs: chance.pick([0, 200, 600, 1500]),
    downMsMax: Math.min(awayMsMax, chance.pick([100, 800, 2500])),
    partitionEveryMs: chance.pick([0, 0, 500, 1500]),
    partitionMsMax: Math.min(awayMsMax, chance.pick([300, 1000, 2500])),
    oneWay: chance.pick([0, 0.5, 1]),
    snapshotEveryMs: chance.pick([0, 300, 1500]),
    stallMs: chance.pick([150, 500, 3000]),
    waitingMax: chance.pick([64, 512, 8192]),
    owners: drawOwners(chance),
    payEveryMs: chance.pick([10, 25, 60]),
    // So many rounds, if all went well.
    safetyMs:
      (askOracle ? 25 : chance.pick([40, 80, 80, 160])) *
      (Math.max(times.roundFloorMs, delayMs) + delayMs + times.roundLingerMs / 3 + 5),
    askOracle,
    tips: {
      strategy: chance.pick(['uniform', 'uniform', 'walk']),
      alpha: chance.pick([0, 0.01]),
      parents: 2 + chance.below(5),
    },
  };
}

/** For runs that the slow rules recompute. */
const SMALL_COMMITTEES = COMMITTEES.filter(({ length }) => length < 6);

function drawOwners(chance: Chance): Mix['owners'] {
  const habits = chance.shuffled(HABITS.slice(1)).slice(0, chance.pick([0, 1, 2, 3, 3]));
  const count = 4 + chance.below(6);
  return Array.from({ length: count }, (_, i) => ({
    name: `owner${i}`,
    habit: i < 2 || habits.length === 0 || chance.flip(0.4) ? 'honest' : chance.pick(habits),
    funds: chance.pick([1, 20, 200, 2000]),
  }));
}

function lessThanAThird(weights: readonly number[], chance: Chance): Set<ValidatorIndex> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const some = new Set<ValidatorIndex>();
  let weight = 0;
  for (const validator of chance.shuffled([...weights.keys()])) {
    if (3 * (weight + weights[validator]!) >= total || (some.size > 0 && chance.flip(0.2))) continue;
    weight += weights[validator]!;
    some.add(validator);
  }
  return some;
}
