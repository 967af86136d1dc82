/**
 * Which states of the ledger a verified payment is part of, as far as its proof says. A balance proof is about one state;
 * whether a credit is in it or comes on top of it must not be guessed.
 *
 * A certificate of round c is in the past of every leader above c, so a commit above the youngest of q certificates has
 * decided the payment. And a payment that a commit of round r has decided by a certificate is certified by every correct
 * validator in its first witness from round r + 3 on, as all of these have that leader in their past: of q validators one
 * is correct and has a witness in each round, so q certificates from round r + 4 on say that the commit had not decided
 * it. (A contested payment may be certified later than it is decided. A younger balance proof then corrects the balance.)
 */
import {
  decodeBalanceProof,
  decodeWitnessHeader,
  type Genesis,
  isRefusal,
  type PaymentProof,
  type Round,
} from '../ledger/index.ts';

export interface PaymentSpan {
  /** A state of a round below this one does not have the payment. */
  readonly from: Round;
  /** A state of this round or a higher one has it. */
  readonly until: Round;
}

/** Rounds from a commit to the first in which all correct validators certify what it has decided. */
const COMMIT_SEEN_ROUNDS = 3;

/** @param proof One that has been checked. */
export function spanOf(genesis: Genesis, proof: PaymentProof): PaymentSpan {
  if ('chain' in proof) {
    const balance = decodeBalanceProof(proof.balance);
    const headers = isRefusal(balance) ? [] : balance.headers;
    return { from: 0, until: checkpointRound(genesis, headers[0]) };
  }
  const rounds = proof.certificates.map(({ header }) => headerOf(genesis, header)?.round ?? 0);
  return { from: Math.max(0, Math.min(...rounds) - COMMIT_SEEN_ROUNDS), until: Math.max(...rounds) + 1 };
}

function headerOf(genesis: Genesis, bytes: Uint8Array | undefined) {
  if (bytes === undefined) return undefined;
  const header = decodeWitnessHeader(bytes, genesis.network);
  return isRefusal(header) ? undefined : header;
}

/** Never reached by a proof that was checked without headers: such a payment is part of no state yet. */
function checkpointRound(genesis: Genesis, header: Uint8Array | undefined): Round {
  return headerOf(genesis, header)?.checkpoint.round ?? Number.MAX_SAFE_INTEGER;
}
