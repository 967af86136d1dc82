import assert from 'node:assert/strict';
import { encodeBlock, type Payment } from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { World } from '../sim/world.ts';

const TIMES = { roundFloorMs: 40, roundLingerMs: 20, idleBeatMs: 1000 };

function network(weights = [1, 1, 1, 1]): TestNetwork {
  return new TestNetwork({ weights, funds: { alice: 100, bob: 100 }, signed: true });
}

function pay(
  net: TestNetwork,
  from: string,
  to: string,
  amount: number,
  after?: Payment,
  name = 'p',
): Payment {
  return net.payment({
    from,
    transfers: [{ to, amount }],
    previous: after?.id ?? keysOf(from).address,
    sequence: (after?.sequence ?? 0) + 1,
    name,
  });
}

function block(net: TestNetwork, ...payments: Payment[]): Uint8Array {
  const { network: id, id: genesis } = net.genesis;
  return encodeBlock(
    id,
    [genesis],
    payments.map(({ bytes }) => bytes),
  );
}

describe('core: a network of four in virtual time', () => {
  it('makes a payment final everywhere in two rounds, with a proof, and then goes idle', () => {
    const net = network();
    const world = new World(net.genesis, { seed: 1, delayMsMax: 5, validator: TIMES });
    const p = pay(net, 'alice', 'bob', 30);
    world.run(100);
    const startMs = world.nowMs;
    world.inject(block(net, p), [world.nodes[0]!]);
    world.run(1000, () => world.nodes.every((node) => node.finals.includes(p.id)));
    assert.ok(world.nowMs - startMs < 150, `took ${world.nowMs - startMs} ms`);
    for (const { core } of world.nodes) {
      assert.equal(core.ledger.balanceOf(keysOf('alice').address), 70);
      assert.equal(core.ledger.balanceOf(keysOf('bob').address), 130);
      assert.equal(core.ledger.proof(p.id)?.certificates.length, 3);
    }
    world.run(500);
    const before = world.nodes[0]!.stored.length;
    world.run(5000);
    const rounds = (world.nodes[0]!.stored.length - before) / 4;
    assert.ok(rounds >= 4 && rounds <= 6, `${rounds} rounds in 5 idle seconds`);
    assert.deepEqual(
      world.nodes.flatMap((node) => node.refused),
      [],
    );
  });

  it('goes on with one of four down, and the one catches up when it comes back', () => {
    const net = network();
    const world = new World(net.genesis, { seed: 2, delayMsMax: 20, validator: TIMES });
    const [a, , , d] = world.nodes;
    d!.up = false;
    const p1 = pay(net, 'alice', 'bob', 10);
    const p2 = pay(net, 'alice', 'bob', 20, p1);
    world.inject(block(net, p1, p2), [a!]);
    world.run(2000, () => world.nodes.every((node) => node === d || node.finals.includes(p2.id)));
    assert.ok(!d!.finals.includes(p2.id));
    world.restart(d!);
    const p3 = pay(net, 'bob', 'alice', 115);
    world.inject(block(net, p3), [a!]);
    world.run(5000, () => world.nodes.every((node) => node.finals.includes(p3.id)));
    assert.ok(d!.finals.includes(p2.id) && d!.finals.includes(p3.id));
    assert.ok(d!.core.rounds.latest[3]! > 0, 'the one that was down votes again');
    assert.deepEqual(
      world.nodes.flatMap((node) => node.refused),
      [],
    );
  });

  it('defers a payment until its money is final, then accepts it', () => {
    const net = network();
    const world = new World(net.genesis, { seed: 3, delayMsMax: 20, validator: TIMES });
    const spend = pay(net, 'carol', 'bob', 40);
    world.inject(block(net, spend));
    world.run(1500);
    assert.ok(world.nodes.every((node) => !node.finals.includes(spend.id)));
    const fund = pay(net, 'alice', 'carol', 40);
    world.inject(block(net, fund));
    world.run(1500, () => world.nodes.every((node) => node.finals.includes(spend.id)));
    assert.ok(world.nodes.every((node) => node.finals.includes(spend.id)));
  });

  it('decides between rivals the same everywhere, and what is built on other slots goes on', () => {
    for (let seed = 10; seed < 30; seed++) {
      const net = network();
      const world = new World(net.genesis, { seed, delayMsMax: 60, validator: TIMES });
      const [a, b, c, d] = world.nodes;
      const p = pay(net, 'alice', 'bob', 60, undefined, 'p');
      const rival = pay(net, 'alice', 'carol', 60, undefined, 'rival');
      const other = pay(net, 'bob', 'carol', 5);
      world.inject(block(net, p), [a!, b!]);
      world.inject(block(net, rival), [c!, d!]);
      world.inject(block(net, other), [b!]);
      const decided = () => world.nodes.every(({ core }) => core.ledger.winnerOf(p.previous) !== undefined);
      world.run(3000, decided);
      assert.ok(decided(), `seed ${seed}`);
      world.run(3000);
      const winners = new Set(world.nodes.map(({ core }) => core.ledger.winnerOf(p.previous)));
      assert.equal(winners.size, 1, `seed ${seed}`);
      assert.equal(
        new Set(world.nodes.map(({ core }) => core.ledger.lastCommit.root)).size,
        1,
        `seed ${seed}`,
      );
      for (const node of world.nodes) {
        assert.ok(node.finals.includes(other.id), `seed ${seed}`);
        const [won, lost] = winners.has(p.id) ? [p, rival] : [rival, p];
        assert.deepEqual(
          [won, lost].map(({ id }) => [node.core.ledger.statusOf(id), node.finals.includes(id)]),
          [
            ['decided', true],
            ['dead', false],
          ],
          `seed ${seed}`,
        );
      }
    }
  });

  it('goes on after all four were killed: what was final is final, no round is signed twice', () => {
    const net = network([1, 2, 3, 1]);
    const world = new World(net.genesis, { seed: 4, delayMsMax: 20, validator: TIMES });
    const p = pay(net, 'alice', 'bob', 30);
    world.inject(block(net, p));
    world.run(2000, () => world.nodes.every((node) => node.finals.includes(p.id)));
    for (const node of world.nodes) world.restart(node);
    assert.ok(world.nodes.every(({ core }) => core.ledger.isFinal(p.id)));
    const p2 = pay(net, 'bob', 'alice', 130);
    world.inject(block(net, p2));
    world.run(3000, () => world.nodes.every((node) => node.finals.includes(p2.id)));
    for (const { core, stored } of world.nodes) {
      assert.ok(core.ledger.isFinal(p2.id));
      const signed = stored.filter((v) => v.kind === 'witness').map((v) => `${v.validator}:${v.round}`);
      assert.equal(new Set(signed).size, signed.length);
    }
  });
});
