import assert from 'node:assert/strict';
import { blake3Hex, Core, checkVertex, decodeVertex, isRefusal, type Refusal } from '../../ledger/index.ts';
import { CatchUp } from '../../node/catch-up.ts';
import type { LedgerCalls, VerifiedVertex } from '../../node/ledger-messages.ts';
import type { LedgerThread } from '../../node/ledger-thread.ts';
import { INTAKE_CHUNK_VERTICES } from '../../node/limits.ts';
import { VertexIntake } from '../../node/vertex-intake.ts';
import { SINCE_BYTES_MAX, silentLog, type Verdict } from '../../p2p/index.ts';
import { TestNetwork } from '../dsl/network.ts';
import { World } from '../sim/world.ts';

const FULL: Refusal = { code: 'queue_full', waiting: 1, max: 1 };

function numbered(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.of(i >> 8, i));
}

/** An intake whose pool and ledger thread a test plays. */
function intake(
  check: (bytes: Uint8Array) => Promise<Uint8Array | Refusal>,
  vertices: (list: readonly VerifiedVertex[]) => Promise<readonly Verdict[]>,
  here: ReadonlySet<string> = new Set(),
): VertexIntake {
  const call = (async (method: 'vertices' | 'has', list: readonly VerifiedVertex[]) =>
    method === 'has' ? list.map((id) => here.has(String(id))) : vertices(list)) as LedgerThread['call'];
  return new VertexIntake({ verify: { checkVertex: check }, ledger: () => ({ call }) });
}

describe('the intake of vertices', () => {
  it('attaches many in their order and in small groups, however the pool orders them', async () => {
    const groups: number[][] = [];
    const part = intake(
      async (bytes) => {
        await new Promise((resolve) => {
          setTimeout(resolve, (bytes[1]! * 7) % 5);
        });
        return bytes;
      },
      async (list) => {
        groups.push(list.map(({ bytes }) => bytes[0]! * 256 + bytes[1]!));
        return list.map(() => 'accept');
      },
    );
    const verdicts = await part.takeAll(numbered(300), 'a');
    assert.equal(verdicts.length, 300);
    assert.deepEqual(
      groups.flat(),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.ok(groups.every((group) => group.length <= INTAKE_CHUNK_VERTICES));
  });

  it('gives each its verdict, and waits for room, in the pool and in the ledger', async () => {
    let poolFull = 3;
    let ledgerFull = 2;
    const bad: Refusal = { code: 'malformed', what: 'block' };
    const part = intake(
      async (bytes) => {
        if (bytes[1] === 2) return bad;
        return poolFull-- > 0 ? FULL : bytes;
      },
      async (list) => list.map(() => (ledgerFull-- > 0 ? FULL : 'accept')),
    );
    assert.deepEqual(await part.takeAll(numbered(4), 'a'), ['accept', 'accept', bad, 'accept']);
  });

  it('does not check again what the ledger has', async () => {
    const [known, fresh] = numbered(2);
    const checked: Uint8Array[] = [];
    const part = intake(
      async (bytes) => {
        checked.push(bytes);
        return bytes;
      },
      async (list) => list.map(() => 'accept'),
      new Set([blake3Hex(known!)]),
    );
    assert.deepEqual(await part.takeAll([known!, fresh!, known!], 'a'), ['ignore', 'accept', 'ignore']);
    assert.deepEqual(checked, [fresh]);
  });

  it('waits no longer than the node runs', async () => {
    const part = intake(
      async () => FULL,
      async () => [],
    );
    const taking = part.takeAll(numbered(1), 'a');
    part.stop();
    assert.deepEqual(await taking, [FULL]);
  });

  it('ignores by gossip what there is no room for: it comes again', async () => {
    const part = intake(
      async (bytes) => bytes,
      async () => [FULL],
    );
    assert.equal(await part.take(Uint8Array.of(1), 'a', false), 'ignore');
  });
});

describe('a node that was away for thousands of rounds', function () {
  this.timeout(120_000);

  it('catches up in bounded windows, and waits where it is itself too slow', async () => {
    const { genesis } = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 1 }, signed: true });
    const validator = { roundFloorMs: 5, roundLingerMs: 20, idleBeatMs: 10 };
    const world = new World(genesis, { seed: 1, delayMsMax: 5, validator });
    const [node] = world.nodes;
    world.run(10_000_000, () => node!.core.rounds.highestQuorum >= 1900);
    const stored = node!.stored;

    const late = new Core({ genesis });
    let calls = 0;
    const part = intake(
      async (bytes) => checkVertex(bytes, genesis),
      async (list) => {
        // Now and then it has no room.
        if (calls++ % 7 === 3) return list.map(() => FULL);
        return list.map(({ bytes, hashes, from }): Verdict => {
          const vertex = decodeVertex(bytes, genesis.network, hashes);
          assert.ok(!isRefusal(vertex));
          const effects = late.step({ type: 'vertex', vertex, from, requested: true, nowMs: 0 });
          return effects.some(({ type }) => type === 'attached') ? 'accept' : 'ignore';
        });
      },
    );
    const windows: number[] = [];
    const since: LedgerCalls['since'] = async ({ cursor = 0 }) => {
      const vertices: Uint8Array[] = [];
      let bytes = 0;
      let next = cursor;
      for (; next < stored.length && bytes + stored[next]!.bytes.length <= SINCE_BYTES_MAX; next++) {
        bytes += stored[next]!.bytes.length;
        vertices.push(stored[next]!.bytes.slice());
      }
      windows.push(bytes);
      return next < stored.length ? { vertices, next } : { vertices };
    };
    const catchUp = new CatchUp({
      log: silentLog,
      peers: {
        since: (_, request) => since({ ...request, bytesMax: SINCE_BYTES_MAX }),
        list: () => [],
        penalise: (_, refusal) => assert.fail(JSON.stringify(refusal)),
      },
      take: (vertices, from) => part.takeAll(vertices, from),
      round: async () => late.rounds.highestQuorum,
    });
    await catchUp.start('a');
    assert.ok(windows.length >= 3, `${windows}`);
    assert.equal(late.rounds.highestQuorum, node!.core.rounds.highestQuorum);
    assert.equal(late.ledger.tangle.size, stored.length + 1);
    assert.equal(late.ledger.lastCommit.root, node!.core.ledger.lastCommit.root);
    assert.ok(late.rounds.highestQuorum >= 1900);
  });
});
