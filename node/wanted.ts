/**
 * Missing parents: fetched from peers, unless gossip brings them first, and taken as fast as the node can check them. What is
 * on its way is not asked for again, however long it takes.
 */
import { isRefusal, type VertexId, type Want } from '../ledger/index.ts';
import type { Log, Peers } from '../p2p/index.ts';
import { WANTED_DELAY_MS, WANTED_UNDER_WAY_MAX } from './limits.ts';
import { pause } from './up/pause.ts';
import type { VertexIntake } from './vertex-intake.ts';

export interface WantedDeps {
  readonly log: Log;
  readonly intake: Pick<VertexIntake, 'takeAll'>;
  readonly peers: Pick<Peers, 'fetch' | 'penalise'>;
}

export class Wanted {
  readonly #deps: WantedDeps;
  readonly #underWay = new Set<VertexId>();
  readonly #stop = new AbortController();

  constructor(deps: WantedDeps) {
    this.#deps = deps;
  }

  /** Asks for those for which there is room; the others will be wanted again. Never rejects. */
  async ask(wants: readonly Want[]): Promise<void> {
    const room = WANTED_UNDER_WAY_MAX - this.#underWay.size;
    const fresh = wants.filter(({ id }) => !this.#underWay.has(id)).slice(0, room);
    if (fresh.length === 0 || this.#stop.signal.aborted) return;
    for (const { id } of fresh) this.#underWay.add(id);
    try {
      await pause(WANTED_DELAY_MS, this.#stop.signal);
      await this.#fetch(fresh);
    } catch (error) {
      this.#deps.log.debug({ err: error }, 'Fetching parents ended early');
    } finally {
      for (const { id } of fresh) this.#underWay.delete(id);
    }
  }

  async #fetch(wants: readonly Want[]): Promise<void> {
    const { intake, peers } = this.#deps;
    const from = [...new Set(wants.map((want) => want.from))];
    const found = await peers.fetch(
      wants.map(({ id }) => id),
      from,
    );
    const byPeer = Map.groupBy(found, (one) => one.from);
    await Promise.all(
      [...byPeer].map(async ([peer, list]) => {
        const verdicts = await intake.takeAll(
          list.map(({ bytes }) => bytes),
          peer,
        );
        for (const verdict of verdicts) if (isRefusal(verdict)) peers.penalise(peer, verdict);
      }),
    );
  }

  /** Nothing is asked for any more. */
  stop(): void {
    this.#stop.abort();
  }
}
