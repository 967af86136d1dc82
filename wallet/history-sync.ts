/**
 * The account's history from several nodes: what verifies is taken, whoever told it, and what one node keeps back another
 * one tells. For each link: subscribe first, so that nothing falls between, then read pages, then read on now and then.
 */
import { decodePayment, type Genesis, isRefusal, KnownHeaders, type PaymentId } from '../ledger/index.ts';
import type { HistoryEntry, LightLink, LightPush, Log } from '../p2p/index.ts';
import type { AccountKeeper } from './account-keeper.ts';
import { type Alarms, Bell } from './alarms.ts';
import type { NodeLinks } from './node-links.ts';
import type { OutcomeWatch } from './outcome-watch.ts';
import type { RestoreGuard } from './restore-guard.ts';
import { concerns, type VerifiedPayment, verifyClaim } from './verified-payment.ts';

export interface HistorySyncOptions {
  /** Entries asked for at a time. */
  readonly historyPageEntries: number;
  /** Pushed proofs of one link that wait to be verified; beyond it they are left to the next reading. */
  readonly pushesMax: number;
  /** A link's history is read on after this time even when nothing was pushed. */
  readonly historyReadMs: number;
  /** The same when a node has spoken of something that may be news. */
  readonly historyHurryMs: number;
  /** Between two questions for a balance proof, while one is needed that no node has. */
  readonly balanceAskMs: number;
}

export interface HistorySyncDeps {
  readonly keeper: AccountKeeper;
  readonly links: NodeLinks;
  readonly guard: RestoreGuard;
  readonly outcomes: Pick<OutcomeWatch, 'rebase'>;
  readonly alarms: Alarms;
  readonly log: Log;
  nowMs(): number;
  /** What a node says of a payment: a claim. */
  onStatus(link: LightLink, event: Extract<LightPush, { type: 'status' }>): void;
}

interface Follower {
  readonly bell: Bell;
  readonly pushed: HistoryEntry[];
  ended: boolean;
  /** When the history is read on. */
  readAtMs: number;
  /** Read from the beginning once more: what the node knows does not fit to what it has told. */
  reread: 'never' | 'wanted' | 'done';
  /** The node has left something out that it had once: a proven balance is to stand for it. */
  doubt: boolean;
  /** Readings in a row after which the node still spoke of more than it had told. Once may be a matter of timing. */
  strange: number;
}

/** `history` tells what comes after an index, and indices begin at 0. */
const BEGINNING = -1;

/** A node said what no correct node says. */
class Lie extends Error {}

export class HistorySync {
  readonly #genesis: Genesis;
  readonly #headers = new KnownHeaders();
  readonly #options: HistorySyncOptions;
  readonly #deps: HistorySyncDeps;
  readonly #followers = new Map<LightLink, Follower>();

  constructor(genesis: Genesis, options: HistorySyncOptions, deps: HistorySyncDeps) {
    this.#genesis = genesis;
    this.#options = options;
    this.#deps = deps;
  }

