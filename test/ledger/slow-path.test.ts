import assert from 'node:assert/strict';
import {
  type Address,
  Core,
  decodeWitness,
  type Effect,
  encodeBlock,
  encodeWitness,
  isRefusal,
  type Payment,
  type Slot,
  sign,
  snapshotCheckpoint,
  type Witness,
} from '../../ledger/index.ts';
import { keysOf, letterOf, TestNetwork } from '../dsl/network.ts';
import { World, type WorldNode } from '../sim/world.ts';

const OWNERS = Array.from({ length: 20 }, (_, i) => `owner ${i}`);
const TIMES = { roundFloorMs: 30, roundLingerMs: 200, idleBeatMs: 500 };
const EPOCH_ROUNDS = 40;
const LEDGER = { verticesMax: 4000, epochRounds: EPOCH_ROUNDS };

/** Four validators and owners who pay one another, now and then twice for one slot, at different validators. */
class Payers {
  readonly net = new TestNetwork({
    weights: [1, 1, 1, 1],
    funds: Object.fromEntries(OWNERS.map((owner) => [owner, 1000])),
    signed: true,
  });
  readonly world: World;
  readonly payments: Payment[] = [];
  #turn = 0;

  constructor(seed: number) {
    this.world = new World(this.net.genesis, { seed, delayMsMax: 20, validator: TIMES, ledger: LEDGER });
  }

  get nodes(): readonly WorldNode[] {
    return this.world.nodes;
  }

  /** One owner after the other pays, `count` times in all, each from the decided head of his account. */
  pay(count: number): void {
    for (let i = 0; i < count; i++) {
      this.world.at(this.world.nowMs + 60 * i, () => this.#payOnce(this.#turn++));
    }
    this.world.run(60 * count + 3000);
  }

  #payOnce(turn: number): void {
    const from = OWNERS[turn % OWNERS.length]!;
    const node = this.nodes[turn % 4]!;
    const { head, sequence } = node.core.ledger.decidedOf(keysOf(from).address);
    for (let rival = 0; rival < (turn % 9 === 0 ? 2 : 1); rival++) {
      const to = OWNERS[(turn + 1 + rival) % OWNERS.length]!;
      const payment = this.net.payment({
        from,
        previous: head,
        sequence: sequence + 1,
        transfers: [{ to, amount: 1 }],
        name: `${turn}/${rival}`,
      });
      this.payments.push(payment);
      const at = this.nodes[(turn + 2 * rival) % 4]!;
      const { tangle } = at.core.ledger;
      this.world.inject(
        encodeBlock(this.net.genesis.network, [tangle.record(tangle.size - 1).id], [payment.bytes]),
        [at],
      );
    }
  }

  slots(): Map<Slot, Payment[]> {
    return Map.groupBy(this.payments, ({ previous }) => previous);
  }
}

function signer(index: number) {
  return { sign: (message: Uint8Array) => sign(keysOf(`validator ${letterOf(index)}`).secret, message) };
}

function stateOf({ core: { ledger } }: WorldNode) {
  const { index, root } = ledger.lastCommit;
  return { index, root, finals: ledger.accounts.finals, decided: ledger.accounts.decided };
}

