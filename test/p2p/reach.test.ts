import assert from 'node:assert/strict';
import type { GossipInside, Rpc, RpcMessage, Subscription } from '../../p2p/gossip-guard.ts';
import { Reach } from '../../p2p/reach.ts';

/** One node whose gossipsub would pass everything on to b, c and d, and what it sends. */
class Scene {
  neighbours: readonly string[] = ['a', 'b', 'c'];
  /** Peers to whom nothing can be sent now. */
  readonly full = new Set<string>();
  readonly sent: { readonly to: readonly string[]; readonly rpc: Rpc }[] = [];
  readonly inside: GossipInside;
  readonly reach: Reach;
  #passedTo: readonly string[] = [];

  constructor() {
    const inside: Pick<GossipInside, 'sendRpcInBatch' | 'forwardMessage'> = {
      sendRpcInBatch: (peers, rpc) => {
        for (const peer of this.full) peers.delete(peer);
        this.sent.push({ to: [...peers], rpc });
      },
      forwardMessage: (_, __, from, excluded) => {
        this.#passedTo = ['a', 'b', 'c', 'd'].filter((peer) => peer !== from && !excluded?.has(peer));
      },
    };
    this.inside = inside as GossipInside;
    this.reach = new Reach({
      neighbours: () => this.neighbours,
      send: (peer, subscriptions) => {
        const to = new Set([peer]);
        this.inside.sendRpcInBatch(to, { subscriptions, messages: [] });
        return to.size > 0;
      },
    });
    this.reach.install(this.inside);
    this.reach.tell();
  }

  /** Whether what is published to these peers is marked. */
  marks(...peers: readonly string[]): boolean {
    this.inside.sendRpcInBatch(new Set(peers), { subscriptions: [], messages: [{ topic: 'blocks' }] });
    return this.sent.at(-1)!.rpc.subscriptions.some(({ topic }) => topic === 'to-all');
  }

  says(peer: string, ...neighbours: readonly string[]): void {
    this.hears(peer, [{ topic: `neighbours ${neighbours.join(' ')}`, subscribe: true }]);
  }

  hears(peer: string, subscriptions: readonly Subscription[], messages: readonly RpcMessage[] = []): void {
    this.reach.hear(peer, { subscriptions, messages });
  }

  /** To whom a message from a peer is passed on. */
  passesOn(from: string, marked: boolean): readonly string[] {
    const message = { topic: 'blocks' };
    this.hears(from, marked ? [{ topic: 'to-all', subscribe: true }] : [], [message]);
    this.inside.forwardMessage('id', message, from);
    return this.#passedTo;
  }
}

describe('whom a neighbour reaches', () => {
  it('is not sent what that neighbour has sent to all of its own', () => {
    const scene = new Scene();
    scene.says('a', 'b', 'c', 'me');
    scene.says('b', 'a', 'c', 'me');
    scene.says('c', 'a', 'b', 'me');
    assert.deepEqual(scene.passesOn('a', true), ['d']);
    assert.deepEqual(scene.passesOn('a', false), ['b', 'c', 'd']);
  });

  it('counts when both say so', () => {
    const scene = new Scene();
    scene.says('a', 'b', 'c', 'd');
    scene.says('b', 'a');
    scene.says('c', 'b');
    assert.deepEqual(scene.passesOn('a', true), ['c', 'd']);
  });

  it('is what it said last, and nothing once it is gone', () => {
    const scene = new Scene();
    scene.says('a', 'b', 'c');
    scene.says('b', 'a');
    scene.says('c', 'a');
    scene.says('a', 'c');
    assert.deepEqual(scene.passesOn('a', true), ['b', 'd']);
    scene.neighbours = ['a', 'b'];
    scene.reach.tell();
    assert.deepEqual(scene.passesOn('a', true), ['b', 'c', 'd']);
  });

  it('is told to all neighbours when it changes, and not again', () => {
    const scene = new Scene();
    const told = (): readonly string[] => scene.sent.flatMap(({ to }) => to);
    assert.deepEqual(told(), ['a', 'b', 'c']);
    scene.reach.tell();
    assert.equal(scene.sent.length, 3);
    scene.neighbours = ['a', 'b', 'c', 'd'];
    scene.reach.tell();
    assert.deepEqual(told().slice(3), ['a', 'b', 'c', 'd']);
    assert.equal(scene.sent.at(-1)!.rpc.subscriptions[0]!.topic, 'neighbours a b c d');
  });

  it('is relied upon only for messages that went to all, who all know that they are all', () => {
    const scene = new Scene();
    assert.ok(scene.marks('a', 'b', 'c'));
    assert.ok(scene.marks('a', 'b', 'c', 'a client'));
    assert.ok(!scene.marks('a', 'b'));
    scene.neighbours = ['a', 'b', 'c', 'd'];
    scene.full.add('b');
    scene.reach.tell();
    scene.full.clear();
    assert.ok(!scene.marks('a', 'b', 'c', 'd'));
    scene.reach.tell();
    assert.ok(scene.marks('a', 'b', 'c', 'd'));
  });

  it('is nobody where there are too many to tell of', () => {
    const scene = new Scene();
    scene.neighbours = Array.from({ length: 65 }, (_, i) => `peer ${i}`);
    scene.reach.tell();
    assert.equal(scene.sent.at(-1)!.rpc.subscriptions[0]!.topic, 'neighbours ');
    const long = Array.from({ length: 65 }, () => 'x'.repeat(64));
    scene.says('a', 'b', ...long);
    scene.says('b', 'a');
    assert.deepEqual(scene.passesOn('a', true), ['b', 'c', 'd']);
  });
});
