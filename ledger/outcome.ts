/**
 * Who has a slot, proven: the chain of an account's payments from the one that has the slot up to the head that a balance
 * proof names. Every payment of that chain is decided, since commits decide an account's payments one after the other, and
 * whatever else was signed for one of their slots is dead. Anyone who has the genesis checks it offline.
 *
 * It also proves finality where no quorum of certificates can: a payment that a commit has decided among rivals.
 */
import { type BalanceProof, checkBalanceProof, decodeBalanceProof } from './balance-proof.ts';
import { DecodeError, decoding, Reader, Writer } from './encode.ts';
import { ZERO_HASH } from './hash.ts';
import { HASH_BYTES } from './limits.ts';
import { checkPayment, decodePayment } from './payment.ts';
import { decodeFinalityProof, encodeFinalityProof, type FinalityProof, type ProofProblem } from './proof.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Checkpoint, Genesis, Payment, PaymentId } from './types.ts';

/** Payments of one outcome: with small payments a quarter of a frame. */
export const OUTCOME_PAYMENTS_MAX = 64;

export interface Outcome {
  /** `encodeBalanceProof` of the payer's account. */
  readonly balance: Uint8Array;
  /** Whole encodings: from the payment that has the slot up to the head that the balance proof names, 1 to 64 of them. */
  readonly chain: readonly Uint8Array[];
}

/** What an outcome says of one payment, once it is checked. */
export interface OutcomeVerdict {
  /** The payment itself has its slot. */
  readonly won: boolean;
  readonly winner: PaymentId;
  /** The state that this is about. */
  readonly checkpoint: Checkpoint;
  /** The chain, decoded. */
  readonly chain: readonly Payment[];
  readonly balance: BalanceProof;
}

/** What is wrong with an outcome. `at` is the place in the chain. */
export type OutcomeProblem =
  | ProofProblem
  | { readonly code: 'chain_wrong'; readonly at: number; readonly what: string };

/** 32 zero bytes | balance length 4, balance | payments 1, each (length 2, payment). No payment has the id 0. */
export function encodeOutcome({ balance, chain }: Outcome): Uint8Array {
  const writer = new Writer(4096).hash(ZERO_HASH).u32(balance.length).bytes(balance).u8(chain.length);
  for (const payment of chain) writer.u16(payment.length).bytes(payment);
  return writer.done();
}

/** The form alone; see checkOutcome. */
export function decodeOutcome(bytes: Uint8Array): Outcome | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    if (reader.hash('outcome') !== ZERO_HASH)
      throw new DecodeError({ code: 'malformed', what: 'outcome: does not begin with zeros' });
    const balance = reader.bytes(reader.u32('balance'), 'balance');
    const count = reader.count(1, OUTCOME_PAYMENTS_MAX, 'payments', reader.u8);
    const chain = Array.from({ length: count }, () => reader.bytes(reader.u16('payment'), 'payment'));
    reader.end('outcome');
    return { balance, chain };
  });
}

/** Either proof that a payment is final: by certificates, or by what a commit has decided. */
export type PaymentProof = FinalityProof | Outcome;

/** Both encodings are told apart by their first 32 bytes. */
export function encodePaymentProof(proof: PaymentProof): Uint8Array {
  return 'chain' in proof ? encodeOutcome(proof) : encodeFinalityProof(proof);
}

export function decodePaymentProof(bytes: Uint8Array): PaymentProof | Refusal {
  const zeros = bytes.length >= HASH_BYTES && bytes.subarray(0, HASH_BYTES).every((byte) => byte === 0);
  return zeros ? decodeOutcome(bytes) : decodeFinalityProof(bytes);
}

/** The payments of the chain, each following the one before; signatures are left to later. */
function linked(genesis: Genesis, payment: Payment, outcome: Outcome): Payment[] | OutcomeProblem {
  const chain: Payment[] = [];
  for (const [at, bytes] of outcome.chain.entries()) {
    const next = decodePayment(bytes, genesis.network);
    if (isRefusal(next)) return next;
    const wrong = (what: string): OutcomeProblem => ({ code: 'chain_wrong', at, what });
    if (next.account !== payment.account) return wrong('account');
    const before = chain.at(-1);
    if (next.previous !== (before?.id ?? payment.previous)) return wrong('previous');
    if (before !== undefined && next.sequence !== before.sequence + 1) return wrong('sequence');
    chain.push(next);
  }
  return chain;
}

/**
 * Who has the slot of a payment. True while Byzantine weight is under W/3. All signatures are checked, cheapest checks
 * first. Only the payment's account and `previous` matter: it need not be part of the chain.
 */
export function checkOutcome(
  genesis: Genesis,
  payment: Payment,
  outcome: Outcome,
): OutcomeVerdict | OutcomeProblem {
  const { length } = outcome.chain;
  if (length > OUTCOME_PAYMENTS_MAX) {
    return {
      code: 'limit_exceeded',
      what: 'payments of an outcome',
      received: length,
      max: OUTCOME_PAYMENTS_MAX,
    };
  }
  const balance = decodeBalanceProof(outcome.balance);
  if (isRefusal(balance)) return balance;
  const chain = linked(genesis, payment, outcome);
  if ('code' in chain) return chain;
  const [first, last] = [chain[0], chain.at(-1)];
  const at = length - 1;
  if (first === undefined || last === undefined) return { code: 'chain_wrong', at: 0, what: 'empty' };
  if (balance.address !== payment.account)
    return { code: 'chain_wrong', at, what: 'balance of another account' };
  if (balance.head !== last.id) return { code: 'chain_wrong', at, what: 'head' };
  if (balance.sequence !== last.sequence) return { code: 'chain_wrong', at, what: 'sequence' };
  const proven = checkBalanceProof(genesis, balance);
  if ('code' in proven) return proven;
  // Neither the ids nor the balance proof cover work and signatures.
  for (const one of chain) {
    const refusal = checkPayment(one, genesis);
    if (refusal !== undefined) return refusal;
  }
  const { checkpoint } = proven;
  return { won: first.id === payment.id, winner: first.id, checkpoint, chain, balance };
}
