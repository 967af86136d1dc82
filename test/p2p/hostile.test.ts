import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Stream } from '@libp2p/interface';
import { hex } from '../../ledger/index.ts';
import { encodeMessage } from '../../p2p/codec.ts';
import type { LightLink, LightPush, Peers } from '../../p2p/index.ts';
import { frame, HostilePeer, noiseBytes, varint } from './hostile-peer.ts';
import {
  ADDRESS,
  addressOf,
  NETWORK,
  type NodeParts,
  OTHER_NETWORK,
  Scene,
  until,
  vertex,
} from './network.ts';

const id = hex(NETWORK);
const GOSSIP = '/meshsub/1.2.0';
const FETCH = `/ravel/${id}/fetch/1`;
const SINCE = `/ravel/${id}/since/1`;
const LIGHT = `/ravel/${id}/light/1`;
const PROTOCOLS = [GOSSIP, FETCH, SINCE, LIGHT];

/** Rejections that nobody took, in the whole run of this file. */
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);

interface Town {
  readonly victim: Peers;
  readonly neighbour: Peers;
  readonly link: LightLink;
  readonly hostile: HostilePeer;
  /** Numbers of the frames that the victim heard. */
  readonly heard: Set<number>;
}

/** A victim with an honest neighbour and an honest client, and one who means no good. */
async function town(scene: Scene, parts: NodeParts = {}): Promise<Town> {
  const heard = new Set<number>();
  const victim = await scene.node({
    ...parts,
    limits: { stallTimeoutMs: 40, ...parts.limits },
    vertices: {
      gossip: (_kind, bytes) => {
        heard.add(new DataView(bytes.buffer).getUint32(0));
        return Promise.resolve('accept');
      },
      ...parts.vertices,
    },
  });
  const neighbour = await scene.node({ peers: [addressOf(victim)] });
  const client = await scene.client();
  const link = await client.connect(addressOf(victim));
  const hostile = scene.add(await HostilePeer.create());
  await until(
    'the neighbours know each other',
    () => victim.list().length === 1 && neighbour.list().length === 1,
  );
  return { victim, neighbour, link, hostile, heard };
}

let number = 1_000_000;

/** Gossip, fetch and the light protocol still work for the honest. */
async function undisturbed({ victim, neighbour, link, heard }: Town): Promise<void> {
  number += 1_000;
  const first = number;
  await until('gossip flows', () => {
    neighbour.publish('block', vertex(number++));
    return [...heard].some((seen) => seen >= first);
  });
  assert.equal((await link.status()).round, 1);
  assert.deepEqual(await neighbour.since(victim.id, { round: 0 }), { vertices: [], next: undefined });
  assert.deepEqual(
    victim.list().map((peer) => [peer.id, peer.points]),
    [[neighbour.id, 0]],
  );
}

async function cut(place: Town, code?: string): Promise<void> {
  const { victim, hostile } = place;
  await until('it is cut', () => victim.counters.peers_cut === 1);
  await until('it is hung up on', () => hostile.connections === 0);
  const { connections_opened: opened, connections_denied: denied } = victim.counters;
  // The dialling side may believe for a moment that it is connected.
  await hostile.open(addressOf(victim), LIGHT).then(
    (stream) => until('it is hung up on', () => stream.status !== 'open'),
    () => {},
  );
  await until('it was denied', () => victim.counters.connections_denied === denied! + 1);
  assert.equal(victim.counters.connections_opened, opened, 'a cut peer got in again');
  await undisturbed(place);
  if (code !== undefined) assert.ok(victim.counters[code]! > 0, code);
}

/** Sends until the other side has had enough. */
async function pour(stream: Stream, bytes: () => Uint8Array): Promise<void> {
  while (stream.status === 'open') {
    try {
      if (!stream.send(bytes())) await Promise.race([stream.onDrain(), patience()]);
    } catch {
      return;
    }
    await patience();
  }
}

