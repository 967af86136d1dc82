import assert from 'node:assert/strict';
import { decodeVertex, isRefusal, type Vertex } from '../../ledger/index.ts';
import { block, network, pay, world, youngest } from './scene.ts';

describe('found: a vertex waits for one parent, and another one is forgotten meanwhile', () => {
  it('is refused as stale when the first one comes; the node goes on', () => {
    const net = network();
    const scene = world(net, 2, 8);
    const [first] = scene.nodes;
    const { core } = first!;
    const decoded = (bytes: Uint8Array): Vertex => {
      const vertex = decodeVertex(bytes, net.genesis.network);
      assert.ok(!isRefusal(vertex));
      return vertex;
    };
    scene.run(2000);
    // One parent that is about to be forgotten, and one that has not come and stands on a young one.
    const { tangle } = core.ledger;
    const old = first!.stored.find(
      (vertex) => vertex.kind === 'witness' && vertex.round === tangle.floor + 2,
    )!;
    const late = decoded(block(net, [youngest(scene)], pay(net, 'late', 'bob', 'alice', 1)));
    const parents = [late.id, old.id].sort();
    const child = decoded(block(net, parents, pay(net, 'child', 'alice', 'bob', 1)));
    const step = (vertex: Vertex) =>
      core.step({ type: 'vertex', vertex, from: 'B', requested: true, nowMs: scene.nowMs });
    step(child);
    assert.equal(core.waiting, 1);
    scene.run(2000, () => !tangle.has(old.id));
    assert.ok(!tangle.has(old.id), 'forgotten');
    const refusals = step(late).flatMap((effect) => (effect.type === 'refused' ? [effect] : []));
    assert.ok(tangle.has(late.id));
    assert.deepEqual(
      refusals.map(({ id, refusal }) => [id, refusal.code]),
      [[child.id, 'stale']],
    );
    scene.run(500);
    assert.equal(core.fault, undefined);
  });
});
