/**
 * A network for tests: validators A, B, C, ... and owners by name, all keys derived from those names, no work asked for;
 * and its payments, blocks and witnesses, made by the ledger's own encoders and read back by its own decoders.
 */
import {
  type Address,
  addressOf,
  type Block,
  blake3,
  dataEssence,
  decodeBlock,
  decodePayment,
  decodeWitness,
  encodeBlock,
  encodePayment,
  encodeWitness,
  type Genesis,
  isRefusal,
  MerkleTree,
  makeGenesis,
  type Payment,
  type PaymentDraft,
  type PaymentId,
  paymentEssence,
  publicKeyOf,
  type Refusal,
  sign,
  type Units,
  type VertexId,
  type Witness,
  type WitnessHeader,
} from '../../ledger/index.ts';
import type { Ballot, Oracle } from '../oracle/oracle.ts';

export interface Keys {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

const keysByName = new Map<string, Keys>();
const nameByAddress = new Map<Address, string>();

/** The keys that belong to a name: the same in every test. */
export function keysOf(name: string): Keys {
  let keys = keysByName.get(name);
  if (keys === undefined) {
    const secret = blake3(new TextEncoder().encode(`test key of ${name}`));
    const publicKey = publicKeyOf(secret);
    keys = { secret, publicKey, address: addressOf(0, publicKey) };
    keysByName.set(name, keys);
    nameByAddress.set(keys.address, name);
  }
  return keys;
}

/** The name whose keys have this address, when some test has asked for them. */
export function nameOf(address: Address): string | undefined {
  return nameByAddress.get(address);
}

/** 0 -> A, 1 -> B, ... */
export function letterOf(validator: number): string {
  return String.fromCharCode(65 + validator);
}

export interface NetworkOptions {
  /** Weights of the validators A, B, C, ... */
  readonly weights: readonly number[];
  /** What each owner has at the start, at least 1 each. */
  readonly funds: Readonly<Record<string, number>>;
  /** False: every signature is 64 zero bytes, for tests of what lies behind the signatures. */
  readonly signed: boolean;
}

export interface PaymentOrder extends Pick<PaymentDraft, 'previous' | 'sequence'> {
  readonly from: string;
  readonly transfers: readonly { readonly to: string; readonly amount: number }[];
  /** Goes into the memo, so that payments which say the same are different all the same. */
  readonly name: string;
}

/** Whatever the header shall say other than what is right, for witnesses that must be refused. */
export type HeaderSlips = Partial<
  Pick<WitnessHeader, 'certifiedCount' | 'certifiedRoot' | 'checkpoint' | 'timeMs'>
>;

export class TestNetwork {
  readonly genesis: Genesis;
  readonly #signed: boolean;

  constructor(options: NetworkOptions) {
    this.#signed = options.signed;
    this.genesis = makeGenesis({
      prefix: 'test',
      workBits: 0,
      committee: options.weights.map((weight, i) => ({
        scheme: 0,
        publicKey: keysOf(`validator ${letterOf(i)}`).publicKey,
        weight,
      })),
      allocations: Object.entries(options.funds).map(([name, amount]) => ({
        address: keysOf(name).address,
        amount: amount as Units,
      })),
    });
  }

  #sign(name: string, message: Uint8Array): Uint8Array {
    return this.#signed ? sign(keysOf(name).secret, message) : new Uint8Array(64);
  }

  payment(order: PaymentOrder): Payment {
    const essence = paymentEssence({
      network: this.genesis.network,
      scheme: 0,
      publicKey: keysOf(order.from).publicKey,
      previous: order.previous,
      sequence: order.sequence,
      transfers: order.transfers.map(({ to, amount }) => ({
        to: keysOf(to).address,
        amount: amount as Units,
      })),
      memo: new TextEncoder().encode(order.name),
    });
    const bytes = encodePayment(essence, nonceBytes(0), this.#sign(order.from, essence));
    return taken(decodePayment(bytes, this.genesis.network));
  }

  /** The whole encoding; another nonce makes other bytes, and the same payment. */
  encoding(payment: Payment, nonce = 0): Uint8Array {
    const essence = paymentEssence({ ...payment, network: this.genesis.network });
    return encodePayment(essence, nonceBytes(nonce), payment.signature);
  }

  data(text: string): Uint8Array {
    const essence = dataEssence(this.genesis.network, new TextEncoder().encode(text));
    return Uint8Array.of(...essence, ...nonceBytes(0));
  }

  block(parents: readonly VertexId[], payloads: readonly Uint8Array[]): Block {
    const { network } = this.genesis;
    return taken(decodeBlock(encodeBlock(network, parents, payloads), network));
  }

  /** What a header says of these certificates. */
  certified(payments: readonly PaymentId[]): Pick<WitnessHeader, 'certifiedCount' | 'certifiedRoot'> {
    const ids = [...payments].sort();
    return { certifiedCount: ids.length, certifiedRoot: new MerkleTree(this.genesis.network, ids).root };
  }

  /**
   * Signs a ballot, with the certificates and the checkpoint that the oracle finds for it.
   * @param mark Less than 1000; makes two witnesses that say the same different.
   */
  witness(oracle: Oracle, ballot: Ballot, mark = 0, slips: HeaderSlips = {}): Witness {
    const { network } = this.genesis;
    const header = {
      validator: ballot.validator,
      round: ballot.round,
      timeMs: ballot.round * 1000 + mark,
      self: ballot.self,
      ...this.certified([...oracle.newlyCertifies(ballot)]),
      checkpoint: oracle.checkpoint(ballot),
      ...slips,
    };
    const name = `validator ${letterOf(ballot.validator)}`;
    return taken(
      decodeWitness(
        encodeWitness(network, header, ballot, (message) => this.#sign(name, message)),
        network,
      ),
    );
  }
}

function nonceBytes(nonce: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, nonce);
  return bytes;
}

function taken<T extends object>(decoded: T | Refusal): T {
  if (isRefusal(decoded)) throw new Error(`a test made what no decoder takes: ${JSON.stringify(decoded)}`);
  return decoded;
}
