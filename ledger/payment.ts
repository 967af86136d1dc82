/**
 * A payment: the owner's signed order to move units.
 *
 *   essence: 01 | network 16 | scheme 1 | public key 32 | previous 32 | sequence 8 | transfers 1, each (to 32, amount 8)
 *            | memo length 2 | memo
 *   whole:   essence | work 8 | signature 64
 *
 * The id is the hash of the essence, so neither a second signature nor another nonce makes a second payment.
 */
import { concat } from './bytes.ts';
import { DecodeError, decoding, KIND, Reader, Writer } from './encode.ts';
import { blake3Hex } from './hash.ts';
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  MEMO_BYTES_MAX,
  NETWORK_ID_BYTES,
  TRANSFERS_MAX,
  UNITS_MAX,
  WORK_BYTES,
} from './limits.ts';
import type { Refusal } from './refusal.ts';
import { verify } from './sign.ts';
import type {
  Address,
  Genesis,
  NetworkId,
  Payment,
  PaymentId,
  Scheme,
  Slot,
  Transfer,
  Units,
} from './types.ts';
import { workBitsOf } from './work.ts';

/** After kind, network and scheme. */
const PUBLIC_KEY_AT = 1 + NETWORK_ID_BYTES + 1;

/** What the owner decides; see `paymentEssence`. */
export interface PaymentDraft {
  readonly network: NetworkId;
  readonly scheme: Scheme;
  readonly publicKey: Uint8Array;
  readonly previous: Slot;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly memo: Uint8Array;
}

/** BLAKE3-256 of scheme byte and public key. */
export function addressOf(scheme: Scheme, publicKey: Uint8Array): Address {
  return blake3Hex<Address>(Uint8Array.of(scheme), publicKey);
}

/** The bytes that are hashed into the id and signed. */
export function paymentEssence(draft: PaymentDraft): Uint8Array {
  const writer = new Writer(256)
    .u8(KIND.payment)
    .bytes(draft.network)
    .u8(draft.scheme)
    .bytes(draft.publicKey)
    .hash(draft.previous)
    .u53(draft.sequence)
    .u8(draft.transfers.length);
  for (const { to, amount } of draft.transfers) writer.hash(to).u53(amount);
  return writer.u16(draft.memo.length).bytes(draft.memo).done();
}

/** Essence, 8 bytes of work, 64 bytes of signature. */
export function encodePayment(essence: Uint8Array, work: Uint8Array, signature: Uint8Array): Uint8Array {
  return concat([essence, work, signature]);
}

/** Ids that somebody has computed already (the verify pool), in the order in which a decoder asks for them. */
export interface KnownHashes {
  next<H extends string>(): H;
}

function readTransfers(reader: Reader): { transfers: Transfer[]; total: Units } {
  const count = reader.count(1, TRANSFERS_MAX, 'transfers', reader.u8);
  const transfers: Transfer[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const to = reader.hash<Address>('transfer to');
    const amount = reader.u53('transfer amount') as Units;
    if (amount < 1) throw new DecodeError({ code: 'amount_out_of_range', amount });
    total += amount;
    transfers.push({ to, amount });
  }
  if (total > UNITS_MAX) throw new DecodeError({ code: 'amount_out_of_range', amount: total });
  return { transfers, total: total as Units };
}

/**
 * A payment that has been checked on another thread: of its bytes the ledger needs but the place. Views on the others are made
 * when somebody asks, as six of them for each payment are most of what decoding a block would leave to the garbage collector.
 */
class CheckedPayment implements Payment {
  readonly kind = 'payment';
  readonly scheme = 0;
  readonly id: PaymentId;
  readonly account: Address;
  readonly previous: Slot;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly total: Units;
  readonly source: Uint8Array;
  readonly start: number;
  readonly memoAt: number;
  readonly end: number;

  constructor(
    known: KnownHashes,
    said: Pick<Payment, 'previous' | 'sequence' | 'transfers' | 'total'>,
    place: {
      readonly source: Uint8Array;
      readonly start: number;
      readonly memoAt: number;
      readonly end: number;
    },
  ) {
    this.id = known.next<PaymentId>();
    this.account = known.next<Address>();
    this.previous = said.previous;
    this.sequence = said.sequence;
    this.transfers = said.transfers;
    this.total = said.total;
    this.source = place.source;
    this.start = place.start;
    this.memoAt = place.memoAt;
    this.end = place.end;
  }

