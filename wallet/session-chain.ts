/** The readings of a session, chained by their heads to the terms. Each side builds its own and they must agree. */
import { type Hash, hex, type NetworkId, type Units } from '../ledger/index.ts';
import type { Reading } from './session-messages.ts';
import { hashOfTerms, headAfter, readingProblem, type SessionTerms } from './session-terms.ts';

export class ReadingChain {
  readonly network: NetworkId;
  readonly terms: SessionTerms;
  readonly termsHash: Uint8Array;
  readonly readings: Reading[] = [];
  /** Head of each reading. */
  readonly heads: Hash[] = [];
  #head: Uint8Array;

  constructor(network: NetworkId, terms: SessionTerms) {
    this.network = network;
    this.terms = terms;
    this.termsHash = hashOfTerms(network, terms);
    this.#head = this.termsHash;
  }

  get last(): Reading | undefined {
    return this.readings.at(-1);
  }

  get due(): Units {
    return (this.last?.due ?? 0) as Units;
  }

  /** Energy since reading 0. */
  get energyWh(): number {
    return (this.last?.meterWh ?? 0) - (this.readings[0]?.meterWh ?? 0);
  }

  /** What is wrong with a reading as the next one, or undefined. */
  problem(next: Reading) {
    return readingProblem(this.terms.tariff, this.readings, next);
  }

  /** Head that a reading would have as the next one. */
  headOf(next: Reading): Uint8Array {
    return headAfter(this.network, this.#head, next);
  }

  /** Takes the next reading, which must be without problem. */
  add({ seq, meterWh, ms, due }: Reading): void {
    const reading = { seq, meterWh, ms, due };
    this.#head = this.headOf(reading);
    this.readings.push(reading);
    this.heads.push(hex(this.#head) as Hash);
  }

  /** Head of the latest reading, or the hash of the terms. */
  get head(): Uint8Array {
    return this.#head;
  }
}
