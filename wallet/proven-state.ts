/** A state of one's own account that validators of weight >= q have signed, checked here. */
import {
  type Address,
  type BalanceProof,
  type Checkpoint,
  checkBalanceProof,
  decodeBalanceProof,
  type Genesis,
  isRefusal,
  type Payment,
  type Round,
} from '../ledger/index.ts';
import type { AccountBase } from './account-book.ts';
import type { VerifiedPayment } from './verified-payment.ts';

export interface ProvenState {
  /** `encodeBalanceProof`. */
  readonly bytes: Uint8Array;
  readonly proof: BalanceProof;
  readonly checkpoint: Checkpoint;
  /** Of the checkpoint. */
  readonly round: Round;
  /** When validators of weight >= q had seen it, by their clocks: milliseconds since 1970. */
  readonly timeMs: number;
}

/** Checks a balance proof of unknown origin; copies it. The problem is for people. */
export function provenStateOf(
  genesis: Genesis,
  address: Address,
  bytes: Uint8Array,
): ProvenState | { readonly problem: string } {
  const own = bytes.slice();
  const proof = decodeBalanceProof(own);
  if (isRefusal(proof)) return { problem: `balance proof: ${JSON.stringify(proof)}` };
  if (proof.address !== address) return { problem: `the balance proof is about ${proof.address}` };
  const verdict = checkBalanceProof(genesis, proof);
  if ('code' in verdict) return { problem: `balance proof: ${JSON.stringify(verdict)}` };
  const { checkpoint, timeMs } = verdict;
  return { bytes: own, proof, checkpoint, round: checkpoint.round, timeMs };
}

export function baseOf({ proof, round }: ProvenState): AccountBase {
  const { balance, sequence, head } = proof;
  return { round, balance, sequence, head };
}

/** Those of one's own payments that lead to the head of a proven state: they are decided, and this is the proof. */
export function settledBy(
  { proof, bytes }: ProvenState,
  pending: readonly { readonly payment: Payment; readonly bytes: Uint8Array }[],
  nowMs: number,
): readonly VerifiedPayment[] {
  const last = pending.findIndex(({ payment }) => payment.id === proof.head);
  const chain: (typeof pending)[number][] = [];
  for (let i = last; i >= 0; i--) {
    const after = chain[0];
    if (after !== undefined && after.payment.previous !== pending[i]!.payment.id) break;
    chain.unshift(pending[i]!);
  }
  return chain.map((own, i) => ({
    payment: own.payment,
    bytes: own.bytes,
    proof: { balance: bytes, chain: chain.slice(i).map((later) => later.bytes) },
    verifiedAtMs: nowMs,
  }));
}
