/** Who wants to hear of which address; the ledger thread is told only of addresses that somebody watches. */
import type { Address } from '../ledger/index.ts';
import type { LightPush } from '../p2p/index.ts';

export interface SubscriptionsDeps {
  /** Events about these addresses are wanted by one more, or by one fewer. */
  watch(addresses: readonly Address[], on: boolean): void;
}

interface Subscriber {
  readonly push: (event: LightPush) => boolean;
}

export class Subscriptions {
  readonly #deps: SubscriptionsDeps;
  readonly #byAddress = new Map<Address, Set<Subscriber>>();

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps;
  }

  /** @returns ends the subscription. */
  add(addresses: readonly Address[], push: (event: LightPush) => boolean): () => void {
    const subscriber: Subscriber = { push };
    for (const address of addresses) {
      const subscribers = this.#byAddress.get(address);
      if (subscribers === undefined) this.#byAddress.set(address, new Set([subscriber]));
      else subscribers.add(subscriber);
    }
    this.#deps.watch(addresses, true);
    return () => {
      for (const address of addresses) {
        const subscribers = this.#byAddress.get(address);
        subscribers?.delete(subscriber);
        if (subscribers?.size === 0) this.#byAddress.delete(address);
      }
      this.#deps.watch(addresses, false);
    };
  }

  /** For a ledger thread that has never heard of them. */
  watchAgain(): void {
    for (const [address, subscribers] of this.#byAddress) {
      for (const _ of subscribers) this.#deps.watch([address], true);
    }
  }

  /** Tells each subscriber of these addresses once; one that does not drain ends its own subscription. */
  push(addresses: readonly Address[], event: LightPush): void {
    const told = new Set<Subscriber>();
    for (const address of addresses) {
      for (const subscriber of [...(this.#byAddress.get(address) ?? [])]) {
        if (told.has(subscriber)) continue;
        told.add(subscriber);
        subscriber.push(event);
      }
    }
  }
}
