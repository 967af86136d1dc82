/**
 * What is hashed and signed in a session. All of it starts with the receipt's kind byte, the network and a part byte:
 *
 *   terms:     0a | network | 01 | session 16 | charger, car: each (scheme 1, key length 2, key)
 *              | units per kWh 8 | units per minute 8 | currency length 1 and text | valid until 6
 *              | mode 1 | unpaid max 8 | credit max 8 | step Wh 4 | step ms 4 | energy wanted 4 | started at 6
 *   reading:   0a | network | 02 | head before 32 | seq 4 | meter 8 | ms 6 | due 8
 *   agreement: 0a | network | 03 | hash of terms 32                          signed by the car
 *   statement: 0a | network | 04 | final 1 | head 32                         signed by the charger
 *   resuming:  0a | network | 05 | session 16 | session just offered 16      signed by the car
 *   receipt:   0a | network | 06 | hash of its canonical JSON 32             signed by who holds it
 *
 *   head of reading 0 = hash(reading with the hash of terms as the head before); then each with the head before it
 *   memo of a payment: "rs1" | session 16 | seq 4 | head 32
 *
 * A head stands for the terms and all readings up to one. The charger signs it, and the car's payment carries it, so
 * neither can tell another story later.
 */
import {
  addressOf,
  blake3,
  equalBytes,
  type Hash,
  hex,
  KIND,
  type NetworkId,
  type Payment,
  type Units,
  unhex,
  Writer,
} from '../ledger/index.ts';
import type { OfferedTerms, Party, Reading, SessionMode } from './session-messages.ts';
import { amountDue, SESSION_WH_MAX, type Tariff } from './tariff.ts';

/** What both have agreed to. */
export interface SessionTerms extends OfferedTerms {
  readonly car: Party;
  readonly mode: SessionMode;
  /** 0 when the car did not say. */
  readonly energyWantedWh: number;
}

const PART = { terms: 1, reading: 2, agreement: 3, statement: 4, resuming: 5, receipt: 6 } as const;
const MODE_BYTE = { stream: 0, settle: 1 } as const satisfies Record<SessionMode, number>;
const MEMO_TAG = new TextEncoder().encode('rs1');
const MEMO_BYTES = 3 + 16 + 4 + 32;

function begin(network: NetworkId, part: number): Writer {
  return new Writer().u8(KIND.receipt).bytes(network).u8(part);
}

function party(writer: Writer, { scheme, publicKey }: Party): Writer {
  return writer.u8(scheme).u16(publicKey.length).bytes(publicKey);
}

/** 32 bytes that stand for everything agreed. */
export function hashOfTerms(network: NetworkId, terms: SessionTerms): Uint8Array {
  const { tariff } = terms;
  const currency = new TextEncoder().encode(tariff.currency);
  const writer = begin(network, PART.terms).bytes(unhex(terms.session));
  party(party(writer, terms.charger), terms.car)
    .u53(tariff.unitsPerKwh)
    .u53(tariff.unitsPerMinute)
    .u8(currency.length)
    .bytes(currency)
    .u48(tariff.validUntilMs)
    .u8(MODE_BYTE[terms.mode])
    .u53(terms.unpaidMax)
    .u53(terms.creditMax)
    .u32(terms.stepWh)
    .u32(terms.stepMs)
    .u32(terms.energyWantedWh)
    .u48(terms.startedAtMs);
  return blake3(writer.done());
}

/** @param before Head of the reading before, or the hash of the terms for reading 0. */
export function headAfter(network: NetworkId, before: Uint8Array, reading: Reading): Uint8Array {
  const writer = begin(network, PART.reading).bytes(before).u32(reading.seq);
  return blake3(writer.u53(reading.meterWh).u48(reading.ms).u53(reading.due).done());
}

/** What the car signs to accept. */
export function agreement(network: NetworkId, termsHash: Uint8Array): Uint8Array {
  return begin(network, PART.agreement).bytes(termsHash).done();
}

/** What the charger signs with each reading. */
export function statement(network: NetworkId, head: Uint8Array, final: boolean): Uint8Array {
  return begin(network, PART.statement)
    .u8(final ? 1 : 0)
    .bytes(head)
    .done();
}

