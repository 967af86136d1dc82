import assert from 'node:assert/strict';
import type { Event } from '../../ledger/index.ts';
import { network, world } from './scene.ts';

describe('found: a witness comes so late that the votes it rests on are forgotten', () => {
  it('is stale, and neither it nor what stands on it is remembered as invalid', () => {
    const net = network();
    const epochRounds = 8;
    const scene = world(net, 4, epochRounds);
    const [first, , , slow] = scene.nodes;
    scene.run(400);
    slow!.up = false;
    // It has heard a quorum of the last round, and makes its next witness for itself alone.
    const made = slow!.core.step({ type: 'tick', nowMs: scene.nowMs + 1000 });
    const [witness] = made.flatMap((effect) => (effect.type === 'attached' ? [effect.vertex] : []));
    assert.ok(witness?.kind === 'witness');
    const { core } = first!;
    // The witness itself is not below the floor, but what may be said in its past is.
    const commit = witness.checkpoint.round;
    scene.run(10_000, () => core.ledger.lastCommit.round > commit + 2 * epochRounds + 1);
    assert.ok(core.ledger.tangle.floor <= witness.round, 'the witness itself is young enough');
    // Twice: what is stale is not remembered as invalid.
    for (let times = 0; times < 2; times++) {
      const event: Event = {
        type: 'vertex',
        vertex: witness,
        from: 'D',
        requested: true,
        nowMs: scene.nowMs,
      };
      const codes: readonly string[] = core
        .step(event)
        .map((effect) => (effect.type === 'refused' ? effect.refusal.code : effect.type));
      assert.deepEqual(codes, ['stale']);
    }
  });
});
