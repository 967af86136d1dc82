import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { equalBytes } from '../../ledger/index.ts';
import type { Peers } from '../../p2p/index.ts';
import { addressOf, Scene, until, vertex } from './network.ts';

/** Calls `work` and counts what is written to sockets meanwhile: this process holds both sides. */
async function writesDuring(work: () => Promise<void>): Promise<number> {
  const { write } = Socket.prototype;
  let writes = 0;
  Socket.prototype.write = function (this: Socket, ...given: Parameters<typeof write>) {
    writes++;
    return write.apply(this, given);
  } as typeof write;
  try {
    await work();
  } finally {
    Socket.prototype.write = write;
  }
  return writes;
}

/** Two nodes between which gossip flows, and what the second has heard. */
async function pair(scene: Scene): Promise<{ first: Peers; heard: Uint8Array[] }> {
  const heard: Uint8Array[] = [];
  const first = await scene.node();
  await scene.node({
    peers: [addressOf(first)],
    vertices: {
      gossip: async (_, bytes) => {
        heard.push(bytes);
        return 'accept';
      },
    },
  });
  let number = 900_000;
  await until('gossip flows', () => {
    first.publish('witness', vertex(number++));
    return heard.length > 0;
  });
  const last = vertex(number);
  first.publish('witness', last);
  await until('all of that has come', () => equalBytes(heard.at(-1)!, last));
  heard.length = 0;
  return { first, heard };
}

/** Heartbeats and pings may fall into a count. */
const OTHER_WRITES_MAX = 8;

const FRAMES = 60;

describe('what goes out to a peer', () => {
  it('is one write for a frame of gossip, and nobody answers it', async () => {
    await using scene = new Scene();
    const { first, heard } = await pair(scene);
    const writes = await writesDuring(async () => {
      for (let i = 0; i < FRAMES; i++) {
        first.publish('witness', vertex(i));
        await until('the frame has come', () => heard.length === i + 1);
      }
    });
    assert.ok(writes >= FRAMES && writes <= FRAMES + OTHER_WRITES_MAX, `${writes} writes`);
  });

  it('is one write for all frames of one turn of the event loop', async () => {
    await using scene = new Scene();
    const { first, heard } = await pair(scene);
    const writes = await writesDuring(async () => {
      for (let i = 0; i < FRAMES; i++) first.publish('witness', vertex(i));
      await turn();
      await until('the frames have come', () => heard.length === FRAMES);
    });
    assert.ok(writes <= 1 + OTHER_WRITES_MAX, `${writes} writes`);
  });

  it('is one write to each of those who are all connected, as none of them passes it on', async () => {
    await using scene = new Scene();
    const nodes: Peers[] = [];
    const heard = [0, 0, 0, 0];
    for (const at of heard.keys()) {
      const gossip = async () => {
        heard[at]!++;
        return 'accept' as const;
      };
      nodes.push(await scene.node({ peers: nodes.map(addressOf), vertices: { gossip } }));
    }
    await until('everybody is connected', () => nodes.every((node) => node.list().length === 3));
    let number = 900_000;
    const publish = async (): Promise<number> =>
      writesDuring(async () => {
        const before = [...heard];
        nodes[0]!.publish('witness', vertex(number++));
        await until('all have it', () => [1, 2, 3].every((at) => heard[at]! > before[at]!));
        for (let i = 0; i < 20; i++) await turn();
      });
    await until('gossip flows', () => {
      nodes[0]!.publish('witness', vertex(number++));
      return heard.every((count, at) => at === 0 || count > 0);
    });
    for (let tries = 0; (await publish()) !== 3; tries++)
      assert.ok(tries < 1_000, 'they never learn who is connected to whom');
    let writes = 0;
    for (let i = 0; i < FRAMES; i++) writes += await publish();
    assert.ok(writes <= 3 * FRAMES + 4 * OTHER_WRITES_MAX, `${writes} writes`);
  });

  it('is all there, in order, however large', async () => {
    await using scene = new Scene();
    const { first, heard } = await pair(scene);
    const frames = Array.from({ length: 40 }, (_, i) => vertex(i, i % 3 === 0 ? 60_000 : 300));
    for (const frame of frames) first.publish('block', frame);
    await until('the frames have come', () => heard.length === frames.length);
    assert.deepEqual(heard, frames);
  });
});
