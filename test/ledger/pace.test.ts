import assert from 'node:assert/strict';
import {
  Core,
  decodeVertex,
  encodeBlock,
  isRefusal,
  type PaymentId,
  sign,
  type Vertex,
} from '../../ledger/index.ts';
import { keysOf, letterOf, TestNetwork } from '../dsl/network.ts';

const TIMES = { roundFloorMs: 40, roundLingerMs: 20, idleBeatMs: 1000 };

/** Four validators whose messages and looks at the clock come in exactly the order that a test says. */
class Table {
  readonly net = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 100 }, signed: true });
  readonly cores = [0, 1, 2, 3].map(
    (index) =>
      new Core(
        { genesis: this.net.genesis, validator: { index, ...TIMES } },
        { sign: (message) => sign(keysOf(`validator ${letterOf(index)}`).secret, message) },
      ),
  );

  /** They look at the clock; the witnesses that they make then, one each. */
  witnesses(validators: readonly number[], nowMs: number): Vertex[] {
    return validators.map((index) => {
      const effects = this.cores[index]!.step({ type: 'tick', nowMs });
      const own = effects.flatMap((effect) =>
        effect.type === 'attached' && effect.own ? [effect.vertex] : [],
      );
      assert.equal(own.length, 1, `validator ${index} makes a witness at ${nowMs}`);
      return own[0]!;
    });
  }

  deliver(vertices: readonly Vertex[], validators: readonly number[], nowMs: number): void {
    for (const vertex of vertices) {
      for (const index of validators) {
        this.cores[index]!.step({ type: 'vertex', vertex, from: 'peer', requested: false, nowMs });
      }
    }
  }

  block(): { block: Vertex; payment: PaymentId } {
    const { genesis } = this.net;
    const payment = this.net.payment({
      from: 'alice',
      transfers: [{ to: 'bob', amount: 1 }],
      previous: keysOf('alice').address,
      sequence: 1,
      name: 'p',
    });
    const block = decodeVertex(encodeBlock(genesis.network, [genesis.id], [payment.bytes]), genesis.network);
    assert.ok(!isRefusal(block));
    return { block, payment: payment.id };
  }
}

const ALL = [0, 1, 2, 3];

describe('the pace of rounds', () => {
  it('stays fast while there are votes that the own chain has not covered', () => {
    const table = new Table();
    table.deliver(table.witnesses(ALL, 1000), ALL, 1005);
    // B and C have made their witness of the round when the payment comes, A and D have not.
    const early = table.witnesses([1, 2], 2010);
    const { block, payment } = table.block();
    table.deliver([block], ALL, 2020);
    const late = table.witnesses([0, 3], 2030);
    table.deliver([...early, ...late], ALL, 2035);
    // So B and C accept it a round later, and that vote comes before A and D make their witness of that round.
    const second = table.witnesses([1, 2], 2060);
    table.deliver(second, ALL, 2065);
    table.deliver(table.witnesses([0, 3], 2075), ALL, 2080);
    // A and D have now seen votes of a quorum, and cannot certify before their next witness: it must not wait for a beat.
    for (const index of [0, 3]) assert.equal(table.cores[index]!.wakeAtMs(), 2075 + TIMES.roundFloorMs);
    table.deliver(table.witnesses(ALL, 2120), ALL, 2125);
    for (const { ledger } of table.cores) assert.ok(ledger.isFinal(payment));
    // It stays fast until a commit has decided what is final; then there is nothing left to do, and everybody goes idle.
    let nowMs = 3200;
    const decided = () => table.cores.every(({ ledger }) => ledger.statusOf(payment) === 'decided');
    for (; !decided(); nowMs += 100) {
      for (const core of table.cores) assert.ok(core.wakeAtMs()! <= nowMs, `a witness is due at ${nowMs}`);
      table.deliver(table.witnesses(ALL, nowMs), ALL, nowMs + 5);
      assert.ok(nowMs < 4500, 'decided within two waves');
    }
    for (const core of table.cores) assert.equal(core.wakeAtMs(), nowMs - 100 + TIMES.idleBeatMs);
  });
});
