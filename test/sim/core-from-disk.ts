/** A core as its node's disk has it: from the last snapshot, if there is one, and all vertices since. */
import { Core, isRefusal, sign, type ValidatorIndex, type VertexId } from '../../ledger/index.ts';
import { keysOf, letterOf } from '../dsl/network.ts';
import type { SimDisk } from './disk.ts';
import type { SimWorld } from './sim-world.ts';

/** Vertices that a node of the simulator has room for: a run makes some thousand. */
const VERTICES_MAX = 30_000;

/** @param onRestored Called for each vertex that has been read back. */
export function coreFromDisk(
  index: ValidatorIndex,
  { snapshot, vertices }: SimDisk,
  world: SimWorld,
  onRestored: (core: Core, id: VertexId) => void,
): Core {
  const { genesis, mix, waiting } = world;
  const { secret } = keysOf(`validator ${letterOf(index)}`);
  const options = {
    genesis,
    ledger: { verticesMax: VERTICES_MAX, epochRounds: mix.epochRounds },
    waiting: { ...waiting, verticesMax: mix.waitingMax },
  };
  const validator = { index, ...mix.times };
  const signer = { sign: (message: Uint8Array) => sign(secret, message) };
  const core =
    snapshot === undefined
      ? new Core({ ...options, validator }, signer)
      : Core.fromSnapshot(options, snapshot.parts);
  if (isRefusal(core)) throw new Error(`own snapshot: ${JSON.stringify(core)}`);
  for (const { bytes, id } of vertices.slice(snapshot?.first ?? 0)) {
    // Known to the world before the core decodes it for itself.
    world.vertexOf(bytes);
    world.guard(index, 'a store that does not add up', () => core.restore(bytes));
    onRestored(core, id);
  }
  if (snapshot !== undefined) {
    core.readBackDone();
    core.startVoting(validator, signer);
  }
  return core;
}
