import {
  type Address,
  hex,
  type Outcome,
  type Payment,
  type PaymentId,
  type Refusal,
  type Slot,
  type Units,
  type VertexId,
  ZERO_HASH,
} from '../../ledger/index.ts';
import type {
  AccountView,
  HistoryEntry,
  LightLink,
  LightPeers,
  LightPush,
  NodeView,
  PaymentStatus,
  SubmitReply,
} from '../../p2p/index.ts';
import type { FakeNetwork, FakeState } from './fake-network.ts';

type Claim = { readonly payment: Uint8Array; readonly proof: Uint8Array };

function concerns(payment: Payment, address: Address): boolean {
  return payment.account === address || payment.transfers.some(({ to }) => to === address);
}

/** A node as a light client meets it. It is honest until a test replaces one of its answers. */
export class FakeNode {
  readonly address: string;
  readonly network: FakeNetwork;
  /** All bytes that were submitted, in order. */
  readonly submitted: Uint8Array[] = [];
  readonly links = new Set<FakeLink>();
  /** What it tells, in its own numbering. */
  entries: { readonly payment: Payment; readonly claim: Claim }[] = [];
  dials = 0;
  asked: Record<string, number> = {};
  /** Accepts dials. */
  up = true;
  /** Answers at all. */
  mute = false;
  /** Hears of what becomes final. */
  behind = false;
  refuse: (payment: Payment) => Refusal | undefined = () => undefined;
  status: (payment: Payment) => PaymentStatus = () => 'queued';
  view: (view: AccountView) => AccountView = (view) => view;
  page: (entries: HistoryEntry[]) => HistoryEntry[] = (entries) => entries;
  proof: ((id: PaymentId) => Awaited<ReturnType<LightLink['proof']>>) | undefined;
  balance: (address: Address) => Uint8Array | undefined = () => undefined;
  outcome: (payment: PaymentId, slot?: Slot) => Outcome | undefined = () => undefined;
  tipIds: readonly VertexId[] = ['0a'.repeat(32) as VertexId, '0b'.repeat(32) as VertexId];
  /** Entries of each account that it does not have any more; the others keep their numbers. */
  forgotten = 0;
  /** The most that a page holds, whatever is asked for. */
  pageMax = 1000;
  readonly accepted = new Map<PaymentId, Payment>();

  constructor(network: FakeNetwork, name: string) {
    this.network = network;
    this.address = `/dns4/${name}/tcp/1/p2p/${name}`;
    network.onFinal.push(({ payment, proof }) => {
      if (!this.behind) this.learn(payment, { payment: payment.bytes, proof });
    });
  }

  /** Takes a payment into its history and pushes it. */
  learn(payment: Payment, claim: Claim): void {
    this.entries.push({ payment, claim });
    for (const link of this.links) link.deliver(payment, claim);
  }

  die(): void {
    this.up = false;
    for (const link of [...this.links]) link.end();
  }

  /** Answers for a state, as an honest node does. */
  knows({ balance, outcome }: FakeState): void {
    this.balance = balance;
    this.outcome = outcome;
  }

  list(address: Address): HistoryEntry[] {
    const own = this.entries.filter(({ payment }) => concerns(payment, address));
    return own.map(({ claim }, index) => ({ index, ...claim })).slice(this.forgotten);
  }

  account(address: Address): AccountView {
    const own = this.entries
      .filter(({ payment }) => payment.account === address)
      .map(({ payment }) => payment);
    const last = own.at(-1);
    const waiting = [...this.accepted.values()].filter((payment) => payment.account === address).at(-1);
    const head = waiting !== undefined && waiting.sequence > (last?.sequence ?? 0) ? waiting : last;
    const balance = this.network.balance(address) as Units;
    const finalHead: Slot = last?.id ?? address;
    return {
      address,
      balance,
      pending: balance,
      sequence: head?.sequence ?? 0,
      head: head?.id ?? address,
      finalSequence: last?.sequence ?? 0,
      finalHead,
    };
  }
}

export class FakeLink implements LightLink {
  readonly address: string;
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #node: FakeNode;
  readonly #closing = Promise.withResolvers<void>();
  #listener: (event: LightPush) => void = () => {};
  #subscribed: readonly Address[] = [];

  constructor(node: FakeNode) {
    this.#node = node;
    this.address = node.address;
    this.remote = node.address;
    this.closed = this.#closing.promise;
    node.links.add(this);
  }

