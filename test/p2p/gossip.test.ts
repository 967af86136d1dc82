import assert from 'node:assert/strict';
import { FRAME_BYTES_MAX, hex, type Refusal, WITNESS_HEADER_BYTES } from '../../ledger/index.ts';
import type { Peers, Verdict, VertexHandlers } from '../../p2p/index.ts';
import { addressOf, NETWORK, type NodeParts, OTHER_NETWORK, Scene, until, vertex } from './network.ts';

interface Heard {
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly from: string;
}

/** A node that writes down what it hears, and judges it by `verdict`. */
async function listener(
  scene: Scene,
  peers: readonly Peers[],
  verdict: (bytes: Uint8Array) => Verdict | Promise<Verdict> = () => 'accept',
  parts: NodeParts = {},
): Promise<{ node: Peers; heard: Heard[] }> {
  const heard: Heard[] = [];
  const gossip: VertexHandlers['gossip'] = async (kind, bytes, from) => {
    heard.push({ kind, bytes, from });
    return verdict(bytes);
  };
  const node = await scene.node({ ...parts, peers: peers.map(addressOf), vertices: { gossip } });
  return { node, heard };
}

/** Connected and told of each other's topics: the first frame that is sent then reaches everybody. */
async function connected(...nodes: readonly Peers[]): Promise<void> {
  for (const node of nodes) await until('nodes are connected', () => node.list().length > 0);
}

/** Publishes witnesses until one has got through, because topics are told a moment after the connection. */
async function warm(from: Peers, ...ends: readonly Heard[][]): Promise<void> {
  let number = 900_000;
  await until('gossip flows', () => {
    from.publish('witness', vertex(number++));
    return ends.every((heard) => heard.length > 0);
  });
}

function texts(heard: readonly Heard[], numbers: readonly number[]): number {
  const wanted = new Set(numbers.map((number) => hex(vertex(number))));
  return heard.filter(({ bytes }) => wanted.has(hex(bytes))).length;
}

/** A header of a network: the kind, the network, and whatever. */
function header(network: Uint8Array, number: number): Uint8Array {
  const bytes = new Uint8Array(WITNESS_HEADER_BYTES).fill(9);
  bytes.set(network, 1);
  new DataView(bytes.buffer).setUint32(20, number);
  return bytes;
}

