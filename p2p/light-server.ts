/** The node's end of the light protocol: one stream a client, requests answered as they are done, pushes in between. */
import type { Stream } from '@libp2p/interface';
import { type Address, FRAME_BYTES_MAX, type Outcome, REACTION, type Refusal } from '../ledger/index.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { FrameChannel } from './frames.ts';
import type { Host } from './libp2p-host.ts';
import type { HistoryEntry, LightHandlers, LightPush, SubmitReply } from './light-messages.ts';
import { LightRequest } from './light-wire.ts';
import { LINK_REQUESTS_MAX, SUBSCRIPTION_ADDRESSES_MAX } from './limits.ts';
import { endChannel } from './serve.ts';

/** A client that reconnects may leave the old stream behind for a moment. */
const LINKS_PER_CLIENT_MAX = 4;

/** Room in a frame for what surrounds the entries of a history page, and for each of them. */
const PAGE_OVERHEAD_BYTES = 256;
const ENTRY_OVERHEAD_BYTES = 64;

/** Answers light clients. */
export async function serveLight(host: Host, handlers: LightHandlers): Promise<void> {
  await host.handle(host.names.light, LINKS_PER_CLIENT_MAX, async (stream, peer) => {
    host.counters.add('light_links_opened');
    await new ServedLink(host, handlers, stream, peer).run();
  });
}

class ServedLink {
  readonly #host: Host;
  readonly #handlers: LightHandlers;
  readonly #channel: FrameChannel;
  readonly #peer: string;
  readonly #ended = new AbortController();
  readonly #watched = new Set<Address>();
  readonly #unsubscribes: (() => void)[] = [];
  #pending = 0;
  #wake: (() => void) | undefined;

  constructor(host: Host, handlers: LightHandlers, stream: Stream, peer: string) {
    this.#host = host;
    this.#handlers = handlers;
    this.#channel = new FrameChannel(stream, host.limits);
    this.#peer = peer;
  }

  async run(): Promise<void> {
    try {
      await this.#read();
    } finally {
      this.#end();
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.#channel.next();
      if (this.#ended.signal.aborted) return;
      if (frame.type !== 'message') {
        if (frame.type === 'vertex') this.#refuse('a vertex on a light link');
        else endChannel(this.#host, this.#channel, this.#peer, frame);
        return;
      }
      const request = LightRequest.safeParse(decodeMessage(frame.bytes));
      if (!request.success) return this.#refuse('light request');
      this.#host.counters.add('light_requests');
      while (this.#pending >= LINK_REQUESTS_MAX) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      this.#pending++;
      // Not awaited: a nonce search must not hold up a status. It never rejects.
      void this.#serve(request.data);
    }
  }

  async #serve(request: LightRequest): Promise<void> {
    const { id } = request;
    try {
      const refusal = this.#overdraft(request);
      if (refusal !== undefined) {
        this.#host.penalise(this.#peer, refusal);
        this.#send({ id, refusal });
        return;
      }
      this.#send({ id, value: await this.#answer(request) });
    } catch (error) {
      this.#host.counters.add('handlers_failed');
      this.#host.log.error(
        { ask: request.ask, error: String(error) },
        'a light request could not be answered',
      );
      this.#send({ id, failed: true });
    } finally {
      this.#pending--;
      this.#wake?.();
    }
  }

  /** Takes the request from the client's budgets, or says when to come back. */
  #overdraft(request: LightRequest): Refusal | undefined {
    const budget = this.#host.budgets.of(this.#peer);
    const nowMs = this.#host.nowMs();
    const spent = (what: string, retryAfterMs: number): Refusal | undefined =>
      retryAfterMs > 0 ? { code: 'budget_spent', what, retryAfterMs } : undefined;
    return (
      spent('bytes', budget.bytesOut.waitMs(1, nowMs)) ??
      spent('requests', budget.requests.take(1, nowMs)) ??
      (request.ask === 'submit'
        ? spent('submits', budget.submits.take(request.payments.length, nowMs))
        : undefined) ??
      (request.ask === 'work' ? spent('works', budget.works.take(1, nowMs)) : undefined)
    );
  }

  async #answer(request: LightRequest): Promise<unknown> {
    switch (request.ask) {
      case 'submit':
        return this.#submitted(await this.#handlers.submit(request.payments, this.#peer));
      case 'tips':
        return this.#handlers.tips(request.count);
      case 'account':
        return this.#handlers.account(request.address);
      case 'history':
        return page(await this.#handlers.history(request.address, request.after, request.limit));
      case 'proof':
        return this.#handlers.proof(request.payment);
      case 'balance':
        return this.#handlers.balance(request.address);
      case 'outcome':
        return this.#fitting(await this.#handlers.outcome(request.payment, request.slot));
      case 'work': {
        const { previous, account } = request;
        const found = await this.#handlers.work(previous, account, this.#peer, this.#ended.signal);
        return found instanceof Uint8Array ? found : { refusal: found };
      }
      case 'status':
        return this.#handlers.status();
      case 'subscribe':
        this.#subscribe(request.addresses);
        return null;
    }
  }

