import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { decodeWitnessHeader, isRefusal, type PaymentId } from '../../ledger/index.ts';
import { Chance } from '../generators/chance.ts';
import type { Client } from './client.ts';
import { eventually, pause } from './deadline.ts';
import { Load } from './load.ts';
import { RealNetwork } from './real-network.ts';

const NODES = [0, 1, 2, 3];
const SEED = Number(process.env.RAVEL_TEST_SEED ?? 1);
const CRASHES = 2;

/** How long after the first payment is final everything is killed: somewhere within a good many rounds. */
const LOAD_MS_MAX = 1_500;

describe(`four validators that are all killed at once (seed ${SEED})`, function () {
  this.timeout(170_000);

  let network: RealNetwork;
  const owners = Array.from({ length: 12 }, (_, i) => `owner ${i}`);
  const later = Array.from({ length: CRASHES }, (_, crash) => `later ${crash}`);
  /** Signed headers by validator and round, as nodes have sent them, over all crashes. */
  const heard = new Map<string, Set<string>>();

  before(async () => {
    network = await RealNetwork.create({
      name: `crash ${SEED}`,
      validators: 4,
      funds: Object.fromEntries([...owners, ...later, 'without a disk'].map((name) => [name, 10_000])),
    });
    await network.start();
    await network.connected();
  });

  after(() => network?.[Symbol.asyncDispose]());

  function listen(client: Client): void {
    client.peers.onHeader((bytes) => {
      const header = decodeWitnessHeader(bytes, network.genesis.network);
      if (isRefusal(header)) throw new Error(`not a header: ${JSON.stringify(header)}`);
      const key = `${header.validator} in round ${header.round}`;
      heard.set(key, (heard.get(key) ?? new Set()).add(Buffer.from(bytes).toString('hex')));
    });
  }

  it('know on starting again every payment that they had told a client is final', async () => {
    const chance = new Chance(SEED);
    const told = new Set<PaymentId>();
    const payers = owners.map((name) => network.owner(name));
    for (let crash = 0; crash < CRASHES; crash++) {
      const client = await network.client();
      listen(client);
      // The accounts go on from payments that are final: what else was on its way may be gone, and may not.
      const some = payers.slice(crash * 4, crash * 4 + 4);
      const load = new Load(client, { owners: some, window: 4, to: 'zoe', nodes: NODES });
      await load.more(1);
      await pause(chance.below(LOAD_MS_MAX));
      await network.kill(...NODES);
      const claims = new Map([...client.final].map(([id, nodes]) => [id, [...nodes]]));
      await load.stop();
      assert.ok(claims.size > 0);
      client.assertNoLies();

      await keptWord(claims);
      await network.start();
      await everywhere([...claims.keys()]);
      for (const id of claims.keys()) told.add(id);
      await goOn(later[crash]!);
      await network.agreement();
    }
    // Also what was told before the crashes before.
    await everywhere([...told]);
    assert.ok(told.size > 2 * CRASHES, `${told.size}`);
  });

  /** By its own database, before anybody can have told it anything: durable before visible. */
  async function keptWord(claims: ReadonlyMap<PaymentId, readonly number[]>): Promise<void> {
    for (const node of NODES) {
      const { ledger } = await network.restored(node);
      for (const [id, nodes] of claims) {
        if (!nodes.includes(node)) continue;
        assert.ok(ledger.accounts.get(id)?.final, `node ${node} has forgotten that ${id} is final`);
      }
    }
  }

  async function goOn(name: string): Promise<void> {
    const client = await network.client();
    const owner = network.owner(name);
    await using load = new Load(client, { owners: [owner], window: 1, to: 'zoe', nodes: NODES });
    await load.more(2);
  }

  async function everywhere(payments: readonly PaymentId[]): Promise<void> {
    const client = await network.client();
    for (const node of NODES) {
      let open = [...payments];
      await eventually(
        () => `${open.length} payments are final on node ${node}`,
        async () => {
          const answers = await Promise.all(open.slice(0, 16).map((id) => client.isFinal(node, id)));
          open = open.filter((_, i) => answers[i] !== true);
          return open.length === 0;
        },
      );
    }
    client.assertNoLies();
  }

  it('go on when one of them has lost its disk, who votes again when the others have told it what it has signed', async () => {
    const db = path.join(network.folder(3), 'db');
    const before = await network.status(0);
    await network.stop(3);
    await rm(db, { recursive: true });
    // One more is away: what is left does not suffice to tell it, nor to go on.
    await network.stop(2);
    await network.start(3);
    await pause(3_000);
    const alone = await network.status(3);
    assert.deepEqual([alone.trouble, alone.validator], ['last_round_unknown', undefined]);
    assert.match(network.process(3).stderr, /asks the others for its last round/);
    await network.start(2);
    const client = await network.client();
    listen(client);
    await Promise.all(NODES.map((node) => client.link(node)));
    await using load = new Load(client, {
      owners: [network.owner('without a disk')],
      window: 1,
      to: 'zoe',
      nodes: NODES,
    });
    await load.more(10);
    await eventually('node 3 votes again', async () => {
      const view = await network.glance(0);
      return view !== undefined && view.rounds[3]! > before.rounds[3]! + 5;
    });
    await load.finish();
    await network.agreement();
    assert.match(network.process(3).stderr, /this validator votes again/);
    const after = await network.status(3);
    assert.deepEqual([after.trouble, after.validator], [undefined, 3]);
    for (const node of NODES)
      assert.doesNotMatch(network.process(node).stderr, /signed two witnesses where/, `node ${node}`);
    // From now on its votes are in its new database.
    await network.stop(3);
    await network.start(3);
    await eventually('node 3 votes at once', async () => {
      const view = await network.glance(0);
      return view !== undefined && view.rounds[3]! > after.round;
    });
  });

  it('have never signed two witnesses for one round, by their own databases and by what clients heard', async () => {
    for (const { code } of await network.stop(...NODES)) assert.equal(code, 0);
    const stored = new Map<string, Set<string>>();
    for (const node of NODES) {
      const witnesses = await network.storedWitnesses(node);
      assert.ok(witnesses.length > 40, `node ${node} has ${witnesses.length} witnesses`);
      for (const { id, validator, round } of witnesses) {
        const key = `${validator} in round ${round}`;
        stored.set(key, (stored.get(key) ?? new Set()).add(id));
      }
    }
    for (const [what, ids] of stored)
      assert.equal(ids.size, 1, `validator ${what} has ${ids.size} witnesses`);
    for (const [what, headers] of heard) {
      assert.equal(headers.size, 1, `validator ${what} has sent ${headers.size} headers`);
      assert.ok(stored.has(what), `validator ${what} has sent a header that nobody has kept`);
    }
    assert.ok(heard.size > 20, `${heard.size} headers`);
  });
});