function patience(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('a hostile peer', () => {
  before(() => process.on('unhandledRejection', onUnhandled));
  after(() => {
    process.off('unhandledRejection', onUnhandled);
    assert.deepEqual(unhandled, []);
  });

  for (const protocol of PROTOCOLS) {
    const name = protocol.split('/').at(-2);

    it(`that sends random bytes on ${name} is cut`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      // Chance may look like the beginning of a long frame: that is a stall, and the next one may not.
      for (let seed = 1; place.victim.counters.peers_cut === 0; seed++) {
        assert.ok(seed < 10);
        const stream = await place.hostile.open(addressOf(place.victim), protocol);
        stream.send(noiseBytes(5_000, seed));
        await until('the stream is ended', () => stream.status !== 'open');
      }
      await cut(place);
    });

    it(`that announces a frame of 16 MB on ${name} is cut before it sends one`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      const stream = await place.hostile.open(addressOf(place.victim), protocol);
      stream.send(protocol === GOSSIP ? varint(16_000_000) : frame(1, new Uint8Array(0), 0xffffff));
      await cut(place, 'frames_malformed');
    });

    it(`that begins frames on ${name} and falls silent is cut when it does so again and again`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      for (let i = 0; i < 4; i++) {
        const stream = await place.hostile.open(addressOf(place.victim), protocol);
        stream.send(
          protocol === GOSSIP ? Uint8Array.of(...varint(1_000), 1, 2, 3) : frame(1, new Uint8Array(3), 1_000),
        );
        await until('the stream is ended', () => stream.status !== 'open');
      }
      await cut(place, 'frames_stalled');
    });

    it(`that closes streams in the middle of a frame on ${name} is cut in the same way`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      for (let i = 0; i < 4; i++) {
        const stream = await place.hostile.open(addressOf(place.victim), protocol);
        stream.send(protocol === GOSSIP ? varint(1_000) : frame(1, new Uint8Array(3), 1_000));
        await stream.close();
        await until('it is noted', () => place.victim.counters.frames_stalled === i + 1);
      }
      await cut(place);
    });
  }

  for (const protocol of [FETCH, SINCE, LIGHT]) {
    const name = protocol.split('/').at(-2);
    const wellFormed: Readonly<Record<string, object>> = {
      [FETCH]: { ids: new Uint8Array(32) },
      [SINCE]: { round: 0 },
      [LIGHT]: { id: 1, ask: 'status' },
    };

    it(`that sends a message of the wrong shape on ${name} is cut`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      const stream = await place.hostile.open(addressOf(place.victim), protocol);
      stream.send(frame(1, encodeMessage({ ...wellFormed[protocol], more: 1 })));
      await cut(place, 'frames_malformed');
    });

    it(`that sends a vertex on ${name} is cut`, async () => {
      await using scene = new Scene();
      const place = await town(scene);
      const stream = await place.hostile.open(addressOf(place.victim), protocol);
      stream.send(frame(2, vertex(1)));
      await cut(place, 'frames_malformed');
    });

    it(`that asks on ${name} without end and without reading is cut`, async () => {
      await using scene = new Scene();
      const place = await town(scene, { limits: { requestsPerSecond: 50, requestsBurst: 100 } });
      const stream = await place.hostile.open(addressOf(place.victim), protocol);
      const request = frame(1, encodeMessage(wellFormed[protocol]));
      await pour(stream, () => request);
      await cut(place, 'budget_spent');
    });
  }

  it('that opens thousands of streams is cut', async () => {
    await using scene = new Scene();
    const place = await town(scene);
    const connection = await place.hostile.dial(addressOf(place.victim));
    const opened = await Promise.allSettled(
      Array.from({ length: 2_000 }, () => connection.newStream(LIGHT, { maxOutboundStreams: 10_000 })),
    );
    assert.ok(opened.filter(({ status }) => status === 'rejected').length > 1_900);
    await cut(place);
  });

  it('that floods gossip is read no faster than its budget, and the honest are heard', async () => {
    await using scene = new Scene();
    const place = await town(scene, { limits: { gossipFramesPerSecond: 20, gossipFramesBurst: 50 } });
    const stream = await place.hostile.open(addressOf(place.victim), GOSSIP);
    let sent = 0;
    // An RPC with one message: field 2 {data: field 2, topic: field 4}.
    const rpc = (): Uint8Array => {
      const topic = new TextEncoder().encode(`/ravel/${id}/blocks/1`);
      const data = vertex(++sent, 2_000);
      const message = Uint8Array.of(0x12, ...varint(data.length), ...data, 0x22, topic.length, ...topic);
      const body = Uint8Array.of(0x12, ...varint(message.length), ...message);
      return Uint8Array.of(...varint(body.length), ...body);
    };
    const pouring = pour(stream, rpc);
    await until('it is throttled', () => place.victim.counters.gossip_throttled! > 3);
    await undisturbed(place);
    const taken = [...place.heard].filter((seen) => seen < 1_000_000).length;
    assert.ok(taken >= 50 && taken < 200 && sent > 2 * taken, `${taken} of ${sent}`);
    stream.abort(new Error('enough'));
    await pouring;
  });

  it('that signs gossip, uses foreign topics, or wants what nobody announced, is cut', async () => {
    const topic = new TextEncoder().encode(`/ravel/${id}/blocks/1`);
    const foreign = new TextEncoder().encode(`/ravel/${hex(OTHER_NETWORK)}/blocks/1`);
    const wrapped = (field: number, inner: readonly number[]): Uint8Array =>
      Uint8Array.of(...varint(inner.length + 2), field, inner.length, ...inner);
    const attacks: readonly Uint8Array[] = [
      wrapped(0x12, [0x0a, 2, 1, 2, 0x12, 1, 7, 0x22, topic.length, ...topic]),
      wrapped(0x12, [0x12, 1, 7, 0x22, foreign.length, ...foreign]),
      wrapped(0x12, [0x22, topic.length, ...topic]),
      // control {iwant {messageIDs}}
      wrapped(0x1a, [0x12, 4, 0x0a, 2, 1, 2]),
    ];
    for (const attack of attacks) {
      await using scene = new Scene();
      const place = await town(scene);
      const stream = await place.hostile.open(addressOf(place.victim), GOSSIP);
      stream.send(attack);
      await cut(place, 'frames_malformed');
    }
  });

  it('that subscribes and does not read loses its link, and delays nobody', async () => {
    await using scene = new Scene();
    const pushes = new Set<(event: LightPush) => boolean>();
    let unsubscribed = 0;
    const place = await town(scene, {
      light: {
        subscribe(_addresses, push) {
          pushes.add(push);
          return () => {
            unsubscribed++;
            pushes.delete(push);
          };
        },
      },
      limits: { pushUnsentBytes: 256 * 1024 },
    });
    let honest = 0;
    place.link.onPush(() => honest++);
    await place.link.subscribe([ADDRESS]);
    const stream = await place.hostile.open(addressOf(place.victim), LIGHT);
    stream.pause();
    stream.send(frame(1, encodeMessage({ id: 1, ask: 'subscribe', addresses: [ADDRESS] })));
    await until('both are subscribed', () => pushes.size === 2);
    const entry = { index: 1, payment: new Uint8Array(60_000), proof: new Uint8Array(100) };
    const startedMs = performance.now();
    let rounds = 0;
    let ends = 0;
    while (unsubscribed === 0 && rounds < 200) {
      rounds++;
      for (const push of [...pushes]) if (!push({ type: 'final', entry })) ends++;
      const wanted = rounds;
      await until('the honest one has it', () => honest === wanted);
    }
    assert.ok(performance.now() - startedMs < 5_000);
    assert.equal(unsubscribed, 1);
    assert.equal(ends, 1);
    assert.equal(place.victim.counters.light_links_ended_slow, 1);
    assert.ok(rounds > 2 && rounds < 100, `${rounds}`);
    await undisturbed(place);
  });

  it('that speaks no libp2p at all is hung up on', async () => {
    await using scene = new Scene();
    const place = await town(scene, { limits: { dialTimeoutMs: 300 } });
    const port = Number(addressOf(place.victim).split('/')[4]);
    const ends = await Promise.all(
      [noiseBytes(10_000), new Uint8Array(0)].map(
        (bytes) =>
          new Promise<string>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
            socket.on('error', () => {});
            socket.on('close', () => resolve('closed'));
            socket.setTimeout(5_000, () => resolve('open'));
          }),
      ),
    );
    assert.deepEqual(ends, ['closed', 'closed']);
    await undisturbed(place);
  });

  it('that subscribes to gossip and does not read misses some of it, and delays nobody', async () => {
    await using scene = new Scene();
    const place = await town(scene, { limits: { gossipUnsentBytes: 256 * 1024 } });
    let sent = 0;
    await place.hostile.serve(GOSSIP, (stream) => stream.pause());
    const stream = await place.hostile.open(addressOf(place.victim), GOSSIP);
    const topic = new TextEncoder().encode(`/ravel/${id}/blocks/1`);
    const subscription = Uint8Array.of(0x08, 1, 0x12, topic.length, ...topic);
    stream.send(Uint8Array.of(subscription.length + 2, 0x0a, subscription.length, ...subscription));
    await until('frames for it are dropped', () => {
      place.victim.publish('block', vertex(sent++, 60_000));
      return place.victim.counters.gossip_unsent_dropped! > 10;
    });
    assert.ok(sent > 4 && sent < 100, `${sent}`);
    assert.equal(place.victim.counters.connections_closed, 0);
    await until('the neighbour has everything', () => place.neighbour.counters.gossip_received! >= sent);
    await undisturbed(place);
  });

  it('that never says what it speaks is hung up on', async () => {
    await using scene = new Scene();
    const place = await town(scene, { limits: { identifyTimeoutMs: 100 } });
    const silent = scene.add(await HostilePeer.create({ identify: false }));
    await silent.dial(addressOf(place.victim));
    await until('it is hung up on', () => place.victim.counters.connections_unidentified === 1);
    await undisturbed(place);
  });

  it('that resets its gossip stream is sent another one, for it may have been an accident', async () => {
    await using scene = new Scene();
    const place = await town(scene);
    let streams = 0;
    await place.hostile.serve(GOSSIP, (stream) => {
      if (++streams === 1) stream.abort(new Error('oops'));
    });
    await place.hostile.dial(addressOf(place.victim));
    await until('there is a second one', () => streams === 2);
    assert.ok(place.victim.counters.gossip_streams_renewed! >= 1);
    await undisturbed(place);
  });

  it('that asks for protocols of another network gets none of them', async () => {
    await using scene = new Scene();
    const place = await town(scene);
    for (const protocol of ['fetch/1', 'since/1', 'light/1']) {
      const name = `/ravel/${hex(OTHER_NETWORK)}/${protocol}`;
      await assert.rejects(place.hostile.open(addressOf(place.victim), name), {
        name: 'UnsupportedProtocolError',
      });
    }
    await undisturbed(place);
  });
});