  /** What does not fit a frame cannot be told; the client finds the payments in its history, or has a balance proof. */
  #fitting(outcome: Outcome | undefined): Outcome | undefined {
    if (outcome === undefined) return undefined;
    const bytes = outcome.chain.reduce(
      (sum, payment) => sum + payment.length + ENTRY_OVERHEAD_BYTES,
      PAGE_OVERHEAD_BYTES + outcome.balance.length,
    );
    if (bytes <= FRAME_BYTES_MAX) return outcome;
    this.#host.log.debug({ payments: outcome.chain.length, bytes }, 'an outcome does not fit a frame');
    return undefined;
  }

  /**
   * The worst refusal of a submit counts against the client, once: a wallet with an old idea of the work bits sends many
   * alike. What would cut it does so a moment later, so that it can read why.
   */
  #submitted(replies: readonly SubmitReply[]): readonly SubmitReply[] {
    const refusals = replies.flatMap((reply) => ('refusal' in reply ? [reply.refusal] : []));
    const cutting = refusals.find((refusal) => REACTION[refusal.code] === 'cut');
    if (cutting !== undefined) setImmediate(() => this.#cutAfterReply(cutting));
    else {
      const worst = refusals.find((refusal) => REACTION[refusal.code] === 'penalise');
      if (worst !== undefined) this.#host.penalise(this.#peer, worst);
    }
    return replies;
  }

  #cutAfterReply(refusal: Refusal): void {
    this.#end();
    this.#channel.close().then(() => {
      setTimeout(() => this.#host.penalise(this.#peer, refusal), CUT_GRACE_MS).unref();
    });
  }

  #subscribe(addresses: readonly Address[]): void {
    const fresh = addresses.filter((address) => !this.#watched.has(address));
    if (this.#watched.size + fresh.length > SUBSCRIPTION_ADDRESSES_MAX) {
      const received = this.#watched.size + fresh.length;
      this.#host.penalise(this.#peer, {
        code: 'limit_exceeded',
        what: 'addresses of a link',
        received,
        max: SUBSCRIPTION_ADDRESSES_MAX,
      });
      return;
    }
    if (fresh.length === 0 || this.#ended.signal.aborted) return;
    for (const address of fresh) this.#watched.add(address);
    this.#unsubscribes.push(this.#handlers.subscribe(fresh, (event) => this.#push(event)));
  }

  /** False = the subscription has ended. */
  #push(event: LightPush): boolean {
    if (this.#ended.signal.aborted || !this.#channel.isOpen) return false;
    this.#host.counters.add('light_pushes');
    try {
      return this.#send({ push: event });
    } catch (error) {
      // The client finds it in its history.
      this.#host.counters.add('handlers_failed');
      this.#host.log.error({ error: String(error) }, 'an event does not fit a frame');
      return true;
    }
  }

  /** False = the client does not drain: everything ends with a word, which arrives should it ever drain. */
  #send(message: object): boolean {
    if (this.#ended.signal.aborted) return false;
    const bytes = encodeMessage(message);
    this.#host.budgets.of(this.#peer).bytesOut.spend(bytes.length, this.#host.nowMs());
    if (this.#channel.offerMessage(bytes, this.#host.limits.pushUnsentBytes)) return true;
    if (this.#channel.isOpen) {
      this.#host.counters.add('light_links_ended_slow');
      this.#channel.offerMessage(
        encodeMessage({ end: 'this client does not drain' }),
        Number.POSITIVE_INFINITY,
      );
    }
    this.#end();
    void this.#channel.close().then(() => this.#channel.abort(new Error('ended')));
    return false;
  }

  #refuse(what: string): void {
    endChannel(this.#host, this.#channel, this.#peer, {
      type: 'refused',
      refusal: { code: 'malformed', what },
    });
  }

  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    for (const unsubscribe of this.#unsubscribes) {
      try {
        unsubscribe();
      } catch (error) {
        this.#host.log.error({ error: String(error) }, 'a subscription could not be ended');
      }
    }
  }
}

/** For the reply to reach a client that is about to be cut. */
const CUT_GRACE_MS = 200;

/** As many entries as a frame holds, from the first. */
function page(entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  let bytes = PAGE_OVERHEAD_BYTES;
  for (let i = 0; i < entries.length; i++) {
    bytes += entries[i]!.payment.length + entries[i]!.proof.length + ENTRY_OVERHEAD_BYTES;
    if (bytes > FRAME_BYTES_MAX) return entries.slice(0, i);
  }
  return entries;
}
