/**
 * How many payments of this node's own blocks may be on their way to finality at one time. What is not final yet costs every
 * validator memory and rounds; beyond what the network settles, more of it only makes all of it later. So a node sends more
 * when what it has sent has become final, and the rest waits in the fair queue. Pure: time and rounds are told.
 *
 * The window goes by the time to finality as TCP Vegas goes by the round trip (Brakmo and Peterson, 1995): a step wider after
 * each flight while finality is quick, narrower by a part when it has become slow. Equal steps up and equal parts down bring
 * the windows of nodes that share a network together (Chiu and Jain, 1989), but for wide ones, which take wider steps. What is quick is
 * measured now and then, as BBR does (Cardwell and others, 2016): less is sent for a moment, by all nodes in the same round,
 * as one alone would not be noticed. The first payment to land of those that left in a flight stands for it, so nobody's
 * rivals, which wait for commits, can make windows narrow.
 */
import type { PaymentId, Round } from '../ledger/index.ts';
import {
  FLIGHT_GROW_BY,
  FLIGHT_PAYMENT_BYTES,
  FLIGHT_PAYMENTS_MAX,
  FLIGHT_PAYMENTS_MIN,
  FLIGHT_PAYMENTS_OF_ALL,
  FLIGHT_PROBE_ROUNDS,
  FLIGHT_PROBE_TO,
  FLIGHT_RESERVE,
  FLIGHT_ROUNDS_MAX,
  FLIGHT_SHRINK_TO,
  FLIGHT_SLOW_FACTOR,
  FLIGHT_STEP,
} from './limits.ts';

export interface Traveller {
  readonly id: PaymentId;
  readonly bytes: Uint8Array;
}

export interface Room {
  readonly payments: number;
  /** With those of payers who rarely have one waiting: they find room when the window is full, narrow, or being probed. */
  readonly rare: number;
  readonly bytes: number;
}

interface Entry {
  readonly bytes: number;
  readonly round: Round;
  readonly atMs: number;
}

/**
 * The first flight of a probe began with more on its way, and so may the second; the third one shows what less brings. The
 * fourth is as wide as before, and quick only as it begins with so little: it says nothing.
 */
const PROBE_FLIGHTS = 4;

/** What is usual follows a slower probe by this part only: one is sooner too slow, for whatever reason, than too quick. */
const SLOWER_WEIGHT = 1 / 2;

export class FlightWindow {
  /** In the order in which they left. */
  readonly #entries = new Map<PaymentId, Entry>();
  #bytes = 0;
  readonly #least: number;
  #width: number;
  /** The present flight is over when something lands that left after this. */
  #flightFromMs = Number.NEGATIVE_INFINITY;
  /** The window was what kept payments back during this flight. */
  #wanted = false;
  /** Flights of the present probe that are to come. */
  #probing = 0;
  #probed: number | undefined;
  #usualMs = 0;

  /** @param validators Size of the committee: each may have a window as full as this one. */
  constructor(validators: number) {
    this.#least = Math.max(FLIGHT_PAYMENTS_MIN, Math.round(FLIGHT_PAYMENTS_OF_ALL / validators));
    this.#width = this.#least;
  }

  /** Payments on their way. */
  get size(): number {
    return this.#entries.size;
  }

  /** Payments that may be on their way at one time, but for the reserve. */
  get max(): number {
    return this.#probing > 1 ? Math.ceil(this.#width * FLIGHT_PROBE_TO) : this.#width;
  }

  /** What finality takes when little is on its way, as of late; 0 before the first. */
  get usualMs(): number {
    return this.#usualMs;
  }

  /** What may leave now. */
  room(round: Round): Room {
    const span = Math.floor(round / FLIGHT_PROBE_ROUNDS);
    if (span !== (this.#probed ?? span)) this.#probing = PROBE_FLIGHTS;
    this.#probed = span;
    this.#expire(round);
    const most = Math.ceil(this.#width * (1 + FLIGHT_RESERVE));
    return {
      payments: Math.max(0, this.max - this.#entries.size),
      rare: Math.max(0, most - this.#entries.size),
      bytes: Math.max(0, most * FLIGHT_PAYMENT_BYTES - this.#bytes),
    };
  }

  /** More waits than may leave. */
  full(): void {
    this.#wanted = true;
  }

  /** These leave in a block. One that is on its way already leaves anew. */
  left(payments: readonly Traveller[], round: Round, nowMs: number): void {
    for (const { id, bytes } of payments) {
      this.#forget(id);
      this.#entries.set(id, { bytes: bytes.length, round, atMs: nowMs });
      this.#bytes += bytes.length;
    }
  }

  /** Final, all at one time: how long that took tells how busy the network is. Those that did not leave from here do not count. */
  landed(ids: readonly PaymentId[], nowMs: number): void {
    let tookMs = Number.NEGATIVE_INFINITY;
    for (const id of ids) {
      const entry = this.#forget(id);
      if (entry !== undefined && entry.atMs >= this.#flightFromMs)
        tookMs = Math.max(tookMs, nowMs - entry.atMs);
    }
    if (tookMs === Number.NEGATIVE_INFINITY) return;
    // The clock of the machine may be set back.
    this.#adapt(Math.max(1, tookMs));
    this.#flightFromMs = nowMs;
    this.#wanted = false;
  }

  /** Dead, or it could not leave after all. */
  lost(id: PaymentId): void {
    this.#forget(id);
  }

  #forget(id: PaymentId): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    return entry;
  }

  /** What rounds do not bring to its end waits for something else, a rival or money, and keeps nobody out. */
  #expire(round: Round): void {
    for (const [id, entry] of this.#entries) {
      if (round - entry.round <= FLIGHT_ROUNDS_MAX) break;
      this.#forget(id);
    }
  }

  /** A flight is over: everything that left before it began has had the time to land. */
  #adapt(tookMs: number): void {
    if (this.#usualMs === 0) this.#usualMs = tookMs;
    if (this.#probing > 0) {
      this.#probing--;
      const slowerMs = tookMs - this.#usualMs;
      if (this.#probing === 1) this.#usualMs += slowerMs * (slowerMs > 0 ? SLOWER_WEIGHT : 1);
    } else if (tookMs > FLIGHT_SLOW_FACTOR * this.#usualMs) {
      this.#width = Math.max(this.#least, Math.round(this.#width * FLIGHT_SHRINK_TO));
    } else if (this.#wanted) {
      this.#width = Math.min(
        FLIGHT_PAYMENTS_MAX,
        this.#width +
          Math.max(Math.ceil(this.#least * FLIGHT_STEP), Math.round(this.#width * FLIGHT_GROW_BY)),
      );
    }
  }
}