  get publicKey(): Uint8Array {
    const at = this.start + PUBLIC_KEY_AT;
    return this.source.subarray(at, at + ED25519_KEY_BYTES);
  }

  get memo(): Uint8Array {
    return this.source.subarray(this.memoAt, this.end - WORK_BYTES - ED25519_SIGNATURE_BYTES);
  }

  get work(): Uint8Array {
    const end = this.end - ED25519_SIGNATURE_BYTES;
    return this.source.subarray(end - WORK_BYTES, end);
  }

  get signature(): Uint8Array {
    return this.source.subarray(this.end - ED25519_SIGNATURE_BYTES, this.end);
  }

  get bytes(): Uint8Array {
    return this.source.subarray(this.start, this.end);
  }
}

/** Reads one payment at the reader's place; `known` saves the two hashes when they have been computed before. */
export function readPayment(
  reader: Reader,
  source: Uint8Array,
  network: NetworkId,
  known?: KnownHashes,
): Payment {
  const start = reader.at;
  if (known !== undefined) return readChecked(reader, source, known);
  reader.kind(KIND.payment, 'payment');
  reader.network(network, 'payment');
  const scheme = reader.u8('scheme');
  if (scheme !== 0) throw new DecodeError({ code: 'scheme_unsupported', scheme });
  const publicKey = reader.bytes(ED25519_KEY_BYTES, 'public key');
  const previous = reader.hash<PaymentId>('previous');
  const sequence = reader.u53('sequence');
  const { transfers, total } = readTransfers(reader);
  const memo = reader.bytes(reader.count(0, MEMO_BYTES_MAX, 'memo', reader.u16), 'memo');
  const essence = source.subarray(start, reader.at);
  const work = reader.bytes(WORK_BYTES, 'work');
  const signature = reader.bytes(ED25519_SIGNATURE_BYTES, 'signature');
  const id = blake3Hex<PaymentId>(essence);
  const account = addressOf(scheme, publicKey);
  // An account's first payment, and no other, has the account itself as `previous`.
  const first = (previous as Slot) === account;
  if (first !== (sequence === 1)) {
    throw new DecodeError({
      code: 'malformed',
      what: 'payment: sequence 1 and its own account as previous go together',
    });
  }
  return {
    kind: 'payment',
    id,
    account,
    scheme,
    publicKey,
    previous,
    sequence,
    transfers,
    total,
    memo,
    work,
    signature,
    bytes: source.subarray(start, reader.at),
  };
}

function readChecked(reader: Reader, source: Uint8Array, known: KnownHashes): Payment {
  const start = reader.at;
  reader.skip(PUBLIC_KEY_AT + ED25519_KEY_BYTES, 'payment');
  const previous = reader.hash<PaymentId>('previous');
  const sequence = reader.u53('sequence');
  const { transfers, total } = readTransfers(reader);
  const memoBytes = reader.u16('memo');
  const memoAt = reader.at;
  reader.skip(memoBytes + WORK_BYTES + ED25519_SIGNATURE_BYTES, 'payment');
  const said = { previous, sequence, transfers, total };
  return new CheckedPayment(known, said, { source, start, memoAt, end: reader.at });
}

/** Exactly one payment. Refuses what no encoder makes; checks neither signature nor work. */
export function decodePayment(bytes: Uint8Array, network: NetworkId): Payment | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    const payment = readPayment(reader, bytes, network);
    reader.end('payment');
    return payment;
  });
}

/** The essence of a decoded payment. */
export function essenceOf(payment: Payment): Uint8Array {
  return payment.bytes.subarray(0, payment.bytes.length - WORK_BYTES - ED25519_SIGNATURE_BYTES);
}

/**
 * Work first, as it is the cheaper check, then the signature.
 * @param bits Of its work, when somebody has computed them already.
 */
export function checkPayment(
  payment: Payment,
  genesis: Genesis,
  bits: number = workBitsOf(genesis.network, [payment])[0]!,
): Refusal | undefined {
  if (bits < genesis.workBits) return { code: 'too_little_work', bits, required: genesis.workBits };
  if (!verify(payment.scheme, payment.publicKey, essenceOf(payment), payment.signature)) {
    return { code: 'bad_signature', of: 'payment' };
  }
  return undefined;
}
