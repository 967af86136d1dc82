/**
 * The car's side of a session as a state machine: events in, actions out; no clock, no chance, no network. What it holds
 * to, against any charger:
 *
 *   It pays for a reading only when the charger has signed it, it follows from the tariff to the unit, it neither falls
 *   back nor jumps, and the car's own meter has seen the energy. It never pays more than its policy allows, and asks the
 *   charger to stop while it can still pay for what is under way. When something is wrong it stops paying and says so.
 */
import type { Units } from '../ledger/index.ts';
import { judgeOffer, reserveOf } from './policy.ts';
import type { CarAction, CarEvent, CarMoment, CarSessionOptions } from './session-car-events.ts';
import { ReadingChain } from './session-chain.ts';
import { clip } from './session-decoder.ts';
import { type CarView, tickProblem } from './session-doubt.ts';
import type { End, EndReason, Offer, Paid, SessionEnd, SessionMessage, Tick } from './session-messages.ts';
import { addressOfParty, agreement, resuming, sessionMemo } from './session-terms.ts';

/** `lost`: the line broke and a new one is looked for. */
type Phase = 'waiting' | 'charging' | 'lost' | 'ended';

export class CarSession {
  readonly #options: CarSessionOptions;
  #phase: Phase = 'waiting';
  #chain: ReadingChain | undefined;
  /** What the car saw at reading 0. */
  #start: CarView = { ownWh: 0, paceMs: 0 };
  /** Most units that the session may cost, by what the car had when it accepted. */
  #unitsMax = 0;
  #reserve = 0;
  #word: { readonly signature: Uint8Array; readonly final: boolean } | undefined;
  /** A payment is being made. */
  #paying = false;
  /** Asked for, whether or not it is on its way yet. */
  #committed = 0;
  #sent: Paid[] = [];
  #counted = 0;
  /** The car has asked the charger to stop. */
  #stopping: SessionEnd | undefined;
  /** The charger has made its last reading. */
  #closing: SessionEnd | undefined;
  #ended: SessionEnd | undefined;
  #deadlineMs: number | undefined;
  /** The line broke, and the charger must have come forward by then. */
  #graceUntilMs: number | undefined;

  constructor(options: CarSessionOptions, nowMs: number) {
    this.#options = options;
    this.#deadlineMs = nowMs + options.silenceMs;
  }

  /** When to come back with a `deadline`. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  /** Undefined while the session runs. */
  get ended(): SessionEnd | undefined {
    return this.#ended;
  }

  /** Undefined until the car has accepted. */
  get chain(): ReadingChain | undefined {
    return this.#chain;
  }

  /** The charger's signature on the latest reading. */
  get word(): { readonly signature: Uint8Array; readonly final: boolean } | undefined {
    return this.#word;
  }

  /** Units that the car has set out to pay. */
  get committed(): Units {
    return this.#committed as Units;
  }

