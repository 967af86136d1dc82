/** The only door of this room. */
export { formatAddress, parseAddress } from './address.ts';
export { systemTimers, type Timers } from './alarms.ts';
export type { NetworkView } from './header-watch.ts';
export {
  KDF_COST_DEFAULT,
  KDF_LANES_MAX,
  KDF_MEMORY_KIB_MAX,
  KDF_MEMORY_KIB_MIN,
  KDF_PASSES_MAX,
  type Kdf,
  type KdfCost,
} from './kdf.ts';
export {
  COIN_TYPE,
  deriveKey,
  newPhrase,
  PHRASE_WORDS,
  phraseEntropy,
  phraseOf,
  phraseProblem,
} from './keys.ts';
export {
  type KeystoreHeader,
  type KeystoreOptions,
  openKeystore,
  readKeystoreHeader,
  sealKeystore,
} from './keystore.ts';
export { createLightClient } from './light-client.ts';
export {
  LIGHT_TUNING_DEFAULT,
  type LightClient,
  type LightClientDeps,
  type LightClientOptions,
  type LightTuning,
  type PaymentLost,
  type PaymentUnderWay,
  type ProvenBalance,
  type SentPayment,
  type StatusEvent,
} from './light-options.ts';
export { type RecordedSession, recordedEnergy } from './meter.ts';
export type { NodeLinkView } from './node-links.ts';
export type { SpendingLimits } from './payment-order.ts';
export {
  type ChargingPolicy,
  dayOf,
  type Judgement,
  judgeOffer,
  type Means,
  memorySpendingLog,
  type SpendingLog,
} from './policy.ts';
export {
  makeReceipt,
  type Receipt,
  type ReceiptBody,
  type ReceiptFacts,
  type ReceiptParty,
  type ReceiptPayment,
} from './receipt.ts';
export { type ReceiptSummary, type ReceiptVerdict, verifyReceipt } from './receipt-check.ts';
export { RECEIPT_LENGTH_MAX } from './receipt-shape.ts';
export { runCarSession } from './session-car-driver.ts';
export type { CarSessionOptions } from './session-car-events.ts';
export { serveChargerSession } from './session-charger-driver.ts';
export type { ChargerOffer, ChargerSessionOptions } from './session-charger-events.ts';
export { leapingClock, pacedClock, systemClock } from './session-clock.ts';
export { SessionDesk, type Visitor } from './session-desk.ts';
export {
  type EndReason,
  type Offer,
  SESSION_PROTOCOL,
  type SessionEnd,
  type SessionMode,
} from './session-messages.ts';
export {
  CAR_WAITS,
  CHARGER_WAITS,
  type RunCarDeps,
  type RunCarOptions,
  type ServeChargerDeps,
  type ServeChargerOptions,
  SessionError,
} from './session-options.ts';
export {
  type EnergySource,
  type FinalPayment,
  memoryClaims,
  type Payer,
  type PaymentClaims,
  type PaymentWatch,
  type SessionClock,
  type SessionProgress,
  type SessionResult,
} from './session-ports.ts';
export { createSeedSigner, type Signer } from './signer.ts';
export {
  amountDue,
  type Tariff,
  UNITS_PER_KWH_MAX,
  UNITS_PER_MINUTE_MAX,
} from './tariff.ts';
export { type FinalityClaim, type VerifiedPayment, verifyClaim } from './verified-payment.ts';
export { WalletError, type WalletErrorCode } from './wallet-error.ts';
export type {
  HistoryRecord,
  LostPayment,
  OutgoingPayment,
  ReadyWork,
  WalletState,
  WalletStore,
} from './wallet-store.ts';
