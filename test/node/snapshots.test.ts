import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkVertex, encodeGenesis, isRefusal } from '../../ledger/index.ts';
import type { LedgerEvent } from '../../node/ledger-messages.ts';
import { LedgerService } from '../../node/ledger-service.ts';
import { ReadyParents } from '../../node/ready-parents.ts';
import { SnapshotFile } from '../../node/snapshot-file.ts';
import { MemoryDisk, MemoryStore } from '../contracts/memory-store.ts';
import { EPOCH_ROUNDS, genesis, history, type Made } from './made-snapshots.ts';

/** A full node's ledger on a disk in memory. */
class Life implements Disposable {
  readonly events: LedgerEvent[] = [];
  readonly disk: MemoryDisk;
  service!: LedgerService;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  async open(): Promise<this> {
    this.service = await LedgerService.open(
      {
        genesis: encodeGenesis(genesis),
        folder: 'memory',
        verticesMax: 20_000,
        epochRounds: EPOCH_ROUNDS,
        validator: undefined,
        validatorSeed: undefined,
        neverVoted: false,
        queuePaymentsMax: 10,
        queuePaymentsPerAccountMax: 10,
        blockLingerMs: 0,
        tips: { strategy: 'uniform', alpha: 0, parents: 3 },
      },
      {
        genesis,
        store: new MemoryStore(this.disk, { genesisId: genesis.id, sync: 'always' }),
        ready: new ReadyParents(),
        nowMs: () => performance.now(),
        emit: (event) => this.events.push(event),
      },
    );
    return this;
  }

  async take(vertices: readonly Uint8Array[]): Promise<void> {
    const list = vertices.map((bytes) => {
      const hashes = checkVertex(bytes, genesis);
      assert.ok(!isRefusal(hashes));
      return { bytes, hashes, from: 'a', requested: true };
    });
    await this.service.vertices(list);
  }

  has(type: LedgerEvent['type']): boolean {
    return this.events.some((event) => event.type === type);
  }

  /** What was taken is on the disk, and then the process dies. */
  async end(): Promise<void> {
    await this.service.flush();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.service?.stop();
    this.disk.owner?.crash();
  }
}

describe('the snapshots of a node', function () {
  this.timeout(20_000);
  let dir: string;
  let older: Made;
  let younger: Made;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-snapshots-'));
    [older, younger] = history() as [Made, Made];
  });

  after(() => rm(dir, { recursive: true }));

  async function fileOf({ parts, leader }: Made): Promise<string> {
    const name = path.join(dir, leader);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    await using file = await SnapshotFile.open(name, { peer: 'a', leader, count: parts.length, bytes });
    if (file.count === 0) await file.add(parts);
    return name;
  }

  it('are taken from a file, and the vertices that belong to them from peers, after which the node is like any other', async () => {
    const disk = new MemoryDisk();
    {
      using life = await new Life(disk).open();
      assert.equal(await life.service.adopt(await fileOf(younger)), undefined);
    }
    {
      using life = await new Life(disk).open();
      assert.ok(life.has('incomplete'));
      assert.equal((await life.service.status()).trouble, 'joining');
      assert.equal(await life.service.awaited(), younger.vertices.length);
      assert.deepEqual(await life.service.since({ round: 0, bytesMax: 1000 }), { vertices: [] });
      await life.take(younger.vertices);
      assert.equal(await life.service.awaited(), 0);
      const { trouble, round } = await life.service.status();
      assert.deepEqual([trouble, round >= younger.round], [undefined, true]);
      await life.end();
    }
    using life = await new Life(disk).open();
    assert.ok(!life.has('incomplete'));
    assert.equal((await life.service.status()).trouble, undefined);
    // Peers may have it from here.
    const offer = await life.service.snapshot();
    assert.deepEqual([offer?.leader, offer?.count, offer?.cursor], [younger.leader, younger.parts.length, 0]);
    const window = await life.service.snapshotParts({ leader: younger.leader, from: 1, bytesMax: 4000 });
    assert.deepEqual(window, {
      parts: younger.parts.slice(1, 3).map((part) => Uint8Array.from(part)),
      next: 3,
    });
    const { floor } = await life.service.since({ round: 0, bytesMax: 1000 });
    assert.ok(floor !== undefined && floor > 0);
    const { vertices } = await life.service.since({ round: 0, cursor: offer!.cursor, bytesMax: 1 << 24 });
    assert.deepEqual(
      vertices.slice(0, younger.vertices.length).map(Buffer.from),
      younger.vertices.map(Buffer.from),
    );
  });

  it('begin anew when the node was killed before all vertices had come', async () => {
    const disk = new MemoryDisk();
    {
      using life = await new Life(disk).open();
      assert.equal(await life.service.adopt(await fileOf(older)), undefined);
    }
    {
      using life = await new Life(disk).open();
      await life.take(older.vertices.slice(0, 100));
      await life.end();
    }
    {
      using life = await new Life(disk).open();
      assert.ok(life.has('incomplete'));
      assert.equal(await life.service.awaited(), older.vertices.length - 100);
      assert.equal(await life.service.adopt(await fileOf(younger)), undefined);
    }
    using life = await new Life(disk).open();
    await life.take(younger.vertices);
    assert.equal(await life.service.awaited(), 0);
    assert.ok((await life.service.status()).round >= younger.round);
  });

  it('are not taken in the place of anything that the node has and peers remember', async () => {
    const disk = new MemoryDisk();
    {
      using life = await new Life(disk).open();
      assert.equal(await life.service.adopt(await fileOf(younger)), undefined);
    }
    using life = await new Life(disk).open();
    await life.take(younger.vertices);
    const before = life.disk.vertices.length;
    for (const made of [older, younger]) {
      const refusal = await life.service.adopt(await fileOf(made));
      assert.equal(refusal?.code, 'stale');
    }
    assert.ok(life.disk.vertices.length >= before);
  });

  it('that do not hold change nothing', async () => {
    const disk = new MemoryDisk();
    using life = await new Life(disk).open();
    const broken = { ...younger, leader: 'broken' as Made['leader'], parts: younger.parts.slice(0, -1) };
    const refusal = await life.service.adopt(await fileOf(broken));
    assert.equal(refusal?.code, 'malformed');
    assert.equal(disk.snapshots.length, 0);
  });
});
