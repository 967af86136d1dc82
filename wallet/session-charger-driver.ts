/** The charger's side of a session on a stream: gives the state machine its events and does what it says. */
import { hex, type PaymentId } from '../ledger/index.ts';
import type { FramedStream } from '../p2p/index.ts';
import { makeReceipt } from './receipt.ts';
import { ChargerSession } from './session-charger.ts';
import type { ChargerAction, ChargerEvent, ChargerMoment } from './session-charger-events.ts';
import { clip } from './session-decoder.ts';
import type { Visitor } from './session-desk.ts';
import { SessionLine } from './session-line.ts';
import { Mailbox, runSession } from './session-loop.ts';
import type { End, Tick } from './session-messages.ts';
import { checkChargerOptions, type ServeChargerDeps, type ServeChargerOptions } from './session-options.ts';
import type { FinalPayment, SessionResult } from './session-ports.ts';
import { PENDING_PAYMENTS_MAX } from './session-tally.ts';
import { readSessionMemo } from './session-terms.ts';

type Labelled = (ChargerEvent & { readonly line?: SessionLine }) | { readonly type: 'deadline' };

class ChargerDriver {
  readonly #options: ServeChargerOptions;
  readonly #deps: ServeChargerDeps;
  readonly #session: string;
  readonly #machine: ChargerSession;
  readonly #mailbox = new Mailbox<Labelled>();
  readonly #visitors = new Map<string, SessionLine>();
  #line: SessionLine | undefined;
  #latest: Tick | End | undefined;
  #started = false;
  /** Payments of `onIncoming` that the machine has not seen yet. */
  #incomings = 0;
  #flow = new AbortController();

  constructor(options: ServeChargerOptions, deps: ServeChargerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#session = hex(deps.random(16));
    const { network, acceptMs, unpaidMs, settleMs, graceMs, ...offer } = options;
    const { scheme, publicKey } = deps.signer;
    const charger = { scheme, publicKey };
    const waits = { acceptMs, unpaidMs, settleMs, graceMs };
    const { claims } = deps;
    this.#machine = new ChargerSession({ network, charger, session: this.#session, offer, ...waits, claims });
  }

