import assert from 'node:assert/strict';
import { decodeVertex, isRefusal } from '../../ledger/index.ts';
import { block, network, pay, world, youngest } from './scene.ts';

describe('found: a payment whose deferral has just lapsed, and which another block brings again', () => {
  it('is deferred once, not twice in one list, which would be no valid witness', () => {
    const net = network();
    const epochRounds = 64;
    const scene = world(net, 1, epochRounds);
    const unfunded = pay(net, 'unfunded', 'alice', 'bob', 1000);
    scene.run(100);
    scene.inject(block(net, [youngest(scene)], unfunded));
    const [first] = scene.nodes;
    const round = () => first!.core.rounds.highestQuorum;
    const before = round();
    scene.run(20_000, () => round() > before + epochRounds - 4);
    // Each round another block with it, so that the first witness for which the old word has lapsed covers it anew.
    for (let at = round(); at < before + epochRounds + 20; at = round()) {
      const vertex = decodeVertex(block(net, [youngest(scene)], unfunded), net.genesis.network);
      assert.ok(!isRefusal(vertex));
      for (const { core } of scene.nodes)
        core.step({ type: 'vertex', vertex, from: 'client', requested: true, nowMs: scene.nowMs });
      scene.run(1000, () => round() > at);
    }
    const deferring = first!.stored.filter(
      (vertex) => vertex.kind === 'witness' && vertex.validator === 0 && vertex.defers.includes(unfunded.id),
    );
    assert.ok(deferring.length >= 2, `deferred ${deferring.length} times`);
    assert.deepEqual(
      scene.nodes.flatMap(({ refused }) => refused),
      [],
    );
  });
});
