/**
 * Links to a few of the configured nodes at a time. A node that dies is followed by the next one, a node that lies is left
 * alone for long; nobody is given up for ever, and waiting grows with failures up to a bound.
 */
import type { LightLink, LightPeers, Log } from '../p2p/index.ts';
import type { Alarms } from './alarms.ts';
import { WalletError } from './wallet-error.ts';

export interface NodeLinksOptions {
  /** Multiaddrs of nodes, best first. */
  readonly nodes: readonly string[];
  /** Links kept at the same time. */
  readonly linksMax: number;
  /** Longest wait for a dial or for one answer, whatever the link itself promises. */
  readonly requestTimeoutMs: number;
  /** Wait after the first failure of a node; doubles with each one in a row. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** How long a node is left alone that sent what no correct node sends. */
  readonly distrustMs: number;
}

export interface NodeLinksDeps {
  readonly peers: Pick<LightPeers, 'connect'>;
  readonly log: Log;
  readonly alarms: Alarms;
  nowMs(): number;
  /** A link has come up; the links call this before they use it for anything else. */
  onUp(link: LightLink): void;
}

type Phase = 'idle' | 'dialling' | 'up';

interface NodeRecord {
  readonly address: string;
  readonly place: number;
  phase: Phase;
  failures: number;
  /** Not dialled before. */
  notBeforeMs: number;
  link: LightLink | undefined;
  lastError: string | undefined;
}

export interface NodeLinkView {
  readonly address: string;
  readonly connected: boolean;
  readonly failures: number;
  readonly lastError: string | undefined;
}

export class NodeLinks implements AsyncDisposable {
  readonly #options: NodeLinksOptions;
  readonly #deps: NodeLinksDeps;
  readonly #nodes: NodeRecord[];
  readonly #ending = new Set<Promise<unknown>>();
  #cancelRetry: () => void = () => {};
  #disposed = false;

  constructor(options: NodeLinksOptions, deps: NodeLinksDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#nodes = [...new Set(options.nodes)].map((address, place) => ({
      address,
      place,
      phase: 'idle',
      failures: 0,
      notBeforeMs: 0,
      link: undefined,
      lastError: undefined,
    }));
  }

  start(): void {
    this.#fill();
  }

  get views(): readonly NodeLinkView[] {
    return this.#nodes.map(({ address, phase, failures, lastError }) => {
      return { address, connected: phase === 'up', failures, lastError };
    });
  }

  /**
   * The links that are up, beginning with another one for each `turn`. Whoever asks counts his own turns: with one count
   * for all, two who ask in step would each meet one node only.
   */
  rotation(turn: number): readonly LightLink[] {
    const up = this.#nodes.flatMap(({ link }) => (link === undefined ? [] : [link]));
    if (up.length === 0) return up;
    const first = turn % up.length;
    return [...up.slice(first), ...up.slice(0, first)];
  }

  /**
   * Asks one node. A node that does not answer in time is dropped, one that answers nonsense distrusted; the error goes
   * on to the caller, who asks the next one.
   */
  async ask<T>(link: LightLink, request: (link: LightLink) => Promise<T>): Promise<T> {
    try {
      const late = () => answerTimeout(link.address);
      return await this.#deps.alarms.deadline(request(link), this.#options.requestTimeoutMs, late);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'bad_reply') this.distrust(link, String(error));
      else if (code !== 'refused' && code !== 'too_busy') this.drop(link, String(error));
      throw error;
    }
  }

  /** The node sent what no correct node sends: the link ends, and the node is left alone for `distrustMs`. */
  distrust(link: LightLink, why: string): void {
    const node = this.#nodes.find((candidate) => candidate.link === link);
    if (node === undefined) return;
    this.#deps.log.warn({ node: node.address, why }, 'a node sent what no correct node sends; moving on');
    node.lastError = why;
    this.#lose(node, link, this.#options.distrustMs);
  }

  /** The node does not answer: the link ends, and another one's turn comes. */
  drop(link: LightLink, why: string): void {
    const node = this.#nodes.find((candidate) => candidate.link === link);
    if (node === undefined) return;
    node.lastError = why;
    this.#lose(node, link, 0);
  }

  #lose(node: NodeRecord, link: LightLink, atLeastMs: number): void {
    if (node.link !== link) return;
    node.link = undefined;
    this.#rest(node, atLeastMs);
    this.#end(link);
    this.#fill();
  }

  #rest(node: NodeRecord, atLeastMs: number): void {
    const { backoffMinMs, backoffMaxMs } = this.#options;
    node.phase = 'idle';
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(node.failures, 30));
    node.failures++;
    node.notBeforeMs = this.#deps.nowMs() + Math.max(backoffMs, atLeastMs);
  }

  #end(link: LightLink): void {
    const ending = Promise.resolve(link[Symbol.asyncDispose]()).catch(() => {});
    this.#ending.add(ending);
    ending.finally(() => this.#ending.delete(ending));
  }

  /** Dials until as many links are up or being dialled as there should be; waits for the next node when all rest. */
  #fill(): void {
    this.#cancelRetry();
    if (this.#disposed) return;
    const now = this.#deps.nowMs();
    for (;;) {
      const busy = this.#nodes.filter((node) => node.phase !== 'idle').length;
      if (busy >= this.#options.linksMax) return;
      const idle = this.#nodes.filter((node) => node.phase === 'idle');
      if (idle.length === 0) return;
      idle.sort((a, b) => a.notBeforeMs - b.notBeforeMs || a.place - b.place);
      const next = idle[0]!;
      if (next.notBeforeMs > now) {
        this.#cancelRetry = this.#deps.alarms.after(next.notBeforeMs - now, () => this.#fill());
        return;
      }
      next.phase = 'dialling';
      void this.#dial(next);
    }
  }

  async #dial(node: NodeRecord): Promise<void> {
    const { requestTimeoutMs } = this.#options;
    const dialled = this.#deps.peers.connect(node.address);
    let link: LightLink;
    try {
      link = await this.#deps.alarms.deadline(dialled, requestTimeoutMs, () => dialTimeout(node.address));
    } catch (error) {
      // A link that comes after its deadline, or after we are gone, is nobody's.
      dialled.then((late) => this.#end(late)).catch(() => {});
      if (this.#disposed) return;
      node.lastError = String(error);
      // Once is news; a node that is away for a day is not.
      const data = { node: node.address, error: String(error) };
      if (node.failures === 0) this.#deps.log.info(data, 'no link to this node');
      else this.#deps.log.debug(data, 'still no link to this node');
      this.#rest(node, 0);
      this.#fill();
      return;
    }
    if (this.#disposed) return this.#end(link);
    node.phase = 'up';
    node.link = link;
    node.lastError = undefined;
    link.closed.then(() => this.#lose(node, link, 0));
    this.#deps.onUp(link);
  }

  /** A node that has answered honestly begins its waits from the least again. */
  praise(link: LightLink): void {
    const node = this.#nodes.find((candidate) => candidate.link === link);
    if (node !== undefined) node.failures = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#cancelRetry();
    for (const node of this.#nodes) {
      if (node.link !== undefined) this.#end(node.link);
      node.link = undefined;
      node.phase = 'idle';
    }
    await Promise.all(this.#ending);
  }
}

function answerTimeout(address: string): WalletError {
  return new WalletError('timeout', `${address} did not answer a request in time. Another node is asked.`);
}

function dialTimeout(address: string): WalletError {
  return new WalletError('timeout', `${address} did not answer in time. Another node is tried.`);
}
