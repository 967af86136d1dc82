/** Makes blocks of what clients hand in: payments wait a moment for company; parents come from the production tip selection. */
import {
  type Core,
  encodeBlock,
  type Payment,
  type PaymentId,
  TipPicker,
  type Vertex,
} from '../../ledger/index.ts';
import type { SimWorld } from './sim-world.ts';

const LINGER_MS = 10;
const PAYMENTS_MAX = 20;

export class BlockMaker {
  readonly #core: Core;
  readonly #world: SimWorld;
  readonly #take: (block: Vertex) => void;
  readonly #picker: TipPicker;
  readonly #pool = new Map<PaymentId, Payment>();
  #assembling = false;
  #ended = false;

  constructor(core: Core, world: SimWorld, take: (block: Vertex) => void) {
    this.#core = core;
    this.#world = world;
    this.#take = take;
    this.#picker = new TipPicker(core.ledger.tangle.columns, world.mix.tips);
  }

  /** Nothing is said about the payment but that it is passed on, unless it is on its way already. */
  submit(payment: Payment): void {
    if (this.#core.ledger.alive(payment, this.#core.rounds.highestQuorum)) return;
    this.#pool.set(payment.id, payment);
    if (this.#assembling) return;
    this.#assembling = true;
    this.#world.time.after(LINGER_MS, () => {
      this.#assembling = false;
      if (!this.#ended) this.#assemble();
    });
  }

  #assemble(): void {
    const payments = [...this.#pool.values()].slice(0, PAYMENTS_MAX);
    for (const { id } of payments) this.#pool.delete(id);
    const { genesis, chance } = this.#world;
    const { tangle } = this.#core.ledger;
    const parents = this.#picker.pick(() => chance.next()).map((row) => tangle.record(row).id);
    const encodings = payments.map(({ bytes }) => bytes);
    this.#take(this.#world.vertexOf(encodeBlock(genesis.network, parents, encodings)));
  }

  /** The node has crashed: what waited is gone. */
  end(): void {
    this.#ended = true;
  }
}
