/**
 * "After losing its disk it learns its own last round from q of the others before it makes one again." Asks every peer, again
 * and again, what it knows of this validator's last witness; counts the signed answers that hold in this node's own tangle,
 * and lets the validator vote, beyond anything that it may have signed, once they have the weight.
 */
import {
  checkLastWitness,
  decodeLastWitness,
  equalBytes,
  type Genesis,
  isRefusal,
  type LastWitness,
  NONCE_BYTES,
  type Refusal,
  type Round,
  type ValidatorIndex,
} from '../ledger/index.ts';
import type { Log, Peers, Verdict } from '../p2p/index.ts';
import { pause } from './up/pause.ts';

export interface LastRoundOptions {
  readonly genesis: Genesis;
  /** Whose disk was lost. */
  readonly validator: ValidatorIndex;
  /** Between two rounds of asking. */
  readonly retryMs: number;
  /** Once enough have answered, the others are waited for so long: one of them may know of a younger witness. */
  readonly graceMs: number;
  /** Between two lines of the log while answers are missing. */
  readonly reportMs: number;
}

export interface LastRoundDeps {
  readonly log: Log;
  readonly peers: Pick<Peers, 'list' | 'lastWitness' | 'penalise'>;
  nowMs(): number;
  /** Secret to others until it is sent: node:crypto's randomBytes. */
  randomBytes(length: number): Uint8Array;
  /** Checks and attaches a vertex that was asked for; its past is fetched like that of any other. */
  take(bytes: Uint8Array, from: string): Promise<Verdict>;
  /** What is said holds in this node's tangle too. */
  holds(said: LastWitness): Promise<boolean>;
  /** Makes the validator vote, at no lower round. */
  vote(notBeforeRound: Round): Promise<void>;
}

/**
 * Rounds left out beyond the last quorum that somebody has heard of. The last witness, of round r, was made with a quorum of
 * round r - 1, of which each author had seen the one of round r - 2: so somebody says r - 2 at least.
 */
const MARGIN_ROUNDS = 3;

/** What it takes: the weight of answers, and whether it can be had at all. */
export interface Required {
  readonly weight: number;
  /** Everybody else has to answer: then nobody is left who could know of another witness. */
  readonly all: boolean;
}

/** @returns undefined for a validator that is alone: nobody could tell it. */
export function requiredAnswers(genesis: Genesis, validator: ValidatorIndex): Required | undefined {
  const total = genesis.committee.reduce((sum, { weight }) => sum + weight, 0);
  const quorum = Math.floor((2 * total) / 3) + 1;
  const others = total - genesis.committee[validator]!.weight;
  if (others === 0) return undefined;
  return others < quorum ? { weight: others, all: true } : { weight: quorum, all: false };
}

/** The least round of the next witness, given answers that hold. */
export function firstRound(said: readonly LastWitness[], { all }: Required): Round {
  const last = Math.max(...said.map(({ round }) => round));
  // Without this validator there is no quorum then, and nobody goes on before it does.
  if (all) return last + 1;
  return Math.max(last + 1, Math.max(...said.map(({ highestQuorum }) => highestQuorum)) + MARGIN_ROUNDS);
}

export class LastRound {
  readonly #options: LastRoundOptions;
  readonly #deps: LastRoundDeps;
  /** The newest answer of each validator. */
  readonly #said = new Map<ValidatorIndex, LastWitness>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #reportAtMs = 0;
  /** When enough had answered. */
  #enoughAtMs: number | undefined;

  constructor(options: LastRoundOptions, deps: LastRoundDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Asks until the validator votes, or is stopped. Never rejects. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** A validator was found to have signed two witnesses. When it is this one, no vote of it counts any more. */
  exposed(validator: ValidatorIndex): void {
    if (validator !== this.#options.validator || this.#stop.signal.aborted) return;
    this.#deps.log.error({ validator }, 'This validator has contradicted itself: it never votes again');
    this.#stop.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { genesis, validator, retryMs } = this.#options;
    const { log } = this.#deps;
    const required = requiredAnswers(genesis, validator);
    if (required === undefined) {
      log.error({ validator }, 'Nobody else could know what this validator has signed: it never votes again');
      return;
    }
    while (!this.#stop.signal.aborted) {
      try {
        await this.#askAll();
        if (await this.#mayVote(required)) return;
      } catch (error) {
        log.debug({ err: error }, 'Asking for the last round ended early');
      }
      await pause(retryMs, this.#stop.signal);
      // What the others knew a moment ago, this node may know by now: asked again they would be ahead again.
      if (await this.#mayVote(required).catch(() => false)) return;
    }
  }

  async #askAll(): Promise<void> {
    const peers = this.#deps.peers.list();
    await Promise.all(peers.map(({ id }) => this.#ask(id)));
  }

  async #ask(peer: string): Promise<void> {
    const { log, peers, randomBytes, take } = this.#deps;
    const { validator } = this.#options;
    const nonce = Uint8Array.from(randomBytes(NONCE_BYTES));
    try {
      const answer = await peers.lastWitness(peer, { validator, nonce });
      if (answer === undefined) return;
      const said = this.#judge(answer.statement, nonce);
      if (isRefusal(said)) {
        peers.penalise(peer, said);
        return;
      }
      this.#said.set(said.by, said);
      if (answer.witness === undefined) return;
      const verdict = await take(answer.witness, peer);
      if (isRefusal(verdict)) peers.penalise(peer, verdict);
    } catch (error) {
      log.debug({ peer, err: error }, 'A peer does not say what it knows of the last round');
    }
  }

  #judge(statement: Uint8Array, nonce: Uint8Array): LastWitness | Refusal {
    const { genesis, validator } = this.#options;
    const said = decodeLastWitness(statement, genesis.network);
    if (isRefusal(said)) return said;
    const refusal = checkLastWitness(said, statement, genesis);
    if (refusal !== undefined) return refusal;
    if (said.about !== validator || !equalBytes(said.nonce, nonce))
      return { code: 'malformed', what: 'last witness: not what was asked' };
    return said;
  }

  async #mayVote(required: Required): Promise<boolean> {
    const { log, holds, vote, nowMs } = this.#deps;
    const { genesis, validator, reportMs } = this.#options;
    const held: LastWitness[] = [];
    // A lie about what nobody has seen never comes to hold here, and so counts like no answer.
    for (const said of this.#said.values()) if (await holds(said)) held.push(said);
    const weight = held.reduce((sum, { by }) => sum + genesis.committee[by]!.weight, 0);
    if (weight < required.weight) {
      if (nowMs() >= this.#reportAtMs) {
        this.#reportAtMs = nowMs() + reportMs;
        const answered = [...this.#said.keys()];
        log.warn(
          { validator, answered, weight, required: required.weight },
          'This validator does not vote yet: it waits to hear from the others what it has signed',
        );
      }
      return false;
    }
    this.#enoughAtMs ??= nowMs();
    const everybody = held.length === genesis.committee.length - 1;
    if (!everybody && nowMs() < this.#enoughAtMs + this.#options.graceMs) return false;
    const notBeforeRound = firstRound(held, required);
    await vote(notBeforeRound);
    log.info({ validator, notBeforeRound, weight }, 'The last round is known: this validator votes again');
    return true;
  }
}
