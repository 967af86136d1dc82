import assert from 'node:assert/strict';
import { Core, isRefusal, sign } from '../../ledger/index.ts';
import { keysOf } from '../dsl/network.ts';
import { block, network, pay, world, youngest } from './scene.ts';

describe('found: a snapshot taken while the genesis is still among the commits that are remembered', () => {
  it('counts the commits as they were counted', () => {
    const net = network();
    const scene = world(net, 3, 1000);
    scene.run(100);
    const p = pay(net, 'p', 'alice', 'bob', 5);
    scene.inject(block(net, [youngest(scene)], p));
    const [first] = scene.nodes;
    scene.run(3000, () => first!.core.ledger.lastCommit.index >= 4);
    let parts = first!.core.snapshotParts();
    scene.run(1000, () => {
      parts = first!.core.snapshotParts();
      return parts !== undefined;
    });
    assert.ok(parts !== undefined);
    const { lastCommit } = first!.core.ledger;
    assert.equal(first!.core.ledger.commits[0]!.index, 0);
    const ledger = { verticesMax: 20_000, epochRounds: 1000 };
    const core = Core.fromSnapshot({ genesis: net.genesis, ledger }, parts);
    assert.ok(!isRefusal(core));
    for (const { bytes } of first!.stored) core.restore(bytes);
    core.readBackDone();
    core.startVoting(
      { index: 0, roundFloorMs: 20, roundLingerMs: 20, idleBeatMs: 20 },
      { sign: (message) => sign(keysOf('validator A').secret, message) },
    );
    assert.deepEqual(core.ledger.lastCommit.index, lastCommit.index);
    assert.equal(core.ledger.lastCommit.root, lastCommit.root);
    assert.ok(core.ledger.isFinal(p.id));
    // It goes on where it was.
    first!.core = core;
    scene.run(1000, () => core.ledger.lastCommit.index > lastCommit.index + 2);
    const roots = scene.nodes.map(({ core: { ledger: of } }) => of.commits.at(lastCommit.index + 2)?.root);
    assert.equal(new Set(roots).size, 1);
    assert.deepEqual(
      scene.nodes.flatMap(({ refused }) => refused),
      [],
    );
  });
});