/** What the car signs to go on with `session` on a stream where `offered` was just offered. */
export function resuming(network: NetworkId, session: string, offered: string): Uint8Array {
  return begin(network, PART.resuming).bytes(unhex(session)).bytes(unhex(offered)).done();
}

/** What the holder of a receipt signs. */
export function receiptStatement(network: NetworkId, canonicalJson: string): Uint8Array {
  return begin(network, PART.receipt)
    .bytes(blake3(new TextEncoder().encode(canonicalJson)))
    .done();
}

export function addressOfParty({ scheme, publicKey }: Party) {
  return addressOf(scheme, publicKey);
}

/** 55 bytes: what a payment says about what it pays for. */
export function sessionMemo(session: string, seq: number, head: Uint8Array): Uint8Array {
  return new Writer(MEMO_BYTES).bytes(MEMO_TAG).bytes(unhex(session)).u32(seq).bytes(head).done();
}

/** Undefined when the memo is not one of a charging session. */
export function readSessionMemo(
  memo: Uint8Array,
): { readonly session: string; readonly seq: number; readonly head: Hash } | undefined {
  if (memo.length !== MEMO_BYTES || !equalBytes(memo.subarray(0, 3), MEMO_TAG)) return undefined;
  const view = new DataView(memo.buffer, memo.byteOffset, memo.byteLength);
  return {
    session: hex(memo.subarray(3, 19)),
    seq: view.getUint32(19),
    head: hex(memo.subarray(23)) as Hash,
  };
}

/**
 * What is wrong with a payment for these terms and readings, or the step and the units that it pays. Says nothing about
 * its finality.
 *
 * @param heads Head of each reading, as hex.
 */
export function checkSessionPayment(
  payment: Payment,
  terms: Pick<SessionTerms, 'session' | 'charger' | 'car'>,
  heads: readonly Hash[],
): { readonly seq: number; readonly amount: Units } | { readonly problem: string } {
  const memo = readSessionMemo(payment.memo);
  if (memo === undefined) return { problem: `payment ${payment.id} names no session` };
  if (memo.session !== terms.session) {
    return { problem: `payment ${payment.id} is for session ${memo.session}, not ${terms.session}` };
  }
  if (heads[memo.seq] === undefined || heads[memo.seq] !== memo.head) {
    return { problem: `payment ${payment.id} is for a reading ${memo.seq} that was not made` };
  }
  if (payment.account !== addressOfParty(terms.car)) {
    return { problem: `payment ${payment.id} comes from ${payment.account}, not from the car` };
  }
  const charger = addressOfParty(terms.charger);
  let amount = 0;
  for (const transfer of payment.transfers) if (transfer.to === charger) amount += transfer.amount;
  if (amount === 0) return { problem: `payment ${payment.id} pays nothing to the charger ${charger}` };
  return { seq: memo.seq, amount: amount as Units };
}

/** What is wrong with a chain of readings as numbers, or undefined. Signatures and step lengths are not looked at. */
export function readingProblem(
  tariff: Tariff,
  readings: readonly Reading[],
  next: Reading,
): { readonly reason: 'reading_wrong' | 'due_wrong'; readonly detail: string } | undefined {
  const first = readings[0] ?? next;
  const last = readings.at(-1);
  const wrong = (detail: string) => ({ reason: 'reading_wrong' as const, detail });
  if (next.seq !== readings.length)
    return wrong(`reading ${next.seq} came instead of reading ${readings.length}`);
  if (last === undefined && next.ms !== 0) return wrong(`reading 0 is at ${next.ms} ms instead of 0`);
  if (last !== undefined && next.meterWh < last.meterWh) {
    return wrong(`the meter fell from ${last.meterWh} to ${next.meterWh} Wh`);
  }
  if (last !== undefined && next.ms < last.ms) return wrong(`the time fell from ${last.ms} to ${next.ms} ms`);
  const wh = next.meterWh - first.meterWh;
  if (wh > SESSION_WH_MAX) return wrong(`${wh} Wh are more than a session may have (${SESSION_WH_MAX})`);
  const due = amountDue(tariff, wh, next.ms);
  if (due === next.due) return undefined;
  const detail = `${wh} Wh and ${next.ms} ms cost ${due} units, and ${next.due} are asked for`;
  return { reason: 'due_wrong', detail };
}
