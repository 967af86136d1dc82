/**
 * Random DAGs from a seed: a committee of which less than a third is Byzantine, owners with and without rivals, and a
 * network that shows every validator another part of the DAG. Correct validators vote as test/oracle/correct.ts says;
 * Byzantine ones make twins and forks, tell different validators different things, vote and freeze at random and jump
 * rounds, but keep to what makes a witness valid. A failing DAG is printed by test/dsl/draw.ts and made again by its seed.
 */
import type { Genesis, ValidatorIndex, Vertex, VertexId, Witness } from '../../ledger/index.ts';
import { TestNetwork } from '../dsl/network.ts';
import { vote, waiting } from '../oracle/correct.ts';
import { areRivals, type Ballot, Oracle, parentsOf } from '../oracle/oracle.ts';
import { Chance } from './chance.ts';
import { OWNERS, RandomOwners } from './random-owners.ts';

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

const COMMITTEES = [
  [1, 1, 1, 1],
  [1, 1, 1, 1],
  [3, 2, 2, 2, 1],
  [5, 3, 2, 2, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
] as const;

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

/** @param cycles How often every validator gets a turn, at least 1. */
export function randomDag(seed: number, cycles = 8): RandomDag {
  const world = new RandomWorld(seed);
  for (let cycle = 0; cycle < cycles; cycle++) world.cycle();
  return world;
}

/** A random DAG that ends in rounds in which all correct validators see everything, and nobody pays any more. */
export function healedDag(seed: number, cycles: number, healing: number): RandomDag {
  const world = new RandomWorld(seed);
  for (let cycle = 0; cycle < cycles; cycle++) world.cycle();
  for (let cycle = 0; cycle < healing; cycle++) world.heal();
  return world;
}

class RandomWorld implements RandomDag {
  readonly seed: number;
  readonly network: TestNetwork;
  readonly byzantine = new Set<ValidatorIndex>();
  readonly honest: readonly string[];
  readonly vertices: Vertex[] = [];
  readonly oracle: Oracle;
  readonly #chance: Chance;
  readonly #owners: RandomOwners;
  readonly #attached = new Set<string>();
  /** What each validator has: with every vertex its whole past. */
  readonly #known: Set<VertexId>[];
  /** Share of what a validator has not that it gets in a cycle. */
  readonly #delivery: number;
  readonly #shuns: boolean;
  readonly #usesOwnCertificates: boolean;
  readonly #freezeShare: number;

  constructor(seed: number) {
    this.seed = seed;
    const chance = new Chance(seed);
    this.#chance = chance;
    const weights = chance.pick(COMMITTEES);
    const funds = Object.fromEntries(
      OWNERS.map((owner, i) => [owner, [20, 12, 5, 1, 0][i]! + chance.below(4)]),
    );
    delete funds[OWNERS[4]];
    this.network = new TestNetwork({ weights, funds, signed: false });
    this.oracle = new Oracle(this.genesis);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let evil = 0;
    for (const validator of chance.flip(0.15) ? [] : chance.shuffled([...weights.keys()])) {
      if (3 * (evil + weights[validator]!) >= total) continue;
      evil += weights[validator]!;
      this.byzantine.add(validator);
    }
    const spenders = new Set(chance.some(OWNERS, 0.5));
    this.honest = OWNERS.filter((owner) => !spenders.has(owner));
    this.#owners = new RandomOwners(this.network, chance, {
      spenders,
      voidShare: 0.15,
      amountMax: chance.pick([4, 9]),
    });
    this.#known = weights.map(() => new Set());
    this.#delivery = chance.pick([0.3, 0.6, 0.9, 1]);
    this.#shuns = chance.flip(0.5);
    this.#usesOwnCertificates = chance.flip(0.5);
    this.#freezeShare = chance.pick([0, 0.1, 0.5]);
  }

  get genesis(): Genesis {
    return this.network.genesis;
  }

  /** Owners pay and attach; then every validator, in any order, hears something and makes a witness if it can. */
  cycle(): void {
    const chance = this.#chance;
    for (let i = chance.below(3); i > 0; i--) this.#owners.pay();
    for (let i = chance.below(3); i > 0; i--) this.#attachBlock();
    for (const validator of chance.shuffled([...this.#known.keys()])) {
      const known = this.#known[validator]!;
      const rest = this.vertices.filter(({ id }) => !known.has(id));
      const share = this.byzantine.has(validator) ? 1 : this.#delivery;
      for (const vertex of chance.some(rest, share)) this.#deliver(validator, vertex);
      if (this.byzantine.has(validator)) this.#misbehave(validator);
      else this.#behave(validator, false);
    }
  }

  /** One round in which the correct ones know everything and make a witness each. */
  heal(): void {
    const correct = [...this.#known.keys()].filter((validator) => !this.byzantine.has(validator));
    for (const validator of correct) for (const vertex of this.vertices) this.#deliver(validator, vertex);
    for (const validator of correct) this.#behave(validator, true);
  }

  #deliver(validator: ValidatorIndex, vertex: Vertex): void {
    const known = this.#known[validator]!;
    for (const x of this.oracle.past(vertex)) known.add((x as Vertex).id);
  }

  #add(vertex: Vertex): void {
    this.oracle.add(vertex);
    this.vertices.push(vertex);
  }

  #knownTo(validator: ValidatorIndex): Vertex[] {
    return this.vertices.filter(({ id }) => this.#known[validator]!.has(id));
  }

  #attachBlock(): void {
    const chance = this.#chance;
    const seen = chance.flip(0.5) ? this.vertices : this.#knownTo(chance.below(this.#known.length));
    const recent = seen.slice(-12).map(({ id }) => id);
    const parents = chance.shuffled([this.genesis.id, ...recent]).slice(0, 1 + chance.below(3));
    const block = this.network.block(parents, this.#owners.payloads(this.#attached));
    if (this.vertices.some(({ id }) => id === block.id)) return;
    for (const payload of block.payloads) this.#attached.add(payload.id);
    this.#add(block);
  }

  /** Vertices of the list that lie in the past of no other one of it, nor of `below`. */
  #tipsOf<V extends Vertex>(list: readonly V[], below: readonly Vertex[]): V[] {
    const covered = new Set<unknown>();
    for (const vertex of below) for (const x of this.oracle.past(vertex)) covered.add(x);
    for (const vertex of list) for (const x of this.oracle.past(vertex)) if (x !== vertex) covered.add(x);
    return list.filter((vertex) => !covered.has(vertex));
  }

  #isQuorum(validators: Iterable<ValidatorIndex>): boolean {
    const { committee } = this.genesis;
    const total = committee.reduce((sum, { weight }) => sum + weight, 0);
    return 3 * [...new Set(validators)].reduce((sum, v) => sum + committee[v]!.weight, 0) > 2 * total;
  }

  /** The last round in which these witnesses are a quorum; 0, that of the genesis, when there is none. */
  #quorumRound(witnesses: readonly Witness[]): number {
    const rounds = witnesses.map(({ round }) => round).sort((a, b) => b - a);
    const full = (round: number) =>
      this.#isQuorum(witnesses.filter((w) => w.round === round).map(({ validator }) => validator));
    return rounds.find(full) ?? 0;
  }

  /** A correct validator's turn: the next round when it can be made, or the one to which a quorum has jumped. */
  #behave(validator: ValidatorIndex, freezeNothing: boolean): void {
    const known = this.#knownTo(validator);
    const own = known.filter((x): x is Witness => x.kind === 'witness' && x.validator === validator).at(-1);
    const shunned = this.#shuns ? equivocators(known) : new Set();
    const others = known
      .filter((x): x is Witness => x.kind === 'witness' && x.validator !== validator)
      .filter((x) => !shunned.has(x.validator));
    const reached = this.#quorumRound(own === undefined ? others : [...others, own]);
    const ownRound = own?.round ?? 0;
    if (ownRound > reached) return;
    const round = ownRound === reached ? reached + 1 : reached;
    const below = own === undefined ? [] : [own];
    // Those of the round before are listed even where a block has brought them into the past already: they are the quorum.
    const lower = others.filter((x) => x.round < round);
    const tips = new Set(this.#tipsOf(lower, below));
    const witnesses = lower.filter((x) => x.round === round - 1 || tips.has(x));
    const blocks = known.filter((x) => x.kind === 'block').filter((x) => this.oracle.roundOf(x) <= round);
    const place = {
      kind: 'witness' as const,
      validator,
      round,
      self: own?.id ?? this.genesis.id,
      witnesses: witnesses.map(({ id }) => id).sort(),
      tips: this.#tipsOf(blocks, [...below, ...witnesses])
        .map(({ id }) => id)
        .sort(),
      freezes: [],
    };
    const ballot = vote(this.oracle, place, (list) => this.#chance.shuffled(list), this.#usesOwnCertificates);
    const freezes = freezeNothing ? [] : this.#contested(ballot);
    const witness = this.network.witness(this.oracle, { ...ballot, freezes });
    this.#add(witness);
    this.#deliver(validator, witness);
  }

  /** Some of the slots for which there are rivals and no certificate, and that are not frozen yet. */
  #contested(ballot: Ballot): Ballot['freezes'] {
    const payments = this.oracle.paymentsIn(ballot);
    const all = [...payments.values()];
    const certified = new Set(this.oracle.ballotsIn(ballot).flatMap((x) => [...this.oracle.certifies(x)]));
    const settled = new Set(all.filter(({ id }) => certified.has(id)).map(({ previous }) => previous));
    const contested = all
      .filter((a) => all.some((b) => areRivals(a, b, payments)))
      .map(({ previous }) => previous);
    const frozen = this.oracle.frozen(ballot);
    const slots = [...new Set(contested)].filter((slot) => !settled.has(slot) && !frozen.has(slot));
    return this.#chance.some(slots, this.#freezeShare).sort();
  }

  /** A Byzantine validator's turn: up to three witnesses from anywhere on its chains, each shown to some first. */
  #misbehave(validator: ValidatorIndex): void {
    const chance = this.#chance;
    for (let mark = chance.pick([0, 1, 1, 1, 2, 3]); mark > 0; mark--) {
      const known = this.#knownTo(validator);
      const own = known.filter((x): x is Witness => x.kind === 'witness' && x.validator === validator);
      const self = chance.flip(0.6) ? own.at(-1) : chance.pick([undefined, ...own]);
      const ballot = this.#wildBallot(validator, self, known);
      if (ballot === undefined) return;
      const witness = this.network.witness(this.oracle, ballot, mark);
      if (this.vertices.some(({ id }) => id === witness.id)) continue;
      this.#add(witness);
      this.#deliver(validator, witness);
      for (const other of chance.some([...this.#known.keys()], 0.4)) this.#deliver(other, witness);
    }
  }

  /** Any valid round above self's, some of the witnesses below it, some blocks, and votes at random. */
  #wildBallot(
    validator: ValidatorIndex,
    self: Witness | undefined,
    known: readonly Vertex[],
  ): Ballot | undefined {
    const chance = this.#chance;
    const others = known.filter((x): x is Witness => x.kind === 'witness' && x.validator !== validator);
    const low = (self?.round ?? 0) + 1;
    const rounds: number[] = [];
    for (let round = low; round <= this.#quorumRound(others) + 1; round++) rounds.push(round);
    const round = chance.flip(0.5) ? rounds.at(-1) : rounds[chance.below(rounds.length)];
    if (round === undefined) return undefined;
    const before = chance.shuffled(others.filter((x) => x.round === round - 1));
    const chosen = chance.some(
      others.filter((x) => x.round < round - 1),
      0.1,
    );
    for (const witness of before) {
      const have = [...chosen, ...(self === undefined ? [] : [self])].filter((x) => x.round === round - 1);
      if (!this.#isQuorum(have.map((x) => x.validator)) || chance.flip(0.3)) chosen.push(witness);
    }
    const quorum = [...chosen, ...(self === undefined ? [] : [self])].filter((x) => x.round === round - 1);
    if (round > 1 && !this.#isQuorum(quorum.map((x) => x.validator))) return undefined;
    const blocks = known.filter((x) => x.kind === 'block').filter((x) => this.oracle.roundOf(x) <= round);
    const bare: Ballot = {
      kind: 'witness',
      validator,
      round,
      self: self?.id ?? this.genesis.id,
      witnesses: chosen.map(({ id }) => id).sort(),
      tips: chance
        .some(blocks.slice(-6), 0.5)
        .map(({ id }) => id)
        .sort(),
      defers: [],
      accepts: [],
      freezes: [],
    };
    const mood = chance.pick(['everything', 'some', 'nothing', 'some']);
    const defers = chance.some(
      [...this.oracle.covers(bare)],
      { everything: 0, some: 0.4, nothing: 1 }[mood]!,
    );
    const pending = waiting(this.oracle, { ...bare, defers: [...this.oracle.covers(bare)] })
      .map(({ id }) => id)
      .filter((id) => !this.oracle.covers(bare).has(id));
    const frozen = this.oracle.frozen(bare);
    const slots = [...this.oracle.paymentsIn(bare).values()].map(({ previous }) => previous);
    const freezes = chance.some(
      [...new Set(slots)].filter((slot) => !frozen.has(slot)),
      this.#freezeShare / 5,
    );
    return {
      ...bare,
      defers: defers.sort(),
      accepts: chance.some(pending, 0.5).sort(),
      freezes: freezes.sort(),
    };
  }
}

/** Authors of two witnesses of one round. */
function equivocators(known: readonly Vertex[]): ReadonlySet<ValidatorIndex> {
  const places = new Set<string>();
  const found = new Set<ValidatorIndex>();
  for (const x of known) {
    if (x.kind !== 'witness') continue;
    const place = `${x.validator}/${x.round}`;
    if (places.has(place)) found.add(x.validator);
    places.add(place);
  }
  return found;
}
