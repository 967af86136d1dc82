/** What goes into the car's state machine and what comes out of it. */
import type { Address, NetworkId, PaymentId, Units } from '../ledger/index.ts';
import type { ChargingPolicy, Means } from './policy.ts';
import type { Accept, Party, Resume, SessionMessage } from './session-messages.ts';

export interface CarSessionOptions {
  readonly network: NetworkId;
  readonly car: Party;
  readonly policy: ChargingPolicy;
  /** The account that must be paid, when the car knows it beforehand. */
  readonly charger?: Address;
  /** 0 = until full. */
  readonly energyWantedWh: number;
  /** Longest wait for a reading, or for anything else that brings the session forward. */
  readonly silenceMs: number;
  /** How long the charger is looked for after the line broke; 0 = not at all. */
  readonly graceMs: number;
}

/** What the car sees at the moment of an event. */
export interface CarMoment extends Means {
  /** For timeouts. */
  readonly nowMs: number;
  /** The car's own meter. */
  readonly ownWh: number;
}

export type CarEvent =
  | { readonly type: 'message'; readonly message: SessionMessage }
  | { readonly type: 'malformed'; readonly detail: string }
  /** The line broke or the charger closed it. */
  | { readonly type: 'closed'; readonly detail: string }
  | { readonly type: 'deadline' }
  /** The driver wants to go. */
  | { readonly type: 'stop'; readonly detail: string }
  /** A payment that this machine asked for is on its way. */
  | {
      readonly type: 'queued';
      readonly payment: PaymentId;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'payFailed'; readonly detail: string }
  /** A payment of this session can never become final. */
  | { readonly type: 'dead'; readonly detail: string };

export type CarAction =
  | { readonly type: 'send'; readonly message: SessionMessage }
  | {
      readonly type: 'signAndSend';
      readonly message: Omit<Accept, 'signature'> | Omit<Resume, 'signature'>;
      readonly sign: Uint8Array;
    }
  | { readonly type: 'pay'; readonly to: Address; readonly amount: Units; readonly memo: Uint8Array }
  /** Look for the charger again; it will begin with an offer. Answered with `closed` when it is not reached. */
  | { readonly type: 'reopen' }
  /** Nothing follows. */
  | { readonly type: 'end' };
