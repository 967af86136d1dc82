/** The only door of this room. */

export { type Account, firstOf, isDead, type PaymentRecord, type Standing } from './account.ts';
export {
  type AccountState,
  BALANCE_PROOF_BYTES_MAX,
  type BalanceProof,
  checkBalanceProof,
  decodeBalanceProof,
  encodeBalanceProof,
  makeBalanceProof,
} from './balance-proof.ts';
export { blockOverheadBytes, checkBlock, decodeBlock, encodeBlock } from './block.ts';
export { concat, equalBytes, hex, unhex } from './bytes.ts';
export { checkPaymentBytes, checkVertex, decodeVertex } from './check.ts';
export type { Commit, Committed, Divergence, Fault } from './checkpoints.ts';
export { Columns, ROW_KIND, type SharedColumns } from './columns.ts';
export { leaderOf, type Outcome as LeaderOutcome } from './commit-rule.ts';
export { Committee } from './committee.ts';
export { Core, type CoreOptions, type Effect, type Event } from './core.ts';
export { checkData, dataEssence, dataWorkBits } from './data.ts';
export { KIND, Writer } from './encode.ts';
export { decodeGenesis, encodeGenesis, type GenesisDraft, makeGenesis } from './genesis.ts';
export { blake3, blake3Hex, blake3Many, ZERO_HASH } from './hash.ts';
export {
  checkLastWitness,
  decodeLastWitness,
  encodeLastWitness,
  LAST_WITNESS_BYTES,
  type LastWitness,
  NONCE_BYTES,
} from './last-witness.ts';
export {
  type Attached,
  LEDGER_DEFAULTS,
  Ledger,
  type LedgerOptions,
} from './ledger.ts';
export {
  COMMITTEE_MAX,
  DATA_BYTES_MAX,
  DEPTH_ROUNDS_MAX,
  EPOCH_ROUNDS,
  FRAME_BYTES_MAX,
  HASH_BYTES,
  MEMO_BYTES_MAX,
  NETWORK_ID_BYTES,
  PARENTS_MAX,
  PAYLOADS_MAX,
  TRANSFERS_MAX,
  UNITS_MAX,
  WITNESS_HEADER_BYTES,
  WORK_BITS_MAX,
  WORK_BYTES,
} from './limits.ts';
export { MerkleTree, rootOfPath } from './merkle.ts';
export {
  checkOutcome,
  decodeOutcome,
  decodePaymentProof,
  encodeOutcome,
  encodePaymentProof,
  OUTCOME_PAYMENTS_MAX,
  type Outcome,
  type OutcomeProblem,
  type OutcomeVerdict,
  type PaymentProof,
} from './outcome.ts';
export {
  addressOf,
  checkPayment,
  decodePayment,
  encodePayment,
  essenceOf,
  type PaymentDraft,
  paymentEssence,
} from './payment.ts';
export {
  type Certificate,
  checkFinalityProof,
  decodeFinalityProof,
  encodeFinalityProof,
  type FinalityProof,
  KnownHeaders,
  type ProofProblem,
} from './proof.ts';
export { isRefusal, REACTION, type Reaction, type Refusal, type RefusalCode } from './refusal.ts';
export { publicKeyOf, sign, verify } from './sign.ts';
export { SNAPSHOT_PART_BYTES, snapshotCheckpoint } from './snapshot.ts';
export { accountLeaf, type Place, rootOfAccount, STATE_PATH_MAX, StateTree } from './state-tree.ts';
export { type TipOptions, TipPicker, type TipStrategy } from './tips.ts';
export type {
  Address,
  Allocation,
  Block,
  Checkpoint,
  Data,
  DataId,
  Genesis,
  Hash,
  Member,
  NetworkId,
  Payload,
  Payment,
  PaymentId,
  Round,
  Scheme,
  Slot,
  Transfer,
  Units,
  ValidatorIndex,
  Vertex,
  VertexId,
  Witness,
  WitnessBody,
  WitnessHeader,
} from './types.ts';
export type { ValidatorDeps, ValidatorOptions } from './validator.ts';
export { DEFERS_ALL } from './votes.ts';
export { WAITING_DEFAULTS, type WaitingOptions, type Want } from './waiting.ts';
export {
  checkHeader,
  decodeWitness,
  decodeWitnessHeader,
  encodeWitness,
  type HeaderDraft,
  headerBytes,
} from './witness.ts';
export { checkWork, searchWork, type Worked, workBits, workBitsOf, workSeed } from './work.ts';
