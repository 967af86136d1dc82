/** What goes into the charger's state machine and what comes out of it. */
import type { NetworkId, PaymentId, Units } from '../ledger/index.ts';
import type { End, Party, SessionMessage, SessionMode, Tick } from './session-messages.ts';
import type { FinalPayment, PaymentClaims } from './session-ports.ts';
import type { Tariff } from './tariff.ts';

/** What a charger offers. */
export interface ChargerOffer {
  readonly tariff: Tariff;
  /** In the charger's order of preference; 1 or 2. */
  readonly modes: readonly SessionMode[];
  /** Mode stream: the charger pauses when more than this is unpaid at the end of a step. 0 = pay after each step. */
  readonly unpaidMax: Units;
  /** Mode settle: the session ends before more than this is due. */
  readonly creditMax: Units;
  /** A step ends after so much energy, */
  readonly stepWh: number;
  /** or after so much time, whichever is first; STEP_MS_MIN to STEP_MS_MAX. */
  readonly stepMs: number;
}

export interface ChargerSessionOptions {
  readonly network: NetworkId;
  readonly charger: Party;
  /** 16 bytes of chance as hex. */
  readonly session: string;
  readonly offer: ChargerOffer;
  /** Longest wait for an answer to the offer. */
  readonly acceptMs: number;
  /** Longest pause for payment while charging. */
  readonly unpaidMs: number;
  /** Longest wait for what is due after the last reading. */
  readonly settleMs: number;
  /** Longest wait for the car when the line broke; 0 = not at all. */
  readonly graceMs: number;
  readonly claims: PaymentClaims;
}

/** What the charger sees at the moment of an event. */
export interface ChargerMoment {
  /** For timeouts. */
  readonly nowMs: number;
  /** Billing time. */
  readonly paceMs: number;
  /** The meter's register, an integer. */
  readonly meterWh: number;
  /** The car takes no more. */
  readonly done: boolean;
}

export type ChargerEvent =
  /** First of all: makes the offer. */
  | { readonly type: 'open' }
  | { readonly type: 'message'; readonly message: SessionMessage }
  | { readonly type: 'malformed'; readonly detail: string }
  | { readonly type: 'closed'; readonly detail: string }
  /** Somebody on a new line says that this session goes on there. */
  | { readonly type: 'resumed'; readonly offered: string; readonly signature: Uint8Array }
  | { readonly type: 'deadline' }
  | { readonly type: 'stop'; readonly detail: string }
  /** A look at the meter while delivering. */
  | { readonly type: 'sample' }
  /** This charger's own client has verified that a payment is final, */
  | { readonly type: 'verified'; readonly payment: FinalPayment }
  /** or that somebody paid this account, whether or not a car has said so, */
  | { readonly type: 'incoming'; readonly payment: FinalPayment }
  /** or a payment that it waited for is not final. */
  | {
      readonly type: 'unverified';
      readonly payment: PaymentId;
      readonly dead: boolean;
      readonly detail: string;
    };

export type ChargerAction =
  | { readonly type: 'send'; readonly message: SessionMessage }
  /** Signs a reading, keeps it as the latest, and sends it when there is a line. */
  | {
      readonly type: 'read';
      readonly message: Omit<Tick, 'signature'> | Omit<End, 'signature'>;
      readonly sign: Uint8Array;
    }
  /** Sends the latest reading again. */
  | { readonly type: 'repeat' }
  /** Energy flows from now on, or again; `pause` and `halt` end that, the latter for good. */
  | { readonly type: 'deliver' }
  | { readonly type: 'pause' }
  | { readonly type: 'halt' }
  /** Answer with `verified` or `unverified`. */
  | { readonly type: 'verify'; readonly payment: PaymentId }
  /** This line belongs to another session: give it there. */
  | { readonly type: 'handOver'; readonly session: string; readonly signature: Uint8Array }
  /** Take, or leave, the line of a `resumed`. */
  | { readonly type: 'adopt'; readonly offered: string }
  | { readonly type: 'reject'; readonly offered: string }
  /** Nothing follows. */
  | { readonly type: 'end' };
