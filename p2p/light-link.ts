/** The client's end of the light protocol. */
import type { Address, Outcome, PaymentId, Refusal, Slot, VertexId } from '../ledger/index.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { PeersError } from './errors.ts';
import type { FrameChannel } from './frames.ts';
import type { Host } from './libp2p-host.ts';
import type {
  AccountView,
  HistoryEntry,
  LightPush,
  NodeView,
  ProofReply,
  SubmitReply,
} from './light-messages.ts';
import { FromNode, LIGHT_VALUES, type LightRequest } from './light-wire.ts';
import { LINK_REQUESTS_MAX, SUBMIT_PAYMENTS_MAX, SUBSCRIPTION_ADDRESSES_MAX } from './limits.ts';
import { endChannel } from './serve.ts';
import type { LightLink } from './types.ts';

type Ask = LightRequest['ask'];
/** A request without its id. */
type Question = { [A in Ask]: Omit<Extract<LightRequest, { ask: A }>, 'id'> }[Ask];

interface Pending {
  readonly ask: Ask;
  readonly timer: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: PeersError): void;
}

/** A nonce search takes seconds, and may have to wait for others. */
const WORK_TIMEOUT_MS = 120_000;

export interface LinkOptions {
  /** As the caller wrote it. */
  readonly address: string;
  /** Peer id of the node. */
  readonly remote: string;
  readonly requestTimeoutMs: number;
}

export class Link implements LightLink {
  readonly address: string;
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #host: Host;
  readonly #channel: FrameChannel;
  readonly #options: LinkOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners: ((event: LightPush) => void)[] = [];
  #watched: ReadonlySet<Address> = new Set();
  #nextId = 1;
  /** Why it ended, once it has. */
  #ended: PeersError | undefined;

  constructor(host: Host, channel: FrameChannel, options: LinkOptions) {
    this.#host = host;
    this.#channel = channel;
    this.#options = options;
    this.address = options.address;
    this.remote = options.remote;
    this.closed = this.#read();
  }

