/** The car's side of a session on a stream: gives the state machine its events and does what it says. */
import type { Address, Units } from '../ledger/index.ts';
import type { FramedStream } from '../p2p/index.ts';
import { dayOf } from './policy.ts';
import { makeReceipt } from './receipt.ts';
import { CarSession } from './session-car.ts';
import type { CarAction, CarEvent, CarMoment } from './session-car-events.ts';
import { clip } from './session-decoder.ts';
import { SessionLine } from './session-line.ts';
import { Mailbox, runSession } from './session-loop.ts';
import { checkCarOptions, type RunCarDeps, type RunCarOptions } from './session-options.ts';
import type { FinalPayment, SessionResult } from './session-ports.ts';
import { checkSessionPayment } from './session-terms.ts';

function messageOf(error: unknown): string {
  return clip(error instanceof Error ? error.message : String(error));
}

class CarDriver {
  readonly #options: RunCarOptions;
  readonly #deps: RunCarDeps;
  readonly #machine: CarSession;
  readonly #mailbox = new Mailbox<CarEvent>();
  readonly #over = new AbortController();
  /** Payments from the wish to pay to the proof, or to the failure. */
  readonly #payments: Promise<void>[] = [];
  readonly #finals: FinalPayment[] = [];
  #line: SessionLine | undefined;
  #agreement: Uint8Array | undefined;
  #endedAtMs = 0;

  constructor(options: RunCarOptions, deps: RunCarDeps) {
    this.#options = options;
    this.#deps = deps;
    const { scheme, publicKey } = deps.signer;
    const { network, policy, charger, energyWantedWh, silenceMs } = options;
    const graceMs = deps.reopen === undefined ? 0 : options.graceMs;
    const fixed = { network, policy, energyWantedWh, silenceMs, graceMs, car: { scheme, publicKey } };
    const expected = charger === undefined ? {} : { charger };
    this.#machine = new CarSession({ ...fixed, ...expected }, deps.clock.nowMs());
  }

  async run(): Promise<SessionResult> {
    const { clock, stream, signal } = this.#deps;
    const stop = () => void this.#mailbox.put({ type: 'stop', detail: 'the driver ends the session' });
    signal?.addEventListener('abort', stop);
    this.#line = this.#newLine(stream);
    if (signal?.aborted) stop();
    try {
      await runSession(this.#machine, this.#mailbox, {
        clock,
        moment: () => this.#moment(),
        perform: (action) => this.#perform(action),
      });
      this.#endedAtMs = Math.floor(this.#deps.pace.nowMs());
    } finally {
      this.#over.abort();
      signal?.removeEventListener('abort', stop);
      await this.#line?.end();
    }
    await this.#proofs();
    return this.#result();
  }

  #newLine(stream: FramedStream): SessionLine {
    return new SessionLine(stream, this.#deps.clock, this.#options.sendMs, (event) =>
      this.#mailbox.put(event),
    );
  }

  #moment(): CarMoment {
    const { clock, pace, client, spending, meter } = this.#deps;
    const paceMs = pace.nowMs();
    const dayLeft = this.#options.policy.unitsPerDayMax - spending.spentOn(dayOf(paceMs));
    return { nowMs: clock.nowMs(), paceMs, ownWh: meter(), dayLeft, balance: client.balance };
  }

  async #perform(action: CarAction): Promise<void> {
    switch (action.type) {
      case 'send':
        await this.#line?.send(action.message);
        break;
      case 'signAndSend': {
        const signature = await this.#deps.signer.sign(action.sign);
        if (action.message.type === 'accept') this.#agreement = signature;
        await this.#line?.send({ ...action.message, signature });
        break;
      }
      case 'pay':
        this.#payments.push(this.#pay(action.to, action.amount, action.memo));
        break;
      case 'reopen':
        void this.#reopen();
        break;
      case 'end':
        break;
    }
    const { chain, committed } = this.#machine;
    if (chain === undefined) return;
    const { energyWh, due, terms } = chain;
    this.#deps.onProgress?.({ session: terms.session, energyWh, unitsDue: due, unitsPaid: committed });
  }

  /** The budget counts first: a crash after it has spent too little, never too much. */
  async #pay(to: Address, amount: Units, memo: Uint8Array): Promise<void> {
    const { client, spending, pace, log } = this.#deps;
    let final: Promise<FinalPayment>;
    try {
      await spending.add(dayOf(pace.nowMs()), amount);
      const sent = await client.pay([{ to, amount }], memo);
      final = sent.final;
      void this.#mailbox.put({ type: 'queued', payment: sent.id, bytes: sent.bytes });
    } catch (error) {
      void this.#mailbox.put({ type: 'payFailed', detail: messageOf(error) });
      return;
    }
    try {
      this.#finals.push(await final);
    } catch (error) {
      log.warn({ error: messageOf(error), amount }, 'a payment of a charging session is not final');
      const dead = (error as { code?: unknown } | undefined)?.code === 'payment_dead';
      if (dead) void this.#mailbox.put({ type: 'dead', detail: messageOf(error) });
    }
  }

  async #reopen(): Promise<void> {
    const { clock, reopen } = this.#deps;
    const left = this.#line;
    this.#line = undefined;
    left?.breakOff();
    await clock.sleep(this.#options.reopenMs, this.#over.signal);
    if (this.#over.signal.aborted || reopen === undefined) return;
    try {
      const stream = await reopen.call(this.#deps);
      if (this.#over.signal.aborted) stream.abort(new Error('the session is over'));
      else this.#line = this.#newLine(stream);
    } catch (error) {
      void this.#mailbox.put({ type: 'closed', detail: messageOf(error) });
    }
  }

  async #proofs(): Promise<void> {
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(this.#options.settleMs, timer.signal);
    await Promise.race([Promise.allSettled(this.#payments), late]);
    timer.abort();
  }

  async #result(): Promise<SessionResult> {
    const { chain, word } = this.#machine;
    const ended = this.#machine.ended!;
    const finals = [...this.#finals];
    let paid = 0;
    for (const { payment } of finals) {
      const check = chain && checkSessionPayment(payment, chain.terms, chain.heads);
      if (check !== undefined && 'amount' in check) paid += check.amount;
    }
    const result = {
      session: chain?.terms.session ?? '',
      energyWh: chain?.energyWh ?? 0,
      unitsDue: (chain?.due ?? 0) as Units,
      unitsPaid: paid as Units,
      payments: finals.map(({ payment }) => payment.id),
      ended,
    };
    this.#deps.log.info({ ...result, payments: finals.length }, 'charging session ended');
    if (chain === undefined || word === undefined || this.#agreement === undefined) {
      return { ...result, receipt: undefined };
    }
    const receipt = await makeReceipt(
      this.#options.network,
      {
        holder: 'car',
        chain,
        carSignature: this.#agreement,
        chargerSignature: word.signature,
        final: word.final,
        payments: finals,
        ended: { ...ended, atMs: this.#endedAtMs },
      },
      this.#deps.signer,
    );
    return { ...result, receipt };
  }
}

/**
 * Takes a charger's offer or declines it, charges and pays over one stream. Resolves when the session is over, however it
 * ended, and its payments are proven (at most `settleMs` later). Rejects when the signer fails,
 * and with `bad_policy` for limits that are no numbers.
 */
export async function runCarSession(options: RunCarOptions, deps: RunCarDeps): Promise<SessionResult> {
  checkCarOptions(options);
  return new CarDriver(options, deps).run();
}
