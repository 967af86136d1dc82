import assert from 'node:assert/strict';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Stream } from '@libp2p/interface';
import { streamPair } from '@libp2p/utils';
import fc from 'fast-check';
import { FRAME_BYTES_MAX, hex } from '../../ledger/index.ts';
import { decodeMessage } from '../../p2p/codec.ts';
import { type Ending, type Frame, FrameChannel } from '../../p2p/frames.ts';
import { FRAME_HEADER_BYTES } from '../../p2p/limits.ts';
import { frame } from './hostile-peer.ts';
import { until } from './network.ts';

const LIMITS = { stallTimeoutMs: 60, drainTimeoutMs: 200 };

async function pair(): Promise<{ stream: Stream; channel: FrameChannel; far: Stream }> {
  const [far, stream] = await streamPair({ protocol: '/test/1' });
  return { far, stream, channel: new FrameChannel(stream, LIMITS) };
}

async function allOf(channel: FrameChannel): Promise<(Frame | Ending)[]> {
  const all: (Frame | Ending)[] = [];
  for (;;) {
    const next = await channel.next();
    all.push(next);
    if (next.type !== 'message' && next.type !== 'vertex') return all;
  }
}

function types(all: readonly (Frame | Ending)[]): string[] {
  return all.map(({ type }) => type);
}

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', async () => {
    const chunks = fc.tuple(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(chunks, async ([payloads, cuts]) => {
        const { far, channel } = await pair();
        const bytes = Buffer.concat(payloads.map((payload, i) => frame((i % 2) + 1, payload)));
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length]!;
          far.send(bytes.subarray(at, at + size));
          at += size;
        }
        const reading = allOf(channel);
        await far.close();
        const all = await reading;
        assert.deepEqual(types(all), [
          ...payloads.map((_, i) => (i % 2 === 0 ? 'message' : 'vertex')),
          'ended',
        ]);
        for (const [i, payload] of payloads.entries()) {
          const got = all[i] as Frame;
          assert.equal(hex(got.bytes), hex(payload));
          assert.equal(got.bytes.buffer.byteLength, payload.length, 'a frame has memory of its own');
        }
        channel.abort(new Error('done'));
      }),
      { seed: 3, numRuns: 30 },
    );
  });

  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ['an unknown kind', frame(3, Uint8Array.of(1)), 'malformed'],
    ['kind 0', frame(0, Uint8Array.of(1)), 'malformed'],
    ['no bytes', frame(1, new Uint8Array(0)), 'malformed'],
    ['one byte too many', frame(2, new Uint8Array(0), FRAME_BYTES_MAX + 1), 'frame_too_large'],
  ];
  for (const [what, bytes, code] of refused) {
    it(`with ${what} are refused on sight of the header`, async () => {
      const { far, channel } = await pair();
      far.send(bytes);
      const ending = await channel.next();
      assert.ok(ending.type === 'refused' && ending.refusal.code === code, ending.type);
      channel.abort(new Error('done'));
    });
  }

  it('that stop in the middle are stalled; between two of them there is time without end', async () => {
    const { far, channel } = await pair();
    assert.deepEqual(await channel.next(80), { type: 'late' });
    far.send(frame(1, Uint8Array.of(1)));
    assert.equal((await channel.next()).type, 'message');
    far.send(Uint8Array.of(1, 0));
    assert.deepEqual(await channel.next(), { type: 'stalled' });
    channel.abort(new Error('done'));
  });

  it('end, stall or break with their stream', async () => {
    const orderly = await pair();
    orderly.far.send(frame(1, Uint8Array.of(1)));
    await orderly.far.close();
    assert.deepEqual(types(await allOf(orderly.channel)), ['message', 'ended']);
    const half = await pair();
    half.far.send(Uint8Array.of(1, 0, 0, 9, 1));
    await half.far.close();
    assert.deepEqual(types(await allOf(half.channel)), ['stalled']);
    const reset = await pair();
    const reading = allOf(reset.channel);
    reset.far.abort(new Error('no more'));
    assert.deepEqual(types(await reading), ['broken']);
    const dead = await pair();
    dead.stream.abort(new Error('before'));
    assert.deepEqual(await new FrameChannel(dead.stream, LIMITS).next(), { type: 'broken' });
  });

  it('pause a stream that nobody reads, and lose nothing of what came before an end', async () => {
    const { far, stream, channel } = await pair();
    const payload = new Uint8Array(FRAME_BYTES_MAX).fill(5);
    for (let i = 0; i < 3; i++) far.send(frame(2, payload));
    await until('it is paused', () => stream.readStatus === 'paused');
    await far.close();
    assert.deepEqual(types(await allOf(channel)), ['vertex', 'vertex', 'vertex', 'ended']);
  });

  it('go out whole from several writers, and not at all when too much waits or the stream has ended', async () => {
    const { far, channel } = await pair();
    const there = new FrameChannel(far, LIMITS);
    await Promise.all(Array.from({ length: 20 }, (_, i) => channel.writeMessage({ i })));
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const next = await there.next(1_000);
      assert.ok(next.type === 'message');
      seen.add((decodeMessage(next.bytes) as { i: number }).i);
    }
    assert.equal(seen.size, 20);
    assert.equal(channel.offerMessage(new Uint8Array(100), 99), false);
    assert.equal(channel.offerMessage(new Uint8Array(100), 100), true);
    channel.abort(new Error('done'));
    assert.equal(channel.isOpen, false);
    assert.equal(channel.offerMessage(new Uint8Array(1), 99), false);
    await assert.rejects(channel.writeMessage(1), { code: 'closed' });
    await channel.close();
  });

  it('that are offered in one turn leave together at its end, before what is written then', async () => {
    const { far, stream, channel } = await pair();
    const pieces: number[] = [];
    const send = stream.send.bind(stream);
    stream.send = (data) => {
      pieces.push(data.byteLength);
      return send(data);
    };
    for (const size of [100, 200]) assert.equal(channel.offerMessage(new Uint8Array(size), 1_000), true);
    assert.deepEqual(pieces, []);
    assert.equal(channel.unsentBytes, 100 + 200 + 2 * FRAME_HEADER_BYTES);
    assert.equal(channel.offerMessage(new Uint8Array(800), 1_000), false);
    await endOfTurn();
    assert.deepEqual(pieces, [100 + 200 + 2 * FRAME_HEADER_BYTES]);
    channel.offerMessage(Uint8Array.of(1), 1_000);
    await channel.writeVertex(Uint8Array.of(2, 2));
    channel.offerMessage(Uint8Array.of(3), 1_000);
    await channel.close();
    const there = new FrameChannel(far, LIMITS);
    const sizes: number[] = [];
    for (const next of await allOf(there)) sizes.push('bytes' in next ? next.bytes.length : 0);
    assert.deepEqual(sizes, [100, 200, 1, 2, 1, 0]);
  });

  it('that are offered do not wait once they make a full one', async () => {
    const { stream, channel } = await pair();
    let pieces = 0;
    const send = stream.send.bind(stream);
    stream.send = (data) => {
      pieces++;
      return send(data);
    };
    const half = new Uint8Array(FRAME_BYTES_MAX / 2);
    for (const sent of [0, 1, 1, 2]) {
      channel.offerMessage(half, Number.POSITIVE_INFINITY);
      assert.equal(pieces, sent);
    }
    channel.abort(new Error('done'));
  });
});