  submit(payments: readonly Uint8Array[]): Promise<readonly SubmitReply[]> {
    if (payments.length === 0) return Promise.resolve([]);
    if (payments.length > SUBMIT_PAYMENTS_MAX) {
      const text = `${payments.length} payments, a submit takes ${SUBMIT_PAYMENTS_MAX}; send them in parts`;
      return Promise.reject(new PeersError('message_too_large', text));
    }
    return this.#request({ ask: 'submit', payments: [...payments] }, (replies: SubmitReply[]) => {
      return replies.length === payments.length ? replies : undefined;
    });
  }

  tips(count: number): Promise<readonly VertexId[]> {
    return this.#request({ ask: 'tips', count }, (tips: VertexId[]) =>
      tips.length <= count ? tips : undefined,
    );
  }

  account(address: Address): Promise<AccountView> {
    return this.#request({ ask: 'account', address }, (view: AccountView) =>
      view.address === address ? view : undefined,
    );
  }

  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]> {
    return this.#request({ ask: 'history', address, after, limit }, (entries: HistoryEntry[]) => {
      const ascending = entries.every((entry, i) => entry.index > (entries[i - 1]?.index ?? after));
      return ascending && entries.length <= limit ? entries : undefined;
    });
  }

  async proof(payment: PaymentId): Promise<ProofReply> {
    const { reply } = await this.#request({ ask: 'proof', payment }, answer<ProofReply>);
    return reply;
  }

  async balance(address: Address): Promise<Uint8Array | undefined> {
    const { reply } = await this.#request({ ask: 'balance', address }, answer<Uint8Array | undefined>);
    return reply;
  }

  async outcome(payment: PaymentId, slot?: Slot): Promise<Outcome | undefined> {
    const { reply } = await this.#request({ ask: 'outcome', payment, slot }, answer<Outcome | undefined>);
    return reply;
  }

  work(previous: Slot, account: Address): Promise<Uint8Array | Refusal> {
    return this.#request({ ask: 'work', previous, account }, (found: Uint8Array | { refusal: Refusal }) =>
      found instanceof Uint8Array ? found : found.refusal,
    );
  }

  status(): Promise<NodeView> {
    return this.#request({ ask: 'status' }, (view: NodeView) => view);
  }

  async subscribe(addresses: readonly Address[]): Promise<void> {
    const watched = new Set([...this.#watched, ...addresses]);
    if (watched.size > SUBSCRIPTION_ADDRESSES_MAX) {
      const text = `a link watches ${SUBSCRIPTION_ADDRESSES_MAX} addresses, these make ${watched.size}; open another one`;
      throw new PeersError('message_too_large', text);
    }
    if (watched.size === this.#watched.size) return;
    this.#watched = watched;
    await this.#request({ ask: 'subscribe', addresses: [...addresses] }, () => true);
  }

  onPush(listener: (event: LightPush) => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish(new PeersError('closed', 'this link was disposed of; connect again'));
    await this.#channel.close();
    // The node answers with the end of its side; a node that does not is not waited for.
    this.#channel.abort(new Error('disposed of'));
    await this.closed;
  }

  #request<V, T>(question: Question, check: (value: V) => T | undefined): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#pending.size >= LINK_REQUESTS_MAX) {
      const text = `${LINK_REQUESTS_MAX} requests are under way on this link; await one of them first`;
      return Promise.reject(new PeersError('too_busy', text));
    }
    const id = this.#nextId++;
    const bytes = encoded({ id, ...question });
    if (bytes instanceof PeersError) return Promise.reject(bytes);
    return new Promise<T>((resolve, reject) => {
      const { requestTimeoutMs } = this.#options;
      const ms = question.ask === 'work' ? Math.max(requestTimeoutMs, WORK_TIMEOUT_MS) : requestTimeoutMs;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new PeersError('timeout', `${this.address} did not answer in ${ms} ms; try another node`));
      }, ms);
      this.#pending.set(id, {
        ask: question.ask,
        timer,
        reject,
        resolve: (value) => {
          const checked = check(value as V);
          if (checked === undefined)
            reject(this.#blame(`a reply that does not fit the question (${question.ask})`));
          else resolve(checked);
        },
      });
      // Bounded by the requests that may be under way, each of at most a frame.
      if (!this.#channel.offerMessage(bytes, Number.POSITIVE_INFINITY)) {
        this.#finish(new PeersError('closed', `the link to ${this.address} has ended; connect again`));
      }
    });
  }

  async #read(): Promise<void> {
    while (this.#ended === undefined) {
      const frame = await this.#channel.next();
      if (this.#ended !== undefined) return;
      if (frame.type !== 'message') {
        if (frame.type === 'vertex') this.#blame('a vertex on a light link');
        else endChannel(this.#host, this.#channel, this.remote, frame);
        this.#finish(
          new PeersError('closed', `${this.address} ended the link (${frame.type}); connect again`),
        );
        return;
      }
      const message = FromNode.safeParse(decodeMessage(frame.bytes));
      if (!message.success) this.#finish(this.#blame('what is no reply'));
      else this.#take(message.data);
    }
  }

  #take(message: FromNode): void {
    if ('push' in message) {
      this.#push(message.push);
      return;
    }
    if ('end' in message) {
      this.#finish(new PeersError('closed', `${this.address} ended the link: ${message.end}; connect again`));
      void this.#channel.close();
      return;
    }
    if (message.id >= this.#nextId) {
      this.#finish(this.#blame('a reply to nothing'));
      return;
    }
    const pending = this.#pending.get(message.id);
    // A reply after its time is nobody's fault.
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if ('refusal' in message) {
      const { refusal } = message;
      pending.reject(new PeersError('refused', `${this.address} refused: ${refusal.code}`, { refusal }));
    } else if ('failed' in message) {
      pending.reject(new PeersError('bad_reply', `${this.address} could not answer; try another node`));
    } else {
      const value = LIGHT_VALUES[pending.ask].safeParse(message.value);
      if (value.success) pending.resolve(value.data);
      else pending.reject(this.#blame(`a reply of the wrong shape (${pending.ask})`));
    }
  }

  #push(event: LightPush): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#host.counters.add('handlers_failed');
        this.#host.log.error({ error: String(error) }, 'a listener to pushes failed');
      }
    }
  }

  /** The node sent what no correct node sends: it is cut. */
  #blame(what: string): PeersError {
    this.#host.penalise(this.remote, { code: 'malformed', what });
    return new PeersError('bad_reply', `${this.address} sent ${what}; use another node`);
  }

  #finish(why: PeersError): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#host.log.debug({ node: this.address, why: why.message }, 'a light link ended');
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(why);
    }
    this.#pending.clear();
    if (why.code === 'bad_reply') this.#channel.abort(why);
  }
}

/** Undefined is an answer here, and "does not fit" elsewhere. */
function answer<T>(reply: T): { readonly reply: T } {
  return { reply };
}

function encoded(request: object): Uint8Array | PeersError {
  try {
    return encodeMessage(request);
  } catch (error) {
    if (error instanceof PeersError) return error;
    throw error;
  }
}
