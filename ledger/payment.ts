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
import { COMPUTED, type Ids } from './ids.ts';
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

function readTransfers(reader: Reader): readonly Transfer[] {
  const count = reader.count(1, TRANSFERS_MAX, 'transfers', reader.u8);
  // Nearly always one: a list that has been pushed to has room for seventeen.
  const transfers: Transfer[] = [readTransfer(reader)];
  for (let i = 1; i < count; i++) transfers.push(readTransfer(reader));
  return transfers;
}

function readTransfer(reader: Reader): Transfer {
  const to = reader.hash<Address>('transfer to');
  const amount = reader.u53('transfer amount') as Units;
  if (amount < 1) throw new DecodeError({ code: 'amount_out_of_range', amount });
  return { to, amount };
}

function totalOf(transfers: readonly Transfer[]): Units {
  let total = 0;
  for (const { amount } of transfers) total += amount;
  if (total > UNITS_MAX) throw new DecodeError({ code: 'amount_out_of_range', amount: total });
  return total as Units;
}

/**
 * A payment in the bytes around it, read where it stands: nothing is made that does not stay. Views on the bytes are made
 * when somebody asks: six for each payment of a block would cost as much as reading it.
 */
class DecodedPayment implements Payment {
  readonly kind = 'payment';
  readonly scheme = 0;
  readonly id: PaymentId;
  readonly account: Address;
  readonly previous: Slot;
  readonly sequence: number;
  readonly transfers: readonly Transfer[];
  readonly total: Units;
  readonly start: number;
  readonly end: number;
  readonly #source: Uint8Array;
  readonly #memoAt: number;

  /** Throws a DecodeError. */
  constructor(reader: Reader, source: Uint8Array, network: NetworkId, ids: Ids) {
    this.#source = source;
    this.start = reader.at;
    if (ids.checked) reader.skip(PUBLIC_KEY_AT, 'payment');
    else readKind(reader, network);
    reader.skip(ED25519_KEY_BYTES, 'public key');
    this.previous = reader.hash<PaymentId>('previous');
    this.sequence = reader.u53('sequence');
    this.transfers = readTransfers(reader);
    this.total = totalOf(this.transfers);
    const memoBytes = reader.count(0, MEMO_BYTES_MAX, 'memo', reader.u16);
    this.#memoAt = reader.at;
    reader.skip(memoBytes, 'memo');
    const essenceEnd = reader.at;
    reader.skip(WORK_BYTES, 'work');
    reader.skip(ED25519_SIGNATURE_BYTES, 'signature');
    this.end = reader.at;
    this.id = ids.of<PaymentId>(source, this.start, essenceEnd);
    // Scheme and public key, which stand side by side.
    const keyAt = this.start + PUBLIC_KEY_AT;
    this.account = ids.of<Address>(source, keyAt - 1, keyAt + ED25519_KEY_BYTES);
    // An account's first payment, and no other, has the account itself as `previous`.
    const first = (this.previous as Slot) === this.account;
    if (!ids.checked && first !== (this.sequence === 1)) {
      throw new DecodeError({
        code: 'malformed',
        what: 'payment: sequence 1 and its own account as previous go together',
      });
    }
  }

  get publicKey(): Uint8Array {
    const at = this.start + PUBLIC_KEY_AT;
    return this.#source.subarray(at, at + ED25519_KEY_BYTES);
  }

  get memo(): Uint8Array {
    return this.#source.subarray(this.#memoAt, this.end - WORK_BYTES - ED25519_SIGNATURE_BYTES);
  }

  get work(): Uint8Array {
    const end = this.end - ED25519_SIGNATURE_BYTES;
    return this.#source.subarray(end - WORK_BYTES, end);
  }

  get signature(): Uint8Array {
    return this.#source.subarray(this.end - ED25519_SIGNATURE_BYTES, this.end);
  }

  get bytes(): Uint8Array {
    return this.#source.subarray(this.start, this.end);
  }
}

function readKind(reader: Reader, network: NetworkId): void {
  reader.kind(KIND.payment, 'payment');
  reader.network(network, 'payment');
  const scheme = reader.u8('scheme');
  if (scheme !== 0) throw new DecodeError({ code: 'scheme_unsupported', scheme });
}

/** Reads one payment at the reader's place in `source`. */
export function readPayment(
  reader: Reader,
  source: Uint8Array,
  network: NetworkId,
  ids: Ids = COMPUTED,
): Payment {
  return new DecodedPayment(reader, source, network, ids);
}

/** Exactly one payment. Refuses what no encoder makes; checks neither signature nor work. */
export function decodePayment(bytes: Uint8Array, network: NetworkId): Payment | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    const payment = readPayment(reader, bytes, network);
    reader.end('payment');
    const { publicKey, memo, work, signature } = payment;
    return { ...payment, publicKey, memo, work, signature, bytes: payment.bytes };
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
