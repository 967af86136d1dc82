/**
 * A leader with two faces, over a whole wave: it shows one witness to a single node and another to the rest, then supports the
 * first with twins and ratifies it with twins, while it supports the second in front of the others. Counted by authors this
 * is one voice for each; counted by witnesses it is a quorum for both.
 */
import type { Block, ValidatorIndex, Vertex, VertexId, Witness } from '../../ledger/index.ts';

export interface Forgery {
  readonly others: readonly ValidatorIndex[];
  /** A witness on top of `self` that refers to everybody's of the round before, and has these blocks among its tips. */
  make(round: number, twin: number, self?: VertexId, tips?: readonly VertexId[]): Witness | undefined;
  show(vertices: readonly (Vertex | undefined)[], audience?: readonly ValidatorIndex[]): void;
  /** A block that brings vertices into the past of whoever takes it. */
  blockOver(vertices: readonly Vertex[]): Block;
}

export class TwoFaced {
  readonly #forgery: Forgery;
  #round = 0;
  #first: Witness | undefined;
  #second: Witness | undefined;
  #lone: ValidatorIndex = 0;
  #supporters: readonly Witness[] = [];
  #block: Block | undefined;

  constructor(forgery: Forgery) {
    this.#forgery = forgery;
  }

  /** In a round that it leads. */
  begin(round: number, lone: ValidatorIndex): void {
    const { make, show } = this.#forgery;
    this.#round = round;
    this.#lone = lone;
    this.#first = make(round, 0);
    this.#second = make(round, 1);
    show([this.#first], [lone]);
    show([this.#second], this.#rest);
  }

  get #rest(): readonly ValidatorIndex[] {
    return this.#forgery.others.filter((index) => index !== this.#lone);
  }

  /** False when no such wave is under way in this round. */
  turn(round: number): boolean {
    if (this.#first === undefined || this.#second === undefined) return false;
    if (round === this.#round + 1) this.#support(round);
    else if (round === this.#round + 2) this.#ratify(round);
    else return false;
    return true;
  }

  #support(round: number): void {
    const { make, show, blockOver } = this.#forgery;
    const twins = [make(round, 0, this.#first!.id), make(round, 1, this.#first!.id)];
    this.#supporters = twins.filter((one) => one !== undefined);
    show([make(round, 2, this.#second!.id)], this.#rest);
    if (this.#supporters.length < 2) return;
    this.#block = blockOver(this.#supporters);
    show([...this.#supporters, this.#block], [this.#lone]);
  }

  #ratify(round: number): void {
    const { make, show } = this.#forgery;
    const [first, second] = this.#supporters;
    if (second === undefined) return;
    show([0, 1].map((twin) => make(round, twin, first!.id, [this.#block!.id])));
  }
}
