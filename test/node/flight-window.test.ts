import assert from 'node:assert/strict';
import type { PaymentId, Round } from '../../ledger/index.ts';
import { FlightWindow, type Traveller } from '../../node/flight-window.ts';
import {
  FLIGHT_PAYMENT_BYTES,
  FLIGHT_PAYMENTS_MAX,
  FLIGHT_PAYMENTS_MIN,
  FLIGHT_PAYMENTS_OF_ALL,
  FLIGHT_PROBE_ROUNDS,
  FLIGHT_RESERVE,
  FLIGHT_ROUNDS_MAX,
} from '../../node/limits.ts';

const BYTES = new Uint8Array(205);
const STEP = FLIGHT_PAYMENTS_OF_ALL / 4;

function travellers(count: number, from = 0): Traveller[] {
  return Array.from({ length: count }, (_, i) => ({ id: `p${from + i}` as PaymentId, bytes: BYTES }));
}

/** A window among four validators. */
function window() {
  return new FlightWindow(4);
}

/** One flight: everything that may leave does, and is final `tookMs` later. Returns the time then. */
function fly(flight: FlightWindow, nowMs: number, tookMs: number, round: Round = 1): number {
  const { payments } = flight.room(round);
  const left = travellers(payments, nowMs * 100_000);
  flight.full();
  flight.left(left, round, nowMs);
  flight.landed(
    left.map(({ id }) => id),
    nowMs + tookMs,
  );
  return nowMs + tookMs;
}

describe('the payments on their way to finality', () => {
  it('are bounded, and make room when they are final, dead, or could not leave', () => {
    const flight = window();
    const sent = travellers(STEP);
    assert.equal(flight.room(1).payments, STEP);
    flight.left(sent, 1, 0);
    assert.equal(flight.room(1).payments, 0);
    flight.landed([sent[0]!.id], 100);
    flight.lost(sent[1]!.id);
    flight.lost(sent[1]!.id);
    flight.landed(['somebody else' as PaymentId], 100);
    assert.equal(flight.size, STEP - 2);
  });

  it('are bounded in bytes too', () => {
    const flight = window();
    const bytes = new Uint8Array(1061);
    flight.left(
      travellers(5).map(({ id }) => ({ id, bytes })),
      1,
      0,
    );
    assert.equal(flight.room(1).bytes, STEP * (1 + FLIGHT_RESERVE) * FLIGHT_PAYMENT_BYTES - 5 * 1061);
    flight.left(
      travellers(STEP, 5).map(({ id }) => ({ id, bytes })),
      1,
      0,
    );
    assert.equal(flight.room(1).bytes, 0);
  });

  it('leave a reserve for rare ones, also while less is sent to see what is usual', () => {
    const flight = window();
    const before = (FLIGHT_PROBE_ROUNDS - 1) as Round;
    assert.equal(flight.room(before).payments, STEP);
    flight.left(travellers(STEP), before, 0);
    assert.equal(flight.room(before).payments, 0);
    assert.equal(flight.room(before).rare, STEP * FLIGHT_RESERVE);
    assert.equal(flight.room(FLIGHT_PROBE_ROUNDS).payments, 0);
    assert.ok(flight.max < STEP);
    assert.ok(flight.room(FLIGHT_PROBE_ROUNDS).rare > 0);
  });

  it('share what all may have by the size of the committee', () => {
    assert.equal(new FlightWindow(1).max, FLIGHT_PAYMENTS_OF_ALL);
    assert.equal(new FlightWindow(64).max, FLIGHT_PAYMENTS_MIN);
  });

  it('become more while finality is quick and more would leave, and no more than the most', () => {
    const flight = window();
    let nowMs = 0;
    for (let n = 0; n < 250; n++) nowMs = fly(flight, nowMs, 100);
    assert.equal(flight.max, FLIGHT_PAYMENTS_MAX);
    assert.equal(flight.usualMs, 100);
  });

  it('stay as many while no more would leave', () => {
    const flight = window();
    for (let n = 0; n < 50; n++) {
      flight.left(travellers(1, n), 1, n * 100);
      flight.landed([`p${n}` as PaymentId], n * 100 + 90);
    }
    assert.equal(flight.max, STEP);
  });

  it('become fewer while finality is slow, and never none', () => {
    const flight = window();
    let nowMs = 0;
    for (let n = 0; n < 40; n++) nowMs = fly(flight, nowMs, 100);
    const most = flight.max;
    nowMs = fly(flight, nowMs, 400);
    assert.ok(flight.max < most);
    for (let n = 0; n < 30; n++) nowMs = fly(flight, nowMs, 400);
    assert.equal(flight.max, STEP);
  });

  it('are judged by the first to land, so that rivals that wait for a commit make nobody slow', () => {
    const flight = window();
    let nowMs = 0;
    for (let n = 0; n < 20; n++) nowMs = fly(flight, nowMs, 100);
    const before = flight.max;
    for (let n = 0; n < 10; n++) {
      const rivals = travellers(10, 1e9 + n * 10);
      flight.left(rivals, 1, nowMs - 900);
      const atMs = fly(flight, nowMs, 100);
      flight.landed(
        rivals.map(({ id }) => id),
        atMs,
      );
      nowMs = atMs;
    }
    assert.ok(flight.max > before);
  });

  it('that rounds do not bring to an end keep nobody out', () => {
    const flight = window();
    flight.left(travellers(STEP), 5, 0);
    assert.equal(flight.room((5 + FLIGHT_ROUNDS_MAX) as Round).payments, 0);
    assert.equal(flight.room((6 + FLIGHT_ROUNDS_MAX) as Round).payments, STEP);
    assert.equal(flight.size, 0);
  });

  /** Nodes under one lasting load in a network that settles 5,000 a second after 100 ms, with a round each 50 ms. */
  function share(flights: readonly FlightWindow[], fromMs: number): { longestMs: number; endMs: number } {
    let longestMs = 0;
    let nowMs = fromMs;
    while (nowMs < fromMs + 20 * FLIGHT_PROBE_ROUNDS * 50) {
      const onTheWay = flights.reduce((sum, { max }) => sum + max, 0);
      const tookMs = Math.max(100, onTheWay / 5);
      longestMs = Math.max(longestMs, tookMs);
      for (const flight of flights) fly(flight, nowMs, tookMs, Math.floor(nowMs / 50));
      nowMs += tookMs;
    }
    return { longestMs, endMs: nowMs };
  }

  it('do not take a lasting load for the usual: now and then less of it shows what is usual', () => {
    for (const nodes of [1, 3]) {
      const flights = Array.from({ length: nodes }, window);
      const { longestMs } = share(flights, 0);
      assert.ok(longestMs <= 400, `${nodes}: ${longestMs} ms`);
      for (const { usualMs } of flights) assert.ok(usualMs <= 130, `${nodes}: ${usualMs} ms`);
    }
  });

  it('of nodes that share a network each have their part, whoever was first', () => {
    const first = window();
    const { endMs } = share([first], 0);
    const late = window();
    const before = first.max / late.max;
    share([first, late], endMs);
    const after = first.max / late.max;
    assert.ok(before > 3 && after < 3 && after > 1 / 3, `${before} became ${after}`);
  });
});
