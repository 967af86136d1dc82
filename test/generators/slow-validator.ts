/** A correct validator that votes by the oracle. */
import type { ValidatorIndex, Vertex, Witness } from '../../ledger/index.ts';
import type { TestNetwork } from '../dsl/network.ts';
import { vote } from '../oracle/correct.ts';
import { areRivals, type Ballot, type Oracle } from '../oracle/oracle.ts';
import type { Chance } from './chance.ts';
import type { CorrectValidator } from './correct-validator.ts';
import { equivocators, quorumRound, tipsOf, witnessesIn } from './views.ts';

export interface SlowValidatorOptions {
  readonly validator: ValidatorIndex;
  /** Refers to no new witness of an author that it knows to have equivocated. */
  readonly shuns: boolean;
  /** Uses the finality that its own certificates of the same witness complete. */
  readonly usesOwnCertificates: boolean;
  /** Share of contested slots that it freezes at once. */
  readonly freezeShare: number;
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
    const round = ownRound === reached ? reached + 1 : reached;
    // Those of the round before are listed even where a block has brought them into the past already: they are the quorum.
    const lower = others.filter((x) => x.round < round);
    const tips = new Set(tipsOf(oracle, lower, below));
    const witnesses = lower.filter((x) => x.round === round - 1 || tips.has(x));
    const blocks = this.#known.filter((x) => x.kind === 'block').filter((x) => oracle.roundOf(x) <= round);
    const place = {
      kind: 'witness' as const,
      validator,
      round,
      self: own?.id ?? network.genesis.id,
      witnesses: witnesses.map(({ id }) => id).sort(),
      tips: tipsOf(oracle, blocks, [...below, ...witnesses])
        .map(({ id }) => id)
        .sort(),
      freezes: [],
    };
    const { chance } = this.#deps;
    const ballot = vote(oracle, place, (list) => chance.shuffled(list), this.#options.usesOwnCertificates);
    const witness = network.witness(oracle, { ...ballot, freezes: this.#contested(ballot) });
    this.#known.push(witness);
    return witness;
  }

  /** Some of the slots for which there are rivals and no certificate, and that are not frozen yet. */
  #contested(ballot: Ballot): Ballot['freezes'] {
    const { oracle, chance } = this.#deps;
    const payments = oracle.paymentsIn(ballot);
    const all = [...payments.values()];
    const certified = new Set(oracle.ballotsIn(ballot).flatMap((x) => [...oracle.certifies(x)]));
    const settled = new Set(all.filter(({ id }) => certified.has(id)).map(({ previous }) => previous));
    const rivals = all.filter((a) => all.some((b) => areRivals(a, b, payments)));
    const frozen = oracle.frozen(ballot);
    const slots = [...new Set(rivals.map(({ previous }) => previous))];
    const open = slots.filter((slot) => !settled.has(slot) && !frozen.has(slot));
    return chance.some(open, this.#options.freezeShare).sort();
  }
}
