/**
 * A validator's vote: whether it may be given, when it begins, and what this validator says of the last witness of another
 * that has lost its disk. The mark that votes are in a store is in the store itself, so that both are lost together.
 */
import {
  type Core,
  encodeLastWitness,
  type Genesis,
  type LastWitness,
  type Round,
  sign,
  type ValidatorIndex,
  type ValidatorOptions,
} from '../ledger/index.ts';
import type { LastWitnessAnswer, LastWitnessRequest } from '../p2p/index.ts';
import type { Outbox } from './outbox.ts';
import type { VertexStore } from './vertex-store.ts';

/** Mark of a store that holds all votes of its validator, or all that its successor has to know of. */
const VOTES_HERE = 'votes-here';

/** The least round of the next own witness; 0 when all votes were ever given here. Undefined: they may be elsewhere. */
export async function voteMark(store: Pick<VertexStore, 'getMeta'>): Promise<Round | undefined> {
  const mark = await store.getMeta(VOTES_HERE);
  return mark === undefined ? undefined : new DataView(mark.buffer, mark.byteOffset).getUint32(0);
}

/** From now on the votes are in this store; those before `notBeforeRound` are known not to matter. */
export async function putVoteMark(store: Pick<VertexStore, 'putMeta'>, notBeforeRound: Round): Promise<void> {
  const mark = new Uint8Array(4);
  new DataView(mark.buffer).setUint32(0, notBeforeRound);
  await store.putMeta(VOTES_HERE, mark);
}

export interface VotingOptions {
  readonly genesis: Genesis;
  /** Absent for a node without a key. */
  readonly validator: ValidatorOptions | undefined;
  /** With `validator`: 32 bytes. */
  readonly seed: Uint8Array | undefined;
  /** The key's votes may be elsewhere: nothing is signed before `start`. */
  readonly silent: boolean;
}

export interface VotingDeps {
  readonly core: Core;
  readonly outbox: Outbox;
  readonly store: Pick<VertexStore, 'putMeta'>;
}

export class Voting {
  readonly #options: VotingOptions;
  readonly #deps: VotingDeps;
  #silent: boolean;
  #notBeforeRound: Round | undefined;
  #votes = false;

  constructor(options: VotingOptions, deps: VotingDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#silent = options.silent;
    this.#notBeforeRound = options.validator?.notBeforeRound;
  }

  /** Of a validator that votes. */
  get index(): ValidatorIndex | undefined {
    return this.#votes ? this.#options.validator?.index : undefined;
  }

  /** Lets the core vote, once it may and has read back all that it knows. */
  wake(): void {
    const { validator, seed } = this.#options;
    const { core } = this.#deps;
    if (this.#votes || this.#silent || validator === undefined || core.ledger.reading) return;
    const notBefore = this.#notBeforeRound === undefined ? {} : { notBeforeRound: this.#notBeforeRound };
    core.startVoting({ ...validator, ...notBefore }, { sign: (message) => sign(seed!, message) });
    this.#votes = true;
  }

  /** For NodeView. */
  get trouble(): string | undefined {
    const { outbox, core } = this.#deps;
    if (outbox.full) return 'disk_full';
    if (core.ledger.reading) return 'joining';
    return this.#silent ? 'last_round_unknown' : core.fault?.code;
  }

  /** What this validator knows of another; one that does not vote itself has nothing to say that could be relied upon. */
  async lastWitness({ validator, nonce }: LastWitnessRequest): Promise<LastWitnessAnswer | undefined> {
    const { genesis, seed } = this.#options;
    const by = this.index;
    if (by === undefined || by === validator || genesis.committee[validator] === undefined) return undefined;
    const { outbox, core } = this.#deps;
    const { tangle } = core.ledger;
    const { tipRow, tipRound: round } = tangle.branches.main(validator);
    const highestQuorum = core.rounds.highestQuorum;
    // Of a witness that is forgotten nothing is left that could be contradicted.
    const known =
      round === 0 || tipRow < tangle.base
        ? { round: 0, witness: genesis.id }
        : { round, witness: tangle.record(tipRow).id };
    const statement = encodeLastWitness(
      genesis.network,
      { by, about: validator, nonce, ...known, highestQuorum },
      (message) => sign(seed!, message),
    );
    const [bytes] = known.round === 0 ? [] : await outbox.get([known.witness]);
    return bytes === undefined ? { statement } : { statement, witness: bytes };
  }

  /** What another says holds here too: its last quorum, and the witness that it names, are in this node's tangle. */
  holds(said: Pick<LastWitness, 'round' | 'witness' | 'highestQuorum'>): boolean {
    const { core } = this.#deps;
    const { tangle } = core.ledger;
    if (core.ledger.reading || core.rounds.highestQuorum < said.highestQuorum) return false;
    return said.round < tangle.floor || tangle.has(said.witness);
  }

  /** Begins to vote. What has to be known for it is on the disk first. */
  async start(notBeforeRound: Round): Promise<void> {
    if (!this.#silent) return;
    const { outbox, store } = this.#deps;
    await outbox.flushed();
    await putVoteMark(store, notBeforeRound);
    this.#notBeforeRound = notBeforeRound;
    this.#silent = false;
    this.wake();
  }
}
