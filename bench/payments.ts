/** Owners by number, and the payments that they make before the clock runs. */
import {
  type Address,
  addressOf,
  blake3,
  decodePayment,
  encodePayment,
  type Genesis,
  isRefusal,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Slot,
  searchWork,
  sign,
  type Units,
  workSeed,
} from '../ledger/index.ts';

/** Work is the payer's before, and costs the network one hash whatever its bits: few of them make the bench short. */
export const WORK_BITS = 8;
const TRIES_MAX = 1 << 20;

export interface Owner {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

/** A payment, and what happened to it. */
export interface Due {
  readonly id: PaymentId;
  readonly bytes: Uint8Array;
  /** NaN until the load begins. */
  dueMs: number;
  /** NaN until the receiver has checked its proof. */
  finalMs: number;
}

/** The same for the same number. */
export function owner(i: number): Owner {
  const secret = blake3(new TextEncoder().encode(`bench owner ${i}`));
  const publicKey = publicKeyOf(secret);
  return { secret, publicKey, address: addressOf(0, publicKey) };
}

/** Payments of all owners in turn, each following the last one of its account. */
export function makePayments(genesis: Genesis, owners: readonly Owner[], to: Address, count: number): Due[] {
  const heads: Slot[] = owners.map(({ address }) => address);
  return Array.from({ length: count }, (_, i) => {
    const { secret, publicKey, address } = owners[i % owners.length]!;
    const previous = heads[i % owners.length]!;
    const essence = paymentEssence({
      network: genesis.network,
      scheme: 0,
      publicKey,
      previous,
      sequence: Math.floor(i / owners.length) + 1,
      transfers: [{ to, amount: 1 as Units }],
      memo: new Uint8Array(),
    });
    const work = searchWork(workSeed(genesis.network, previous, address), genesis.workBits, 0, TRIES_MAX);
    if (work === undefined) throw new Error('no work found');
    const payment = decodePayment(encodePayment(essence, work, sign(secret, essence)), genesis.network);
    if (isRefusal(payment)) throw new Error(`no decoder takes this payment: ${JSON.stringify(payment)}`);
    heads[i % owners.length] = payment.id;
    return { id: payment.id, bytes: payment.bytes, dueMs: Number.NaN, finalMs: Number.NaN };
  });
}
