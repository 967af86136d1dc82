import assert from 'node:assert/strict';
import {
  blake3,
  checkWork,
  encodeBlock,
  hex,
  type NetworkId,
  type Payment,
  REACTION,
  type Refusal,
  type Slot,
  type VertexId,
  workSeed,
} from '../../ledger/index.ts';
import { createLightPeers, silentLog } from '../../p2p/index.ts';
import { frame, HostilePeer } from '../p2p/hostile-peer.ts';
import type { Client } from './client.ts';
import { eventually } from './deadline.ts';
import type { Owner } from './owner.ts';
import { RealNetwork, WORK_BITS } from './real-network.ts';

const NODES = [0, 1, 2, 3];
const QUEUE_MAX = 8;
const ACCOUNT_MAX = 64;
const FLOOD = 600;
const SMALL = Array.from({ length: 20 }, (_, i) => `small ${i}`);

/** The same in every run; different numbers make different ones. */
function noise(number: number): Uint8Array {
  return blake3(new TextEncoder().encode(`noise ${number}`));
}

/** A nonce that is not enough. */
function littleWork(owner: Owner, network: NetworkId): Uint8Array {
  for (let i = 0; ; i++) {
    const nonce = noise(i).subarray(0, 8);
    if (checkWork(workSeed(network, owner.slot, owner.address), nonce, WORK_BITS) !== undefined) return nonce;
  }
}

/** The node neither answers nor lets in; a node that is merely slow has not cut anybody. */
async function isCut(client: Client, node: number): Promise<boolean> {
  try {
    await (await client.link(node)).status();
    return false;
  } catch (error) {
    return (error as { code?: string }).code !== 'timeout';
  }
}

interface Row {
  readonly name: string;
  /** What is sent, from the account of mal, who has 100. */
  readonly bytes: (mal: Owner, network: RealNetwork) => Uint8Array;
  readonly refusal: (mal: Owner, network: RealNetwork) => Partial<Refusal>;
}

const FOREIGN = new Uint8Array(16).fill(0xbb) as NetworkId;

const ROWS: readonly Row[] = [
  {
    name: 'bytes that are no payment',
    bytes: () => new Uint8Array(300).fill(7),
    refusal: () => ({ code: 'malformed' }),
  },
  {
    name: 'half a payment',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 1 }).subarray(0, 100),
    refusal: () => ({ code: 'malformed' }),
  },
  {
    name: 'a payment with as much behind it as a frame holds',
    bytes: (mal) => Uint8Array.of(...mal.encoding({ to: 'zoe', amount: 1 }), ...new Uint8Array(60_000)),
    refusal: () => ({ code: 'malformed' }),
  },
  {
    name: 'a payment of nothing',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 0 }),
    refusal: () => ({ code: 'amount_out_of_range', amount: 0 }),
  },
  {
    name: 'a payment of another network',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 1, network: FOREIGN }),
    refusal: (_, { genesis }) => ({
      code: 'wrong_network',
      expected: hex(genesis.network),
      received: hex(FOREIGN),
    }),
  },
  {
    name: 'a signature of somebody else',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 1, signer: 'zoe' }),
    refusal: () => ({ code: 'bad_signature', of: 'payment' }),
  },
  {
    name: 'too little work',
    bytes: (mal, { genesis }) =>
      mal.encoding({ to: 'zoe', amount: 1, work: littleWork(mal, genesis.network) }),
    refusal: () => ({ code: 'too_little_work', required: WORK_BITS }),
  },
  {
    name: 'more than there is',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 101 }),
    refusal: () => ({ code: 'unfunded', available: 100, needed: 101 }) as Partial<Refusal>,
  },
  {
    name: 'a payment of an account that never got anything',
    bytes: (_, network) => network.owner('nobody').encoding({ to: 'zoe', amount: 1 }),
    refusal: () => ({ code: 'unfunded', available: 0, needed: 1 }) as Partial<Refusal>,
  },
  {
    name: 'a gap in the sequence',
    bytes: (_, network) => {
      const ann = network.owner('ann');
      const first = ann.pay({ to: 'zoe', amount: 1, memo: 'known to all' });
      return ann.encoding({ to: 'zoe', amount: 1, previous: first.id, sequence: 4 });
    },
    refusal: () => ({ code: 'sequence_gap', expected: 2, received: 4 }),
  },
  {
    name: 'a payment after one that nobody knows',
    bytes: (mal) => mal.encoding({ to: 'zoe', amount: 1, previous: hex(noise(1)) as Slot, sequence: 2 }),
    refusal: () => ({ code: 'previous_unknown', previous: hex(noise(1)) as Slot }),
  },
  {
    name: "a payment that follows somebody else's",
    bytes: (mal, network) => {
      const first = network.owner('ann').pay({ to: 'zoe', amount: 1, memo: 'known to all' });
      return mal.encoding({ to: 'zoe', amount: 1, previous: first.id, sequence: 2 });
    },
    refusal: () => ({ code: 'previous_unknown' }),
  },
];