describe('the slow path in a world of four', () => {
  it('decides every slot once and the same everywhere, and what is final is decided', () => {
    const payers = new Payers(1);
    payers.pay(100);
    assert.equal(new Set(payers.nodes.map((node) => JSON.stringify(stateOf(node)))).size, 1);
    for (const { core, finals } of payers.nodes) {
      const { ledger } = core;
      assert.equal(ledger.accounts.decided, payers.slots().size);
      for (const [slot, rivals] of payers.slots()) {
        const won = rivals.filter(({ id }) => finals.includes(id));
        assert.equal(won.length, 1, `slot ${slot} has one winner`);
      }
      const supply = OWNERS.reduce((sum, owner) => sum + ledger.decidedOf(keysOf(owner).address).balance, 0);
      assert.equal(supply, payers.net.genesis.supply);
    }
  });

  it('keeps as many vertices and payments as the remembered epochs hold, however long it runs', () => {
    const payers = new Payers(2);
    payers.pay(150);
    const sizes = (): number[][] =>
      payers.nodes.map(({ core: { ledger } }) => [
        ledger.tangle.size - ledger.tangle.base,
        [...ledger.accounts.payments()].length,
        ledger.commits.length,
      ]);
    const first = sizes();
    const { floor } = payers.nodes[0]!.core.ledger.tangle;
    assert.ok(floor > 0, 'something has been forgotten');
    payers.pay(150);
    for (const [i, now] of sizes().entries()) {
      assert.ok(payers.nodes[i]!.core.ledger.tangle.floor > floor + 5 * EPOCH_ROUNDS);
      for (const [j, count] of now.entries())
        assert.ok(count < 1.2 * first[i]![j]! + 10, `${first[i]} ${now}`);
    }
    assert.deepEqual(
      payers.nodes.flatMap(({ refused }) => refused),
      [],
    );
  });

  it('goes on from a snapshot and what the store holds after it, as if nothing had been', () => {
    const payers = new Payers(3);
    payers.pay(150);
    const [a] = payers.nodes as [WorldNode];
    const { genesis } = payers.net;
    const before = stateOf(a);
    const parts = a.core.snapshotParts();
    assert.ok(parts !== undefined);
    const proven = snapshotCheckpoint(genesis, parts[0]!);
    assert.ok(!isRefusal(proven));
    assert.equal(proven.root, a.core.ledger.lastCommit.root);
    const core = Core.fromSnapshot({ genesis, ledger: LEDGER }, parts);
    assert.ok(!isRefusal(core), JSON.stringify(core));
    // The store has numbered vertices from 0, the tangle from 1.
    for (const vertex of a.stored.slice(a.core.ledger.tangle.base - 1)) core.restore(vertex.bytes);
    assert.equal(core.awaited, 0);
    core.startVoting({ index: 0, ...TIMES }, signer(0));
    a.core = core;
    assert.deepEqual(stateOf(a), before);
    payers.pay(100);
    assert.equal(new Set(payers.nodes.map((node) => JSON.stringify(stateOf(node)))).size, 1);
    assert.equal(a.core.ledger.accounts.decided, payers.slots().size);
    assert.deepEqual(
      payers.nodes.flatMap(({ refused }) => refused),
      [],
    );
  });

  it('goes on when a flood brings more that nobody can accept than a witness can list', () => {
    const owners = Array.from({ length: 500 }, (_, i) => `flooder ${i}`);
    const funds = Object.fromEntries(owners.map((owner) => [owner, 10]));
    const net = new TestNetwork({ weights: [1, 1, 1, 1], funds, signed: false });
    const world = new World(net.genesis, { seed: 7, delayMsMax: 20, validator: TIMES, ledger: LEDGER });
    const rivals = [0, 1, 2].map((rival) =>
      owners.map((from) => {
        const transfers = [{ to: `flooder ${rival}`, amount: 1 + rival }];
        return net.payment({
          from,
          transfers,
          previous: keysOf(from).address,
          sequence: 1,
          name: `${rival}`,
        });
      }),
    );
    for (const [i, payments] of rivals.entries()) {
      for (let from = 0; from < payments.length; from += 250) {
        const bytes = payments.slice(from, from + 250).map((payment) => payment.bytes);
        world.inject(encodeBlock(net.genesis.network, [net.genesis.id], bytes), [world.nodes[i]!]);
      }
    }
    const decided = (): boolean =>
      world.nodes.every(({ core }) => core.ledger.accounts.decided === owners.length);
    world.run(20_000, decided);
    assert.ok(decided(), `decided: ${world.nodes.map(({ core }) => core.ledger.accounts.decided)}`);
    const roots = new Set(world.nodes.map(({ core }) => core.ledger.lastCommit.root));
    world.run(1000);
    assert.equal(
      new Set(world.nodes.map(({ core }) => core.ledger.lastCommit.root)).size,
      1,
      `${roots.size}`,
    );
  });

  it('takes a validator back that heard for two epochs and was not heard, and calls it no liar', () => {
    const payers = new Payers(8);
    const [a, , , d] = payers.nodes as [WorldNode, WorldNode, WorldNode, WorldNode];
    payers.pay(12);
    d.muted = true;
    const heard = a.core.rounds.latest[3]!;
    payers.pay(120);
    assert.ok(a.core.ledger.lastCommit.round > heard + 2 * EPOCH_ROUNDS);
    assert.equal(a.core.rounds.latest[3], heard);
    d.muted = false;
    // Its last words have to lapse first.
    payers.pay(120);
    assert.ok(a.core.rounds.latest[3]! > a.core.ledger.lastCommit.round - 10, 'it is heard again');
    for (const { core, refused } of payers.nodes) {
      assert.equal(core.ledger.tangle.branches.equivocated(3), false);
      assert.deepEqual(
        refused.filter(({ code }) => code !== 'stale'),
        [],
      );
    }
    assert.equal(new Set(payers.nodes.map((node) => JSON.stringify(stateOf(node)))).size, 1);
  });

  it('refuses a snapshot in which any byte of the state is another', () => {
    const payers = new Payers(4);
    payers.pay(20);
    const { genesis } = payers.net;
    const parts = payers.nodes[0]!.core.snapshotParts()!;
    const good = new Uint8Array(Buffer.concat(parts));
    const { address } = keysOf(OWNERS[3]!);
    const at = Buffer.from(good).indexOf(Buffer.from(address, 'hex'));
    for (const offset of [0, 39, 47, 60]) {
      const bad = good.slice();
      bad[at + offset]! ^= 1;
      const core = Core.fromSnapshot({ genesis, ledger: LEDGER }, [bad]);
      assert.ok(isRefusal(core), `byte ${offset} of an account`);
    }
    const header = good.slice();
    header[1 + 16 + 4 + 1 + 200]! ^= 1;
    assert.ok(isRefusal(Core.fromSnapshot({ genesis, ledger: LEDGER }, [header])));
    assert.ok(isRefusal(Core.fromSnapshot({ genesis, ledger: LEDGER }, [good.subarray(0, good.length - 1)])));
    assert.ok(!isRefusal(Core.fromSnapshot({ genesis, ledger: LEDGER }, [good])));
  });
});

