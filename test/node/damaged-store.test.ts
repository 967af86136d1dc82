import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Level } from 'level';
import { encodeGenesis } from '../../ledger/index.ts';
import { damageMark, markDamaged, setAside, wasSetAside } from '../../node/damaged-store.ts';
import type { LedgerEvent } from '../../node/ledger-messages.ts';
import { LedgerThread } from '../../node/ledger-thread.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 100 }, signed: true });
const { genesis } = net;

/** A ledger thread on its own: the only validator of its network. */
class Bench implements AsyncDisposable {
  readonly events: LedgerEvent[] = [];
  readonly #folder: string;
  thread!: LedgerThread;
  #heard: () => void = () => undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(neverVoted: boolean): Promise<this> {
    this.thread = await LedgerThread.start(
      {
        genesis: encodeGenesis(genesis),
        folder: this.#folder,
        verticesMax: 10_000,
        validator: { index: 0, roundFloorMs: 1, roundLingerMs: 0, idleBeatMs: 2 },
        validatorSeed: keysOf('validator A').secret,
        neverVoted,
        queuePaymentsMax: 100,
        queuePaymentsPerAccountMax: 16,
        blockLingerMs: 2,
        tips: { strategy: 'uniform', alpha: 0, parents: 3 },
      },
      (event) => {
        this.events.push(event);
        this.#heard();
      },
    );
    return this;
  }

  async heard<T extends LedgerEvent['type']>(type: T, count = 1): Promise<LedgerEvent & { type: T }> {
    for (;;) {
      const events = this.events.filter((event) => event.type === type);
      if (events.length >= count) return events[count - 1] as LedgerEvent & { type: T };
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.thread?.[Symbol.asyncDispose]();
  }
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 0x40;
  await writeFile(file, bytes);
}

async function tablesOf(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .filter((name) => name.endsWith('.ldb'))
    .map((name) => path.join(folder, name));
}

/** What can happen to a database while no node has it open. */
const DAMAGES: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  'a byte of a table has changed': async (folder) => {
    for (const table of await tablesOf(folder)) await flip(table);
  },
  'a table is missing': async (folder) => {
    for (const table of await tablesOf(folder)) await rm(table);
  },
  'its list of tables is missing': async (folder) => {
    for (const name of await readdir(folder))
      if (name.startsWith('MANIFEST')) await rm(path.join(folder, name));
  },
  'a vertex is missing': async (folder) => {
    const db = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
    const [, , third] = await db.keys({ gte: Buffer.from('v'), lt: Buffer.from('w'), limit: 3 }).all();
    await db.del(third!);
    await db.close();
  },
  'a vertex stands in the place of another': async (folder) => {
    const db = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
    const rows = await db.iterator({ gte: Buffer.from('v'), lt: Buffer.from('w'), limit: 9 }).all();
    await db.put(rows[2]![0], rows[8]![1]);
    await db.close();
  },
};

describe('a damaged database', function () {
  this.timeout(20_000);
  let dir: string;
  let folder: string;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-damaged-'));
    folder = path.join(dir, 'db');
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** Some rounds in a table: a start makes tables of the log. */
  async function filled(): Promise<void> {
    for (const neverVoted of [true, false]) {
      await using bench = await new Bench(folder).start(neverVoted);
      await bench.heard('publish', 20);
    }
    await using bench = await new Bench(folder).start(false);
    await bench.heard('publish');
  }

  for (const [what, damage] of Object.entries(DAMAGES)) {
    it(`is set aside at the start, and a new one begun, without a vote: ${what}`, async () => {
      await filled();
      await damage(folder);
      await using bench = await new Bench(folder).start(true);
      const { reason, aside } = await bench.heard('damaged');
      assert.match(reason, /is damaged: /);
      assert.deepEqual(
        (await readdir(dir)).sort().map((name) => name.replace(/-.*/, '')),
        ['db', 'db.damaged'],
      );
      assert.ok((await readdir(aside!)).length > 0);
      // Even the mark of a new key does not make it vote: it did, with what was lost.
      await bench.heard('mute');
      const status = await bench.thread.call('status');
      assert.deepEqual([status.vertices, status.validator], [1, undefined]);
    });
  }

  it('that is found while the node runs ends it, and the next start begins a new one', async () => {
    await filled();
    {
      await using bench = await new Bench(folder).start(false);
      for (const table of await tablesOf(folder)) await flip(table);
      const since = bench.thread.call('since', { round: 0, bytesMax: 1 << 24 });
      await assert.rejects(since, /is damaged/);
      const failed = await bench.heard('failed');
      assert.match(failed.message, /Start the node again: it sets the folder aside/);
    }
    assert.match((await damageMark(folder))!, /is damaged/);
    await using bench = await new Bench(folder).start(false);
    await bench.heard('damaged');
    assert.equal(await damageMark(folder), undefined);
  });

  it('is kept, the last one alone', async () => {
    await mkdir(folder);
    await writeFile(path.join(folder, 'first'), '');
    markDamaged(folder, 'why');
    assert.equal(await damageMark(folder), 'why');
    assert.equal(await wasSetAside(folder), false);
    const first = await setAside(folder, 0);
    assert.equal(first, `${folder}.damaged-1970-01-01T00-00-00.000Z`);
    assert.equal(await damageMark(folder), undefined);
    assert.equal(await wasSetAside(folder), true);
    // Nothing is there: nothing is given up for it.
    assert.equal(await setAside(folder, 1000), undefined);
    assert.deepEqual(await readdir(first), ['first']);
    await mkdir(folder);
    const second = await setAside(folder, 2000);
    assert.deepEqual(await readdir(dir), [path.basename(second!)]);
  });
});
