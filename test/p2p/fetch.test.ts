import assert from 'node:assert/strict';
import { hex, type VertexId } from '../../ledger/index.ts';
import { FETCH_IDS_MAX, type Peers, type SinceWindow } from '../../p2p/index.ts';
import { addressOf, idOf, type NodeParts, Scene, until, vertex } from './network.ts';

const ALL = Array.from({ length: 200 }, (_, i) => vertex(i, 200 + i));
const BY_ID = new Map(ALL.map((bytes) => [idOf(bytes), bytes]));
const IDS = [...BY_ID.keys()];

/** A node that knows some vertices, and how it was asked. */
async function keeper(scene: Scene, known: (id: VertexId) => boolean, parts: NodeParts = {}) {
  const asked: VertexId[][] = [];
  const node = await scene.node({
    ...parts,
    vertices: {
      fetch(ids) {
        asked.push([...ids]);
        return Promise.resolve(ids.filter(known).flatMap((id) => BY_ID.get(id) ?? []));
      },
    },
  });
  return { node, asked };
}

async function seeker(
  scene: Scene,
  keepers: readonly Peers[],
  limits: NodeParts['limits'] = {},
): Promise<Peers> {
  const node = await scene.node({ peers: keepers.map(addressOf), limits });
  await until('everybody is connected', () => node.list().length === keepers.length);
  return node;
}

function idsOf(fetched: readonly { readonly bytes: Uint8Array }[]): string[] {
  return fetched.map(({ bytes }) => idOf(bytes)).sort();
}

