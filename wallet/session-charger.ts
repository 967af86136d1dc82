/**
 * The charger's side of a session as a state machine: events in, actions out; no clock, no chance, no network. What it
 * holds to, against any car:
 *
 *   In mode stream no step begins while more than `unpaidMax` is unpaid; so at any time at most `unpaidMax` and one step
 *   are. In mode settle the due amount stays within `creditMax`. A payment counts when the charger's own client has
 *   verified that it is final, it pays the charger's account from the car's, it names this session and a reading that
 *   was made, and it was never counted before.
 */
import { type Units, verify } from '../ledger/index.ts';
import { ReadingChain } from './session-chain.ts';
import type {
  ChargerAction,
  ChargerEvent,
  ChargerMoment,
  ChargerSessionOptions,
} from './session-charger-events.ts';
import { clip, METER_WH_MAX } from './session-decoder.ts';
import type { Accept, EndReason, Paid, SessionEnd, SessionMessage } from './session-messages.ts';
import type { FinalPayment } from './session-ports.ts';
import { lookAtMeter } from './session-step.ts';
import { PaymentTally } from './session-tally.ts';
import { addressOfParty, agreement, resuming, statement } from './session-terms.ts';
import { amountDue, SESSION_MS_MAX, SESSION_WH_MAX } from './tariff.ts';

/** Ends that leave nobody to blame, unless something stays unpaid. */
const ORDERLY: readonly EndReason[] = [
  'full',
  'energy_reached',
  'stopped_by_car',
  'stopped_by_charger',
  'budget_spent',
  'credit_spent',
  'limit_reached',
];

type Phase = 'new' | 'offered' | 'charging' | 'settling' | 'ended';

export class ChargerSession {
  readonly #options: ChargerSessionOptions;
  #phase: Phase = 'new';
  #connected = true;
  #startedAtMs = 0;
  #chain: ReadingChain | undefined;
  /** Energy flows. */
  #delivering = false;
  /** Billing time when energy began to flow last, and what was counted before. */
  #sincePaceMs = 0;
  #countedMs = 0;
  #tally: PaymentTally | undefined;
  #carSignature: Uint8Array | undefined;
  /** Why the last reading was made. */
  #closing: SessionEnd | undefined;
  #ended: SessionEnd | undefined;
  #deadlineMs: number | undefined;

  constructor(options: ChargerSessionOptions) {
    this.#options = options;
  }

  /** When to come back with a `deadline`. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  get ended(): SessionEnd | undefined {
    return this.#ended;
  }

  /** Undefined until the car has accepted. */
  get chain(): ReadingChain | undefined {
    return this.#chain;
  }

  /** The car's signature on the terms. */
  get carSignature(): Uint8Array | undefined {
    return this.#carSignature;
  }

  /** Payments that count. */
  get finals(): readonly FinalPayment[] {
    return this.#tally?.finals ?? [];
  }

  /** Their sum. */
  get counted(): Units {
    return this.#tally?.counted ?? (0 as Units);
  }

