/** One node of a network as a load generator hears it: what it says is final counts once the proof has been checked. */
import { type Address, type Genesis, KnownHeaders, type PaymentId, type Round } from '../../ledger/index.ts';
import {
  type AccountView,
  type HistoryEntry,
  type LightLink,
  type LightPeers,
  type LightPush,
  type Log,
  type NodeView,
  type PaymentStatus,
  SUBMIT_PAYMENTS_MAX,
  SUBSCRIPTION_ADDRESSES_MAX,
  type SubmitReply,
} from '../../p2p/index.ts';
import { verifyClaim } from '../../wallet/index.ts';

/** How a payment was proven final: by a quorum of certificates, or by what commits have decided. */
export type DecidedBy = 'certificates' | 'commit';

export interface NodeEarDeps {
  readonly peers: LightPeers;
  readonly log: Log;
  /** A payment is proven final by this node; perhaps not for the first time. `told` is what `mark` gave when the proof came. */
  final(node: number, payment: PaymentId, by: DecidedBy, told: Mark): void;
  /** Now. */
  mark(): Mark;
  /** The node sent a proof that does not hold. */
  lied?(node: number, problem: string): void;
}

/** When something came. */
export interface Mark {
  readonly atMs: number;
  readonly round: Round;
}

/** A node takes so many links of one client, and each watches SUBSCRIPTION_ADDRESSES_MAX addresses. */
const LINKS_MAX = 4;

/** Addresses that one ear can watch. */
export const WATCHED_MAX = LINKS_MAX * SUBSCRIPTION_ADDRESSES_MAX;

export class NodeEar implements AsyncDisposable {
  readonly node: number;
  readonly address: string;
  readonly #genesis: Genesis;
  readonly #deps: NodeEarDeps;
  #links: LightLink[] = [];
  #watched: readonly Address[] = [];
  /** The links are made again; whoever comes meanwhile waits for the same. */
  #reopening: Promise<void> | undefined;
  #lost = false;
  /** Proofs that have come and are not checked yet: hundreds come at once, and checking must not hold up the next one. */
  readonly #headers = new KnownHeaders();
  readonly #told: { readonly entry: HistoryEntry; readonly mark: Mark }[] = [];

  private constructor(node: number, address: string, genesis: Genesis, deps: NodeEarDeps) {
    this.node = node;
    this.address = address;
    this.#genesis = genesis;
    this.#deps = deps;
  }

  /** Rejects with a PeersError. */
  static async open(node: number, address: string, genesis: Genesis, deps: NodeEarDeps): Promise<NodeEar> {
    const ear = new NodeEar(node, address, genesis, deps);
    await ear.#link();
    return ear;
  }

  async #link(): Promise<LightLink> {
    const link = await this.#deps.peers.connect(this.address);
    link.onPush((event) => this.#hear(event));
    this.#links.push(link);
    void link.closed.then(() => {
      this.#lost ||= this.#links.includes(link);
    });
    return link;
  }

  /** The first link; all are made again once one of them has ended. Rejects with a PeersError while that fails. */
  async #first(): Promise<LightLink> {
    if (this.#lost) {
      this.#reopening ??= this.#reopen().finally(() => {
        this.#reopening = undefined;
      });
      await this.#reopening;
    }
    return this.#links[0]!;
  }

  async #reopen(): Promise<void> {
    const old = this.#links;
    this.#links = [];
    await Promise.all(old.map((link) => link[Symbol.asyncDispose]()));
    await this.#link();
    await this.#subscribe();
    this.#lost = false;
  }

  /** @param addresses At most WATCHED_MAX, once. */
  async watch(addresses: readonly Address[]): Promise<void> {
    this.#watched = addresses;
    await this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    for (let from = 0; from < this.#watched.length; from += SUBSCRIPTION_ADDRESSES_MAX) {
      const link = from === 0 ? this.#links[0]! : await this.#link();
      await link.subscribe(this.#watched.slice(from, from + SUBSCRIPTION_ADDRESSES_MAX));
    }
  }

  async submit(payments: readonly { readonly bytes: Uint8Array }[]): Promise<readonly SubmitReply[]> {
    const link = await this.#first();
    const replies: SubmitReply[] = [];
    for (let from = 0; from < payments.length; from += SUBMIT_PAYMENTS_MAX) {
      const some = payments.slice(from, from + SUBMIT_PAYMENTS_MAX);
      replies.push(...(await link.submit(some.map(({ bytes }) => bytes))));
    }
    return replies;
  }

  async tips(count: number): ReturnType<LightLink['tips']> {
    return (await this.#first()).tips(count);
  }

  async account(address: Address): Promise<AccountView> {
    return (await this.#first()).account(address);
  }

  async status(): Promise<NodeView> {
    return (await this.#first()).status();
  }

  /** Asks what has become of a payment here, for when it was not told: `final` once its proof has been checked. */
  async ask(id: PaymentId): Promise<PaymentStatus | undefined> {
    const reply = await (await this.#first()).proof(id);
    if (reply === undefined) return undefined;
    // Final, it is said, and no proof yet: as good as under way.
    if ('status' in reply) return reply.status === 'final' ? 'pending' : reply.status;
    return this.#take(reply, this.#deps.mark()) === id ? 'final' : undefined;
  }

  #hear(event: LightPush): void {
    if (event.type !== 'final') return;
    if (this.#told.push({ entry: event.entry, mark: this.#deps.mark() }) === 1)
      setImmediate(() => this.#check());
  }

  /** One at a time, with whatever has come in between. */
  #check(): void {
    const [first] = this.#told;
    if (first === undefined) return;
    this.#take(first.entry, first.mark);
    this.#told.shift();
    if (this.#told.length > 0) setImmediate(() => this.#check());
  }

  #take(entry: HistoryEntry, mark: Mark): PaymentId | undefined {
    const verdict = verifyClaim(this.#genesis, entry, 0, this.#headers);
    if ('problem' in verdict) {
      this.#deps.log.error({ node: this.address, problem: verdict.problem }, 'a node sent a false proof');
      this.#deps.lied?.(this.node, verdict.problem);
      return undefined;
    }
    const { payment, proof } = verdict.verified;
    this.#deps.final(this.node, payment.id, 'chain' in proof ? 'commit' : 'certificates', mark);
    return payment.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map((link) => link[Symbol.asyncDispose]()));
  }
}