describe('fetching missing vertices', () => {
  it('asks those named first, in requests of at most FETCH_IDS_MAX ids, and says who sent what', async () => {
    await using scene = new Scene();
    const a = await keeper(scene, () => true);
    const b = await keeper(scene, () => true);
    const node = await seeker(scene, [a.node, b.node], { fetchHedgeMs: 5_000 });
    const fetched = await node.fetch(IDS, [b.node.id]);
    assert.deepEqual(idsOf(fetched), [...IDS].sort());
    assert.ok(fetched.every(({ from }) => from === b.node.id));
    assert.equal(a.asked.length, 0);
    assert.equal(b.asked.length, Math.ceil(IDS.length / FETCH_IDS_MAX));
    assert.ok(b.asked.every((ids) => ids.length <= FETCH_IDS_MAX));
    for (const { bytes } of fetched) assert.equal(hex(bytes), hex(BY_ID.get(idOf(bytes))!));
  });

  it('asks others for what the first does not know, and leaves out what nobody knows', async () => {
    await using scene = new Scene();
    const half = new Set(IDS.slice(0, 30));
    const a = await keeper(scene, (id) => half.has(id));
    const b = await keeper(scene, (id) => !half.has(id));
    const node = await seeker(scene, [a.node, b.node]);
    const unknown = idOf(vertex(9_999));
    const fetched = await node.fetch([...IDS.slice(0, 60), unknown], [a.node.id]);
    assert.deepEqual(idsOf(fetched), IDS.slice(0, 60).sort());
    assert.deepEqual(b.asked[0]?.length, 31);
  });

  it('does not wait for a silent peer, and cuts one that sends what was not asked for', async () => {
    await using scene = new Scene();
    const silent = await scene.node({ vertices: { fetch: () => new Promise(() => {}) } });
    const liar = await scene.node({
      vertices: { fetch: (ids) => Promise.resolve(ids.map((_, i) => vertex(5_000 + i))) },
    });
    const honest = await keeper(scene, () => true);
    const node = await seeker(scene, [silent, liar, honest.node], { fetchHedgeMs: 30 });
    const fetched = await node.fetch(IDS.slice(0, 10), [silent.id, liar.id, honest.node.id]);
    assert.deepEqual(idsOf(fetched), IDS.slice(0, 10).sort());
    assert.ok(fetched.every(({ from }) => from === honest.node.id));
    await until('the liar is cut', () => node.list().every(({ id }) => id !== liar.id));
    assert.deepEqual(
      node
        .list()
        .map(({ id }) => id)
        .sort(),
      [silent.id, honest.node.id].sort(),
    );
    assert.ok(node.counters.fetch_hedged! >= 1);
  });

  it('cuts a peer that sends more vertices than ids', async () => {
    await using scene = new Scene();
    // Our own serving side cannot send more than was asked, so the same vertex comes for two ids.
    const a = await scene.node({ vertices: { fetch: () => Promise.resolve([ALL[0]!, ALL[0]!]) } });
    const node = await seeker(scene, [a]);
    const fetched = await node.fetch([IDS[0]!, IDS[1]!], [a.id]);
    assert.deepEqual(idsOf(fetched), [IDS[0]]);
  });

  it('resolves with nothing when nobody is there, and when the only peer goes away while it is asked', async () => {
    await using scene = new Scene();
    let asked = false;
    const a = await scene.node({
      vertices: {
        fetch: () => {
          asked = true;
          return new Promise(() => {});
        },
      },
    });
    const node = await seeker(scene, [a]);
    const lonely = await scene.node();
    assert.deepEqual(await lonely.fetch(IDS, [a.id, 'nobody']), []);
    const fetching = node.fetch(IDS.slice(0, 3), [a.id]);
    await until('it is asked', () => asked);
    await a[Symbol.asyncDispose]();
    assert.deepEqual(await fetching, []);
  });

  it('drops what exceeds the batches under way, and counts it', async () => {
    await using scene = new Scene();
    const a = await keeper(scene, () => true);
    const node = await seeker(scene, [a.node], { fetchesMax: 2 });
    const fetched = await node.fetch(IDS, []);
    assert.equal(fetched.length, 2 * FETCH_IDS_MAX);
    assert.equal(node.counters.fetch_dropped, IDS.length - 2 * FETCH_IDS_MAX);
    assert.equal((await node.fetch(IDS.slice(0, 5), [])).length, 5);
  });

  it('leaves a peer alone whose budget is spent, until the time that it named', async () => {
    await using scene = new Scene();
    const a = await keeper(scene, () => true, { limits: { requestsPerSecond: 10, requestsBurst: 3 } });
    const node = await seeker(scene, [a.node]);
    const counts: number[] = [];
    for (let i = 0; i < 20; i++) counts.push((await node.fetch([IDS[i]!], [])).length);
    assert.deepEqual(counts.slice(0, 4), [1, 1, 1, 0]);
    assert.ok(a.node.counters.budget_spent! <= 2, `${a.node.counters.budget_spent}`);
    let served = 0;
    const endMs = performance.now() + 3_000;
    while (served === 0 && performance.now() < endMs) {
      served = (await node.fetch([IDS[30]!], [])).length;
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    assert.equal(served, 1);
    assert.equal(a.node.list().length, 1);
  });
});

describe('catching up', () => {
  /** Windows of 16 vertices over ALL, by index. */
  function window(request: { round: number; cursor?: number | undefined }): SinceWindow {
    const start = request.cursor ?? request.round * 10;
    const next = start + 16;
    return { vertices: ALL.slice(start, next), next: next < ALL.length ? next : undefined };
  }

  it('walks through windows from a round to the end, in the order of the peer', async () => {
    await using scene = new Scene();
    const bounds: number[] = [];
    const a = await scene.node({
      vertices: {
        since(request) {
          bounds.push(request.bytesMax);
          return Promise.resolve(window(request));
        },
      },
    });
    const node = await seeker(scene, [a]);
    const all: Uint8Array[] = [];
    let cursor: number | undefined;
    do {
      const { vertices, next } = await node.since(a.id, { round: 2, cursor });
      all.push(...vertices);
      cursor = next;
    } while (cursor !== undefined);
    assert.deepEqual(all.map(hex), ALL.slice(20).map(hex));
    assert.equal(new Set(bounds).size, 1);
  });

  it('takes a full window of full frames', async () => {
    await using scene = new Scene();
    const full = Array.from({ length: 16 }, (_, i) => vertex(i, 64 * 1024));
    const a = await scene.node({ vertices: { since: () => Promise.resolve({ vertices: full, next: 5 }) } });
    const node = await seeker(scene, [a]);
    const { vertices, next } = await node.since(a.id, { round: 0 });
    assert.equal(next, 5);
    assert.deepEqual(vertices.map(idOf), full.map(idOf));
  });

  it('waits for a peer whose budget is spent for a moment', async () => {
    await using scene = new Scene();
    const a = await scene.node({
      limits: { requestsPerSecond: 20, requestsBurst: 2 },
      vertices: { since: (request) => Promise.resolve(window(request)) },
    });
    const node = await seeker(scene, [a]);
    for (let i = 0; i < 6; i++) assert.equal((await node.since(a.id, { round: i })).vertices.length, 16);
    assert.ok(a.counters.budget_spent! > 0);
    assert.equal(a.list()[0]?.id, node.id);
  });

  it('sends no window beyond the bounds, whatever the node says', async () => {
    await using scene = new Scene();
    const endless = Array.from({ length: 18 }, (_, i) => vertex(i, 64 * 1024));
    const a = await scene.node({ vertices: { since: () => Promise.resolve({ vertices: endless }) } });
    const node = await seeker(scene, [a]);
    await assert.rejects(node.since(a.id, { round: 0 }), { code: 'bad_reply' });
    assert.equal(a.counters.handlers_failed, 1);
    assert.equal(node.list().length, 1);
  });

  it('says in a coded error what went wrong', async () => {
    await using scene = new Scene();
    const silent = await scene.node({ vertices: { since: () => new Promise(() => {}) } });
    const broken = await scene.node({ vertices: { since: () => Promise.reject(new Error('disk')) } });
    const stingy = await scene.node({ limits: { requestsPerSecond: 0.001, requestsBurst: 1 } });
    const node = await seeker(scene, [silent, broken, stingy], { requestTimeoutMs: 100 });
    await assert.rejects(node.since('12D3KooWNobody', { round: 0 }), { code: 'unreachable' });
    await assert.rejects(node.since(silent.id, { round: 0 }), { code: 'timeout' });
    await assert.rejects(node.since(broken.id, { round: 0 }), { code: 'bad_reply' });
    await node.since(stingy.id, { round: 0 });
    await assert.rejects(
      node.since(stingy.id, { round: 0 }),
      (error: { code: string; refusal: { code: string } }) => {
        assert.equal(error.code, 'refused');
        assert.equal(error.refusal.code, 'budget_spent');
        return true;
      },
    );
    assert.equal(broken.counters.handlers_failed, 1);
  });
});
