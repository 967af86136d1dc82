/** Owners who pay: some honest, some with rivals for their own slots, most of them sooner or later beyond their means. */
import type { Payment, Slot } from '../../ledger/index.ts';
import { keysOf, type TestNetwork } from '../dsl/network.ts';
import type { Chance } from './chance.ts';

export const OWNERS = ['alice', 'bob', 'carol', 'dave', 'erin'] as const;

export interface RandomOwnersOptions {
  /** Owners who make rivals; the others extend their one chain. */
  readonly spenders: ReadonlySet<string>;
  /** Share of payments that spend what belongs to another account or whose sequence is wrong. */
  readonly voidShare: number;
  readonly amountMax: number;
}

export class RandomOwners {
  readonly #network: TestNetwork;
  readonly #chance: Chance;
  readonly #options: RandomOwnersOptions;
  /** All that were ever signed, in order. */
  readonly payments: Payment[] = [];

  constructor(network: TestNetwork, chance: Chance, options: RandomOwnersOptions) {
    this.#network = network;
    this.#chance = chance;
    this.#options = options;
  }

  /** Signs one more payment of some owner. */
  pay(): Payment {
    const chance = this.#chance;
    const from = chance.pick(OWNERS);
    const { address } = keysOf(from);
    const own = this.payments.filter((payment) => payment.account === address);
    const spends = this.#options.spenders.has(from)
      ? chance.pick([undefined, ...own, ...own.slice(-1)])
      : own.at(-1);
    let previous: Slot = spends?.id ?? address;
    let sequence = (spends?.sequence ?? 0) + 1;
    if (this.#options.spenders.has(from) && spends !== undefined && chance.flip(this.#options.voidShare)) {
      const other = chance.pick([spends, ...this.payments]);
      previous = other.id;
      sequence = Math.max(2, other.sequence + (other.account === address ? chance.pick([0, 2, 3]) : 1));
    }
    const transfers = Array.from({ length: chance.pick([1, 1, 1, 2]) }, () => ({
      to: chance.pick(OWNERS),
      amount: 1 + chance.below(this.#options.amountMax),
    }));
    const name = `p${this.payments.length + 1}`;
    const payment = this.#network.payment({ from, previous, sequence, transfers, name });
    this.payments.push(payment);
    return payment;
  }

  /** Payloads for one block: mostly payments that no block carried yet, some again, some with other work, some data. */
  payloads(attached: ReadonlySet<string>): Uint8Array[] {
    const chance = this.#chance;
    const fresh = this.payments.filter(({ id }) => !attached.has(id));
    const chosen = new Set([...chance.some(fresh, 0.7), ...chance.some(this.payments, 0.05)]);
    const encodings = chance
      .shuffled([...chosen])
      .map((payment) => this.#network.encoding(payment, chance.flip(0.2) ? chance.below(3) : 0));
    if (encodings.length === 0 || chance.flip(0.05))
      encodings.push(this.#network.data(`d${chance.below(100)}`));
    return encodings;
  }
}
