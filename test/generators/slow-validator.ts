/** A correct validator that votes by the oracle. */
import type { Round, ValidatorIndex, Vertex, Witness } from '../../ledger/index.ts';
import type { TestNetwork } from '../dsl/network.ts';
import { vote } from '../oracle/correct.ts';
import type { Ballot, Oracle } from '../oracle/oracle.ts';
import type { Chance } from './chance.ts';
import type { CorrectValidator } from './correct-validator.ts';
import { equivocators, hasWhatCommitsWant, isQuorum, quorumRound, tipsOf, witnessesIn } from './views.ts';

export interface SlowValidatorOptions {
  readonly validator: ValidatorIndex;
  /** Refers to no new witness of an author that it knows to have equivocated. */
  readonly shuns: boolean;
  /** Uses the finality that its own certificates of the same witness complete. */
  readonly usesOwnCertificates: boolean;
  /** Turns for which it waits for what the commit rule wants, once a quorum is in its round. */
  readonly patienceTurns: number;
}

export interface SlowValidatorDeps {
  readonly network: TestNetwork;
  readonly oracle: Oracle;
  readonly chance: Chance;
}

export class SlowValidator implements CorrectValidator {
  readonly #options: SlowValidatorOptions;
  readonly #deps: SlowValidatorDeps;
  readonly #known: Vertex[] = [];
  /** Turns spent in the present round since a quorum was in it. */
  #waited = 0;

  constructor(options: SlowValidatorOptions, deps: SlowValidatorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  hear(vertices: readonly Vertex[]): void {
    this.#known.push(...vertices);
  }

  /** The next round when it can be made, or the one to which a quorum has jumped. */
  turn(): Witness | undefined {
    const { network, oracle } = this.#deps;
    const { validator, shuns } = this.#options;
    const all = witnessesIn(this.#known);
    const own = all.findLast((x) => x.validator === validator);
    const below = own === undefined ? [] : [own];
    // "Correct nodes refer to no new witness" of an equivocator: what an honest witness has in its past is not new.
    const shunned = shuns ? equivocators(this.#known) : new Set();
    const trusted = all.filter((x) => !shunned.has(x.validator));
    const old = new Set(trusted.flatMap((x) => [...oracle.past(x)]));
    const others = all.filter((x) => x.validator !== validator && old.has(x));
    const reached = quorumRound(network.genesis, [...others, ...below]);
    const ownRound = own?.round ?? 0;
    if (ownRound > reached) return undefined;
    if (ownRound === reached && this.#lingers([...others, ...below], ownRound)) return undefined;
    this.#waited = 0;
    const round = ownRound === reached ? reached + 1 : reached;
    const lower = others.filter((x) => x.round < round && this.#isYoung(x, round, own));
    const place = this.#place(round, lower, own);
    const bare = { ...place, defers: [], accepts: [], freezes: [] };
    const before = [...lower, ...below].filter((x) => x.round === round - 1);
    if (oracle.votes.bringsTooOld(bare) || (round > 1 && !isQuorum(network.genesis, before)))
      return undefined;
    const { chance } = this.#deps;
    const ballot = vote(oracle, place, (list) => chance.shuffled(list), this.#options.usesOwnCertificates);
    const witness = network.witness(oracle, ballot);
    this.#known.push(witness);
    return witness;
  }

  #lingers(witnesses: readonly Witness[], round: Round): boolean {
    if (hasWhatCommitsWant(this.#deps.oracle, witnesses, round)) return false;
    return this.#waited++ < this.#options.patienceTurns;
  }

  /**
   * What is new to it is by far not so old that others could refuse it: it brings in nothing older than E/2 rounds, but with a
   * witness of the round before, without which it cannot go on, up to E.
   */
  #isYoung(x: Vertex, round: Round, own: Witness | undefined): boolean {
    const { oracle } = this.#deps;
    const before = x.kind === 'witness' && x.round === round - 1;
    const least = round - oracle.epochRounds / (before ? 1 : 2);
    const older = [...oracle.dag.below(x), x].filter((y) => oracle.roundOf(y) < least);
    if (older.length === 0) return true;
    const last = oracle.leaders.highestIn(witnessesIn(this.#known));
    const old = [own, last].flatMap((each) => (each === undefined ? [] : [oracle.past(each)]));
    return older.every((y) => old.some((past) => past.has(y)));
  }

  /**
   * "A witness whose validator's last own witness is older than horizon(w) names the genesis as `self`."
   */
  #place(round: Round, lower: readonly Witness[], own: Witness | undefined): Place {
    const { oracle } = this.#deps;
    const anew = this.#placeAfter(round, lower, undefined);
    const bare: Ballot = { ...anew, defers: [], accepts: [], freezes: [] };
    if (own !== undefined && own.round >= oracle.votes.horizon(bare))
      return this.#placeAfter(round, lower, own);
    return anew;
  }

  #placeAfter(round: Round, lower: readonly Witness[], own: Witness | undefined): Place {
    const { network, oracle } = this.#deps;
    const below = own === undefined ? [] : [own];
    // Those of the round before are listed even where a block has brought them into the past already: they are the quorum.
    const tips = new Set(tipsOf(oracle, lower, below));
    const witnesses = lower.filter((x) => x.round === round - 1 || tips.has(x));
    const blocks = this.#known
      .filter((x) => x.kind === 'block')
      .filter((x) => oracle.roundOf(x) <= round && this.#isYoung(x, round, own));
    return {
      kind: 'witness' as const,
      validator: this.#options.validator,
      round,
      self: own?.id ?? network.genesis.id,
      witnesses: witnesses.map(({ id }) => id).sort(),
      tips: tipsOf(oracle, blocks, [...below, ...witnesses])
        .map(({ id }) => id)
        .sort(),
    };
  }
}

type Place = Omit<Ballot, 'defers' | 'accepts' | 'freezes'>;