describe('gossip among nodes', () => {
  it('brings each frame of four nodes to the three others exactly once, with its kind', async () => {
    await using scene = new Scene();
    const all: { node: Peers; heard: Heard[] }[] = [];
    for (let i = 0; i < 4; i++)
      all.push(
        await listener(
          scene,
          all.map(({ node }) => node),
        ),
      );
    for (const { node } of all) await until('everybody is connected', () => node.list().length === 3);
    for (let i = 0; i < 4; i++)
      await warm(all[i]!.node, ...all.filter((_, j) => j !== i).map(({ heard }) => heard));
    for (const { heard } of all) heard.length = 0;
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    for (const i of numbers) all[i % 4]!.node.publish(i % 2 === 0 ? 'block' : 'witness', vertex(i));
    for (const { heard } of all) await until('30 frames came', () => texts(heard, numbers) >= 30);
    for (const [at, { heard }] of all.entries()) {
      for (const i of numbers) {
        const copies = heard.filter(({ bytes }) => hex(bytes) === hex(vertex(i)));
        assert.equal(copies.length, i % 4 === at ? 0 : 1, `frame ${i} at node ${at}`);
        if (copies[0] !== undefined) assert.equal(copies[0].kind, i % 2 === 0 ? 'block' : 'witness');
      }
    }
  });

  it('carries a full frame, and refuses to publish more', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(scene, [a.node]);
    await connected(a.node, b.node);
    await warm(a.node, b.heard);
    const full = vertex(1, FRAME_BYTES_MAX);
    a.node.publish('block', full);
    await until('the full frame came', () => b.heard.some(({ bytes }) => bytes.length === FRAME_BYTES_MAX));
    assert.throws(() => a.node.publish('block', vertex(1, FRAME_BYTES_MAX + 1)), {
      code: 'message_too_large',
    });
    assert.throws(() => a.node.publish('block', new Uint8Array(0)), { code: 'bad_message' });
    assert.throws(() => a.node.publish('header', vertex(1)), { code: 'bad_message' });
  });

  it('forwards along a line what the middle accepts, and nothing that it refuses or ignores', async () => {
    await using scene = new Scene();
    const verdicts: Record<number, Verdict> = {
      1: 'ignore',
      2: { code: 'slot_taken', by: 'b2'.repeat(32) } as Refusal,
      3: { code: 'too_deep', parent: 'b2'.repeat(32), rounds: 70, max: 64 } as Refusal,
    };
    const a = await listener(scene, []);
    const b = await listener(
      scene,
      [a.node],
      (bytes) => verdicts[new DataView(bytes.buffer).getUint32(0)] ?? 'accept',
    );
    const c = await listener(scene, [b.node]);
    await until('the line is drawn', () => b.node.list().length === 2);
    await warm(a.node, b.heard, c.heard);
    for (const number of [1, 2, 3, 4]) a.node.publish('block', vertex(number));
    await until('the accepted one came to the end', () => texts(c.heard, [4]) === 1);
    await until('the middle has seen all four', () => texts(b.heard, [1, 2, 3, 4]) === 4);
    assert.equal(texts(c.heard, [1, 2, 3]), 0);
    assert.equal(
      b.node
        .list()
        .find(({ id }) => id === a.node.id)
        ?.points.toFixed(0),
      '20',
    );
    assert.equal(b.node.counters.gossip_refused, 2);
    assert.equal(a.node.list().length, 1);
  });

  it('brings what one leaf of a star publishes to all the others', async () => {
    await using scene = new Scene();
    const hub = await listener(scene, []);
    const leaves: { node: Peers; heard: Heard[] }[] = [];
    for (let i = 0; i < 12; i++) leaves.push(await listener(scene, [hub.node]));
    await until('the star is drawn', () => hub.node.list().length === leaves.length);
    const [first, ...others] = leaves;
    await warm(first!.node, ...others.map(({ heard }) => heard));
    first!.node.publish('block', vertex(1));
    for (const { heard } of others) await until('it came', () => texts(heard, [1]) === 1);
  });

  it('sends what is published again to those who came since, and only they hear it', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(scene, [a.node]);
    await connected(a.node, b.node);
    await warm(a.node, b.heard);
    a.node.publish('witness', vertex(1));
    await until('it came', () => texts(b.heard, [1]) === 1);
    const c = await listener(scene, [a.node]);
    await until('the third is there', () => a.node.list().length === 2);
    await until('it came to the third', () => {
      a.node.publish('witness', vertex(1));
      return texts(c.heard, [1]) > 0;
    });
    assert.equal(texts(c.heard, [1]), 1);
    assert.equal(texts(b.heard, [1]), 1);
  });

  it('forwards nothing before the verdict is there', async () => {
    await using scene = new Scene();
    let release: (verdict: Verdict) => void = () => {};
    const a = await listener(scene, []);
    const b = await listener(scene, [a.node], (bytes) =>
      bytes.length === 400 ? new Promise((resolve) => (release = resolve)) : 'accept',
    );
    const c = await listener(scene, [b.node]);
    await until('the line is drawn', () => b.node.list().length === 2);
    await warm(a.node, b.heard, c.heard);
    a.node.publish('block', vertex(1, 400));
    await until('the middle judges', () => b.heard.some(({ bytes }) => bytes.length === 400));
    // What is accepted later overtakes what is still being judged.
    a.node.publish('block', vertex(2));
    await until('the other one came', () => texts(c.heard, [2]) === 1);
    assert.equal(
      c.heard.some(({ bytes }) => bytes.length === 400),
      false,
    );
    release('accept');
    await until('it came', () => c.heard.some(({ bytes }) => bytes.length === 400));
  });

  it('takes a verdict that does not come for `ignore`, and a handler that fails too', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(
      scene,
      [a.node],
      (bytes) => {
        if (bytes.length === 400) return new Promise(() => {});
        if (bytes.length === 500) throw new Error('a bug');
        return 'accept';
      },
      { limits: { verdictTimeoutMs: 50 } },
    );
    await connected(a.node, b.node);
    await warm(a.node, b.heard);
    a.node.publish('block', vertex(1, 400));
    a.node.publish('block', vertex(1, 500));
    await until(
      'both are counted',
      () => b.node.counters.gossip_verdicts_late === 1 && b.node.counters.handlers_failed === 1,
    );
    assert.equal(b.node.list()[0]?.points, 0);
  });

  it('cuts a node whose frame no correct node makes', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(scene, [a.node], (bytes) =>
      bytes.length === 400 ? { code: 'bad_signature', of: 'witness' } : 'accept',
    );
    const c = await listener(scene, [b.node]);
    await until('the line is drawn', () => b.node.list().length === 2);
    await warm(a.node, b.heard);
    a.node.publish('witness', vertex(1, 400));
    await until('it is cut', () => b.node.list().every(({ id }) => id !== a.node.id));
    assert.equal(b.node.counters.peers_cut, 1);
    b.heard.length = 0;
    await warm(c.node, b.heard);
    assert.deepEqual(
      b.node.list().map(({ id }) => id),
      [c.node.id],
    );
  });
});