  step(event: CarEvent, at: CarMoment): readonly CarAction[] {
    if (this.#phase === 'ended') return [];
    switch (event.type) {
      case 'message':
        return this.#message(event.message, at);
      case 'queued':
        return this.#queued(event, at);
      case 'malformed':
        return this.#leave('protocol', event.detail);
      case 'payFailed':
        return this.#leave('payment_failed', event.detail);
      case 'dead':
        return this.#leave('payment_dead', event.detail);
      case 'closed':
        return this.#lose(event.detail, at);
      case 'stop':
        return this.#chain === undefined
          ? this.#leave('stopped_by_car', event.detail)
          : this.#askToStop('stopped_by_car', event.detail, at);
      case 'deadline':
        return this.#deadline(at);
    }
  }

  #message(message: SessionMessage, at: CarMoment): readonly CarAction[] {
    if (message.type === 'offer') {
      if (this.#phase === 'waiting' && this.#chain === undefined) return this.#offer(message, at);
      if (this.#phase === 'lost') return this.#goOn(message);
    } else if (this.#phase === 'charging') {
      if (message.type === 'tick' || message.type === 'end') return this.#reading(message, at);
      if (message.type === 'counted') return this.#countedUp(message.cumulative, at);
    }
    return this.#leave('protocol', `${message.type} came out of turn`);
  }

  #offer(offer: Offer, at: CarMoment): readonly CarAction[] {
    const { policy, charger, car, network, energyWantedWh, silenceMs } = this.#options;
    if (addressOfParty(offer.charger) === addressOfParty(car)) {
      return this.#decline('the charger asks to be paid to the account of the car');
    }
    const judgement = judgeOffer(policy, offer, at, charger);
    if (!judgement.accepted) return this.#decline(judgement.detail);
    const { mode } = judgement;
    const { session, tariff, unpaidMax, creditMax, stepWh, stepMs, startedAtMs } = offer;
    const parties = {
      charger: { ...offer.charger, publicKey: offer.charger.publicKey.slice() },
      car: { scheme: car.scheme, publicKey: car.publicKey },
    };
    const steps = { unpaidMax, creditMax, stepWh, stepMs, startedAtMs };
    this.#chain = new ReadingChain(network, { session, ...parties, tariff, ...steps, mode, energyWantedWh });
    this.#unitsMax = Math.min(policy.unitsPerSessionMax, at.dayLeft, at.balance);
    this.#reserve = reserveOf(offer, mode);
    this.#phase = 'charging';
    this.#deadlineMs = at.nowMs + silenceMs;
    const message = { type: 'accept', car: parties.car, mode, energyWantedWh } as const;
    return [{ type: 'signAndSend', message, sign: agreement(network, this.#chain.termsHash) }];
  }

  #decline(detail: string): readonly CarAction[] {
    this.#end({ reason: 'declined', by: 'car', detail: clip(detail) });
    return [{ type: 'send', message: { type: 'decline', detail: clip(detail) } }, { type: 'end' }];
  }

  #reading(message: Tick | End, at: CarMoment): readonly CarAction[] {
    const chain = this.#chain!;
    const { last } = chain;
    const final = message.type === 'end';
    // What was said last is said again on a new line.
    if (last !== undefined && message.seq === last.seq && final === this.#word?.final) {
      const same = message.meterWh === last.meterWh && message.ms === last.ms && message.due === last.due;
      if (!same) return this.#leave('reading_wrong', `reading ${message.seq} came twice and differs`);
      if (this.#graceUntilMs !== undefined) this.#progress(at);
      return [];
    }
    if (this.#closing !== undefined) return this.#leave('protocol', 'a reading came after the last one');
    if (last === undefined) this.#start = { ownWh: at.ownWh, paceMs: at.paceMs };
    const problem = tickProblem(chain, message, final, this.#options.policy, this.#start, at);
    if (problem !== undefined) return this.#leave(problem.reason, problem.detail);
    chain.add(message);
    this.#word = { signature: message.signature.slice(), final };
    if (message.type === 'end') {
      this.#closing = { reason: message.reason, by: 'charger', detail: message.detail };
    }
    if (this.#stopping === undefined || final || this.#graceUntilMs !== undefined) this.#progress(at);
    return this.#pay(at);
  }

  #progress(at: CarMoment): void {
    this.#graceUntilMs = undefined;
    this.#deadlineMs = at.nowMs + this.#options.silenceMs;
  }

  /** Pays what is due when it is time to, asks to stop when the means come to an end, and ends when all is counted. */
  #pay(at: CarMoment): readonly CarAction[] {
    const chain = this.#chain!;
    const final = this.#closing !== undefined;
    const { energyWantedWh } = chain.terms;
    if (!final && energyWantedWh > 0 && chain.energyWh >= energyWantedWh) {
      return this.#askToStop(
        'energy_reached',
        `${chain.energyWh} of ${energyWantedWh} Wh were delivered`,
        at,
      );
    }
    if (!final && chain.due + this.#reserve > this.#unitsMax) {
      const detail = `${chain.due} units are due, ${this.#reserve} may follow, and ${this.#unitsMax} are allowed`;
      return this.#askToStop('budget_spent', detail, at);
    }
    if (this.#paying || (!final && (chain.terms.mode === 'settle' || this.#stopping !== undefined)))
      return [];
    const wanted = chain.due - this.#committed;
    if (wanted === 0) return this.#complete();
    const session = this.#options.policy.unitsPerSessionMax - this.#committed;
    const left = Math.min(session, at.dayLeft, at.balance);
    const short = `${wanted} units are wanted; left: session ${session}, day ${at.dayLeft}, balance ${at.balance}`;
    if (wanted > left && !final) return this.#askToStop('budget_spent', short, at);
    if (left <= 0) return this.#leave('budget_spent', short);
    const amount = Math.min(wanted, left) as Units;
    this.#paying = true;
    this.#committed += amount;
    const to = addressOfParty(chain.terms.charger);
    return [{ type: 'pay', to, amount, memo: sessionMemo(chain.terms.session, chain.last!.seq, chain.head) }];
  }

  #queued(event: CarEvent & { type: 'queued' }, at: CarMoment): readonly CarAction[] {
    this.#paying = false;
    const { payment, bytes } = event;
    const paid = { type: 'paid', payment, bytes, cumulative: this.committed } as const;
    this.#sent.push(paid);
    const more = this.#phase === 'charging' ? this.#pay(at) : [];
    return this.#phase === 'lost' ? more : [{ type: 'send', message: paid }, ...more];
  }

  #countedUp(cumulative: Units, at: CarMoment): readonly CarAction[] {
    if (cumulative < this.#counted || cumulative > this.#committed) {
      const detail = `${cumulative} units counted, ${this.#counted} before, ${this.#committed} paid`;
      return this.#leave('protocol', detail);
    }
    if (cumulative > this.#counted && this.#stopping === undefined) this.#progress(at);
    this.#counted = cumulative;
    this.#sent = this.#sent.filter((paid) => paid.cumulative > cumulative);
    return this.#complete();
  }

  get #allPaid(): boolean {
    return this.#closing !== undefined && !this.#paying && this.#committed >= this.#chain!.due;
  }

  #complete(): readonly CarAction[] {
    if (this.#closing === undefined || this.#counted < this.#chain!.due) return [];
    return this.#end(this.#stopping ?? this.#closing);
  }

  #askToStop(reason: EndReason, detail: string, at: CarMoment): readonly CarAction[] {
    if (this.#stopping !== undefined || this.#closing !== undefined) return [];
    this.#stopping = { reason, by: 'car', detail: clip(detail) };
    // Readings that come from now on do not put this off.
    this.#deadlineMs = at.nowMs + this.#options.silenceMs;
    if (this.#phase === 'lost') return [];
    return [{ type: 'send', message: { type: 'stop', reason, detail: clip(detail) } }];
  }

  #lose(detail: string, at: CarMoment): readonly CarAction[] {
    const { graceMs } = this.#options;
    // When all is paid there is nothing to come back for but the charger's word, and one that hangs up twice gives none.
    const again = this.#graceUntilMs !== undefined || graceMs === 0;
    if (again && this.#allPaid) return this.#end(this.#stopping ?? this.#closing!);
    if (this.#phase === 'lost') return [{ type: 'reopen' }];
    if (graceMs === 0 || this.#word === undefined) {
      return this.#end({ reason: 'disconnected', by: 'charger', detail: clip(detail) });
    }
    this.#phase = 'lost';
    // A line that breaks again before the charger has said anything gets no new grace.
    this.#graceUntilMs ??= at.nowMs + graceMs;
    this.#deadlineMs = this.#graceUntilMs;
    return [{ type: 'reopen' }];
  }

  /** A new line: the same charger gives the same session its latest reading again, and hears again what was paid. */
  #goOn(offer: Offer): readonly CarAction[] {
    const { network } = this.#options;
    const { terms } = this.#chain!;
    if (addressOfParty(offer.charger) !== addressOfParty(terms.charger)) {
      return this.#leave('disconnected', 'another charger answered');
    }
    this.#phase = 'charging';
    const message = { type: 'resume', session: terms.session } as const;
    const again: SessionMessage[] = [...this.#sent];
    if (this.#stopping !== undefined) {
      again.push({ type: 'stop', reason: this.#stopping.reason, detail: this.#stopping.detail });
    }
    return [
      { type: 'signAndSend', message, sign: resuming(network, terms.session, offer.session) },
      ...again.map((said) => ({ type: 'send' as const, message: said })),
    ];
  }

  #deadline(at: CarMoment): readonly CarAction[] {
    if (this.#deadlineMs === undefined || at.nowMs < this.#deadlineMs) return [];
    if (this.#graceUntilMs !== undefined) {
      return this.#leave(
        'disconnected',
        `the charger was not reached again within ${this.#options.graceMs} ms`,
      );
    }
    return this.#leave('silent', `nothing new came for ${this.#options.silenceMs} ms`);
  }

  /** Goes at once, with a word: nothing more is paid. */
  #leave(reason: EndReason, detail: string): readonly CarAction[] {
    const words: CarAction[] =
      this.#phase === 'lost'
        ? []
        : [{ type: 'send', message: { type: 'stop', reason, detail: clip(detail) } }];
    return [...words, ...this.#end({ reason, by: 'car', detail: clip(detail) })];
  }

  #end(end: SessionEnd): readonly CarAction[] {
    this.#phase = 'ended';
    this.#ended = end;
    this.#deadlineMs = undefined;
    return [{ type: 'end' }];
  }
}