  #answer<T>(name: string, give: () => T): Promise<T> {
    this.#node.asked[name] = (this.#node.asked[name] ?? 0) + 1;
    if (this.#node.mute) return new Promise(() => {});
    if (!this.#node.links.has(this)) {
      return Promise.reject(Object.assign(new Error('the link has ended'), { code: 'closed' }));
    }
    return new Promise((resolve) => setImmediate(resolve)).then(give);
  }

  submit(payments: readonly Uint8Array[]): Promise<readonly SubmitReply[]> {
    return this.#answer('submit', () =>
      payments.map((bytes): SubmitReply => {
        this.#node.submitted.push(bytes.slice());
        const payment = this.#node.network.decode(bytes);
        const refusal = this.#node.refuse(payment);
        if (refusal !== undefined) return { refusal };
        this.#node.accepted.set(payment.id, payment);
        const final = this.#node.entries.some((entry) => entry.payment.id === payment.id);
        return { id: payment.id, status: final ? 'final' : this.#node.status(payment) };
      }),
    );
  }

  tips(count: number): Promise<readonly VertexId[]> {
    return this.#answer('tips', () => this.#node.tipIds.slice(0, count));
  }

  account(address: Address): Promise<AccountView> {
    return this.#answer('account', () => this.#node.view(this.#node.account(address)));
  }

  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]> {
    const most = Math.min(limit, this.#node.pageMax);
    return this.#answer('history', () =>
      this.#node.page(
        this.#node
          .list(address)
          .filter(({ index }) => index > after)
          .slice(0, most),
      ),
    );
  }

  proof(payment: PaymentId): ReturnType<LightLink['proof']> {
    return this.#answer('proof', () => {
      if (this.#node.proof !== undefined) return this.#node.proof(payment);
      const entry = this.#node.entries.find((known) => known.payment.id === payment);
      if (entry !== undefined) return { index: 0, ...entry.claim };
      return this.#node.accepted.has(payment) ? { status: 'pending' as const } : undefined;
    });
  }

  balance(address: Address): Promise<Uint8Array | undefined> {
    return this.#answer('balance', () => this.#node.balance(address));
  }

  outcome(payment: PaymentId, slot?: Slot): Promise<Outcome | undefined> {
    return this.#answer('outcome', () => this.#node.outcome(payment, slot));
  }

  work(): Promise<Uint8Array> {
    return this.#answer('work', () => new Uint8Array(8));
  }

  status(): Promise<NodeView> {
    return this.#answer('status', () => ({
      network: hex(this.#node.network.genesis.network),
      round: 1,
      vertices: 1,
      finalPayments: this.#node.entries.length,
      decidedPayments: 0,
      supply: this.#node.network.genesis.supply,
      accounts: 1,
      root: ZERO_HASH,
      queue: 0,
      peers: 1,
      rounds: [1, 1, 1, 1],
    }));
  }

  subscribe(addresses: readonly Address[]): Promise<void> {
    return this.#answer('subscribe', () => {
      this.#subscribed = addresses;
    });
  }

  onPush(listener: (event: LightPush) => void): void {
    this.#listener = listener;
  }

  deliver(payment: Payment, claim: Claim): void {
    if (this.#node.mute || !this.#subscribed.some((address) => concerns(payment, address))) return;
    this.#listener({ type: 'final', entry: { index: this.#node.entries.length - 1, ...claim } });
  }

  push(event: LightPush): void {
    this.#listener(event);
  }

  end(): void {
    this.#node.links.delete(this);
    this.#closing.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }
}

export class FakePeers implements Pick<LightPeers, 'connect' | 'onHeader' | 'publishBlock'> {
  readonly nodes: readonly FakeNode[];
  readonly published: Uint8Array[] = [];
  /** Peers that a block reaches. */
  reach = 0;
  header: (bytes: Uint8Array) => void = () => {};

  constructor(nodes: readonly FakeNode[]) {
    this.nodes = nodes;
  }

  async connect(address: string): Promise<LightLink> {
    const node = this.nodes.find((candidate) => candidate.address === address);
    if (node !== undefined) node.dials++;
    if (node === undefined || !node.up) {
      throw Object.assign(new Error(`${address} does not answer`), { code: 'unreachable' });
    }
    return new FakeLink(node);
  }

  onHeader(listener: (header: Uint8Array) => void): void {
    this.header = listener;
  }

  async publishBlock(bytes: Uint8Array): Promise<number> {
    this.published.push(bytes);
    return this.reach;
  }
}
