import assert from 'node:assert/strict';
import type { VertexId } from '../../ledger/index.ts';
import { type Peers, SINCE_BYTES_MAX, SNAPSHOT_BYTES_MAX, type SnapshotOffer } from '../../p2p/index.ts';
import { addressOf, type NodeParts, Scene, until, vertex } from './network.ts';

const LEADER = 'ab'.repeat(32) as VertexId;
const PARTS = Array.from({ length: 60 }, (_, i) => vertex(i, 48 * 1024));
const OFFER: SnapshotOffer = {
  leader: LEADER,
  count: PARTS.length,
  bytes: PARTS.length * 48 * 1024,
  cursor: 17,
  first: PARTS[0]!,
};

type Keeper = NonNullable<NodeParts['vertices']>;

function keeper(more: Keeper = {}): Keeper {
  return {
    snapshot: async () => OFFER,
    snapshotParts: async ({ leader, from, bytesMax }) => {
      if (leader !== LEADER) return undefined;
      const to = from + Math.floor(bytesMax / (48 * 1024));
      return { parts: PARTS.slice(from, to), next: to < PARTS.length ? to : undefined };
    },
    ...more,
  };
}

async function pair(
  scene: Scene,
  vertices: Keeper,
  limits: NodeParts['limits'] = {},
): Promise<{ asker: Peers; holder: Peers }> {
  const holder = await scene.node({ vertices, limits });
  const asker = await scene.node({ peers: [addressOf(holder)] });
  await until('they are connected', () => asker.list().length === 1);
  return { asker, holder };
}

async function all({ asker, holder }: { asker: Peers; holder: Peers }): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const window = await asker.snapshotParts(holder.id, { leader: LEADER, from });
    assert.ok(window !== undefined);
    parts.push(...window.parts);
    from = window.next;
  }
  return parts;
}

describe('fetching a snapshot', () => {
  it('brings the offer with its first part, then part after part in windows', async () => {
    await using scene = new Scene();
    const asked: number[] = [];
    const base = keeper();
    const nodes = await pair(scene, {
      ...base,
      snapshotParts: (request) => {
        asked.push(request.bytesMax);
        return base.snapshotParts!(request);
      },
    });
    assert.deepEqual(await nodes.asker.snapshot(nodes.holder.id), OFFER);
    assert.deepEqual(await all(nodes), PARTS);
    assert.deepEqual(asked, [SINCE_BYTES_MAX, SINCE_BYTES_MAX, SINCE_BYTES_MAX]);
    // A fetch that was interrupted goes on where it was.
    const later = await nodes.asker.snapshotParts(nodes.holder.id, { leader: LEADER, from: 59 });
    assert.deepEqual(later, { parts: [PARTS[59]!], next: undefined });
  });

  it('says that there is none, or none any more', async () => {
    await using scene = new Scene();
    const { asker, holder } = await pair(scene, keeper({ snapshot: async () => undefined }));
    assert.equal(await asker.snapshot(holder.id), undefined);
    const other = 'cd'.repeat(32) as VertexId;
    assert.equal(await asker.snapshotParts(holder.id, { leader: other, from: 0 }), undefined);
  });

  it('waits for a peer whose budget is spent', async () => {
    await using scene = new Scene();
    const limits = { bytesOutPerSecond: 8 * 1024 * 1024, bytesOutBurst: 64 * 1024 };
    const nodes = await pair(scene, keeper(), limits);
    assert.deepEqual(await all(nodes), PARTS);
    assert.ok(nodes.holder.counters.budget_spent! > 0);
    assert.equal(nodes.holder.list().length, 1);
  });

  const OFFERS: Readonly<Record<string, SnapshotOffer>> = {
    'is larger than any': { ...OFFER, bytes: SNAPSHOT_BYTES_MAX + 1 },
    'has no part': { ...OFFER, count: 0 },
    'names no leader': { ...OFFER, leader: 'x' as VertexId },
  };
  for (const [what, offer] of Object.entries(OFFERS)) {
    it(`cuts a peer whose offer ${what}`, async () => {
      await using scene = new Scene();
      const { asker, holder } = await pair(scene, keeper({ snapshot: async () => offer }));
      await assert.rejects(asker.snapshot(holder.id), { code: 'bad_reply' });
      await until('it is cut', () => asker.list().length === 0);
    });
  }

  it('cuts a peer that sends more than a window', async () => {
    await using scene = new Scene();
    const endless = keeper({ snapshotParts: async () => ({ parts: PARTS }) });
    const { asker, holder } = await pair(scene, endless);
    await assert.rejects(asker.snapshotParts(holder.id, { leader: LEADER, from: 0 }), { code: 'bad_reply' });
    await until('it is cut', () => asker.list().length === 0);
  });
});
