/** What `ravel up` and its two processes of light clients, the cars and the stations, say to each other. */
import type { Address, PaymentId } from '../../ledger/index.ts';
import type { SessionMode } from '../../wallet/index.ts';

/** First message to either process. */
export interface FleetSetup {
  readonly type: 'setup';
  readonly genesisFile: string;
  /** Of all validators, with /p2p/. */
  readonly nodes: readonly string[];
  readonly phrase: string;
  /** Accounts of the phrase, one light client each. */
  readonly accounts: readonly number[];
  /** Folders for what the wallets remember, and for receipts. */
  readonly walletsDir: string;
  /** Undefined: receipts are not kept. */
  readonly receiptsDir: string | undefined;
}

/** A light client that is ready: its account, its peer id, and where it listens (stations only). */
export interface FleetMember {
  readonly address: Address;
  readonly peer: string;
  readonly addresses: readonly string[];
}

/** The physical facts of one session, which both sides of a replay know. */
export interface SessionFacts {
  /** Position in the plan. */
  readonly session: number;
  /** Which of the process' members. */
  readonly member: number;
  readonly energyWh: number;
  /** How long the energy flows by the meter's clock, which may be faster than life. */
  readonly durationMs: number;
  /** Times faster than life; `max`: the meter's clock leaps. */
  readonly speed: number | 'max';
  readonly mode: SessionMode;
  readonly stepWh: number;
}

/** To the stations: a car of this peer id will come. Answered with `expecting`. */
export interface Expect extends SessionFacts {
  readonly type: 'expect';
  readonly carPeer: string;
}

/** To the cars: drive there and charge. Answered with `driven`. */
export interface Drive extends SessionFacts {
  readonly type: 'drive';
  /** Multiaddr of the station, with /p2p/. */
  readonly station: string;
  /** Whom to pay. */
  readonly payee: Address;
}

/** To the stations: the car will not come, or is gone. */
export interface Forget {
  readonly type: 'forget';
  readonly session: number;
}

export type ToFleet = FleetSetup | Expect | Drive | Forget;

/** How one side saw a session end. */
export interface SideResult {
  readonly session: number;
  readonly energyWh: number;
  readonly unitsDue: number;
  readonly unitsPaid: number;
  /** All energy was delivered, and all of it is paid. */
  readonly complete: boolean;
  /** Why it ended, for people. */
  readonly ended: string;
}

export type FromFleet =
  | { readonly type: 'ready'; readonly members: readonly FleetMember[] }
  | { readonly type: 'expecting'; readonly session: number }
  /** A car has submitted a payment at `atMs` (milliseconds since 1970, with fractions). */
  | { readonly type: 'submitted'; readonly payment: PaymentId; readonly atMs: number }
  /** A station's light client has verified its finality at `atMs`. */
  | { readonly type: 'verified'; readonly payment: PaymentId; readonly units: number; readonly atMs: number }
  | {
      readonly type: 'progress';
      readonly session: number;
      readonly energyWh: number;
      readonly unitsPaid: number;
    }
  | { readonly type: 'served'; readonly result: SideResult }
  | { readonly type: 'driven'; readonly result: SideResult }
  /** The process ends because of this. */
  | { readonly type: 'failed'; readonly message: string };
