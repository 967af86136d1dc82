/** Snapshots as nodes of a small network make them, and the vertices that belong to them. */
import assert from 'node:assert/strict';
import type { CoreOptions, VertexId } from '../../ledger/index.ts';
import { TestNetwork } from '../dsl/network.ts';
import { World } from '../sim/world.ts';

export const EPOCH_ROUNDS = 40;
export const LEDGER = { verticesMax: 4000, epochRounds: EPOCH_ROUNDS };
export const { genesis } = new TestNetwork({
  weights: [1, 1, 1, 1],
  funds: { alice: 100, bob: 1 },
  signed: true,
});
export const CORE: CoreOptions = { genesis, ledger: LEDGER };

/** So small that a young network's snapshot has some. */
export const PART_BYTES = 2000;

/** A snapshot as one node of a network has it, and the vertices that belong to it. */
export interface Made {
  readonly round: number;
  readonly leader: VertexId;
  readonly parts: readonly Uint8Array[];
  readonly vertices: readonly Uint8Array[];
}

function inParts(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) parts.push(bytes.slice(at, at + PART_BYTES));
  return parts;
}

/** Snapshots of one network, some hundred rounds apart. */
export function history(): Made[] {
  const times = { roundFloorMs: 30, roundLingerMs: 100, idleBeatMs: 50 };
  const world = new World(genesis, { seed: 1, delayMsMax: 10, validator: times, ledger: LEDGER });
  const [node] = world.nodes;
  return [1, 2].map((time): Made => {
    world.run(1000 + time * 10_000);
    for (let more = 0; ; more++) {
      const { core, stored } = node!;
      const parts = core.snapshotParts();
      if (parts === undefined) {
        assert.ok(more < 100);
        world.run(world.nowMs + 10);
        continue;
      }
      const { round, leader } = core.ledger.lastCommit;
      const vertices = stored.slice(core.ledger.tangle.base - 1).map(({ bytes }) => bytes.slice());
      return { round, leader, parts: inParts(new Uint8Array(Buffer.concat(parts))), vertices };
    }
  });
}
