import assert from 'node:assert/strict';
import { decodeVertex, isRefusal } from '../../ledger/index.ts';
import { block, network, pay, world, youngest } from './scene.ts';

describe('found: a payment on top of one that has lost its slot, which half of the validators had accepted', () => {
  it('is accepted by nobody, as nothing will ever decide it', () => {
    const net = network();
    const scene = world(net, 1, 64);
    const [first] = scene.nodes;
    const rivals = [pay(net, 'p', 'alice', 'bob', 1), pay(net, 'px', 'alice', 'bob', 2)];
    scene.run(100);
    const blocks = rivals.map((rival) => {
      const vertex = decodeVertex(block(net, [youngest(scene)], rival), net.genesis.network);
      assert.ok(!isRefusal(vertex));
      return vertex;
    });
    // Two of them see one first, two the other.
    for (const [i, { core }] of scene.nodes.entries()) {
      for (const vertex of i < 2 ? blocks : blocks.toReversed())
        core.step({ type: 'vertex', vertex, from: 'client', requested: true, nowMs: scene.nowMs });
    }
    const { accounts } = first!.core.ledger;
    scene.run(20_000, () => accounts.decided > 0);
    const loser = rivals.find(({ id }) => accounts.get(id)?.decidedAt === 0);
    assert.ok(loser !== undefined);
    // Let the commit enter everybody's past.
    scene.run(200);
    const child = pay(net, 'child', 'alice', 'bob', 1, loser);
    scene.inject(block(net, [youngest(scene)], child));
    scene.run(400);
    const said = first!.core.ledger.tangle.size;
    const accepted: number[] = [];
    const deferred: number[] = [];
    for (let row = first!.core.ledger.tangle.base; row < said; row++) {
      const record = first!.core.ledger.tangle.record(row);
      if (record.kind !== 'witness') continue;
      if (record.accepted.some(({ id }) => id === child.id)) accepted.push(record.validator);
      if (record.deferred.some(({ id }) => id === child.id)) deferred.push(record.validator);
    }
    assert.deepEqual(accepted, []);
    assert.deepEqual(deferred.sort(), [0, 1, 2, 3]);
  });
});