  async run(): Promise<SessionResult> {
    const { client, clock, desk, stream, signal } = this.#deps;
    this.#line = this.#newLine(stream);
    const stop = () => void this.#mailbox.put({ type: 'stop', detail: 'the operator stops the charger' });
    signal?.addEventListener('abort', stop);
    const ignore = client.onIncoming((payment) => this.#incoming(payment));
    desk.open(this.#session, (visitor) => this.#visit(visitor));
    void this.#mailbox.put({ type: 'open' });
    if (signal?.aborted) stop();
    try {
      const machine = this.#filtered();
      await runSession(machine, this.#mailbox, {
        clock,
        moment: () => this.#moment(),
        perform: (action) => this.#perform(action),
      });
    } finally {
      this.#flow.abort();
      if (this.#started) this.#deps.energySource.pause();
      ignore();
      desk.close(this.#session);
      signal?.removeEventListener('abort', stop);
      for (const line of this.#visitors.values()) line.breakOff();
    }
    const result = await this.#result();
    await this.#line?.end();
    return result;
  }

  /** The machine, deaf to lines that it has left. */
  #filtered() {
    const machine = this.#machine;
    const step = (event: Labelled, at: ChargerMoment) => {
      const stale = 'line' in event && event.line !== undefined && event.line !== this.#line;
      return stale ? [] : machine.step(event, at);
    };
    return {
      step,
      get deadlineMs() {
        return machine.deadlineMs;
      },
      get ended() {
        return machine.ended;
      },
    };
  }

  #newLine(stream: FramedStream): SessionLine {
    const { clock } = this.#deps;
    const line: SessionLine = new SessionLine(stream, clock, this.#options.sendMs, (event) =>
      this.#mailbox.put({ ...event, line }),
    );
    return line;
  }

  #visit({ line, offered, signature }: Visitor): void {
    this.#visitors.set(offered, line);
    line.redirect((event) => this.#mailbox.put({ ...event, line }));
    void this.#mailbox.put({ type: 'resumed', offered, signature });
  }

  #moment(): ChargerMoment {
    const { clock, pace, energySource } = this.#deps;
    const paceMs = pace.nowMs();
    const meterWh = Math.floor(energySource.readWh(paceMs));
    return { nowMs: clock.nowMs(), paceMs, meterWh, done: energySource.done };
  }

  async #perform(action: ChargerAction): Promise<void> {
    const { energySource } = this.#deps;
    switch (action.type) {
      case 'send':
        await this.#line?.send(action.message);
        break;
      case 'read':
        this.#latest = { ...action.message, signature: await this.#deps.signer.sign(action.sign) } as
          | Tick
          | End;
        await this.#line?.send(this.#latest);
        break;
      case 'repeat':
        if (this.#latest !== undefined) await this.#line?.send(this.#latest);
        break;
      case 'deliver':
        if (this.#started) energySource.resume();
        else energySource.start(this.#options.maxW);
        this.#started = true;
        this.#flow = new AbortController();
        void this.#sample(this.#flow.signal);
        break;
      case 'pause':
      case 'halt':
        this.#flow.abort();
        if (this.#started) energySource.pause();
        break;
      case 'verify':
        void this.#verify(action.payment);
        break;
      case 'handOver':
        this.#handOver(action.session, action.signature);
        break;
      case 'adopt':
        this.#line?.breakOff();
        this.#line = this.#visitors.get(action.offered);
        this.#visitors.delete(action.offered);
        break;
      case 'reject':
        this.#visitors.get(action.offered)?.breakOff();
        this.#visitors.delete(action.offered);
        break;
      case 'end':
        break;
    }
    this.#tell();
  }

  #tell(): void {
    const { chain, counted } = this.#machine;
    if (chain === undefined) return;
    const { energyWh, due } = chain;
    this.#deps.onProgress?.({ session: this.#session, energyWh, unitsDue: due, unitsPaid: counted });
  }

  /** Looks at the meter while energy flows; never ahead of the machine. */
  async #sample(flow: AbortSignal): Promise<void> {
    while (!flow.aborted) {
      await this.#deps.pace.sleep(this.#options.sampleMs, flow);
      if (!flow.aborted) await this.#mailbox.put({ type: 'sample' });
    }
  }

  /** Of a busy account's payments only those that name this session are looked at. */
  #incoming(payment: FinalPayment): void {
    if (readSessionMemo(payment.payment.memo)?.session !== this.#session) return;
    // Whoever floods this session with payments of his own does not fill the memory; a car says what it has paid.
    if (this.#incomings >= PENDING_PAYMENTS_MAX) return;
    this.#incomings++;
    void this.#mailbox.put({ type: 'incoming', payment }).then(() => {
      this.#incomings--;
    });
  }

  async #verify(payment: PaymentId): Promise<void> {
    try {
      const final = await this.#deps.client.waitFinal(payment, { timeoutMs: this.#options.verifyMs });
      await this.#mailbox.put({ type: 'verified', payment: final });
    } catch (error) {
      const dead = (error as { code?: unknown } | undefined)?.code === 'payment_dead';
      const detail = clip(error instanceof Error ? error.message : String(error));
      await this.#mailbox.put({ type: 'unverified', payment, dead, detail });
    }
  }

  #handOver(session: string, signature: Uint8Array): void {
    const line = this.#line;
    if (line === undefined) return;
    if (this.#deps.desk.handOver(session, { line, offered: this.#session, signature }))
      this.#line = undefined;
  }

  async #result(): Promise<SessionResult> {
    const { chain, finals, counted, carSignature } = this.#machine;
    const ended = this.#machine.ended!;
    const result = {
      session: this.#session,
      energyWh: chain?.energyWh ?? 0,
      unitsDue: chain?.due ?? counted,
      unitsPaid: counted,
      payments: finals.map(({ payment }) => payment.id),
      ended,
    };
    this.#deps.log.info({ ...result, payments: finals.length }, 'charging session ended');
    if (chain === undefined || carSignature === undefined || this.#latest === undefined) {
      return { ...result, receipt: undefined };
    }
    const receipt = await makeReceipt(
      this.#options.network,
      {
        holder: 'charger',
        chain,
        carSignature,
        chargerSignature: this.#latest.signature,
        final: this.#latest.type === 'end',
        payments: finals,
        ended: { ...ended, atMs: Math.floor(this.#deps.pace.nowMs()) },
      },
      this.#deps.signer,
    );
    return { ...result, receipt };
  }
}

/**
 * Offers, charges and gets paid over one stream. Resolves when the session is over, however it ended; energy flows no
 * more then. Rejects when the signer or the energy source fails, and throws `bad_offer` for options that no car could
 * accept.
 */
export async function serveChargerSession(
  options: ServeChargerOptions,
  deps: ServeChargerDeps,
): Promise<SessionResult> {
  checkChargerOptions(options);
  return new ChargerDriver(options, deps).run();
}