  /** Of the latest reading. */
  get unpaid(): number {
    return (this.#chain?.due ?? 0) - this.counted;
  }

  step(event: ChargerEvent, at: ChargerMoment): readonly ChargerAction[] {
    if (this.#phase === 'ended') return [];
    switch (event.type) {
      case 'open':
        return this.#open(at);
      case 'message':
        return this.#message(event.message, at);
      case 'malformed':
        return this.#fault('protocol', event.detail, at);
      case 'closed':
        return this.#closed(event.detail, at);
      case 'resumed':
        return this.#resumed(event.offered, event.signature, at);
      case 'deadline':
        return this.#deadline(at);
      case 'stop':
        return this.#finish({ reason: 'stopped_by_charger', by: 'charger', detail: event.detail }, at);
      case 'sample':
        return this.#sample(at);
      case 'verified':
        return this.#verified(event.payment, at);
      case 'incoming':
        return this.#tally?.find(event.payment) ? this.#countedUp(at) : [];
      case 'unverified':
        return this.#unverified(event, at);
    }
  }

  #open(at: ChargerMoment): readonly ChargerAction[] {
    const { session, charger, offer, acceptMs } = this.#options;
    this.#phase = 'offered';
    this.#startedAtMs = Math.floor(at.paceMs);
    this.#deadlineMs = at.nowMs + acceptMs;
    const { tariff, modes, unpaidMax, creditMax, stepWh, stepMs } = offer;
    const terms = { session, charger, tariff, modes, unpaidMax, creditMax, stepWh, stepMs };
    return [
      { type: 'send', message: { type: 'offer', version: 1, ...terms, startedAtMs: this.#startedAtMs } },
    ];
  }

  #message(message: SessionMessage, at: ChargerMoment): readonly ChargerAction[] {
    if (this.#phase === 'offered') {
      if (message.type === 'accept') return this.#accept(message, at);
      if (message.type === 'decline' || message.type === 'stop') {
        return this.#end({ reason: 'declined', by: 'car', detail: message.detail });
      }
      if (message.type === 'resume') {
        const { session, signature } = message;
        const detail = `the car goes on with session ${session}`;
        return [
          { type: 'handOver', session, signature },
          ...this.#end({ reason: 'resumed', by: 'car', detail }),
        ];
      }
    } else {
      if (message.type === 'paid') return this.#paid(message, at);
      if (message.type === 'stop') {
        return this.#finish({ reason: message.reason, by: 'car', detail: message.detail }, at);
      }
    }
    return this.#fault('protocol', `${message.type} came out of turn`, at);
  }

  #accept(accept: Accept, at: ChargerMoment): readonly ChargerAction[] {
    const { network, session, charger, offer } = this.#options;
    const { mode, energyWantedWh } = accept;
    if (!offer.modes.includes(mode)) return this.#fault('protocol', `mode ${mode} was not offered`, at);
    const car = { scheme: accept.car.scheme, publicKey: accept.car.publicKey.slice() };
    if (addressOfParty(car) === addressOfParty(charger)) {
      return this.#fault('protocol', 'car and charger have one account', at);
    }
    const { tariff, unpaidMax, creditMax, stepWh, stepMs } = offer;
    const steps = { unpaidMax, creditMax, stepWh, stepMs, startedAtMs: this.#startedAtMs };
    const chain = new ReadingChain(network, {
      session,
      charger,
      car,
      tariff,
      ...steps,
      mode,
      energyWantedWh,
    });
    if (!verify(car.scheme, car.publicKey, agreement(network, chain.termsHash), accept.signature)) {
      return this.#fault('signature_wrong', 'the terms are not signed by the car', at);
    }
    if (!(Number.isSafeInteger(at.meterWh) && at.meterWh >= 0 && at.meterWh <= METER_WH_MAX)) {
      return this.#fault('reading_wrong', `the meter shows ${at.meterWh} Wh`, at);
    }
    this.#chain = chain;
    this.#carSignature = accept.signature.slice();
    this.#tally = new PaymentTally(chain, this.#options.claims);
    this.#phase = 'charging';
    this.#deadlineMs = undefined;
    return [...this.#read(at.meterWh, 0), ...this.#deliver(at)];
  }

  /** The next reading of the chain, signed and sent. `end`: it is the last one. */
  #read(meterWh: number, ms: number, end?: SessionEnd): readonly ChargerAction[] {
    const chain = this.#chain!;
    const first = chain.readings[0]?.meterWh ?? meterWh;
    const due = amountDue(chain.terms.tariff, meterWh - first, ms);
    const reading = { seq: chain.readings.length, meterWh, ms, due };
    chain.add(reading);
    const message =
      end === undefined
        ? { type: 'tick' as const, ...reading }
        : { type: 'end' as const, ...reading, reason: end.reason, detail: clip(end.detail) };
    return [{ type: 'read', message, sign: statement(chain.network, chain.head, end !== undefined) }];
  }

  #deliver(at: ChargerMoment): readonly ChargerAction[] {
    this.#delivering = true;
    this.#sincePaceMs = at.paceMs;
    return [{ type: 'deliver' }];
  }

  /** Ends the flow of energy and with it the time that is charged for. */
  #interrupt(at: ChargerMoment): readonly ChargerAction[] {
    if (!this.#delivering) return [];
    this.#countedMs = this.#billedMs(at);
    this.#delivering = false;
    return [{ type: 'pause' }];
  }

  #billedMs(at: ChargerMoment): number {
    const now = this.#delivering ? Math.floor(at.paceMs - this.#sincePaceMs) : 0;
    return this.#countedMs + Math.max(0, now);
  }

