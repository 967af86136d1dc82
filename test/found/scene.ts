/** Small scenes for what the simulator has found: four cores in virtual time that forget soon, and some payments. */
import { encodeBlock, type Payment, type VertexId } from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { World } from '../sim/world.ts';

export function network(): TestNetwork {
  return new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 100, bob: 100 }, signed: true });
}

/** @param epochRounds E. Rounds take 20 ms, also when nothing is under way. */
export function world({ genesis }: TestNetwork, seed: number, epochRounds: number): World {
  return new World(genesis, {
    seed,
    delayMsMax: 5,
    validator: { roundFloorMs: 20, roundLingerMs: 20, idleBeatMs: 20 },
    ledger: { verticesMax: 20_000, epochRounds },
  });
}

export function pay(
  net: TestNetwork,
  name: string,
  from: string,
  to: string,
  amount: number,
  after?: Payment,
): Payment {
  return net.payment({
    from,
    transfers: [{ to, amount }],
    previous: after?.id ?? keysOf(from).address,
    sequence: (after?.sequence ?? 0) + 1,
    name,
  });
}

export function block(
  { genesis }: TestNetwork,
  parents: readonly VertexId[],
  ...payments: readonly Payment[]
): Uint8Array {
  return encodeBlock(
    genesis.network,
    parents,
    payments.map(({ bytes }) => bytes),
  );
}

/** The youngest witness that the first node knows: a parent that nobody has forgotten. */
export function youngest(scene: World): VertexId {
  return scene.nodes[0]!.stored.findLast(({ kind }) => kind === 'witness')!.id;
}
