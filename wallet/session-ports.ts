/** What a charging session needs from the world around it, as narrow as it can be, and what it gives back. */
import type { Address, Payment, PaymentId, PaymentProof, Transfer, Units } from '../ledger/index.ts';
import type { SessionEnd } from './session-messages.ts';

/** A payment whose proof of finality this client has itself checked. */
export interface FinalPayment {
  readonly payment: Payment;
  /** The whole encoding. */
  readonly bytes: Uint8Array;
  readonly proof: PaymentProof;
}

/** The car's purse. A LightClient is one. */
export interface Payer {
  readonly address: Address;
  /** Spendable now: what was given to `pay` is no longer in it. */
  readonly balance: Units;
  /** Resolves when the payment is signed, stored and queued by a node. `final` rejects when it can never become final. */
  pay(
    transfers: readonly Transfer[],
    memo?: Uint8Array,
  ): Promise<{
    readonly id: PaymentId;
    readonly bytes: Uint8Array;
    readonly final: Promise<FinalPayment>;
  }>;
}

/** The charger's own look at the ledger. A LightClient is one. */
export interface PaymentWatch {
  /** Resolves when this client itself has verified the proof; rejects at the timeout, or when the payment is dead. */
  waitFinal(id: PaymentId, options: { readonly timeoutMs: number }): Promise<FinalPayment>;
  /** Tells of payments to this account that this client has verified; the returned function ends that. */
  onIncoming(listener: (payment: FinalPayment) => void): () => void;
}

/** A clock to wait by. */
export interface SessionClock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Resolves after so long, or at once when aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * The charger's contactor and meter. It is read right before each of `start`, `pause` and `resume`, with the time of the
 * session's pace.
 */
export interface EnergySource {
  /** @param maxW Most power to deliver; undefined = as much as car and charger can. */
  start(maxW?: number): void;
  /** The meter's register in Wh; fractions are dropped. */
  readWh(nowMs: number): number;
  pause(): void;
  resume(): void;
  /** The car takes no more. */
  readonly done: boolean;
}

/** Each payment counts once, over all sessions of a charger and over restarts. */
export interface PaymentClaims {
  /** True the first time for each payment. */
  claim(payment: PaymentId): boolean;
}

/**
 * Claims that remember the latest `max` payments. Older ones may be forgotten: a payment names its session, and session
 * ids are 128 bits of chance, so only payments of sessions still running could be offered twice.
 */
export function memoryClaims(max = 100_000): PaymentClaims {
  const claimed = new Set<PaymentId>();
  return {
    claim(payment) {
      if (claimed.has(payment)) return false;
      claimed.add(payment);
      if (claimed.size > max) claimed.delete(claimed.values().next().value!);
      return true;
    },
  };
}

/** How far a session is, for a display. */
export interface SessionProgress {
  readonly session: string;
  readonly energyWh: number;
  /** Of the latest reading. */
  readonly unitsDue: Units;
  /** By the car: on its way; by the charger: counted. */
  readonly unitsPaid: Units;
}

/** How a session went, for one of its sides. */
export interface SessionResult {
  /** Empty when there was no offer. */
  readonly session: string;
  readonly energyWh: number;
  /** For the last reading. */
  readonly unitsDue: Units;
  /** By the car: sum of its payments that are final. By the charger: the sum it has counted. */
  readonly unitsPaid: Units;
  readonly payments: readonly PaymentId[];
  /** Canonical JSON, see receipt.ts; undefined when no reading was made. */
  readonly receipt: string | undefined;
  readonly ended: SessionEnd;
}
