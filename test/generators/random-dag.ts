/**
 * Random DAGs from a seed: a committee of which less than a third is Byzantine, owners with and without rivals, and a
 * network that shows every validator another part of the DAG. Byzantine validators make twins and forks, tell different
 * validators different things, vote and freeze at random and jump rounds, but keep to what makes a witness valid. The
 * correct ones follow the oracle, or are somebody else's code that is to be tried.
 */
import type { Genesis, Round, ValidatorIndex, Vertex, VertexId } from '../../ledger/index.ts';
import { TestNetwork } from '../dsl/network.ts';
import { Oracle, parentsOf, sum } from '../oracle/oracle.ts';
import { wildBallot } from './byzantine.ts';
import { Chance } from './chance.ts';
import type { CorrectValidator } from './correct-validator.ts';
import { OWNERS, RandomOwners } from './random-owners.ts';
import { SlowValidator } from './slow-validator.ts';
import { quorumRound, witnessesIn } from './views.ts';

export interface RandomDag {
  readonly seed: number;
  readonly network: TestNetwork;
  readonly genesis: Genesis;
  readonly byzantine: ReadonlySet<ValidatorIndex>;
  /** Owners who never made rivals. */
  readonly honest: readonly string[];
  /** In the order in which they were made: parents first. */
  readonly vertices: readonly Vertex[];
  /** Knows all of them. */
  readonly oracle: Oracle;
}

export interface RandomDagOptions {
  /** How often every validator gets a turn. */
  readonly cycles: number;
  /**
   * How many rounds follow in which the correct ones know everything, nobody pays and no Byzantine one speaks; what is not
   * decided is attached again now and then.
   */
  readonly healing?: number;
  /** E; without it chance decides. */
  readonly epochRounds?: number;
  /** True: nobody is Byzantine, and one validator is away for so long that its votes lapse. */
  readonly absence?: boolean;
  /** True: everything is signed for real. */
  readonly signed?: boolean;
  /** Makes the correct validators; without it they vote by the oracle. */
  readonly correct?: (oracle: Oracle, validator: ValidatorIndex) => CorrectValidator;
}