  #sample(at: ChargerMoment): readonly ChargerAction[] {
    if (!this.#delivering || this.#phase !== 'charging') return [];
    const chain = this.#chain!;
    const ms = this.#billedMs(at);
    const next = lookAtMeter(chain, at.meterWh, ms, at.done);
    if (next === 'on') return [];
    if (next !== 'step') return this.#finish({ ...next, by: 'charger' }, at);
    const read = this.#read(at.meterWh, ms);
    const { mode, unpaidMax } = chain.terms;
    if (mode === 'settle' || this.unpaid <= unpaidMax) return read;
    this.#deadlineMs = at.nowMs + this.#options.unpaidMs;
    return [...this.#interrupt(at), ...read];
  }

  #paid(paid: Paid, at: ChargerMoment): readonly ChargerAction[] {
    const payment = this.#tally!.announce(paid);
    if (payment === undefined) return [];
    if (typeof payment === 'object') return this.#fault(payment.reason, payment.detail, at);
    return [{ type: 'verify', payment }];
  }

  #verified(final: FinalPayment, at: ChargerMoment): readonly ChargerAction[] {
    const verdict = this.#tally!.count(final);
    if (verdict === 'unasked') return [];
    if (typeof verdict === 'object') return this.#fault(verdict.reason, verdict.detail, at);
    return this.#countedUp(at);
  }

  #countedUp(at: ChargerMoment): readonly ChargerAction[] {
    const actions: ChargerAction[] = [];
    if (this.#connected)
      actions.push({ type: 'send', message: { type: 'counted', cumulative: this.counted } });
    if (this.#phase === 'settling') return [...actions, ...this.#settled()];
    if (!this.#delivering && this.#connected && this.unpaid <= this.#chain!.terms.unpaidMax) {
      this.#deadlineMs = undefined;
      actions.push(...this.#deliver(at));
    }
    return actions;
  }

  #unverified(event: ChargerEvent & { type: 'unverified' }, at: ChargerMoment): readonly ChargerAction[] {
    if (!this.#tally!.drop(event.payment)) return [];
    if (event.dead) return this.#fault('payment_dead', event.detail, at);
    // Not final yet is not wrong: it may still come in, and until then it is unpaid, for which there are deadlines.
    return [];
  }

  #closed(detail: string, at: ChargerMoment): readonly ChargerAction[] {
    if (!this.#connected) return [];
    this.#connected = false;
    const end: SessionEnd = { reason: 'disconnected', by: 'car', detail };
    if (this.#phase === 'settling') return this.#settled();
    if (this.#options.graceMs === 0 || this.#phase === 'offered') return this.#finish(end, at);
    this.#deadlineMs = at.nowMs + this.#options.graceMs;
    return this.#interrupt(at);
  }

  #resumed(offered: string, signature: Uint8Array, at: ChargerMoment): readonly ChargerAction[] {
    const { network, session, unpaidMs } = this.#options;
    const chain = this.#chain;
    if (chain === undefined) return [{ type: 'reject', offered }];
    const { car, mode, unpaidMax } = chain.terms;
    if (!verify(car.scheme, car.publicKey, resuming(network, session, offered), signature)) {
      return [{ type: 'reject', offered }];
    }
    this.#connected = true;
    const again: ChargerAction[] = [{ type: 'adopt', offered }, { type: 'repeat' }];
    again.push({ type: 'send', message: { type: 'counted', cumulative: this.counted } });
    if (this.#phase === 'settling' || this.#delivering) return again;
    if (mode === 'stream' && this.unpaid > unpaidMax) {
      this.#deadlineMs = at.nowMs + unpaidMs;
      return again;
    }
    this.#deadlineMs = undefined;
    return [...again, ...this.#deliver(at)];
  }

  #deadline(at: ChargerMoment): readonly ChargerAction[] {
    if (this.#deadlineMs === undefined || at.nowMs < this.#deadlineMs) return [];
    const { acceptMs, unpaidMs, graceMs } = this.#options;
    if (this.#phase === 'offered') {
      return this.#end({
        reason: 'silent',
        by: 'charger',
        detail: `no answer to the offer in ${acceptMs} ms`,
      });
    }
    if (this.#phase === 'settling') return this.#abandon();
    if (!this.#connected) {
      const detail = `the car did not come back within ${graceMs} ms`;
      return this.#finish({ reason: 'disconnected', by: 'car', detail }, at);
    }
    const detail = `${this.unpaid} units were unpaid for ${unpaidMs} ms`;
    return this.#finish({ reason: 'unpaid', by: 'charger', detail }, at);
  }

  /** The car did what it must not. */
  #fault(reason: EndReason, detail: string, at: ChargerMoment): readonly ChargerAction[] {
    const end: SessionEnd = { reason, by: 'charger', detail: clip(detail) };
    if (this.#phase === 'charging') return this.#finish(end, at);
    // What went wrong first is why it ended.
    const first = this.#closing;
    return this.#end(first !== undefined && !ORDERLY.includes(first.reason) ? first : end);
  }

  /** Stops for good, makes the last reading and waits for what is due. */
  #finish(end: SessionEnd, at: ChargerMoment): readonly ChargerAction[] {
    if (this.#phase === 'new' || this.#phase === 'offered') return this.#end(end);
    if (this.#phase !== 'charging') return [];
    const chain = this.#chain!;
    const last = chain.last!;
    const first = chain.readings[0]!.meterWh;
    const ms = Math.min(SESSION_MS_MAX, Math.max(last.ms, this.#billedMs(at)));
    // A meter that fell, or is no number, is not believed: the last good reading stands.
    const shown = Number.isSafeInteger(at.meterWh) ? Math.max(at.meterWh, last.meterWh) : last.meterWh;
    const meterWh = Math.min(shown, first + SESSION_WH_MAX, METER_WH_MAX);
    this.#interrupt(at);
    this.#phase = 'settling';
    this.#closing = end;
    this.#deadlineMs = at.nowMs + this.#options.settleMs;
    return [{ type: 'halt' }, ...this.#read(meterWh, ms, end), ...this.#settled()];
  }

  /** Ends when all is paid; a payment may be under way whose car has left, so that only time tells that it is not. */
  #settled(): readonly ChargerAction[] {
    return this.unpaid === 0 ? this.#end(this.#closing!) : [];
  }

  #abandon(): readonly ChargerAction[] {
    if (!ORDERLY.includes(this.#closing!.reason)) return this.#end(this.#closing!);
    const missing = `${this.unpaid} of ${this.#chain!.due} units were not paid`;
    return this.#end({ reason: 'unpaid', by: 'car', detail: missing });
  }

  #end(end: SessionEnd): readonly ChargerAction[] {
    this.#phase = 'ended';
    this.#ended = end;
    this.#deadlineMs = undefined;
    return [{ type: 'end' }];
  }
}
