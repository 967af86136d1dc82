import assert from 'node:assert/strict';
import {
  checkFinalityProof,
  decodeFinalityProof,
  decodeWitness,
  encodeGenesis,
  isRefusal,
  type Payment,
  type PaymentId,
  type VertexId,
} from '../../ledger/index.ts';
import type { LedgerEvent } from '../../node/ledger-messages.ts';
import { LedgerService } from '../../node/ledger-service.ts';
import { ReadyParents } from '../../node/ready-parents.ts';
import type { HistoryEntry } from '../../p2p/index.ts';
import { MemoryDisk, MemoryStore } from '../contracts/memory-store.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { Chance } from '../generators/chance.ts';
import { until } from '../p2p/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 1_000_000 }, signed: true });
const { genesis } = net;
const alice = keysOf('alice').address;
const bob = keysOf('bob').address;

/** The whole network's only validator, on a disk that keeps only what was synced. */
class Life implements Disposable {
  readonly events: LedgerEvent[] = [];
  readonly store: MemoryStore;
  service!: LedgerService;

  constructor(disk: MemoryDisk) {
    this.store = new MemoryStore(disk, { genesisId: genesis.id, sync: 'manual' });
  }

  static async begin(disk: MemoryDisk): Promise<Life> {
    const life = new Life(disk);
    life.service = await LedgerService.open(
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
        store: life.store,
        ready: new ReadyParents(),
        nowMs: () => performance.now(),
        emit: (event) => life.events.push(event),
      },
    );
    await life.service.watch([alice, bob], true);
    return life;
  }

  /** The process dies now. */
  crash(): void {
    this.service.stop();
    this.store.crash();
  }

  /** Also when a test fails. */
  [Symbol.dispose](): void {
    if (this.service !== undefined) this.service.stop();
  }

  async submit(payment: Payment): Promise<void> {
    const { id, account, previous, sequence, total, bytes } = payment;
    const [reply] = await this.service.submit([
      { id, account, previous, sequence, total, bytes, workBits: 0 },
    ]);
    assert.ok(reply !== undefined && 'id' in reply, JSON.stringify(reply));
  }

  published(kind: 'witness' | 'block'): Uint8Array[] {
    return this.events.flatMap((event) =>
      event.type === 'publish' && event.kind === kind ? [event.bytes] : [],
    );
  }

  pushed(): HistoryEntry[] {
    return this.events.flatMap((event) =>
      event.type === 'push' && event.push.type === 'final' ? [event.push.entry] : [],
    );
  }

  async finals(count: number): Promise<void> {
    let finals = 0;
    await until(`${count} payments are final`, () => {
      void this.service.status().then(({ finalPayments }) => {
        finals = finalPayments;
      });
      return finals >= count;
    });
  }
}

function pay(after: Payment | undefined): Payment {
  return net.payment({
    from: 'alice',
    transfers: [{ to: 'bob', amount: 1 }],
    previous: after?.id ?? alice,
    sequence: (after?.sequence ?? 0) + 1,
    name: 'p',
  });
}

function proven(entry: HistoryEntry): PaymentId {
  const proof = decodeFinalityProof(entry.proof);
  assert.ok(!isRefusal(proof));
  assert.equal(checkFinalityProof(genesis, proof), undefined);
  return proof.payment;
}

function witnessOf(bytes: Uint8Array): { id: VertexId; round: number } {
  const witness = decodeWitness(bytes, genesis.network);
  assert.ok(!isRefusal(witness));
  return witness;
}

describe('durable before visible', () => {
  it('while the disk is slow nobody hears of a witness, of a block, or that a payment is final', async () => {
    using life = await Life.begin(new MemoryDisk());
    const payment = pay(undefined);
    await life.submit(payment);
    await life.finals(1);

    const answered: string[] = [];
    const asked = {
      proof: life.service.proof(payment.id),
      history: life.service.history(bob, -1, 10),
      fetch: life.service.tips(1).then((ids) => life.service.fetch(ids)),
      since: life.service.since({ round: 0, bytesMax: 1_000_000 }),
      again: life.service.submit([{ ...payment, workBits: 0 }]),
    };
    for (const [name, answer] of Object.entries(asked)) void answer.then(() => answered.push(name));
    const { round } = await life.service.status();
    let later = round;
    await until('many rounds have passed', () => {
      void life.service.status().then((view) => {
        later = view.round;
      });
      return later > round + 10;
    });
    assert.deepEqual(answered, []);
    assert.deepEqual(life.published('witness'), []);
    assert.deepEqual(life.published('block'), []);
    assert.deepEqual(life.pushed(), []);

    await until('everything is answered', () => {
      life.store.sync();
      return answered.length === 5;
    });
    const reply = await asked.proof;
    assert.ok(reply !== undefined && 'proof' in reply);
    assert.equal(proven(reply), payment.id);
    assert.deepEqual((await asked.history).map(proven), [payment.id]);
    assert.equal((await asked.fetch).length, 1);
    assert.deepEqual(await asked.again, [{ id: payment.id, status: 'final' }]);
    await until('it is pushed', () => {
      life.store.sync();
      return life.pushed().length === 2;
    });
    life.crash();
  });

  for (let seed = 1; seed <= 8; seed++) {
    it(`crashes at any moment undo nothing that was told, and no round is signed twice (seed ${seed})`, async () => {
      const chance = new Chance(seed);
      const disk = new MemoryDisk();
      const witnesses = new Map<number, VertexId>();
      const told = new Set<PaymentId>();
      let last: Payment | undefined;
      for (let crash = 0; crash < 6; crash++) {
        using life = await Life.begin(disk);
        for (const id of told) {
          const reply = await life.service.proof(id);
          assert.ok(reply !== undefined && 'proof' in reply, `${id} is final no more`);
        }
        last = await lastKnown(life, last);
        const asking = new Set<Promise<void>>();
        for (let step = chance.below(60) + 5; step > 0; step--) {
          if (chance.flip(0.3)) {
            last = pay(last);
            await life.submit(last);
          }
          const { id } = last ?? {};
          if (id !== undefined && chance.flip(0.5)) {
            const heard = life.service.proof(id).then((reply) => {
              if (reply !== undefined && 'proof' in reply) told.add(proven(reply));
            });
            asking.add(heard);
          }
          if (chance.flip(0.3)) life.store.sync();
          await new Promise((resolve) => {
            setTimeout(resolve, chance.below(4));
          });
        }
        life.crash();
        for (const entry of life.pushed()) told.add(proven(entry));
        for (const bytes of life.published('witness')) {
          const { id, round } = witnessOf(bytes);
          assert.equal(witnesses.get(round) ?? id, id, `two witnesses for round ${round}`);
          witnesses.set(round, id);
        }
      }
      assert.ok(told.size > 0 && witnesses.size > 10, `${told.size} told, ${witnesses.size} witnesses`);
    });
  }
});

/** A wallet goes on from what the node still knows of its account: what was in no block on disk is gone. */
async function lastKnown(life: Life, last: Payment | undefined): Promise<Payment | undefined> {
  const { head } = await life.service.account(alice);
  let known: Payment | undefined;
  while (known?.id !== head && head !== alice && (known?.sequence ?? 0) < (last?.sequence ?? 0))
    known = pay(known);
  assert.equal(known?.id ?? alice, head);
  return known;
}
