/** What the two drivers are built from, and the mistakes of a caller that they do not accept. */
import type { Address, NetworkId } from '../ledger/index.ts';
import { isRefusal } from '../ledger/index.ts';
import type { FramedStream, Log } from '../p2p/index.ts';
import type { ChargingPolicy, SpendingLog } from './policy.ts';
import type { ChargerOffer } from './session-charger-events.ts';
import { decodeSessionMessage, ENERGY_WANTED } from './session-decoder.ts';
import type { SessionDesk } from './session-desk.ts';
import type {
  EnergySource,
  Payer,
  PaymentClaims,
  PaymentWatch,
  SessionClock,
  SessionProgress,
} from './session-ports.ts';
import type { Signer } from './signer.ts';
import { stepCost } from './tariff.ts';

/** Options that cannot work; the message says which and what would. */
export class SessionError extends Error {
  readonly code: 'bad_offer' | 'bad_policy' | 'bad_options';

  constructor(code: SessionError['code'], message: string) {
    super(message);
    this.name = 'SessionError';
    this.code = code;
  }
}

export interface ServeChargerOptions extends ChargerOffer {
  readonly network: NetworkId;
  /** Most power to deliver. */
  readonly maxW?: number;
  /** How often the meter is looked at while energy flows, by the pace's time. Well under the time of a step. */
  readonly sampleMs: number;
  /** Longest wait for an answer to the offer. */
  readonly acceptMs: number;
  /** Longest pause for payment while charging. */
  readonly unpaidMs: number;
  /** Longest wait for a payment's finality. */
  readonly verifyMs: number;
  /** Longest wait for what is due after the last reading. */
  readonly settleMs: number;
  /** Longest wait for a car whose line broke; 0 = the session ends then. */
  readonly graceMs: number;
  /** Longest wait for the car to take a message. */
  readonly sendMs: number;
}

/** Waits that suit people and a network that is final within seconds. */
export const CHARGER_WAITS = {
  sampleMs: 1000,
  acceptMs: 30_000,
  unpaidMs: 30_000,
  verifyMs: 30_000,
  settleMs: 60_000,
  graceMs: 60_000,
  sendMs: 10_000,
} as const;

export interface ServeChargerDeps {
  readonly stream: FramedStream;
  /** The charger's own light client. */
  readonly client: PaymentWatch;
  /** Of the account that is paid. */
  readonly signer: Signer;
  readonly energySource: EnergySource;
  /** Shared by all sessions of the account. */
  readonly claims: PaymentClaims;
  /** Shared by all sessions of the charger. */
  readonly desk: SessionDesk;
  /** For timeouts. */
  readonly clock: SessionClock;
  /** By which energy flows and time is charged for. */
  readonly pace: SessionClock;
  /** So many bytes of chance, fit for keys. */
  random(bytes: number): Uint8Array;
  readonly log: Log;
  /** Stops the session in order. */
  readonly signal?: AbortSignal;
  onProgress?(progress: SessionProgress): void;
}

export interface RunCarOptions {
  readonly network: NetworkId;
  readonly policy: ChargingPolicy;
  /** The account that must be paid, when the car knows it beforehand (from a code on the charger). */
  readonly charger?: Address;
  /** Where the charger shall stop, in Wh; 0 = when the car is full. */
  readonly energyWantedWh: number;
  /** Longest wait for a reading, or for anything else that brings the session forward. */
  readonly silenceMs: number;
  /** Longest wait for the proofs of the last payments. */
  readonly settleMs: number;
  /** How long a charger is looked for whose line broke; 0 = not at all. */
  readonly graceMs: number;
  /** Wait between two attempts to reach it. */
  readonly reopenMs: number;
  /** Longest wait for the charger to take a message. */
  readonly sendMs: number;
}

/** Waits that go with CHARGER_WAITS and readings each minute. */
export const CAR_WAITS = {
  silenceMs: 150_000,
  settleMs: 30_000,
  graceMs: 50_000,
  reopenMs: 1000,
  sendMs: 10_000,
} as const;

export interface RunCarDeps {
  readonly stream: FramedStream;
  /** The car's light client. */
  readonly client: Payer;
  /** Of the account that pays. */
  readonly signer: Signer;
  /** The car's own meter, Wh; any register that grows with what comes in. */
  meter(): number;
  readonly spending: SpendingLog;
  /** For timeouts. */
  readonly clock: SessionClock;
  /** By which energy flows and time is charged for. */
  readonly pace: SessionClock;
  readonly log: Log;
  /** A new stream to the same charger; without it a broken line ends the session. */
  reopen?(): Promise<FramedStream>;
  /** Stops the session in order: what was delivered is paid. */
  readonly signal?: AbortSignal;
  onProgress?(progress: SessionProgress): void;
}

function checkWaits(waits: Readonly<Record<string, number>>): void {
  for (const [name, ms] of Object.entries(waits)) {
    if (!(Number.isFinite(ms) && ms >= 0)) {
      throw new SessionError('bad_options', `${name} is ${ms}. Give milliseconds from 0.`);
    }
  }
}

/** Throws `bad_offer` for what every car's decoder would refuse, and for credit that no step fits into. */
export function checkChargerOptions(options: ServeChargerOptions): void {
  const { sampleMs, acceptMs, unpaidMs, verifyMs, settleMs, graceMs, sendMs } = options;
  checkWaits({ sampleMs, acceptMs, unpaidMs, verifyMs, settleMs, graceMs, sendMs });
  const { tariff, modes, unpaidMax, creditMax, stepWh, stepMs } = options;
  const terms = { tariff, modes, unpaidMax, creditMax, stepWh, stepMs, startedAtMs: 0 };
  const charger = { scheme: 0, publicKey: new Uint8Array(32) };
  const offer = { type: 'offer', version: 1, session: '00'.repeat(16), charger, ...terms };
  const decoded = decodeSessionMessage(offer);
  if (isRefusal(decoded)) {
    const what = 'what' in decoded ? decoded.what : decoded.code;
    throw new SessionError('bad_offer', `No car could accept this: ${what}. Correct the charger's options.`);
  }
  const step = stepCost(tariff, options);
  if (modes.includes('settle') && creditMax < step) {
    throw new SessionError(
      'bad_offer',
      `The credit of ${creditMax} units is less than a step costs (${step}). Raise it, shorten the step, or leave out settle.`,
    );
  }
}

/** Throws `bad_policy` for limits that limit nothing because they are no numbers. */
export function checkCarOptions(options: RunCarOptions): void {
  const { silenceMs, settleMs, graceMs, reopenMs, sendMs, policy } = options;
  checkWaits({ silenceMs, settleMs, graceMs, reopenMs, sendMs });
  if (ENERGY_WANTED(options.energyWantedWh) !== undefined) {
    throw new SessionError('bad_options', `energyWantedWh ${ENERGY_WANTED(options.energyWantedWh)}.`);
  }
  const { modes, ...limits } = policy;
  for (const [name, limit] of Object.entries(limits)) {
    if (!(typeof limit === 'number' && Number.isFinite(limit) && limit >= 0)) {
      throw new SessionError('bad_policy', `${name} is ${limit}. Give a number from 0.`);
    }
  }
  if (modes.length === 0)
    throw new SessionError('bad_policy', 'No mode is allowed. Allow stream, settle or both.');
}
