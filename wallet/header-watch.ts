/**
 * Witness headers as they come by gossip: how far each validator is, and vertices that certainly exist. Anyone may send a
 * header, so only signed ones count; a header that would change nothing is not verified, and one validator's headers
 * not more often than once in an interval.
 */
import {
  Committee,
  checkHeader,
  decodeWitnessHeader,
  type Genesis,
  isRefusal,
  type Round,
  type VertexId,
} from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';

export interface HeaderWatchOptions {
  /** Of one validator at most one header is verified in this time. */
  readonly headerIntervalMs: number;
  /** Forged headers verified in one interval, over all validators; beyond it the rest of the interval is skipped. */
  readonly forgedHeadersMax: number;
}

export interface HeaderWatchDeps {
  readonly log: Log;
  nowMs(): number;
}

/** The network as this client itself sees it. */
export interface NetworkView {
  /** The latest round of each validator by a header that it has signed; 0 when none was seen. */
  readonly rounds: readonly Round[];
  /** The highest round that validators of weight >= q have reached. */
  readonly round: Round;
  /** When the last signed header came; undefined when none has. */
  readonly heardAtMs: number | undefined;
}

interface Seen {
  round: Round;
  verifiedAtMs: number;
  /** The validator's witness before the one whose header was seen: it exists, whatever a node says. */
  self: VertexId | undefined;
}

export class HeaderWatch {
  readonly #genesis: Genesis;
  readonly #options: HeaderWatchOptions;
  readonly #deps: HeaderWatchDeps;
  readonly #committee: Committee;
  readonly #seen: Seen[];
  #heardAtMs: number | undefined;
  #forged = 0;
  #forgedSinceMs = 0;

  constructor(genesis: Genesis, options: HeaderWatchOptions, deps: HeaderWatchDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
    this.#committee = new Committee(genesis.committee);
    this.#seen = genesis.committee.map(() => ({
      round: 0,
      verifiedAtMs: Number.NEGATIVE_INFINITY,
      self: undefined,
    }));
  }

  /** One header of unknown origin. */
  take(bytes: Uint8Array): void {
    const header = decodeWitnessHeader(bytes, this.#genesis.network);
    if (isRefusal(header)) return;
    const seen = this.#seen[header.validator];
    if (seen === undefined || header.round <= seen.round) return;
    const now = this.#deps.nowMs();
    if (now < seen.verifiedAtMs + this.#options.headerIntervalMs || this.#tooManyForged(now)) return;
    if (checkHeader(header, bytes, this.#genesis) !== undefined) {
      this.#forged++;
      return;
    }
    seen.round = header.round;
    seen.verifiedAtMs = now;
    seen.self = header.self;
    this.#heardAtMs = now;
  }

  #tooManyForged(now: number): boolean {
    if (now >= this.#forgedSinceMs + this.#options.headerIntervalMs) {
      if (this.#forged > 0) this.#deps.log.debug({ forged: this.#forged }, 'forged witness headers');
      this.#forged = 0;
      this.#forgedSinceMs = now;
    }
    return this.#forged >= this.#options.forgedHeadersMax;
  }

  get view(): NetworkView {
    const rounds = this.#seen.map(({ round }) => round);
    const reached = [...new Set(rounds)]
      .sort((a, b) => b - a)
      .find((round) => this.#weightAt(round) >= this.#committee.quorum);
    return { rounds, round: reached ?? 0, heardAtMs: this.#heardAtMs };
  }

  #weightAt(round: Round): number {
    return this.#committee.weight(
      [...this.#seen.keys()].filter((validator) => this.#seen[validator]!.round >= round),
    );
  }

  /** Up to `count` recent vertices that validators have signed for, newest first: parents that no node can make up. */
  parents(count: number): readonly VertexId[] {
    const newest = this.#seen.filter(({ self }) => self !== undefined).sort((a, b) => b.round - a.round);
    return [...new Set(newest.map(({ self }) => self as VertexId))].slice(0, count);
  }
}
