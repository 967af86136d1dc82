/** Cars and chargers that say what a test wants, with true signatures unless told otherwise. */
import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import type { FramedStream } from '../../p2p/index.ts';
import { ReadingChain } from '../../wallet/session-chain.ts';
import { decodeSessionMessage } from '../../wallet/session-decoder.ts';
import type {
  Accept,
  Offer,
  OfferedTerms,
  Reading,
  SessionMessage,
  SessionMode,
} from '../../wallet/session-messages.ts';
import { addressOfParty, agreement, sessionMemo, statement } from '../../wallet/session-terms.ts';
import { amountDue } from '../../wallet/tariff.ts';
import { type Play, START_MS, TARIFF } from './session-play.ts';
import type { TestWallet } from './session-world.ts';

class Puppet {
  readonly play: Play;
  readonly stream: FramedStream;
  readonly #messages: AsyncIterator<unknown>;
  /** Everything heard. */
  readonly heard: SessionMessage[] = [];

  constructor(play: Play, stream: FramedStream) {
    this.play = play;
    this.stream = stream;
    this.#messages = stream.receive()[Symbol.asyncIterator]();
  }

  say(message: unknown): Promise<void> {
    return this.stream.send(message);
  }

  /** The next message, which must be of this type; undefined type = whatever comes. Undefined at the end. */
  async hear<T extends SessionMessage['type']>(
    type?: T,
  ): Promise<(SessionMessage & { type: T }) | undefined> {
    const { done, value } = await this.#messages.next();
    if (done) return undefined;
    const message = decodeSessionMessage(value) as SessionMessage;
    this.heard.push(message);
    if (type !== undefined) assert.equal(message.type, type);
    return message as SessionMessage & { type: T };
  }

  /** Listens to the end. */
  async hearAll(): Promise<void> {
    try {
      while ((await this.hear()) !== undefined);
    } catch {
      // A line that breaks has an end too.
    }
  }

  sleep(ms: number): Promise<void> {
    return this.play.time.sleep(ms, new AbortController().signal);
  }
}

export class PuppetCharger extends Puppet {
  chain!: ReadingChain;
  offered!: OfferedTerms;

  async offer(more: Partial<Offer> = {}): Promise<void> {
    const { scheme, publicKey } = this.play.charger.signer;
    const { modes, unpaidMax, creditMax, stepWh, stepMs } = this.play.chargerOptions();
    const terms = {
      session: 'ab'.repeat(16),
      charger: { scheme, publicKey },
      tariff: TARIFF,
      unpaidMax,
      creditMax,
      stepWh,
      stepMs,
      startedAtMs: START_MS,
    };
    const offer: Offer = { type: 'offer', version: 1, modes, ...terms, ...more };
    this.offered = offer;
    await this.say(offer);
  }

  /** Offers, and takes the car's acceptance. */
  async agree(more: Partial<Offer> = {}): Promise<Accept> {
    await this.offer(more);
    const accept = (await this.hear('accept'))!;
    const { car, mode, energyWantedWh } = accept;
    const { session, charger, tariff, unpaidMax, creditMax, stepWh, stepMs, startedAtMs } = this.offered;
    const terms = { session, charger, tariff, unpaidMax, creditMax, stepWh, stepMs, startedAtMs };
    this.chain = new ReadingChain(this.play.genesis.network, { ...terms, car, mode, energyWantedWh });
    return accept;
  }

  /** A signed reading, right in all that `more` does not say. */
  async reading(
    wh: number,
    ms: number,
    more: Partial<Reading> & { signature?: Uint8Array; end?: boolean } = {},
  ) {
    const { end = false, signature, ...other } = more;
    const first = this.chain.readings[0]?.meterWh ?? 5000;
    const due = amountDue(this.offered.tariff, Math.max(0, wh), ms);
    const reading = { seq: this.chain.readings.length, meterWh: first + wh, ms, due, ...other };
    const head = this.chain.headOf(reading);
    const { network } = this.play.genesis;
    const signed = signature ?? (await this.play.charger.signer.sign(statement(network, head, end)));
    this.chain.add(reading);
    const ending = end ? { type: 'end', reason: 'full', detail: '' } : { type: 'tick' };
    await this.say({ ...ending, ...reading, signature: signed });
  }

  /** What the car's own meter shows. */
  ownWh = 777;

  /** A reading at its time, when the car has seen `seen` Wh. */
  async honest(wh: number, ms: number, seen = wh, end = false): Promise<void> {
    await this.sleep(ms - (this.chain.last?.ms ?? 0));
    this.ownWh = 777 + seen;
    await this.reading(wh, ms, { end });
  }
}

export class PuppetCar extends Puppet {
  chain!: ReadingChain;
  cumulative = 0;

  /** Takes the offer, and reading 0. */
  async agree(mode: SessionMode = 'stream', more: Partial<Accept> = {}): Promise<void> {
    const offer = (await this.hear('offer'))!;
    const { session, charger, tariff, unpaidMax, creditMax, stepWh, stepMs, startedAtMs } = offer;
    const { scheme, publicKey } = this.play.car.signer;
    const terms = { session, charger, tariff, unpaidMax, creditMax, stepWh, stepMs, startedAtMs };
    const accepted = { car: { scheme, publicKey }, mode, energyWantedWh: 0 };
    const { network } = this.play.genesis;
    this.chain = new ReadingChain(network, { ...terms, ...accepted });
    const signature = await this.play.car.signer.sign(agreement(network, this.chain.termsHash));
    await this.say({ type: 'accept', ...accepted, signature, ...more });
  }

  /** The next reading. */
  async reading(): Promise<Reading> {
    const message = (await this.hear()) as SessionMessage;
    assert.ok(message.type === 'tick' || message.type === 'end', message.type);
    this.chain.add(message);
    return message;
  }

  /** Says that a payment was made. */
  async tell(payment: string, bytes: Uint8Array, amount: number, cumulative = this.cumulative + amount) {
    this.cumulative = cumulative;
    await this.say({ type: 'paid', payment, bytes, cumulative });
  }

  /** Pays `amount` for the latest reading, truly but for what `more` says, and tells the charger. */
  async pay(
    amount: number,
    more: { to?: string; memo?: Uint8Array; wallet?: TestWallet; cumulative?: number; silent?: boolean } = {},
  ) {
    const { chain } = this;
    const to = (more.to ?? addressOfParty(chain.terms.charger)) as never;
    const memo = more.memo ?? sessionMemo(chain.terms.session, chain.last!.seq, chain.head);
    const sent = await (more.wallet ?? this.play.car).pay([{ to, amount: amount as Units }], memo);
    sent.final.catch(() => {});
    if (more.silent !== true) await this.tell(sent.id, sent.bytes, amount, more.cumulative);
    return sent;
  }
}
