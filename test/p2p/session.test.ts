import assert from 'node:assert/strict';
import type { FramedStream, LightPeers } from '../../p2p/index.ts';
import { addressOf, OTHER_NETWORK, Scene, until } from './network.ts';

const LISTEN = ['/ip4/127.0.0.1/tcp/0'];

/** A charger that takes sessions, and a car. */
async function pair(scene: Scene, serve: (stream: FramedStream) => Promise<void>) {
  const charger = await scene.client({ listen: LISTEN });
  const car = await scene.client();
  const failures: unknown[] = [];
  await charger.handleStream('session/1', (stream) => {
    serve(stream).catch((error: unknown) => failures.push(error));
  });
  return { charger, car, failures };
}

async function all(stream: FramedStream): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of stream.receive()) messages.push(message);
  return messages;
}

describe('session streams', () => {
  it('carry messages both ways, in order, and end in order', async () => {
    await using scene = new Scene();
    const { charger, car } = await pair(scene, async (stream) => {
      assert.equal(stream.remote, car.id);
      for await (const message of stream.receive()) await stream.send({ echo: message });
      await stream.send('bye');
      await stream.close();
    });
    const stream = await car.openStream(addressOf(charger), 'session/1');
    assert.equal(stream.remote, charger.id);
    const messages = [{ kwh: 1.5, bytes: Uint8Array.of(1, 2) }, 'x'.repeat(60_000), null, [1, [2]]];
    for (const message of messages) await stream.send(message);
    await stream.close();
    assert.deepEqual(await all(stream), [...messages.map((echo) => ({ echo })), 'bye']);
  });

  it('hold back a sender whose receiver does not read, and lose nothing', async () => {
    await using scene = new Scene();
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    let received = 0;
    const { charger, car } = await pair(scene, async (stream) => {
      await gate;
      for await (const message of stream.receive()) {
        assert.equal((message as { at: number }).at, received);
        received++;
      }
      await stream.close();
    });
    const stream = await car.openStream(addressOf(charger), 'session/1');
    let sent = 0;
    const sending = (async () => {
      for (let at = 0; at < 300; at++) {
        await stream.send({ at, pad: 'x'.repeat(30_000) });
        sent++;
      }
      await stream.close();
    })();
    await until('the sender is held back', () => sent > 5);
    const held = sent;
    // 9 MB would go through a window of at most one; 300 ms are long for loopback.
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    assert.ok(sent < 100, `${held} then ${sent} of 300 were taken by nobody`);
    go();
    await sending;
    await until('everything came', () => received === 300, 10_000);
  });

  it('break with a coded error when the other side aborts or dies', async () => {
    await using scene = new Scene();
    const streams: FramedStream[] = [];
    const { charger, car, failures } = await pair(scene, async (stream) => {
      streams.push(stream);
      await all(stream);
    });
    const first = await car.openStream(addressOf(charger), 'session/1');
    await first.send(1);
    await until('it came', () => streams.length === 1);
    streams[0]!.abort(new Error('enough'));
    await assert.rejects(all(first), { code: 'closed' });
    await assert.rejects(first.send(2), { code: 'closed' });
    const second = await car.openStream(addressOf(charger), 'session/1');
    await until('it came', () => streams.length === 2);
    const reading = all(second).catch((error: { code: string }) => error.code);
    await charger[Symbol.asyncDispose]();
    assert.ok(['closed', 0].includes(await reading.then((end) => (Array.isArray(end) ? end.length : end))));
    await until('the other side is told too', () => failures.length >= 1);
  });

  it('refuse messages that cannot be carried, and a second reader', async () => {
    await using scene = new Scene();
    const { charger, car } = await pair(scene, async (stream) => void (await all(stream)));
    const stream = await car.openStream(addressOf(charger), 'session/1');
    await assert.rejects(stream.send(new Date()), { code: 'bad_message' });
    await assert.rejects(stream.send('x'.repeat(70_000)), { code: 'message_too_large' });
    stream.receive();
    assert.throws(() => stream.receive(), { code: 'bad_message' });
  });

  it('are bounded for one peer', async () => {
    await using scene = new Scene();
    let open = 0;
    const { charger, car } = await pair(scene, async (stream) => {
      open++;
      await all(stream);
    });
    const opened = await Promise.allSettled(
      Array.from({ length: 8 }, () => car.openStream(addressOf(charger), 'session/1')),
    );
    const streams = opened.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    await Promise.allSettled(streams.map((stream) => stream.send('hello')));
    await until('four are open', () => open === 4);
    const ends = await Promise.all(
      streams.map((stream) =>
        Promise.race([
          all(stream).catch(() => 'refused'),
          new Promise((resolve) => {
            setTimeout(() => resolve('open'), 200);
          }),
        ]),
      ),
    );
    assert.equal(ends.filter((end) => end === 'open').length, 4);
  });

  it('need a peer of the same network that speaks the protocol, and a proper name', async () => {
    await using scene = new Scene();
    const { charger, car } = await pair(scene, async () => {});
    const foreign: LightPeers = await scene.client({ network: OTHER_NETWORK });
    const node = await scene.node();
    await assert.rejects(foreign.openStream(addressOf(charger), 'session/1'), { code: 'wrong_network' });
    await assert.rejects(car.openStream(addressOf(node), 'session/1'), { code: 'unsupported_protocol' });
    await assert.rejects(car.openStream(addressOf(charger), 'light/1'), { code: 'unsupported_protocol' });
    await assert.rejects(car.openStream(addressOf(charger), 'no name'), { code: 'unsupported_protocol' });
  });
});
