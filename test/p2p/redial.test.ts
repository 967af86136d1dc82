import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { createPeers, type Log, silentLog } from '../../p2p/index.ts';
import {
  addressOf,
  NETWORK,
  noLight,
  noVertices,
  OTHER_NETWORK,
  Scene,
  seed,
  until,
  vertex,
} from './network.ts';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** A log that remembers what was said at a level. */
function notes(): { log: Log; said: string[] } {
  const said: string[] = [];
  const note = (level: string) => (data: object, message: string) =>
    said.push(`${level} ${message} ${JSON.stringify(data)}`);
  return { log: { debug() {}, info: note('info'), warn: note('warn'), error: note('error') }, said };
}

describe('configured peers', () => {
  it('are dialled until they come up, and again each time that they went away', async () => {
    await using scene = new Scene();
    const listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`];
    const identitySeed = seed();
    const heard: number[] = [];
    const stays = await scene.node({
      peers: listen,
      vertices: {
        gossip: (_kind, bytes) => {
          heard.push(new DataView(bytes.buffer).getUint32(0));
          return Promise.resolve('accept');
        },
      },
    });
    await until('a dial has failed', () => stays.counters.dials_failed! >= 2);
    const seen: string[] = [];
    stays.onPeer((peer) => seen.push(peer));
    for (let life = 1; life <= 3; life++) {
      const restarts = await scene.node({ listen, identitySeed });
      await until(`it is found in life ${life}`, () => stays.list().length === 1 && seen.length === life);
      await until('gossip flows', () => {
        restarts.publish('block', vertex(life * 1_000));
        return heard.some((number) => Math.floor(number / 1_000) === life);
      });
      await restarts[Symbol.asyncDispose]();
      await until('it is gone', () => stays.list().length === 0);
    }
    assert.equal(new Set(seen).size, 1);
  });

  it('are held to the peer id in their address', async () => {
    await using scene = new Scene();
    const a = await scene.node();
    const b = await scene.node();
    const wrong = `${addressOf(a).split('/p2p/')[0]}/p2p/${b.id}`;
    const node = await scene.node({ peers: [wrong] });
    await until('dials have failed', () => node.counters.dials_failed! >= 2);
    assert.deepEqual(node.list(), []);
    const client = await scene.client();
    await assert.rejects(client.connect(wrong), { code: 'unreachable' });
  });

  it('may dial each other at the same time', async () => {
    await using scene = new Scene();
    const [portA, portB] = [await freePort(), await freePort()];
    const heard: number[] = [];
    const [a, b] = await Promise.all([
      scene.node({ listen: [`/ip4/127.0.0.1/tcp/${portA}`], peers: [`/ip4/127.0.0.1/tcp/${portB}`] }),
      scene.node({
        listen: [`/ip4/127.0.0.1/tcp/${portB}`],
        peers: [`/ip4/127.0.0.1/tcp/${portA}`],
        vertices: {
          gossip: (_kind, bytes) => {
            heard.push(bytes.length);
            return Promise.resolve('accept');
          },
        },
      }),
    ]);
    await until('they know each other', () => a.list().length === 1 && b.list().length === 1);
    let number = 0;
    await until('gossip flows', () => {
      a.publish('block', vertex(number++));
      return heard.length > 0;
    });
    assert.equal(a.list()[0]?.id, b.id);
  });
});

describe('a wrong network', () => {
  it('is a coded error with cause and cure for a light client', async () => {
    await using scene = new Scene();
    const node = await scene.node({ network: OTHER_NETWORK });
    const client = await scene.client();
    await assert.rejects(client.connect(addressOf(node)), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'wrong_network');
      assert.match(error.message, /bbbb.*aaaa.*genesis/);
      return true;
    });
    const own = await scene.node();
    assert.equal((await (await client.connect(addressOf(own))).status()).round, 1);
  });

  it('keeps two nodes apart, and both say why', async () => {
    await using scene = new Scene();
    const sides = [notes(), notes()];
    const make = async (at: 0 | 1, peers: readonly string[]) =>
      scene.add(
        await createPeers(
          {
            network: at === 0 ? NETWORK : OTHER_NETWORK,
            listen: ['/ip4/127.0.0.1/tcp/0'],
            peers,
            mdns: false,
            identitySeed: seed(),
            connectionsMax: 10,
          },
          { log: sides[at]!.log, nowMs: () => performance.now(), vertices: noVertices, light: noLight },
        ),
      );
    const a = await make(0, []);
    const b = await make(1, [addressOf(a)]);
    const why = /another network; give both nodes the same genesis/;
    for (const { said } of sides)
      await until('it is said', () => said.some((text) => text.startsWith('error') && why.test(text)));
    await until('one of them hung up', () => a.counters.peers_cut! + b.counters.peers_cut! > 0);
    assert.deepEqual([a.list(), b.list()], [[], []]);
  });
});

describe('what cannot be', () => {
  it('is refused with a coded error before anything is opened', async () => {
    await using scene = new Scene();
    await assert.rejects(scene.node({ listen: ['nonsense'] }), { code: 'bad_address' });
    await assert.rejects(scene.node({ peers: ['127.0.0.1:80'] }), { code: 'bad_address' });
    await assert.rejects(scene.node({ identitySeed: new Uint8Array(5) }), { code: 'bad_message' });
    await assert.rejects(scene.node({ limits: { pushUnsentBytes: 5 } }), { code: 'bad_message' });
    const node = await scene.node();
    await assert.rejects(scene.node({ listen: [addressOf(node).split('/p2p/')[0]!] }), {
      code: 'listen_failed',
    });
    const client = await scene.client();
    await assert.rejects(client.connect('nonsense'), { code: 'bad_address' });
    await assert.rejects(client.connect(`/ip4/127.0.0.1/tcp/${await freePort()}`), { code: 'unreachable' });
    await client[Symbol.asyncDispose]();
    await assert.rejects(client.connect(addressOf(node)), { code: 'closed' });
    assert.equal(await client.publishBlock(vertex(1)), 0);
  });

  it('logs a peer that is away once and not each time', async () => {
    await using scene = new Scene();
    const { log, said } = notes();
    const peers = scene.add(
      await createPeers(
        {
          network: NETWORK,
          listen: [],
          peers: [`/ip4/127.0.0.1/tcp/${await freePort()}`],
          mdns: false,
          identitySeed: seed(),
          connectionsMax: 10,
          limits: { redialMinMs: 5, redialMaxMs: 5 },
        },
        {
          log: { ...silentLog, warn: log.warn },
          nowMs: () => performance.now(),
          vertices: noVertices,
          light: noLight,
        },
      ),
    );
    await until('it has tried ten times', () => peers.counters.dials_failed! >= 10);
    assert.equal(said.length, 1);
  });
});