describe('a checkpoint that differs', () => {
  /** The witness with another state root, signed anew by its author. */
  function lie(net: TestNetwork, witness: Witness, root: Address): Witness {
    const header = { ...witness, checkpoint: { ...witness.checkpoint, root } };
    const { sign: signHeader } = signer(witness.validator);
    const bytes = encodeWitness(net.genesis.network, header, witness, signHeader);
    const decoded = decodeWitness(bytes, net.genesis.network);
    assert.ok(!isRefusal(decoded));
    return decoded;
  }

  /** A fifth node that hears the witnesses of all, those of `liars` with another root. */
  function listen(liars: readonly number[]): { effects: Effect[]; core: Core } {
    const payers = new Payers(5);
    payers.pay(10);
    const { genesis } = payers.net;
    const core = new Core({ genesis, ledger: LEDGER });
    const effects: Effect[] = [];
    const stored = payers.nodes[0]!.stored;
    const round = Math.min(...payers.nodes[0]!.core.rounds.latest);
    // Only the last round of all lies, and nothing that stands on it is heard.
    for (const vertex of stored) {
      if (vertex.kind === 'witness' && vertex.round > round) continue;
      const forged = vertex.kind === 'witness' && vertex.round === round && liars.includes(vertex.validator);
      const heard = forged ? lie(payers.net, vertex, keysOf('nobody').address) : vertex;
      effects.push(...core.step({ type: 'vertex', vertex: heard, from: 'peer', requested: true, nowMs: 0 }));
    }
    return { effects, core };
  }

  it('is told, and one liar stops nobody', () => {
    const { effects, core } = listen([2]);
    const told = effects.filter(({ type }) => type === 'diverges');
    assert.deepEqual(
      told.map((effect) => effect.type === 'diverges' && effect.validator),
      [2],
    );
    assert.equal(core.fault, undefined);
    assert.ok(!effects.some(({ type }) => type === 'refused'), 'the witness is valid all the same');
  });

  it('stops the vote when more weight says so than liars can have', () => {
    const { effects, core } = listen([1, 2]);
    assert.equal(core.fault?.code, 'state_diverges');
    assert.equal(effects.filter(({ type }) => type === 'fault').length, 1);
    assert.equal(core.wakeAtMs(), undefined);
  });
});
