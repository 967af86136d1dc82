/**
 * The receipt of a session, kept by each side. A third party checks it offline with the network's genesis
 * (receipt-check.ts): the charger's signature on the readings, the car's on the terms, each payment's own signature and
 * its proof of finality, and the holder's signature over the whole.
 */
import { encodePaymentProof, hex, type NetworkId } from '../ledger/index.ts';
import type { ReadingChain } from './session-chain.ts';
import type { EndReason, Party, SessionMode } from './session-messages.ts';
import type { FinalPayment } from './session-ports.ts';
import { addressOfParty, checkSessionPayment, receiptStatement } from './session-terms.ts';
import type { Signer } from './signer.ts';
import type { Tariff } from './tariff.ts';

export interface ReceiptParty {
  /** Follows from the key; for readers. */
  readonly address: string;
  readonly scheme: number;
  /** Hex. */
  readonly publicKey: string;
}

export interface ReceiptPayment {
  readonly id: string;
  /** The reading up to which it pays. */
  readonly seq: number;
  /** What of it went to the charger. */
  readonly amount: number;
  /** Hex of the whole encoding. */
  readonly bytes: string;
  /** Hex of encodePaymentProof. */
  readonly proof: string;
}

/** Without the holder's signature. Numbers are integers, bytes are hex. */
export interface ReceiptBody {
  readonly version: 1;
  readonly network: string;
  readonly holder: 'car' | 'charger';
  readonly session: string;
  readonly charger: ReceiptParty;
  readonly car: ReceiptParty;
  readonly tariff: Tariff;
  readonly mode: SessionMode;
  readonly unpaidMax: number;
  readonly creditMax: number;
  readonly stepWh: number;
  readonly stepMs: number;
  readonly energyWantedWh: number;
  readonly startedAtMs: number;
  /** The car's signature on the terms. */
  readonly carSignature: string;
  /** Reading i is the i-th. */
  readonly readings: readonly { readonly meterWh: number; readonly ms: number; readonly due: number }[];
  /** The charger's signature on the latest reading, which is chained to all others. */
  readonly chargerSignature: string;
  /** The charger signed the latest reading as the last one. */
  readonly final: boolean;
  readonly payments: readonly ReceiptPayment[];
  readonly totals: { readonly wh: number; readonly ms: number; readonly due: number; readonly paid: number };
  /** The holder's own view; nobody else vouches for it. */
  readonly ended: {
    readonly reason: EndReason;
    readonly by: 'car' | 'charger';
    readonly detail: string;
    readonly atMs: number;
  };
}

export interface Receipt extends ReceiptBody {
  readonly signature: string;
}

/** JSON with sorted keys and without spaces: one text for one value. For objects, lists, text, integers and booleans. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Everything that one side knows at the end. */
export interface ReceiptFacts {
  readonly holder: 'car' | 'charger';
  readonly chain: ReadingChain;
  readonly carSignature: Uint8Array;
  readonly chargerSignature: Uint8Array;
  readonly final: boolean;
  readonly payments: readonly FinalPayment[];
  readonly ended: ReceiptBody['ended'];
}

function partyOf(party: Party): ReceiptParty {
  return { address: addressOfParty(party), scheme: party.scheme, publicKey: hex(party.publicKey) };
}

function paymentOf(chain: ReadingChain, { payment, bytes, proof }: FinalPayment): ReceiptPayment {
  const check = checkSessionPayment(payment, chain.terms, chain.heads);
  if ('problem' in check) throw new Error(`broken invariant: ${check.problem}`);
  const { seq, amount } = check;
  return { id: payment.id, seq, amount, bytes: hex(bytes), proof: hex(encodePaymentProof(proof)) };
}

/** The receipt as canonical JSON, payments in the order of the readings they pay for, signed by its holder. */
export async function makeReceipt(network: NetworkId, facts: ReceiptFacts, signer: Signer): Promise<string> {
  const { chain } = facts;
  const { charger, car, ...terms } = chain.terms;
  const payments = facts.payments.map((payment) => paymentOf(chain, payment)).sort((a, b) => a.seq - b.seq);
  const last = chain.last!;
  const body: ReceiptBody = {
    version: 1,
    network: hex(network),
    holder: facts.holder,
    ...terms,
    charger: partyOf(charger),
    car: partyOf(car),
    carSignature: hex(facts.carSignature),
    readings: chain.readings.map(({ meterWh, ms, due }) => ({ meterWh, ms, due })),
    chargerSignature: hex(facts.chargerSignature),
    final: facts.final,
    payments,
    totals: {
      wh: chain.energyWh,
      ms: last.ms,
      due: last.due,
      paid: payments.reduce((sum, { amount }) => sum + amount, 0),
    },
    ended: facts.ended,
  };
  const signature = await signer.sign(receiptStatement(network, canonicalJson(body)));
  const receipt: Receipt = { ...body, signature: hex(signature) };
  return canonicalJson(receipt);
}
