/** A light client that talks to every node of a network and believes only what it can prove. */
import assert from 'node:assert/strict';
import {
  type Address,
  blake3,
  checkFinalityProof,
  checkOutcome,
  checkPayment,
  decodePayment,
  decodePaymentProof,
  type Genesis,
  isRefusal,
  type Payment,
  type PaymentId,
  type Refusal,
} from '../../ledger/index.ts';
import {
  createLightPeers,
  type HistoryEntry,
  type LightLink,
  type LightPeers,
  type LightPush,
  type PaymentStatus,
  type SubmitReply,
  silentLog,
} from '../../p2p/index.ts';
import { eventually } from './deadline.ts';

const REQUEST_TIMEOUT_MS = 5_000;

let clients = 0;

export interface ClientOptions {
  readonly genesis: Genesis;
  /** Multiaddr of node i. */
  readonly address: (node: number) => string;
}

/** The payment of an entry, when the proof with it holds; throws when it does not. */
export function proven(genesis: Genesis, entry: HistoryEntry): Payment {
  const payment = decodePayment(entry.payment, genesis.network);
  if (isRefusal(payment)) throw new Error(`a node sent no payment: ${JSON.stringify(payment)}`);
  assert.equal(checkPayment(payment, genesis), undefined);
  const proof = decodePaymentProof(entry.proof);
  if (isRefusal(proof)) throw new Error(`a node sent no proof: ${JSON.stringify(proof)}`);
  if ('chain' in proof) {
    const verdict = checkOutcome(genesis, payment, proof);
    assert.ok('won' in verdict && verdict.won, `the outcome proves nothing: ${JSON.stringify(verdict)}`);
  } else {
    assert.equal(proof.payment, payment.id, 'the proof is of another payment');
    assert.equal(checkFinalityProof(genesis, proof), undefined);
  }
  return payment;
}

export class Client implements AsyncDisposable {
  readonly peers: LightPeers;
  readonly #options: ClientOptions;
  readonly #links = new Map<number, Promise<LightLink>>();
  readonly #watched = new Set<Address>();
  /** Nodes that have told, with a proof that holds, that a payment is final. */
  readonly final = new Map<PaymentId, Set<number>>();
  /** The first proof of each, when it came. */
  readonly finalAtMs = new Map<PaymentId, number>();
  /** The last that each node has told of a payment by itself. */
  readonly statuses: Map<PaymentId, PaymentStatus>[] = [];
  /** Why nodes have given up payments that they had taken. */
  readonly dropped = new Map<PaymentId, Refusal>();
  /** What no honest node sends; looked at by `assertNoLies`. */
  readonly lies: unknown[] = [];

  private constructor(peers: LightPeers, options: ClientOptions) {
    this.peers = peers;
    this.#options = options;
  }

  static async create(options: ClientOptions): Promise<Client> {
    const identitySeed = blake3(new TextEncoder().encode(`client ${++clients} of process ${process.pid}`));
    const { network } = options.genesis;
    const peers = await createLightPeers(
      { network, identitySeed, listen: [], requestTimeoutMs: REQUEST_TIMEOUT_MS },
      { log: silentLog, nowMs: () => performance.now() },
    );
    return new Client(peers, options);
  }

  /** The link to a node: made when there is none, or none any more. Rejects when the node cannot be reached. */
  link(node: number): Promise<LightLink> {
    let link = this.#links.get(node);
    if (link === undefined) {
      link = this.#connect(node);
      this.#links.set(node, link);
      const forget = (): void => {
        if (this.#links.get(node) === link) this.#links.delete(node);
      };
      link.then(({ closed }) => closed.then(forget), forget);
    }
    return link;
  }

  async #connect(node: number): Promise<LightLink> {
    const link = await this.peers.connect(this.#options.address(node));
    link.onPush((event) => this.#hear(node, event));
    if (this.#watched.size > 0) await link.subscribe([...this.#watched]);
    return link;
  }

  /** Hears of these accounts from all nodes that it is, or will be, connected to. */
  async watch(addresses: readonly Address[]): Promise<void> {
    for (const address of addresses) this.#watched.add(address);
    for (const link of [...this.#links.values()]) await (await link).subscribe(addresses);
  }

  #hear(node: number, event: LightPush): void {
    if (event.type === 'final') {
      this.take(node, event.entry);
      return;
    }
    this.statuses[node] ??= new Map();
    this.statuses[node].set(event.payment, event.status);
    if (event.refusal !== undefined) this.dropped.set(event.payment, event.refusal);
  }

  /** An entry that a node gave; its payment counts as final when the proof holds. */
  take(node: number, entry: HistoryEntry): PaymentId | undefined {
    try {
      const { id } = proven(this.#options.genesis, entry);
      const nodes = this.final.get(id) ?? new Set();
      this.final.set(id, nodes.add(node));
      if (!this.finalAtMs.has(id)) this.finalAtMs.set(id, performance.now());
      return id;
    } catch (error) {
      this.lies.push(error);
      return undefined;
    }
  }

  assertNoLies(): void {
    assert.deepEqual(this.lies, []);
  }

  async submit(node: number, ...payments: readonly Payment[]): Promise<readonly SubmitReply[]> {
    return (await this.link(node)).submit(payments.map(({ bytes }) => bytes));
  }

  /** The one refusal of a submit of one thing; throws when it was taken. */
  async refusal(node: number, bytes: Uint8Array): Promise<Refusal> {
    const [reply] = await (await this.link(node)).submit([bytes]);
    if (reply === undefined || !('refusal' in reply)) {
      throw new Error(`node ${node} has taken it: ${JSON.stringify(reply)}`);
    }
    return reply.refusal;
  }

  /** Asks a node whether a payment is final there; a proof must hold. */
  async isFinal(node: number, id: PaymentId): Promise<boolean> {
    const reply = await (await this.link(node)).proof(id);
    if (reply === undefined || 'status' in reply) return false;
    assert.equal(this.take(node, reply), id, String(this.lies.at(-1)));
    return true;
  }

  /** Waits until these payments are proven to this client. */
  async untilFinal(payments: readonly Payment[]): Promise<void> {
    const open = (): Payment[] => payments.filter(({ id }) => !this.final.has(id));
    await eventually(
      () => `${payments.length} payments are final; ${open().length} are not: ${this.#told(open())}`,
      () => open().length === 0,
    );
  }

  #told(payments: readonly Payment[]): string {
    const texts = payments
      .slice(0, 5)
      .map(({ id }) => `${id} ${this.statuses.map((statuses) => statuses?.get(id) ?? '-').join(' ')}`);
    return texts.join('; ');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peers[Symbol.asyncDispose]();
  }
}
