/**
 * `/ravel/session/1`: what car and charger say to each other. The charger speaks first:
 *
 *   charger                         car
 *   offer                     ->
 *                             <-    accept | decline | resume
 *   tick 0, 1, 2 ...          ->
 *                             <-    paid            (mode stream: while charging; mode settle: after `end`)
 *   counted                   ->
 *                             <-    stop            (at any time)
 *   end                       ->
 *                             <-    paid            (what is still due)
 *   counted, close            ->
 *
 * The charger signs every reading, chained to all before it and to the terms; the car signs the terms, and each of its
 * payments names the readings it pays for (session-terms.ts). So each holds the other's word at any moment, also when
 * the line breaks.
 */
import type { PaymentId, Scheme, Units } from '../ledger/index.ts';
import type { Tariff } from './tariff.ts';

/** Name for `LightPeers.openStream` and `handleStream`. */
export const SESSION_PROTOCOL = 'session/1';

/** `stream`: a payment for each step while charging. `settle`: one payment at the end, on credit until then. */
export type SessionMode = 'stream' | 'settle';

/** The key of an account; its address follows from it. */
export interface Party {
  readonly scheme: Scheme;
  readonly publicKey: Uint8Array;
}

/** Everything of an offer that becomes part of the terms. */
export interface OfferedTerms {
  /** 16 random bytes in hex, drawn by the charger. */
  readonly session: string;
  readonly charger: Party;
  readonly tariff: Tariff;
  /** Most that may be unpaid at the end of a step in mode `stream` before the charger pauses. */
  readonly unpaidMax: Units;
  /** Most that may be due in mode `settle`. */
  readonly creditMax: Units;
  /** A step ends when this much energy was delivered, */
  readonly stepWh: number;
  /** or when this much time went by, whichever is first. */
  readonly stepMs: number;
  /** Clock of the charger, milliseconds since 1970. */
  readonly startedAtMs: number;
}

export interface Offer extends OfferedTerms {
  readonly type: 'offer';
  readonly version: 1;
  /** What the charger allows, in its order of preference. */
  readonly modes: readonly SessionMode[];
}

export interface Accept {
  readonly type: 'accept';
  readonly car: Party;
  readonly mode: SessionMode;
  /** The charger stops there; 0 when the car does not say. */
  readonly energyWantedWh: number;
  /** Of the car over the terms. */
  readonly signature: Uint8Array;
}

export interface Decline {
  readonly type: 'decline';
  readonly detail: string;
}

/** Instead of `accept`: go on with a session whose line broke. */
export interface Resume {
  readonly type: 'resume';
  readonly session: string;
  /** Of the car over the old session and the one just offered, so that it serves once. */
  readonly signature: Uint8Array;
}

/** A meter reading and what is due for it. */
export interface Reading {
  /** From 0, without gaps. Reading 0 is the start: ms and due are 0. */
  readonly seq: number;
  /** The meter's register, never less than before; the session's energy is the difference to reading 0. */
  readonly meterWh: number;
  /** Since the session began, less the charger's pauses. */
  readonly ms: number;
  /** amountDue of the two. */
  readonly due: Units;
}

export interface Tick extends Reading {
  readonly type: 'tick';
  /** Of the charger over this reading and all before it. */
  readonly signature: Uint8Array;
}

/** The last reading: nothing is delivered after it. */
export interface End extends Reading {
  readonly type: 'end';
  readonly reason: EndReason;
  readonly detail: string;
  readonly signature: Uint8Array;
}

export interface Paid {
  readonly type: 'paid';
  readonly payment: PaymentId;
  /** The whole encoding. */
  readonly bytes: Uint8Array;
  /** Sum of all payments of this session, this one included. */
  readonly cumulative: Units;
}

/** The charger has itself verified that payments of this sum are final. */
export interface Counted {
  readonly type: 'counted';
  readonly cumulative: Units;
}

export interface Stop {
  readonly type: 'stop';
  readonly reason: EndReason;
  readonly detail: string;
}

export type SessionMessage = Offer | Accept | Decline | Resume | Tick | End | Paid | Counted | Stop;

/** Why a session ended. */
export const END_REASONS = [
  /** The car takes no more energy. */
  'full',
  /** What the car asked for was delivered. */
  'energy_reached',
  'stopped_by_car',
  'stopped_by_charger',
  /** The car's budget for the session or the day, or its balance, allows no further step. */
  'budget_spent',
  /** The charger's credit in mode settle allows no further step. */
  'credit_spent',
  /** Time, energy or number of readings reached a limit of the protocol. */
  'limit_reached',
  'declined',
  /** This stream was handed over to the session that it resumes. */
  'resumed',
  /** The amount due was not verified as paid in time. */
  'unpaid',
  /** A payment could not be made. */
  'payment_failed',
  /** A payment was for somebody else, for another session, for other readings, or counted before. */
  'payment_wrong',
  /** A payment can never become final: a rival of it is. */
  'payment_dead',
  /** Amount due and tariff differ. */
  'due_wrong',
  /** Readings fall back, jump, skip or come too often. */
  'reading_wrong',
  /** The readings do not follow the energy that the car sees. */
  'meter_differs',
  'signature_wrong',
  /** A message that is malformed or out of turn. */
  'protocol',
  'silent',
  'disconnected',
] as const;

export type EndReason = (typeof END_REASONS)[number];

export interface SessionEnd {
  readonly reason: EndReason;
  /** Who ended it. */
  readonly by: 'car' | 'charger';
  /** One sentence with the numbers. */
  readonly detail: string;
}
