import assert from 'node:assert/strict';
import { decodeWitness, encodeGenesis, hex, isRefusal, type Payment } from '../../ledger/index.ts';
import type { LedgerEvent } from '../../node/ledger-messages.ts';
import { LedgerService } from '../../node/ledger-service.ts';
import { ReadyParents } from '../../node/ready-parents.ts';
import { MemoryDisk, MemoryStore } from '../contracts/memory-store.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { until } from '../p2p/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 1_000_000 }, signed: true });
const { genesis } = net;
const alice = keysOf('alice').address;
const bob = keysOf('bob').address;

function pay(after?: Payment): Payment {
  return net.payment({
    from: 'alice',
    transfers: [{ to: 'bob', amount: 1 }],
    previous: after?.id ?? alice,
    sequence: (after?.sequence ?? 0) + 1,
    name: 'p',
  });
}

/** The whole network's only validator; what it publishes must be on the disk by then. */
class Life implements Disposable {
  readonly events: LedgerEvent[] = [];
  readonly disk: MemoryDisk;
  service!: LedgerService;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  async open(): Promise<this> {
    const store = new MemoryStore(this.disk, { genesisId: genesis.id, sync: 'always' });
    this.service = await LedgerService.open(
      {
        genesis: encodeGenesis(genesis),
        folder: '',
        verticesMax: 100_000,
        validator: { index: 0, roundFloorMs: 1, roundLingerMs: 0, idleBeatMs: 2 },
        validatorSeed: keysOf('validator A').secret,
        neverVoted: true,
        queuePaymentsMax: 100,
        queuePaymentsPerAccountMax: 100,
        blockLingerMs: 0,
        tips: { strategy: 'uniform', alpha: 0, parents: 3 },
      },
      {
        genesis,
        store,
        ready: new ReadyParents(),
        nowMs: () => performance.now(),
        diskRetryMs: 5,
        emit: (event) => {
          this.events.push(event);
          if (event.type === 'publish') assert.ok(this.onDisk(event.bytes), 'it is on the disk');
        },
      },
    );
    await this.service.watch([alice, bob], true);
    return this;
  }

  onDisk(bytes: Uint8Array): boolean {
    const text = hex(bytes);
    return this.disk.vertices.some((vertex) => hex(vertex.bytes) === text);
  }

  [Symbol.dispose](): void {
    this.service?.stop();
  }

  async submit({ id, account, previous, sequence, total, bytes }: Payment) {
    const [reply] = await this.service.submit([
      { id, account, previous, sequence, total, bytes, workBits: 0 },
    ]);
    return reply!;
  }

  published(): number {
    return this.events.filter(({ type }) => type === 'publish').length;
  }

  /** Whether the disk was said to be full, each time that it was said. */
  told(): boolean[] {
    return this.events.flatMap((event) => (event.type === 'disk' ? [event.full] : []));
  }

  async isFinal(payment: Payment): Promise<boolean> {
    const reply = await this.service.proof(payment.id);
    return reply !== undefined && 'proof' in reply;
  }

  async final(payment: Payment): Promise<void> {
    let final = false;
    await until('it is final', () => {
      void this.isFinal(payment).then((is) => {
        final ||= is;
      });
      return final;
    });
  }
}

describe('a node whose disk is full', () => {
  for (const full of [true, 'lies'] as const) {
    const how = full === 'lies' ? ', though the disk has what it refused' : '';
    it(`takes and votes nothing, serves what is on the disk, and goes on by itself when there is room${how}`, async () => {
      using life = await new Life(new MemoryDisk()).open();
      const p1 = pay();
      const p2 = pay(p1);
      const p3 = pay(p2);
      await life.submit(p1);
      await life.final(p1);

      life.disk.full = full;
      // It may still be taken, but the disk does not take it any more.
      await life.submit(p2);
      await until('it is told', () => life.told().length === 1);
      const before = { published: life.published(), status: await life.service.status() };
      assert.equal(before.status.trouble, 'disk_full');
      assert.deepEqual(await life.submit(p3), { refusal: { code: 'queue_full', waiting: 0, max: 0 } });
      const block = net.block([genesis.id], [net.data('x')]);
      const vertex = { bytes: block.bytes, hashes: new Uint8Array(), from: 'a', requested: false };
      assert.deepEqual(await life.service.vertices([vertex]), [{ code: 'queue_full', waiting: 0, max: 0 }]);
      // Reading goes on, and tells nothing that a crash could undo.
      assert.equal(await life.isFinal(p1), true);
      assert.equal((await life.service.history(bob, -1, 10)).length, 1);
      const window = await life.service.since({ round: 0, bytesMax: 1 << 20 });
      assert.ok(window.vertices.length > 0 && window.vertices.every((bytes) => life.onDisk(bytes)));
      await new Promise((resolve) => {
        setTimeout(resolve, 300);
      });
      assert.equal(life.published(), before.published);
      assert.equal((await life.service.status()).round, before.status.round);

      life.disk.full = false;
      await until('it goes on', () => life.told().length === 2);
      assert.deepEqual(life.told(), [true, false]);
      assert.equal((await life.service.status()).trouble, undefined);
      await life.submit(p2);
      await life.final(p2);
      await life.submit(p3);
      await life.final(p3);
      const { round } = await life.service.status();
      assert.ok(round > before.status.round);

      // In the order in which they were made, none twice: a start reads it back.
      life.service.stop();
      const ids = life.disk.vertices.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      const rounds = life.disk.vertices.flatMap(({ bytes }) => {
        const witness = decodeWitness(bytes, genesis.network);
        return isRefusal(witness) ? [] : [witness.round];
      });
      assert.deepEqual(
        rounds,
        [...new Set(rounds)].sort((a, b) => a - b),
      );
      life.disk.owner?.crash();
      using again = await new Life(life.disk).open();
      assert.equal(await again.isFinal(p3), true);
    });
  }

  it('may be ended while it is full', async () => {
    using life = await new Life(new MemoryDisk()).open();
    await until('it votes', () => life.published() > 3);
    life.disk.full = true;
    await until('it is told', () => life.told().length === 1);
    life.service.stop();
    await life.service.flush();
  });
});
