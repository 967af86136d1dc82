import assert from 'node:assert/strict';
import { decodeBlock, encodeBlock, hex, isRefusal, type Vertex, type VertexId } from '../../ledger/index.ts';
import { WAITING_DEFAULTS, Waiting } from '../../ledger/waiting.ts';
import { TestNetwork } from '../dsl/network.ts';

const net = new TestNetwork({ weights: [1], funds: { alice: 100 }, signed: false });
const { network } = net.genesis;

/** What a tick of the core asks for at most. */
const WANTS_MAX = 512;
const TICK_MS = 100;

function idOf(number: number): VertexId {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  return hex(bytes) as VertexId;
}

/** A block with one parent, which nobody has. */
function orphan(parent: VertexId): Vertex {
  const block = decodeBlock(encodeBlock(network, [parent], [net.data('x')]), network);
  if (isRefusal(block)) throw new Error(JSON.stringify(block));
  return block;
}

describe('vertices that wait for their parents', () => {
  it('have every parent asked for in turn, however many are asked for in vain', () => {
    const waiting = new Waiting();
    const flood = WAITING_DEFAULTS.verticesMax * WAITING_DEFAULTS.peerShare;
    for (let i = 0; i < flood; i++) assert.ok(waiting.add(orphan(idOf(i)), [idOf(i)], 'flooder', 0));
    assert.equal(waiting.add(orphan(idOf(flood)), [idOf(flood)], 'flooder', 0), false);
    const wanted = idOf(1_000_000);
    assert.ok(waiting.add(orphan(wanted), [wanted], 'honest', 0));
    let nowMs = 0;
    const asked = new Set<VertexId>();
    for (; !asked.has(wanted); nowMs += TICK_MS) {
      assert.ok(nowMs < WAITING_DEFAULTS.timeoutMs, 'it is never asked for');
      const ids = waiting.wants(nowMs, WANTS_MAX).map(({ id }) => id);
      assert.ok(ids.length <= WANTS_MAX);
      // Nothing is asked for twice before everything was asked for once.
      for (const id of ids.slice(0, asked.size === flood ? 1 : WANTS_MAX)) {
        assert.ok(!asked.has(id));
        asked.add(id);
      }
    }
    assert.equal(asked.size, flood + 1);
    assert.ok(nowMs <= (flood / WANTS_MAX + 2) * TICK_MS);
    // And again, after the others have had their turn.
    const again = nowMs + WAITING_DEFAULTS.retryMs;
    let found = false;
    for (; !found; nowMs += TICK_MS) {
      assert.ok(nowMs < again + (flood / WANTS_MAX + 2) * TICK_MS);
      found = waiting.wants(nowMs, WANTS_MAX).some(({ id, from }) => id === wanted && from === 'honest');
    }
  });

  it('have no parent asked for again before the time for a retry, nor one that waits here itself', () => {
    const waiting = new Waiting();
    const child = orphan(idOf(1));
    const grandchild = orphan(child.id);
    assert.ok(waiting.add(grandchild, [child.id], 'peer', 0));
    assert.deepEqual(waiting.wants(0, WANTS_MAX), [{ id: child.id, from: 'peer' }]);
    assert.deepEqual(waiting.wants(WAITING_DEFAULTS.retryMs - 1, WANTS_MAX), []);
    assert.ok(waiting.add(child, [idOf(1)], 'other', 0));
    assert.deepEqual(waiting.wants(WAITING_DEFAULTS.retryMs, WANTS_MAX), [{ id: idOf(1), from: 'other' }]);
  });

  it('are dropped in vain for what does not come, and not for what comes slowly', () => {
    const { timeoutMs } = WAITING_DEFAULTS;
    const waiting = new Waiting();
    const root = orphan(idOf(1));
    const middle = orphan(root.id);
    const end = orphan(middle.id);
    // As they come when a chain is followed from its end, with half of the time between each and the next.
    assert.ok(waiting.add(end, [middle.id, idOf(2)], 'peer', 0));
    assert.deepEqual(waiting.arrived(idOf(2), timeoutMs / 2), []);
    assert.ok(waiting.add(middle, [root.id], 'peer', timeoutMs / 2));
    assert.deepEqual(waiting.expired(timeoutMs), [], 'a parent has come meanwhile');
    assert.ok(waiting.add(root, [idOf(1)], 'peer', timeoutMs));
    assert.deepEqual(waiting.expired(1.9 * timeoutMs), [], 'all but the root wait for one that waits');
    const inVain = waiting.expired(2 * timeoutMs).map(({ vertex }) => vertex.id);
    assert.deepEqual(inVain, [root.id], 'for the root nothing has come');
    assert.deepEqual(
      waiting.expired(2 * timeoutMs).map(({ vertex }) => vertex.id),
      [middle.id],
    );
    assert.deepEqual(
      waiting.expired(2 * timeoutMs).map(({ vertex }) => vertex.id),
      [end.id],
    );
    assert.equal(waiting.size, 0);
  });
});