describe('four validators under bad input', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  /** Has good manners, and sees whether anybody else's bad ones disturb the network. */
  let honest: Client;
  let payer: Owner;
  let node = 0;
  let flooder: Client;

  before(async () => {
    const names = ['ann', 'ben', 'mal', 'busy', ...SMALL];
    network = await RealNetwork.create({
      name: 'bad input',
      validators: 4,
      funds: Object.fromEntries(names.map((name) => [name, name === 'mal' ? 100 : 10_000])),
      flags: { 3: ['--queue-payments-max', String(QUEUE_MAX)] },
    });
    await network.start();
    await network.connected();
    honest = await network.client();
    const ann = network.owner('ann').pay({ to: 'zoe', amount: 1, memo: 'known to all' });
    payer = network.owner('ben');
    await honest.watch([payer.address, network.owner('ann').address]);
    await honest.submit(0, ann);
    await honest.untilFinal([ann]);
    for (const each of NODES) await eventually('all know it', () => honest.isFinal(each, ann.id));
  });

  after(() => network?.[Symbol.asyncDispose]());

  /** A payment through the next node becomes final, and all validators still hold together. */
  async function undisturbed(): Promise<void> {
    const payment = payer.pay({ to: 'zoe', amount: 1 });
    const [reply] = await honest.submit(node++ % 4, payment);
    assert.deepEqual(reply, { id: payment.id, status: 'queued' });
    await honest.untilFinal([payment]);
    await network.connected(3);
    for (const each of NODES) assert.ok(network.process(each).running);
    honest.assertNoLies();
  }

  it('wait for parents that do not exist, without end, in a bounded place', async () => {
    flooder = await network.client();
    for (const each of NODES) await flooder.link(each);
    const payment = network.owner('nobody').draft({ to: 'zoe', amount: 1 });
    let reached = 0;
    for (let i = 0; i < FLOOD; i++) {
      const block = encodeBlock(network.genesis.network, [hex(noise(i)) as VertexId], [payment.bytes]);
      reached += await flooder.peers.publishBlock(block);
    }
    assert.equal(reached, FLOOD * NODES.length);
    const before = await Promise.all(NODES.map((each) => network.status(each)));
    await undisturbed();
    const after = await Promise.all(NODES.map((each) => network.status(each)));
    // Nothing of it is in anybody's tangle: two blocks and some rounds of four witnesses is all that has come.
    for (const [i, { vertices }] of after.entries()) assert.ok(vertices - before[i]!.vertices < FLOOD / 2);
  });

  for (const row of ROWS) {
    it(`refuse ${row.name}`, async () => {
      const client = await network.client();
      const mal = network.owner('mal');
      const expected = row.refusal(mal, network);
      const refusal = await client.refusal(node % 4, row.bytes(mal, network));
      assert.deepEqual({ ...refusal, ...expected }, refusal, JSON.stringify(refusal));
      if (REACTION[refusal.code] === 'cut') {
        await eventually('it is cut and not let in again', () => isCut(client, node % 4));
      } else {
        assert.equal(await isCut(client, node % 4), false);
      }
      await undisturbed();
    });
  }

  it('take no more of one account than its share', async () => {
    const client = await network.client();
    const busy = network.owner('busy');
    await client.watch([busy.address]);
    const payments = Array.from({ length: ACCOUNT_MAX + 1 }, () => busy.pay({ to: 'zoe', amount: 1 }));
    const replies = await client.submit(1, ...payments);
    assert.deepEqual(replies.at(-1), {
      refusal: { code: 'account_busy', pending: ACCOUNT_MAX + 1, max: ACCOUNT_MAX },
    });
    assert.ok(replies.slice(0, -1).every((reply) => 'status' in reply && reply.status === 'queued'));
    await client.untilFinal(payments.slice(0, -1));
    // There is room again.
    await client.submit(1, payments.at(-1)!);
    await client.untilFinal(payments);
    await undisturbed();
  });

  it('say that the queue is full to those who find no place in it, and serve them when they come again', async () => {
    const client = await network.client();
    const owners = SMALL.map((name) => network.owner(name));
    await client.watch(owners.map(({ address }) => address));
    await client.link(3);
    const payments = owners.map((owner) => owner.pay({ to: 'zoe', amount: 1 }));
    const replies = await client.submit(3, ...payments);
    const refused: Payment[] = [];
    for (const [i, reply] of replies.entries()) {
      if (!('refusal' in reply)) continue;
      assert.deepEqual(reply.refusal, { code: 'queue_full', waiting: QUEUE_MAX, max: QUEUE_MAX });
      refused.push(payments[i]!);
    }
    const told = (): number =>
      payments.filter(({ id }) => client.final.has(id) || client.dropped.has(id)).length;
    await eventually('everybody else knows', () => told() === payments.length - refused.length);
    for (const refusal of client.dropped.values()) assert.equal(refusal.code, 'queue_full');
    assert.equal(refused.length + client.dropped.size, payments.length - QUEUE_MAX);
    for (const payment of payments) {
      if (!client.final.has(payment.id)) await client.submit(2, payment);
    }
    await client.untilFinal(payments);
    await undisturbed();
  });

  /** Links to all nodes, each of which has said that it takes blocks: a busy node says so late. */
  async function audience(client: Client, stranger: string) {
    const links = await Promise.all(NODES.map((each) => client.link(each)));
    const payment = network.owner(stranger).encoding({ to: 'zoe', amount: 1 });
    const harmless = encodeBlock(network.genesis.network, await links[0]!.tips(2), [payment]);
    await eventually(
      'all nodes take blocks',
      async () => (await client.peers.publishBlock(harmless)) === NODES.length,
    );
    return links;
  }

  it('cut who gossips garbage', async () => {
    const client = await network.client();
    const links = await audience(client, 'a stranger without money');
    const garbage = Uint8Array.from({ length: 3_000 }, (_, i) => noise(i)[0]!);
    assert.equal(await client.peers.publishBlock(garbage), NODES.length);
    await Promise.all(links.map((link) => link.closed));
    await undisturbed();
  });

  it('cut who gossips a block with a forged payment', async () => {
    const client = await network.client();
    const links = await audience(client, 'another stranger without money');
    const parents = await links[0]!.tips(2);
    const forged = network.owner('ben').encoding({ to: 'mal', amount: 9_000, signer: 'mal' });
    await client.peers.publishBlock(encodeBlock(network.genesis.network, parents, [forged]));
    await Promise.all(links.map((link) => link.closed));
    await undisturbed();
  });

  it('cut who announces a frame of 16 MB', async () => {
    await using peer = await HostilePeer.create();
    const light = `/ravel/${hex(network.genesis.network)}/light/1`;
    for (const each of NODES) {
      const stream = await peer.open(network.address(each), light);
      stream.send(frame(1, new Uint8Array(0), 0xffffff));
      await eventually('it is hung up on', () => stream.status !== 'open');
    }
    await undisturbed();
  });

  it('tell a client of another network that it is wrong here', async () => {
    const stranger = await createLightPeers(
      { network: FOREIGN, identitySeed: noise(0), listen: [], requestTimeoutMs: 5_000 },
      { log: silentLog, nowMs: () => performance.now() },
    );
    try {
      for (const each of NODES) {
        await assert.rejects(stranger.connect(network.address(each)), { code: 'wrong_network' });
      }
    } finally {
      await stranger[Symbol.asyncDispose]();
    }
    await undisturbed();
  });

  it('cut in the end who sent blocks without parents, and nobody else', async () => {
    for (const each of NODES) {
      await eventually(`node ${each} has cut it`, () => isCut(flooder, each));
    }
    await undisturbed();
    await network.agreement();
  });
});
