import assert from 'node:assert/strict';
import { hex, type Refusal, type VertexId, type Want } from '../../ledger/index.ts';
import { WANTED_UNDER_WAY_MAX } from '../../node/limits.ts';
import { Wanted } from '../../node/wanted.ts';
import { silentLog, type Verdict } from '../../p2p/index.ts';

function wants(first: number, count: number): Want[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, first + i);
    return { id: hex(bytes) as VertexId, from: 'a' };
  });
}

/** Missing parents whose fetching and taking a test decides. */
class Scene {
  readonly fetched: { ids: readonly VertexId[]; from: readonly string[] }[] = [];
  readonly taken: string[] = [];
  readonly penalised: [string, Refusal][] = [];
  verdict: Verdict = 'accept';
  taking: Promise<void> = Promise.resolve();
  readonly wanted = new Wanted({
    log: silentLog,
    peers: {
      fetch: async (ids, from) => {
        this.fetched.push({ ids, from });
        return ids.map((_, i) => ({ bytes: Uint8Array.of(i), from: i % 2 === 0 ? 'a' : 'b' }));
      },
      penalise: (peer, refusal) => this.penalised.push([peer, refusal]),
    },
    intake: {
      takeAll: async (list, from) => {
        this.taken.push(...list.map((bytes) => `${bytes[0]} of ${from}`));
        await this.taking;
        return list.map(() => this.verdict);
      },
    },
  });
}

describe('missing parents', () => {
  it('are asked for by id, and taken as from the peers that sent them', async () => {
    const scene = new Scene();
    await scene.wanted.ask(wants(0, 3));
    assert.deepEqual(scene.fetched, [{ ids: wants(0, 3).map(({ id }) => id), from: ['a'] }]);
    assert.deepEqual(scene.taken.sort(), ['0 of a', '1 of b', '2 of a']);
    assert.deepEqual(scene.penalised, []);
    const bad: Refusal = { code: 'malformed', what: 'block' };
    scene.verdict = bad;
    await scene.wanted.ask(wants(0, 1));
    assert.deepEqual(scene.penalised, [['a', bad]]);
  });

  it('are not asked for again while the node has no time to take them, and are then', async () => {
    const scene = new Scene();
    const taking = Promise.withResolvers<void>();
    scene.taking = taking.promise;
    const first = scene.wanted.ask(wants(0, 2));
    await scene.wanted.ask(wants(0, 2));
    const second = scene.wanted.ask(wants(1, 2));
    taking.resolve();
    await Promise.all([first, second]);
    assert.deepEqual(
      scene.fetched.map(({ ids }) => ids),
      [wants(0, 2).map(({ id }) => id), wants(2, 1).map(({ id }) => id)],
    );
    await scene.wanted.ask(wants(0, 1));
    assert.equal(scene.fetched.length, 3);
  });

  it('are asked for within bounds, and no more once the node stops', async () => {
    const scene = new Scene();
    await Promise.all([scene.wanted.ask(wants(0, 200)), scene.wanted.ask(wants(200, 200))]);
    assert.equal(scene.fetched.flatMap(({ ids }) => ids).length, WANTED_UNDER_WAY_MAX);
    scene.wanted.stop();
    await scene.wanted.ask(wants(0, 1));
    assert.equal(scene.fetched.length, 2);
  });
});
