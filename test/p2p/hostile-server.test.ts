import assert from 'node:assert/strict';
import type { Stream } from '@libp2p/interface';
import { hex } from '../../ledger/index.ts';
import { encodeMessage } from '../../p2p/codec.ts';
import type { Peers } from '../../p2p/index.ts';
import { frame, HostilePeer, noiseBytes } from './hostile-peer.ts';
import { ADDRESS, addressOf, idOf, NETWORK, Scene, until, vertex } from './network.ts';

const id = hex(NETWORK);
const FETCH = `/ravel/${id}/fetch/1`;
const SINCE = `/ravel/${id}/since/1`;
const LIGHT = `/ravel/${id}/light/1`;

function message(value: unknown): Uint8Array {
  return frame(1, encodeMessage(value));
}

/** Sends the same bytes until nobody takes them any more. */
function forever(bytes: Uint8Array): (stream: Stream) => void {
  return (stream) => {
    const more = (): void => {
      if (stream.status !== 'open' || stream.writeStatus !== 'writable') return;
      try {
        for (let i = 0; i < 8 && stream.send(bytes); i++);
      } catch {
        return;
      }
      setTimeout(more, 1);
    };
    more();
  };
}

describe('a node that answers a light client with what no correct node sends', () => {
  const answers: readonly (readonly [string, (stream: Stream) => void])[] = [
    ['random bytes', (stream) => stream.send(noiseBytes(3_000, 3))],
    ['a frame of 16 MB', (stream) => stream.send(frame(1, new Uint8Array(0), 0xffffff))],
    ['a vertex', (stream) => stream.send(frame(2, vertex(1)))],
    ['no reply but a message', (stream) => stream.send(message({ hello: 'world' }))],
    ['a reply to a question that nobody asked', (stream) => stream.send(message({ id: 99, value: null }))],
    [
      'a reply of the wrong shape',
      (stream) => stream.send(message({ id: 1, value: { address: ADDRESS, balance: -1 } })),
    ],
    [
      'a refusal with an unknown code',
      (stream) => stream.send(message({ id: 1, refusal: { code: 'because' } })),
    ],
    [
      'another account than was asked for',
      (stream) => {
        const other = 'ff'.repeat(32);
        const view = { balance: 1, pending: 1, sequence: 0, head: other, finalSequence: 0, finalHead: other };
        stream.send(message({ id: 1, value: { address: other, ...view } }));
      },
    ],
    ['a push of the wrong shape', (stream) => stream.send(message({ push: { type: 'final', entry: 5 } }))],
  ];
  for (const [what, answer] of answers) {
    it(`is cut for ${what}, and the question rejects`, async () => {
      await using scene = new Scene();
      const hostile = scene.add(await HostilePeer.create());
      await hostile.serve(LIGHT, answer);
      const client = await scene.client();
      const link = await client.connect(addressOf(hostile));
      await assert.rejects(link.account(ADDRESS), (error: { code: string }) =>
        ['bad_reply', 'closed'].includes(error.code),
      );
      await until('it is cut', () => client.counters.peers_cut === 1);
      await link.closed;
      await assert.rejects(client.connect(addressOf(hostile)), { code: 'peer_refused' });
    });
  }

  it('is left when it falls silent in the middle of a reply', async () => {
    await using scene = new Scene();
    const hostile = scene.add(await HostilePeer.create());
    await hostile.serve(LIGHT, (stream) => stream.send(frame(1, new Uint8Array(3), 100)));
    const client = await scene.client({ limits: { stallTimeoutMs: 40 } });
    const link = await client.connect(addressOf(hostile));
    await assert.rejects(link.status(), { code: 'closed' });
    await link.closed;
    assert.equal(client.counters.frames_stalled, 1);
  });

  it('is waited for no longer than the caller wants when it says nothing', async () => {
    await using scene = new Scene();
    const hostile = scene.add(await HostilePeer.create());
    await hostile.serve(LIGHT, () => {});
    const client = await scene.client({ requestTimeoutMs: 60 });
    const link = await client.connect(addressOf(hostile));
    await assert.rejects(link.status(), { code: 'timeout' });
  });
});

describe('a node that answers a fetch with what no correct node sends', () => {
  const WANTED = vertex(1);

  /** A node that knows the vertex, one that does not behave, and one that wants it. */
  async function town(scene: Scene, answer: (stream: Stream) => void) {
    const hostile = scene.add(await HostilePeer.create());
    await hostile.serve(FETCH, answer);
    await hostile.serve(SINCE, answer);
    const honest = await scene.node({ vertices: { fetch: () => Promise.resolve([WANTED]) } });
    const node = await scene.node({
      peers: [addressOf(honest), addressOf(hostile)],
      limits: { fetchHedgeMs: 50, stallTimeoutMs: 40, requestTimeoutMs: 500 },
    });
    await until('both are there', () => node.list().length === 2);
    return { hostile, honest, node };
  }

  async function getsIt(node: Peers, hostile: HostilePeer, honest: Peers): Promise<void> {
    const fetched = await node.fetch([idOf(WANTED)], [hostile.id, honest.id]);
    assert.deepEqual(fetched, [{ bytes: WANTED, from: honest.id }]);
  }

  const answers: readonly (readonly [string, (stream: Stream) => void])[] = [
    ['random bytes', (stream) => stream.send(noiseBytes(3_000, 3))],
    ['a frame of 16 MB', (stream) => stream.send(frame(2, new Uint8Array(0), 0xffffff))],
    ['vertices without end', forever(frame(2, vertex(7, 60_000)))],
    [
      'two vertices for one id',
      (stream) => stream.send(Uint8Array.of(...frame(2, WANTED), ...frame(2, WANTED))),
    ],
    ['an end that is no message', (stream) => stream.send(frame(1, Uint8Array.of(0xc1)))],
    ['an end of the wrong shape', (stream) => stream.send(message({ next: 'x' }))],
  ];
  for (const [what, answer] of answers) {
    it(`is cut for ${what}, and another one is asked`, async () => {
      await using scene = new Scene();
      const { hostile, honest, node } = await town(scene, answer);
      if (what === 'two vertices for one id')
        assert.equal((await node.fetch([idOf(WANTED)], [hostile.id])).length, 1);
      else await getsIt(node, hostile, honest);
      await until('it is cut', () => node.counters.peers_cut === 1);
      assert.deepEqual(
        node.list().map((peer) => peer.id),
        [honest.id],
      );
    });
  }

  it('is cut for a since window without end', async () => {
    await using scene = new Scene();
    const { hostile, node } = await town(scene, forever(frame(2, vertex(7, 60_000))));
    await assert.rejects(node.since(hostile.id, { round: 0 }), { code: 'bad_reply' });
    await until('it is cut', () => node.list().length === 1);
  });

  it('costs a stall when it falls silent in the middle, and is cut for a since answer of the wrong shape', async () => {
    await using scene = new Scene();
    const { hostile, honest, node } = await town(scene, (stream) =>
      stream.send(frame(2, new Uint8Array(9), 100)),
    );
    await getsIt(node, hostile, honest);
    await until('the stall is noted', () => node.counters.frames_stalled === 1);
    assert.equal(node.list().length, 2);
    await hostile.serve(SINCE, (stream) => stream.send(message({ next: -1 })));
    await assert.rejects(node.since(hostile.id, { round: 0 }), { code: 'bad_reply' });
    await until('it is cut', () => node.list().length === 1);
  });
});
