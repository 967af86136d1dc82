/** The links of the simulated network: every message takes its seeded time, or is lost, or comes twice; links can be cut one way. */
import type { Chance } from '../generators/chance.ts';
import type { Mix } from './mix.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimNetworkDeps {
  readonly time: VirtualTime;
  readonly chance: Chance;
}

export class SimNetwork {
  readonly #mix: Mix;
  readonly #deps: SimNetworkDeps;
  readonly #size: number;
  /** By from * size + to: how many partitions cut the link. */
  readonly #cuts: Uint8Array;
  #healed = false;
  messages = 0;
  lost = 0;
  partitions = 0;

  constructor(mix: Mix, deps: SimNetworkDeps) {
    this.#mix = mix;
    this.#deps = deps;
    this.#size = mix.weights.length;
    this.#cuts = new Uint8Array(this.#size * this.#size);
  }

  connected(from: number, to: number): boolean {
    return this.#cuts[from * this.#size + to] === 0;
  }

  #delayMs(from: number, to: number): number {
    const { delayMs, jitterMs, slowMs } = this.#mix.network;
    const { chance } = this.#deps;
    const jitter = jitterMs === 0 ? 0 : -Math.log(1 - chance.next()) * jitterMs;
    return 1 + delayMs + jitter + slowMs[from]! + slowMs[to]!;
  }

  /** Delivers it later, once, twice or never. */
  send(from: number, to: number, deliver: () => void): void {
    const { time, chance } = this.#deps;
    const { loss, duplicates } = this.#mix.network;
    this.messages++;
    if (!this.connected(from, to) || (!this.#healed && chance.flip(loss))) {
      this.lost++;
      return;
    }
    time.after(this.#delayMs(from, to), deliver);
    if (duplicates > 0 && chance.flip(duplicates)) time.after(2 * this.#delayMs(from, to), deliver);
  }

  /** Cuts some nodes off from the others, in both directions or in one. @returns what undoes it and says who may talk again. */
  partition(): () => readonly (readonly [from: number, to: number])[] {
    const { chance } = this.#deps;
    const groups = Array.from({ length: this.#size }, () => chance.flip(0.4));
    const oneWay = chance.flip(this.#mix.oneWay);
    const cut: [number, number][] = [];
    for (let from = 0; from < this.#size; from++) {
      for (let to = 0; to < this.#size; to++) {
        if (groups[from] === groups[to] || (oneWay && groups[from])) continue;
        cut.push([from, to]);
      }
    }
    this.partitions++;
    for (const [from, to] of cut) this.#cuts[from * this.#size + to]!++;
    return () => {
      if (this.#healed) return [];
      for (const [from, to] of cut) this.#cuts[from * this.#size + to]!--;
      return cut.filter(([from, to]) => this.connected(from, to));
    };
  }

  /** Everybody is connected with everybody, and nothing is lost any more. */
  heal(): void {
    this.#healed = true;
    this.#cuts.fill(0);
  }
}
