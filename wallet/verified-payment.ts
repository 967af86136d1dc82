/** A payment whose finality this wallet has checked with the committee's keys. What a node says is only a claim before. */
import {
  type Address,
  checkFinalityProof,
  checkOutcome,
  checkPayment,
  decodePayment,
  decodePaymentProof,
  type Genesis,
  isRefusal,
  type KnownHeaders,
  type Payment,
  type PaymentId,
  type PaymentProof,
} from '../ledger/index.ts';
import { WalletError } from './wallet-error.ts';
import type { HistoryRecord } from './wallet-store.ts';

export interface VerifiedPayment {
  readonly payment: Payment;
  /** The whole encoding. */
  readonly bytes: Uint8Array;
  /** By certificates, or by what a commit has decided. */
  readonly proof: PaymentProof;
  readonly verifiedAtMs: number;
}

/** A claim of a node: encodings of a payment and of its proof. */
export interface FinalityClaim {
  readonly payment: Uint8Array;
  readonly proof: Uint8Array;
}

export type ClaimVerdict = { readonly verified: VerifiedPayment } | { readonly problem: string };

/**
 * Checks everything that a claim says: that the bytes are a payment of this network with its owner's signature, that the
 * proof is about this payment, and that validators of weight >= q have certified it, or signed a state that it is part of.
 * Copies what it keeps.
 * @param known Headers checked before.
 */
export function verifyClaim(
  genesis: Genesis,
  claim: FinalityClaim,
  nowMs: number,
  known?: KnownHeaders,
): ClaimVerdict {
  const bytes = claim.payment.slice();
  const payment = decodePayment(bytes, genesis.network);
  if (isRefusal(payment)) return { problem: `payment: ${JSON.stringify(payment)}` };
  const proof = decodePaymentProof(claim.proof.slice());
  if (isRefusal(proof)) return { problem: `proof: ${JSON.stringify(proof)}` };
  // The id does not cover work and signature, so the proof does not either; the copy that we keep has to be whole.
  const refusal = checkPayment(payment, genesis);
  if (refusal !== undefined) return { problem: `payment: ${JSON.stringify(refusal)}` };
  const problem = proofProblem(genesis, payment, proof, known);
  if (problem !== undefined) return { problem };
  return { verified: { payment, bytes, proof, verifiedAtMs: nowMs } };
}

function proofProblem(
  genesis: Genesis,
  payment: Payment,
  proof: PaymentProof,
  known: KnownHeaders | undefined,
): string | undefined {
  if ('chain' in proof) {
    const verdict = checkOutcome(genesis, payment, proof);
    if ('code' in verdict) return `proof: ${JSON.stringify(verdict)}`;
    return verdict.won ? undefined : `the proof is about ${verdict.winner}, not ${payment.id}`;
  }
  if (proof.payment !== payment.id) return `the proof is about ${proof.payment}, not ${payment.id}`;
  const wrong = checkFinalityProof(genesis, proof, known);
  return wrong === undefined ? undefined : `proof: ${JSON.stringify(wrong)}`;
}

/** True when a payment is from or to an account. */
export function concerns(payment: Payment, address: Address): boolean {
  return payment.account === address || payment.transfers.some(({ to }) => to === address);
}

/** What one's own store holds was verified before it was stored; only its form is checked again. */
export function verifiedOf(genesis: Genesis, record: HistoryRecord): VerifiedPayment {
  const payment = decodePayment(record.payment, genesis.network);
  const proof = decodePaymentProof(record.proof);
  if (isRefusal(payment) || isRefusal(proof) || payment.id !== record.id) throw corruptedRecord(record.id);
  if ('payment' in proof && proof.payment !== record.id) throw corruptedRecord(record.id);
  return { payment, bytes: record.payment, proof, verifiedAtMs: record.verifiedAtMs };
}

function corruptedRecord(id: PaymentId): WalletError {
  return new WalletError(
    'wallet_corrupted',
    `The wallet's history is damaged at payment ${id}. Move the history file away and start again: the wallet reads ` +
      'its history from the nodes anew.',
    { payment: id },
  );
}
