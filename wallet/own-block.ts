/**
 * A block of the wallet's own, gossiped past the nodes that it is linked to. Its parents come in turn from a node's tips
 * and from signed witness headers, so that a node that hands out tips which nobody knows delays it by one turn only.
 */
import { encodeBlock, type NetworkId, type VertexId } from '../ledger/index.ts';
import type { LightPeers } from '../p2p/index.ts';
import type { Alarms } from './alarms.ts';
import type { HeaderWatch } from './header-watch.ts';
import type { NodeLinks } from './node-links.ts';
import { WalletError } from './wallet-error.ts';

export interface OwnBlocksDeps {
  readonly peers: Pick<LightPeers, 'publishBlock'>;
  readonly links: NodeLinks;
  readonly headers: HeaderWatch;
  readonly alarms: Alarms;
}

/** Two are enough to hang on when one of them is lost. */
const PARENTS = 2;

export class OwnBlocks {
  readonly #network: NetworkId;
  readonly #timeoutMs: number;
  readonly #deps: OwnBlocksDeps;
  #turn = 0;
  #asked = 0;

  constructor(network: NetworkId, timeoutMs: number, deps: OwnBlocksDeps) {
    this.#network = network;
    this.#timeoutMs = timeoutMs;
    this.#deps = deps;
  }

  /** How many peers got the block; 0 also when nothing is known to hang it on. @param payments Whole encodings, in order. */
  async publish(payments: readonly Uint8Array[]): Promise<number> {
    const signed = this.#deps.headers.parents(PARENTS);
    const told = async () => this.tips(PARENTS).catch(() => []);
    const preferHeaders = this.#turn++ % 2 === 1 && signed.length > 0;
    let parents = preferHeaders ? signed : await told();
    if (parents.length === 0) parents = signed;
    if (parents.length === 0 || payments.length === 0) return 0;
    const block = encodeBlock(this.#network, parents, payments);
    const late = () =>
      new WalletError('timeout', 'Gossip did not take the block in time. It is tried again.');
    return this.#deps.alarms.deadline(this.#deps.peers.publishBlock(block), this.#timeoutMs, late);
  }

  /** Tips by the word of the first node that answers. @param count 1 to 8. */
  async tips(count: number): Promise<readonly VertexId[]> {
    const { links } = this.#deps;
    for (const link of links.rotation(this.#asked++)) {
      const tips = await links.ask(link, () => link.tips(count)).catch(() => undefined);
      if (tips === undefined) continue;
      if (tips.length <= count && tips.every((tip) => /^[0-9a-f]{64}$/.test(tip))) return [...new Set(tips)];
      links.distrust(link, 'tips that are no vertex ids');
    }
    throw noNodeError();
  }
}

export function noNodeError(): WalletError {
  return new WalletError(
    'no_node',
    'No node answers. Check the connection and the addresses of the nodes; they are dialled again all the time.',
  );
}