describe('gossip with light clients', () => {
  it('brings a block that a client publishes to all nodes it knows, though it takes no blocks itself', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(scene, []);
    const client = await scene.client();
    await client.connect(addressOf(a.node));
    await client.connect(addressOf(b.node));
    const headers: Uint8Array[] = [];
    client.onHeader((bytes) => headers.push(bytes));
    assert.equal(await client.publishBlock(vertex(1)), 2);
    await until('it came to both', () => a.heard.length > 0 && b.heard.length > 0);
    assert.equal(a.heard.at(-1)?.from, client.id);
    a.node.publish('block', vertex(77));
    assert.equal(client.counters.gossip_received, 0);
    assert.deepEqual(headers, []);
  });

  it('brings a client the headers of witnesses that its node publishes or accepts, each once, and nothing else', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const b = await listener(scene, [a.node], (bytes) => (bytes.length === 400 ? 'ignore' : 'accept'));
    await connected(a.node, b.node);
    await warm(a.node, b.heard);
    const client = await scene.client();
    await client.connect(addressOf(b.node));
    const headers: Uint8Array[] = [];
    client.onHeader((bytes) => headers.push(bytes));
    const witness = (number: number, size = 500): Uint8Array => {
      const bytes = new Uint8Array(size).fill(1);
      bytes.set(header(NETWORK, number));
      return bytes;
    };
    let number = 0;
    await until('headers flow', () => {
      b.node.publish('witness', witness(++number));
      return headers.length > 0;
    });
    headers.length = 0;
    a.node.publish('witness', witness(2_001));
    a.node.publish('witness', witness(2_002, 400));
    a.node.publish('block', vertex(5));
    b.node.publish('witness', witness(2_003));
    b.node.publish('header', header(NETWORK, 2_003));
    b.node.publish('header', header(NETWORK, 2_004));
    const wanted = [2_001, 2_003, 2_004].map((n) => hex(header(NETWORK, n))).sort();
    const late = (): string[] =>
      headers
        .map(hex)
        .filter((text) => wanted.includes(text))
        .sort();
    await until('three headers came', () => late().length === 3);
    assert.deepEqual(late(), wanted);
    assert.equal(headers.map(hex).includes(hex(header(NETWORK, 2_002))), false);
  });

  it('a client cuts a node that sends headers of another network', async () => {
    await using scene = new Scene();
    const a = await listener(scene, []);
    const client = await scene.client();
    const link = await client.connect(addressOf(a.node));
    let headers = 0;
    client.onHeader(() => headers++);
    let number = 0;
    await until('the client has had enough', () => {
      a.node.publish('header', header(OTHER_NETWORK, number++));
      return client.counters.peers_cut === 1;
    });
    await link.closed;
    assert.equal(headers, 0);
  });
});
