/** How far the network is, by the witness headers that it gossips; unverified, as it is for a report alone. */
import { Committee, decodeWitnessHeader, type Genesis, isRefusal, type Round } from '../../ledger/index.ts';

export class RoundWatch {
  readonly #genesis: Genesis;
  readonly #committee: Committee;
  readonly #rounds: Round[];

  constructor(genesis: Genesis) {
    this.#genesis = genesis;
    this.#committee = new Committee(genesis.committee);
    this.#rounds = genesis.committee.map(() => 0);
  }

  take(bytes: Uint8Array): void {
    const header = decodeWitnessHeader(bytes, this.#genesis.network);
    if (isRefusal(header)) return;
    const { validator, round } = header;
    this.#rounds[validator] = Math.max(this.#rounds[validator] ?? 0, round);
  }

  /** The highest round that a quorum has reached; 0 while none is known. */
  get round(): Round {
    const descending = [...new Set(this.#rounds)].sort((a, b) => b - a);
    const reached = descending.find((round) => {
      const there = [...this.#rounds.keys()].filter((validator) => this.#rounds[validator]! >= round);
      return this.#committee.weight(there) >= this.#committee.quorum;
    });
    return reached ?? 0;
  }
}
