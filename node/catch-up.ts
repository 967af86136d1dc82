/**
 * Learning what one has missed: windows of the tangle from one peer at a time, parents before children, each checked like
 * anything else that a peer sends. One catching-up runs at a time, whoever asks for it.
 */
import type { Refusal, Round } from '../ledger/index.ts';
import type { Log, Peers, SinceRequest, Verdict } from '../p2p/index.ts';
import { CATCH_UP_MARGIN_ROUNDS } from './limits.ts';

export interface CatchUpDeps {
  readonly log: Log;
  readonly peers: Pick<Peers, 'since' | 'list' | 'penalise'>;
  /** Checks and attaches vertices that were asked for; one verdict for each. */
  take(vertices: readonly Uint8Array[], from: string): Promise<readonly Verdict[]>;
  /** The greatest round with a quorum here. */
  round(): Promise<Round>;
  /** A peer has forgotten what this node would need of it: all below a round. */
  behind?(peer: string, floor: Round): void;
}

/** Windows between two lines about progress: 8 MiB. */
const REPORT_WINDOWS = 8;

/** A refusal after which the rest of a window, and those after it, would be in vain. */
function ends(verdict: Verdict): verdict is Refusal {
  // What is too old here may stand before what is not.
  return typeof verdict === 'object' && verdict.code !== 'stale';
}

export class CatchUp {
  readonly #deps: CatchUpDeps;
  #running: Promise<void> | undefined;
  /** Peers to ask when the one that is being asked is done. */
  readonly #waiting = new Set<string>();
  /** Where a peer was left before its last window: it is asked for what follows. */
  readonly #left = new Map<string, SinceRequest>();
  #turn = 0;
  #stopped = false;

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
  }

  /**
   * Asks this peer, or, without one, the next in turn. While another is being asked, a peer that is named is asked after
   * it: each may be the only one who knows something, its own last witness first of all. Never rejects.
   */
  start(peer?: string): Promise<void> {
    if (this.#running === undefined) {
      const from = peer ?? this.#nextPeer();
      if (from === undefined || this.#stopped) return Promise.resolve();
      this.#running = this.#runAll(from).finally(() => {
        this.#running = undefined;
      });
    } else if (peer !== undefined) this.#waiting.add(peer);
    return this.#running;
  }

  async #runAll(first: string): Promise<void> {
    for (let peer: string | undefined = first; peer !== undefined && !this.#stopped; ) {
      this.#waiting.delete(peer);
      await this.#run(peer);
      peer = this.#nextWaiting();
    }
  }

  /** Of those that came meanwhile, and are still there. */
  #nextWaiting(): string | undefined {
    const connected = new Set(this.#deps.peers.list().map(({ id }) => id));
    for (const peer of this.#left.keys()) if (!connected.has(peer)) this.#left.delete(peer);
    for (const peer of this.#waiting) {
      if (connected.has(peer)) return peer;
      this.#waiting.delete(peer);
    }
    return undefined;
  }

  #nextPeer(): string | undefined {
    const peers = this.#deps.peers.list();
    return peers[this.#turn++ % Math.max(1, peers.length)]?.id;
  }

  async #run(peer: string): Promise<void> {
    const { log } = this.#deps;
    try {
      // A margin, as this node may lack some vertices of rounds in which it has a quorum.
      const left = this.#left.get(peer);
      const round = left?.round ?? Math.max(0, (await this.#deps.round()) - CATCH_UP_MARGIN_ROUNDS);
      let taken = 0;
      let windows = 0;
      // Whatever else ends this, the peer is asked from the beginning the next time.
      this.#left.delete(peer);
      for (let cursor = left?.cursor; !this.#stopped; ) {
        const window = await this.#deps.peers.since(peer, { round, cursor });
        if (window.floor !== undefined && window.floor > round) {
          log.info(
            { peer, round, floor: window.floor },
            'Catching up: the peer has forgotten what is needed',
          );
          this.#deps.behind?.(peer, window.floor);
          return;
        }
        const verdicts = await this.#deps.take(window.vertices, peer);
        taken += verdicts.filter((verdict) => verdict === 'accept').length;
        const refusal = verdicts.find(ends);
        if (refusal?.code === 'queue_full') {
          log.info({ peer, refusal }, 'Catching up: there is no room now');
          this.#left.set(peer, { round, cursor });
          return;
        }
        if (refusal !== undefined) {
          this.#deps.peers.penalise(peer, refusal);
          log.warn({ peer, refusal }, 'Catching up: the peer sent what is not valid');
          return;
        }
        if (window.next === undefined || window.next === cursor) break;
        cursor = window.next;
        windows += 1;
        if (windows % REPORT_WINDOWS === 0)
          log.info({ peer, vertices: taken, round: await this.#deps.round() }, 'Catching up');
      }
      if (taken > 0) log.info({ peer, fromRound: round, vertices: taken }, 'Caught up');
    } catch (error) {
      log.debug({ peer, err: error }, 'Catching up ended early');
    }
  }

  /** No further windows; resolves when the one under way has been dealt with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}