  /** Follows a link until it ends. */
  async follow(link: LightLink): Promise<void> {
    const { alarms, links, keeper } = this.#deps;
    const follower: Follower = {
      bell: new Bell(alarms),
      pushed: [],
      ended: false,
      readAtMs: 0,
      reread: 'never',
      doubt: false,
      strange: 0,
    };
    this.#followers.set(link, follower);
    link.closed.then(() => this.#end(link, follower));
    link.onPush((event) => this.#push(link, follower, event));
    try {
      await links.ask(link, () => link.subscribe([keeper.address]));
      while (!follower.ended && !alarms.disposed) {
        await this.#takePushed(follower);
        if (this.#deps.nowMs() >= follower.readAtMs) {
          follower.readAtMs = this.#deps.nowMs() + this.#options.historyReadMs;
          await this.#read(link, follower);
        }
        await follower.bell.sleep(Math.max(0, follower.readAtMs - this.#deps.nowMs()));
      }
    } catch (error) {
      if (error instanceof Lie) links.distrust(link, error.message);
      else if (!alarms.disposed) {
        this.#deps.log.warn({ node: link.address, error: String(error) }, 'the history could not be read');
        links.drop(link, String(error));
      }
    } finally {
      this.#followers.delete(link);
      follower.bell[Symbol.dispose]();
    }
  }

  /**
   * Reads on at one node soon, because it speaks of something that may be news.
   * @param doubt The balance itself is in doubt.
   */
  hurry(link: LightLink, doubt = false): void {
    const follower = this.#followers.get(link);
    if (follower === undefined) return;
    follower.doubt ||= doubt;
    follower.readAtMs = Math.min(follower.readAtMs, this.#deps.nowMs() + this.#options.historyHurryMs);
    follower.bell.ring();
  }

  #end(link: LightLink, follower: Follower): void {
    follower.ended = true;
    follower.bell.ring();
    this.#deps.links.drop(link, 'the link has ended');
  }

  #push(link: LightLink, follower: Follower, event: LightPush): void {
    if (follower.ended) return;
    if (event.type === 'status') {
      this.#deps.onStatus(link, event);
      return;
    }
    // What does not fit is in the node's history all the same.
    if (follower.pushed.length < this.#options.pushesMax) follower.pushed.push(event.entry);
    else this.hurry(link);
    follower.bell.ring();
  }

  async #takePushed(follower: Follower): Promise<void> {
    const entries = follower.pushed.splice(0);
    await this.#deps.keeper.absorb(entries.flatMap((entry) => this.#verify(entry)));
  }

  /** The entry when it is news; throws a Lie when it is none. */
  #verify(entry: HistoryEntry): VerifiedPayment[] {
    const { keeper } = this.#deps;
    const payment = decodePayment(entry.payment, this.#genesis.network);
    if (!isRefusal(payment) && keeper.book.knows(payment.id)) return [];
    const verdict = verifyClaim(this.#genesis, entry, this.#deps.nowMs(), this.#headers);
    if ('problem' in verdict) throw new Lie(verdict.problem);
    if (!concerns(verdict.verified.payment, keeper.address)) {
      throw new Lie(`payment ${verdict.verified.payment.id} has nothing to do with this account`);
    }
    return [verdict.verified];
  }

  async #read(link: LightLink, follower: Follower): Promise<void> {
    const { keeper, links, guard } = this.#deps;
    const fromStart = follower.reread === 'wanted';
    if (fromStart) follower.reread = 'done';
    const before = fromStart ? BEGINNING : (keeper.cursor(link.address) ?? BEGINNING);
    const after = await this.#readPages(link, follower, before);
    if (after > before) await keeper.keepCursors({ [link.address]: after });
    const view = await links.ask(link, () => link.account(keeper.address));
    // A node whose numbering has begun anew, or that had lost something, tells it when asked from the beginning.
    const behind = view.finalSequence > keeper.book.tip.sequence || keeper.book.problem !== undefined;
    if (behind && before > BEGINNING && follower.reread === 'never') {
      follower.reread = 'wanted';
      return this.#read(link, follower);
    }
    const { settledSequence, verifiedBalance, uncertain } = keeper.book;
    // While the own payments are the same, only credits can make the difference.
    const differs = view.finalSequence === settledSequence && view.balance !== verifiedBalance;
    follower.strange = differs || view.finalSequence > settledSequence ? follower.strange + 1 : 0;
    if (follower.strange > 1 && before > BEGINNING && follower.reread === 'never') {
      follower.reread = 'wanted';
      return this.#read(link, follower);
    }
    if (follower.doubt || uncertain > 0 || follower.strange > 1) await this.#rebase(link, follower);
    else if (follower.strange === 1) this.#soon(follower);
    guard.claimed(link.address, view.sequence);
    guard.heard(link.address);
    links.praise(link);
  }

  /** Has what is missing replaced by a proven balance; soon again when this node cannot do that yet. */
  async #rebase(link: LightLink, follower: Follower): Promise<void> {
    const { keeper, outcomes } = this.#deps;
    const whole = await outcomes.rebase(link);
    follower.doubt &&= !whole;
    if (!whole || keeper.book.problem !== undefined) this.#soon(follower);
  }

  #soon(follower: Follower): void {
    follower.readAtMs = Math.min(follower.readAtMs, this.#deps.nowMs() + this.#options.balanceAskMs);
  }

  async #readPages(link: LightLink, follower: Follower, from: number): Promise<number> {
    const { keeper, links } = this.#deps;
    const told = new Set<PaymentId>();
    let after = from;
    while (!follower.ended) {
      const page = await links.ask(link, () =>
        link.history(keeper.address, after, this.#options.historyPageEntries),
      );
      if (page.length === 0) break;
      if (page.length > this.#options.historyPageEntries) throw new Lie(`${page.length} entries in one page`);
      const news: VerifiedPayment[] = [];
      for (const entry of page) {
        if (!Number.isSafeInteger(entry.index) || entry.index <= after)
          throw new Lie('entries are not ascending');
        // Forgotten at this node, so perhaps at all of them.
        follower.doubt ||= entry.index > after + 1;
        after = entry.index;
        const payment = decodePayment(entry.payment, this.#genesis.network);
        if (isRefusal(payment)) throw new Lie(JSON.stringify(payment));
        // So the pages of a node that repeats itself come to an end.
        if (told.has(payment.id)) throw new Lie(`payment ${payment.id} stands twice in the history`);
        told.add(payment.id);
        news.push(...this.#verify(entry));
      }
      await keeper.absorb(news);
    }
    return after;
  }
}