const COMMITTEES = [
  [1, 1, 1, 1],
  [1, 1, 1, 1],
  [2, 2, 1, 1],
  [3, 2, 2, 2, 1],
  [4, 3, 2, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
] as const;

export function randomDag(seed: number, options: RandomDagOptions): RandomDag {
  const world = new RandomWorld(seed, options);
  for (let cycle = 0; cycle < options.cycles; cycle++) world.cycle();
  const healed = world.round + (options.healing ?? 0);
  while (world.round < healed) world.heal();
  return world;
}

/** Another order of the same vertices in which parents come first. */
export function shuffledOrder(genesis: Genesis, vertices: readonly Vertex[], seed: number): Vertex[] {
  const chance = new Chance(seed);
  const placed = new Set<VertexId>([genesis.id]);
  const order: Vertex[] = [];
  let left = [...vertices];
  while (left.length > 0) {
    const ready = left.filter((vertex) => parentsOf(vertex).every((parent) => placed.has(parent)));
    const next = chance.pick(ready);
    placed.add(next.id);
    order.push(next);
    left = left.filter((vertex) => vertex !== next);
  }
  return order;
}

class RandomWorld implements RandomDag {
  readonly seed: number;
  readonly network: TestNetwork;
  readonly byzantine: ReadonlySet<ValidatorIndex>;
  readonly honest: readonly string[];
  readonly vertices: Vertex[] = [];
  readonly oracle: Oracle;
  readonly #chance: Chance;
  readonly #owners: RandomOwners;
  readonly #attached = new Set<string>();
  readonly #correct = new Map<ValidatorIndex, CorrectValidator>();
  /** What each validator has: with every vertex its whole past. */
  readonly #known: Set<VertexId>[];
  /** Share of what a correct validator has not that it gets in a cycle. */
  readonly #delivery: number;
  /** What Byzantine validators keep from all whom they have not told, and until which cycle. */
  readonly #withheld = new Map<VertexId, number>();
  /** A correct validator that hears and says nothing from one cycle to another. */
  #absent: Absence | undefined;
  #cycle = 0;
  readonly #freezeShare: number;

  constructor(seed: number, options: RandomDagOptions) {
    this.seed = seed;
    const chance = new Chance(seed);
    this.#chance = chance;
    const weights = chance.pick(COMMITTEES);
    this.#known = weights.map(() => new Set());
    // The last owner starts with nothing.
    const funds = OWNERS.slice(0, -1).map(
      (owner, i) => [owner, [20, 12, 5, 1][i]! + chance.below(4)] as const,
    );
    this.network = new TestNetwork({
      weights,
      funds: Object.fromEntries(funds),
      signed: options.signed ?? false,
    });
    const epochRounds = options.epochRounds ?? chance.pick([8, 12, 12, 20]);
    this.oracle = new Oracle(this.genesis, { epochRounds });
    const loyal = options.absence === true || chance.flip(0.15);
    this.byzantine = loyal ? new Set() : someLessThanAThird(weights, chance);
    const spenders = new Set(chance.some(OWNERS, 0.5));
    this.honest = OWNERS.filter((owner) => !spenders.has(owner));
    const amountMax = chance.pick([4, 9]);
    this.#owners = new RandomOwners(this.network, chance, { spenders, voidShare: 0.15, amountMax });
    this.#delivery = chance.pick([0.3, 0.6, 0.9, 1]);
    this.#freezeShare = chance.pick([0, 0.1, 0.5]);
    const deps = { network: this.network, oracle: this.oracle, chance };
    const slow = {
      shuns: chance.flip(0.5),
      usesOwnCertificates: chance.flip(0.5),
      patienceTurns: chance.pick([0, 1, 2, 4]),
    };
    if (loyal) this.#absent = absence(weights, chance, options);
    for (const validator of weights.keys()) {
      if (this.byzantine.has(validator)) continue;
      const made = options.correct?.(this.oracle, validator);
      this.#correct.set(validator, made ?? new SlowValidator({ ...slow, validator }, deps));
    }
  }

  get genesis(): Genesis {
    return this.network.genesis;
  }

  /** Owners pay and attach; then every validator, in any order, hears something and makes a witness if it can. */
  cycle(): void {
    const chance = this.#chance;
    const cycle = this.#cycle++;
    for (let i = chance.below(3); i > 0; i--) this.#owners.pay();
    for (let i = chance.below(3); i > 0; i--) this.#attachBlock();
    for (const validator of chance.shuffled([...this.#known.keys()])) {
      if (isAbsent(this.#absent, validator, cycle)) continue;
      const told = this.vertices.filter(({ id }) => cycle >= (this.#withheld.get(id) ?? 0));
      const rest = told.filter(({ id }) => !this.#known[validator]!.has(id));
      const share = this.byzantine.has(validator) ? 1 : this.#delivery;
      this.#deliver(validator, chance.some(rest, share));
      if (this.byzantine.has(validator)) this.#misbehave(validator);
      else this.#behave(validator);
    }
  }

  /** The highest round in which somebody has a witness. */
  get round(): Round {
    return Math.max(0, ...witnessesIn(this.vertices).map(({ round }) => round));
  }

  /** One turn in which the correct ones know everything and make a witness each if they can. */
  heal(): void {
    if (this.#cycle++ % 4 === 0) this.#attachUndecided();
    for (const validator of this.#correct.keys()) this.#deliver(validator, this.vertices);
    for (const validator of this.#correct.keys()) this.#behave(validator);
  }

  /** With everything in their pasts. */
  #deliver(validator: ValidatorIndex, some: readonly Vertex[]): void {
    const known = this.#known[validator]!;
    const wanted = new Set<unknown>(some.flatMap((vertex) => [...this.oracle.past(vertex)]));
    const news = this.vertices.filter((vertex) => wanted.has(vertex) && !known.has(vertex.id));
    for (const { id } of news) known.add(id);
    this.#correct.get(validator)?.hear(news);
  }

  #add(vertex: Vertex): void {
    this.oracle.add(vertex);
    this.vertices.push(vertex);
  }

  #attachBlock(): void {
    const chance = this.#chance;
    const view = chance.pick([undefined, ...this.#known]);
    const seen = this.vertices.filter(({ id }) => view === undefined || view.has(id));
    const recent = seen.slice(-12).map(({ id }) => id);
    const parents = chance
      .shuffled([...(this.round < 4 ? [this.genesis.id] : []), ...recent])
      .slice(0, 1 + chance.below(3));
    const block = this.network.block(parents, this.#owners.payloads(this.#attached));
    if (this.vertices.some(({ id }) => id === block.id)) return;
    for (const payload of block.payloads) this.#attached.add(payload.id);
    this.#add(block);
  }

  /** "The wallet then attaches its payment again." */
  #attachUndecided(): void {
    const { decided } = this.oracle.lastCommitAmong(this.oracle.witnesses()).state;
    const dead = this.oracle.deadAmong(this.vertices, this.oracle.payments());
    const open = this.#owners.payments.filter(({ id }) => !decided.has(id) && !dead.has(id));
    if (open.length === 0) return;
    const parents = this.vertices.slice(-2).map(({ id }) => id);
    this.#add(
      this.network.block(
        [...parents].sort(),
        open.map((payment) => this.network.encoding(payment)),
      ),
    );
  }

  #behave(validator: ValidatorIndex): void {
    const witness = this.#correct.get(validator)!.turn();
    if (witness === undefined) return;
    this.#known[validator]!.add(witness.id);
    this.#add(witness);
  }

  /** Up to three witnesses, each shown to some of the others at once. */
  #misbehave(validator: ValidatorIndex): void {
    const chance = this.#chance;
    const marks = this.#leadsNext(validator) ? [0, 1, 2, 2, 2, 3] : [0, 1, 1, 1, 2, 3];
    for (let mark = chance.pick(marks); mark > 0; mark--) {
      const known = this.vertices.filter(({ id }) => this.#known[validator]!.has(id));
      const ballot = wildBallot(this.oracle, chance, validator, known, this.#freezeShare / 5);
      if (ballot === undefined) continue;
      const witness = this.network.witness(this.oracle, ballot, mark);
      if (this.vertices.some(({ id }) => id === witness.id)) continue;
      this.#add(witness);
      if (chance.flip(0.2)) this.#withheld.set(witness.id, this.#cycle + chance.below(8));
      this.#deliver(validator, [witness]);
      for (const other of chance.some([...this.#correct.keys()], 0.4)) this.#deliver(other, [witness]);
    }
  }

  /** The round after the one that a quorum has reached is this validator's to lead. */
  #leadsNext(validator: ValidatorIndex): boolean {
    const known = this.vertices.filter(({ id }) => this.#known[validator]!.has(id));
    return this.oracle.leaders.leaderOf(quorumRound(this.genesis, witnessesIn(known)) + 1) === validator;
  }
}

interface Absence {
  readonly validator: ValidatorIndex;
  readonly from: number;
  readonly to: number;
}

function isAbsent(absence: Absence | undefined, validator: ValidatorIndex, cycle: number): boolean {
  return absence?.validator === validator && cycle >= absence.from && cycle < absence.to;
}

/** Somebody without whom the others are a quorum. */
function absence(
  weights: readonly number[],
  chance: Chance,
  { cycles, absence }: RandomDagOptions,
): Absence | undefined {
  const total = sum(weights);
  const some = [...weights.keys()].filter((i) => 3 * (total - weights[i]!) > 2 * total);
  if (some.length === 0 || (absence !== true && chance.flip(0.5))) return undefined;
  const from = 1 + chance.below(Math.floor(cycles / 6) + 1);
  return { validator: chance.pick(some), from, to: from + Math.floor(0.7 * cycles) };
}

function someLessThanAThird(weights: readonly number[], chance: Chance): ReadonlySet<ValidatorIndex> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const some = new Set<ValidatorIndex>();
  let weight = 0;
  for (const validator of chance.shuffled([...weights.keys()])) {
    if (3 * (weight + weights[validator]!) >= total) continue;
    weight += weights[validator]!;
    some.add(validator);
  }
  return some;
}
