/**
 * Whom a neighbour reaches by itself. Each node sends its own messages to all its neighbours at once, so among nodes that are
 * all connected to one another everybody has them after one hop, and passing them on would make every node take each
 * message three times instead of once. So each node tells its neighbours who its neighbours are, and marks what it sends to
 * all of them; what is marked is passed on only to those whom its author does not reach.
 *
 * Both are said as subscriptions to topics that no gossipsub allows, which an implementation that knows nothing of this
 * ignores: it passes on everything, as ever. A liar gains little: two neighbours must name each other to count, and what its author
 * kept from one of them is fetched by its id, as soon as something that follows it names it.
 */
import type { GossipInside, Rpc, RpcMessage, Subscription } from './gossip-guard.ts';

/** Nodes with more neighbours tell of none, and what they send is passed on. */
const NEIGHBOURS_MAX = 64;

/** The longest text form of a peer's name that libp2p makes. */
const PEER_CHARS_MAX = 64;

const MARK: Subscription = { topic: 'to-all', subscribe: true };
const NEIGHBOURS = 'neighbours ';
const TEXT_CHARS_MAX = NEIGHBOURS.length + NEIGHBOURS_MAX * (PEER_CHARS_MAX + 1);

export interface ReachDeps {
  /** Neighbours that take blocks. */
  neighbours(): readonly string[];
  /** Tells one peer; false when it could not be sent now. */
  send(peer: string, subscriptions: readonly Subscription[]): boolean;
}

export class Reach {
  readonly #deps: ReachDeps;
  #neighbours: readonly string[] = [];
  #text = textOf([]);
  /** Of each neighbour, whom it says that it reaches. */
  readonly #reached = new Map<string, ReadonlySet<string>>();
  /** What each neighbour was told last. */
  readonly #told = new Map<string, string>();
  /** Messages that came from their authors, who sent them to all their neighbours. */
  readonly #marked = new WeakSet<RpcMessage>();

  constructor(deps: ReachDeps) {
    this.#deps = deps;
  }

  /** Lets gossipsub mark what it publishes, and pass on no more than is needed. */
  install(inside: GossipInside): void {
    const send = inside.sendRpcInBatch.bind(inside);
    inside.sendRpcInBatch = (peers, rpc) =>
      send(peers, rpc.messages.length > 0 && this.#isAll(peers) ? { ...rpc, subscriptions: [MARK] } : rpc);
    const forward = inside.forwardMessage.bind(inside);
    inside.forwardMessage = (id, message, from, excluded) =>
      forward(id, message, from, this.#marked.has(message) ? this.#neighboursOf(from) : excluded);
  }

  /** Whenever neighbours may have changed: tells those who do not know yet. */
  tell(): void {
    this.#neighbours = this.#deps.neighbours();
    this.#text = textOf(this.#neighbours);
    const present = new Set(this.#neighbours);
    for (const past of [this.#reached, this.#told])
      for (const peer of past.keys()) if (!present.has(peer)) past.delete(peer);
    for (const peer of this.#neighbours) {
      if (this.#told.get(peer) === this.#text) continue;
      const sent = this.#deps.send(peer, [{ topic: this.#text, subscribe: true }]);
      if (sent) this.#told.set(peer, this.#text);
      else this.#told.delete(peer);
    }
  }

  /** Notes what a neighbour says. */
  hear(peer: string, rpc: Rpc): void {
    for (const { topic } of rpc.subscriptions) {
      if (topic === MARK.topic) for (const message of rpc.messages) this.#marked.add(message);
      else if (topic?.startsWith(NEIGHBOURS) && topic.length <= TEXT_CHARS_MAX)
        this.#reached.set(peer, new Set(topic.slice(NEIGHBOURS.length).split(' ')));
    }
  }

  /** All neighbours are among these peers, and know that they are all. */
  #isAll(peers: ReadonlySet<string>): boolean {
    return this.#neighbours.every((peer) => peers.has(peer) && this.#told.get(peer) === this.#text);
  }

  /** Those who say that they are neighbours of a peer that says so too. */
  #neighboursOf(peer: string): Pick<ReadonlySet<string>, 'has'> {
    return { has: (other) => this.#says(peer, other) && this.#says(other, peer) };
  }

  #says(one: string, other: string): boolean {
    return this.#reached.get(one)?.has(other) ?? false;
  }
}

function textOf(neighbours: readonly string[]): string {
  return NEIGHBOURS + (neighbours.length > NEIGHBOURS_MAX ? '' : neighbours.join(' '));
}
