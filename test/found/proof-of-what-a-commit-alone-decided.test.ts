import assert from 'node:assert/strict';
import { checkFinalityProof } from '../../ledger/index.ts';
import { block, network, pay, world, youngest } from './scene.ts';

describe('found: a proof of finality of a payment that a commit has decided, and no quorum certified', () => {
  it('is not given, as it would not hold', () => {
    let asked = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const net = network();
      const scene = world(net, seed, 1000);
      scene.run(100);
      const [a, b, c, d] = scene.nodes;
      const p = pay(net, 'p', 'alice', 'bob', 60);
      const rival = pay(net, 'rival', 'alice', 'bob', 50);
      scene.inject(block(net, [youngest(scene)], p), [a!, b!]);
      scene.inject(block(net, [youngest(scene)], rival), [c!, d!]);
      const won = () => scene.nodes.map(({ core }) => core.ledger.winnerOf(p.previous));
      scene.run(5000, () => !won().includes(undefined));
      const [winner] = won();
      assert.ok(winner !== undefined, `seed ${seed}`);
      for (const { core } of scene.nodes) {
        const proof = core.ledger.proof(winner);
        if (proof !== undefined) assert.equal(checkFinalityProof(net.genesis, proof), undefined);
        else asked++;
      }
    }
    assert.ok(asked > 0, 'no slot was decided by a commit alone');
  });
});
