import assert from 'node:assert/strict';
import type { Vertex, Witness } from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { CoreValidator } from '../generators/core-validator.ts';
import { Oracle } from '../oracle/oracle.ts';

describe('finality: an equivocator that is found out stops nobody', () => {
  // A and B go on with D for three rounds while C hears nothing. Then D's twin of round 1 comes out, and nobody refers to
  // new witnesses of D any more. C can reach A and B only through the old ones of D, which are in their pasts already.
  for (const started of [false, true]) {
    it(`one who was ${started ? 'left behind in round 1' : 'not there'} meanwhile catches up, and payments become final`, () => {
      const network = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 10 }, signed: false });
      const { genesis } = network;
      const oracle = new Oracle(genesis);
      const correct = [0, 1, 2].map((index) => new CoreValidator(genesis, index));
      const [a, b, c] = correct as [CoreValidator, CoreValidator, CoreValidator];
      const turn = (validator: CoreValidator, hearers: readonly CoreValidator[]): Witness | undefined => {
        const witness = validator.turn();
        if (witness !== undefined) oracle.add(witness);
        for (const other of hearers) if (other !== validator && witness !== undefined) other.hear([witness]);
        return witness;
      };
      const byD = (
        round: number,
        self: Witness | undefined,
        before: readonly Witness[],
        mark: number,
      ): Witness => {
        const witnesses = before.map(({ id }) => id).sort();
        const place = {
          kind: 'witness',
          validator: 3,
          round,
          self: self?.id ?? genesis.id,
          witnesses,
        } as const;
        const d = network.witness(oracle, { ...place, tips: [], defers: [], accepts: [], freezes: [] }, mark);
        oracle.add(d);
        return d;
      };

      const missed: Vertex[] = [];
      let d: Witness | undefined;
      let before: readonly Witness[] = [];
      for (let round = 1; round <= 3; round++) {
        d = byD(round, d, before, 0);
        before = [turn(a, [a, b])!, turn(b, [a, b])!];
        a.hear([d]);
        b.hear([d]);
        missed.push(d, ...before);
      }
      if (started) turn(c, correct);
      const twin = byD(1, undefined, [], 7);
      a.hear([twin]);
      b.hear([twin]);
      c.hear([...missed, twin]);

      const transfers = [{ to: 'bob', amount: 1 }];
      const order = { from: 'alice', transfers, previous: keysOf('alice').address, sequence: 1, name: 'p1' };
      const payment = network.payment(order);
      const block = network.block([genesis.id], [network.encoding(payment)]);
      oracle.add(block);
      for (const validator of correct) validator.hear([block]);
      for (let i = 0; i < 12; i++) for (const validator of correct) turn(validator, correct);
      for (const { core } of correct) assert.ok(core.ledger.isFinal(payment.id));
    });
  }
});
