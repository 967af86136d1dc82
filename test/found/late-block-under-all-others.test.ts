import assert from 'node:assert/strict';
import { type Payment, TipPicker } from '../../ledger/index.ts';
import { Chance } from '../generators/chance.ts';
import { block, network, pay, world, youngest } from './scene.ts';

const EPOCH_ROUNDS = 64;

describe('found: a block that comes so late that no validator takes it', () => {
  for (const strategy of ['uniform', 'walk'] as const)
    it(`is not put under the blocks that follow, which nobody would take then either (${strategy})`, () => {
      const net = network();
      const scene = world(net, 1, EPOCH_ROUNDS);
      const [first] = scene.nodes;
      const { core } = first!;
      const round = (): number => core.rounds.highestQuorum;
      const pass = (rounds: number): void => {
        const end = round() + rounds;
        scene.run(60_000, () => round() >= end);
      };
      pass(4);
      // A chain of blocks that somebody keeps to himself, with a young end.
      const withheld = [block(net, [youngest(scene)], pay(net, 'late', 'bob', 'alice', 1))];
      pass(EPOCH_ROUNDS / 2 + 4);
      const root = scene.inject(withheld[0]!);
      pass(1);
      const end = scene.inject(
        block(net, [root, youngest(scene)].sort(), pay(net, 'end', 'bob', 'carol', 1)),
      );
      pass(1);
      assert.ok(core.ledger.tangle.has(root) && core.ledger.tangle.has(end));

      const picker = new TipPicker(core.ledger.tangle.columns, { strategy, alpha: 0.001, parents: 3 });
      const chance = new Chance(1);
      let last: Payment | undefined;
      for (let i = 0; i < 6; i++) {
        last = pay(net, `p${i}`, 'alice', 'bob', 1, last);
        const rows = picker.pick(() => chance.next());
        const parents = rows.map((row) => core.ledger.tangle.record(row).id).sort();
        scene.inject(block(net, parents, last));
        pass(2);
      }
      scene.run(2_000);
      for (const node of scene.nodes) assert.equal(node.finals.at(-1), last!.id, node.name);
    });
});
