import assert from 'node:assert/strict';
import { FRAME_BYTES_MAX } from '../../ledger/index.ts';
import { VERIFY_WAITING_BYTES_MAX, VERIFY_WAITING_MAX } from '../../node/limits.ts';
import { Lane, PeerLane } from '../../node/verify-lanes.ts';

interface Thing {
  readonly from: string;
  readonly bytes: Uint8Array;
}

function thing(from: string, size: number): Thing {
  return { from, bytes: new Uint8Array(size) };
}

describe('the lane of blocks', () => {
  it('serves peers in turns of a full frame, each in the order in which it sent', () => {
    const lane = new PeerLane<Thing>();
    const flood = Array.from({ length: 5 }, () => thing('flood', FRAME_BYTES_MAX));
    const honest = Array.from({ length: 3 }, () => thing('honest', 1000));
    for (const one of [...flood, ...honest]) assert.deepEqual(lane.offer(one), []);
    const left: Thing[] = [];
    while (lane.length > 0) left.push(lane.shift());
    const expected = [flood[0], ...honest, ...flood.slice(1)];
    assert.ok(
      left.every((one, i) => one === expected[i]),
      left.map(({ from }) => from).join(' '),
    );
    assert.equal(lane.bytes, 0);
  });

  it('ends a turn with what no longer fits a frame', () => {
    const lane = new PeerLane<Thing>();
    const size = 0.4 * FRAME_BYTES_MAX;
    for (const from of ['a', 'a', 'a', 'b', 'b', 'b']) lane.offer(thing(from, Math.floor(size)));
    const left = Array.from({ length: 6 }, () => lane.shift().from);
    assert.equal(left.join(''), 'aabbab');
  });

  it('turns away the youngest of whoever has the most bytes waiting', () => {
    const lane = new PeerLane<Thing>();
    const room = VERIFY_WAITING_BYTES_MAX / FRAME_BYTES_MAX;
    const flood = Array.from({ length: room - 1 }, () => thing('flood', FRAME_BYTES_MAX));
    for (const one of flood) assert.deepEqual(lane.offer(one), []);
    const small = Array.from({ length: 64 }, () => thing('small', FRAME_BYTES_MAX / 64));
    for (const one of small) assert.deepEqual(lane.offer(one), []);
    // It is full to the byte. Whoever comes now, the flood gives way.
    const displaced = lane.offer(thing('late', 1));
    assert.equal(displaced.length, 1);
    assert.ok(displaced[0] === flood.at(-1), `of ${displaced[0]!.from}`);
    const again = thing('flood', FRAME_BYTES_MAX);
    assert.ok(lane.offer(again)[0] === again);
    assert.equal(lane.bytes, (room - 1) * FRAME_BYTES_MAX + 1);
    assert.equal(lane.length, room - 2 + 64 + 1);
  });

  it('is bounded in number', () => {
    const lane = new PeerLane<Thing>();
    for (let i = 0; i < VERIFY_WAITING_MAX; i++) assert.deepEqual(lane.offer(thing(`${i % 7}`, 1)), []);
    const displaced = lane.offer(thing('8', 1));
    assert.equal(displaced.length, 1);
    assert.notEqual(displaced[0]!.from, '8');
    assert.equal(lane.length, VERIFY_WAITING_MAX);
  });
});

describe('a lane', () => {
  it('hands back what it has no place for, by number and by bytes', () => {
    const lane = new Lane<Thing>();
    const full = thing('', FRAME_BYTES_MAX);
    for (let bytes = 0; bytes < VERIFY_WAITING_BYTES_MAX; bytes += FRAME_BYTES_MAX)
      assert.deepEqual(lane.offer(full), []);
    const one = thing('', 1);
    assert.deepEqual(lane.offer(one), [one]);
    while (lane.length > 0) lane.shift();
    for (let i = 0; i < VERIFY_WAITING_MAX; i++) assert.deepEqual(lane.offer(one), []);
    assert.deepEqual(lane.offer(one), [one]);
  });
});
