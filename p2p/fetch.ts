/** `/ravel/<network>/fetch/1`: vertices by id. {ids} -> vertices, then {} or a refusal. */
import { z } from 'zod';
import {
  blake3Hex,
  concat,
  FRAME_BYTES_MAX,
  HASH_BYTES,
  hex,
  type Refusal,
  unhex,
  type VertexId,
} from '../ledger/index.ts';
import { ASK_STREAMS_MAX, Asker } from './ask.ts';
import { PeersError } from './errors.ts';
import type { Host } from './libp2p-host.ts';
import { FETCH_IDS_MAX } from './limits.ts';
import { type Served, serveRequests } from './serve.ts';
import { pause } from './timing.ts';
import type { FetchedVertex, VertexHandlers } from './types.ts';
import { bytes, notAnswered } from './wire-shapes.ts';

/** The ids one after the other: half the bytes of hex, and nothing to take apart twice. */
const Request = z.strictObject({ ids: bytes(FETCH_IDS_MAX * HASH_BYTES) });

const End = z.union([z.strictObject({}), notAnswered]);

/** Answers other nodes. */
export async function serveFetch(host: Host, vertices: Pick<VertexHandlers, 'fetch'>): Promise<void> {
  await host.handle(host.names.fetch, ASK_STREAMS_MAX, (stream, peer) =>
    serveRequests(host, stream, peer, async (message): Promise<Served | Refusal> => {
      const request = Request.safeParse(message);
      const ids = request.success ? idsOf(request.data.ids) : [];
      if (ids.length === 0) return { code: 'malformed', what: 'fetch request' };
      host.counters.add('fetch_served');
      const known = (await vertices.fetch(ids)).slice(0, ids.length);
      host.counters.add('fetch_vertices_sent', known.length);
      return { vertices: known, end: {} };
    }),
  );
}

function idsOf(ids: Uint8Array): VertexId[] {
  if (ids.length % HASH_BYTES !== 0) return [];
  return Array.from(
    { length: ids.length / HASH_BYTES },
    (_, i) => hex(ids.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)) as VertexId,
  );
}

/** However long a peer wants to be left alone, it is asked again after this. */
const REST_MS_MAX = 10_000;

/** One batch on its way. */
interface Hunt {
  readonly wanted: Set<VertexId>;
  readonly found: FetchedVertex[];
  /** Fires when everything is there. */
  readonly done: AbortController;
}

export class Fetcher {
  readonly #host: Host;
  readonly #asker: Asker;
  readonly #restUntilMs = new Map<string, number>();
  #underWay = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#asker = new Asker(host, host.names.fetch);
  }

  /** See Peers.fetch. */
  async fetch(ids: readonly VertexId[], from: readonly string[]): Promise<readonly FetchedVertex[]> {
    const unique = [...new Set(ids)];
    const batches: Promise<FetchedVertex[]>[] = [];
    for (let i = 0; i < unique.length; i += FETCH_IDS_MAX) {
      if (this.#underWay >= this.#host.limits.fetchesMax) {
        this.#host.counters.add('fetch_dropped', unique.length - i);
        break;
      }
      batches.push(this.#hunt(unique.slice(i, i + FETCH_IDS_MAX), from));
    }
    return (await Promise.all(batches)).flat();
  }

  async #hunt(ids: readonly VertexId[], from: readonly string[]): Promise<FetchedVertex[]> {
    const hunt: Hunt = { wanted: new Set(ids), found: [], done: new AbortController() };
    const asked: Promise<void>[] = [];
    this.#underWay++;
    try {
      for (const peer of this.#candidates(from)) {
        if (asked.length > 0) this.#host.counters.add('fetch_hedged');
        const attempt = this.#askOne(peer, hunt);
        asked.push(attempt);
        const signal = AbortSignal.any([hunt.done.signal, this.#host.closing]);
        await this.#wait(attempt, hunt, signal);
        if (signal.aborted) break;
      }
      await Promise.race([Promise.all(asked), aborted(hunt.done.signal)]);
    } finally {
      this.#underWay--;
    }
    return hunt.found;
  }

  /**
   * A peer that has answered in part, or sends nothing for a while, makes way for the next one; it may still answer.
   * Whoever sends is waited for: asking twice when everybody is slow would make everybody slower.
   */
  async #wait(attempt: Promise<void>, hunt: Hunt, signal: AbortSignal): Promise<void> {
    let over = false;
    const end = attempt.then(() => {
      over = true;
    });
    let found: number;
    do {
      found = hunt.found.length;
      await Promise.race([end, pause(this.#host.limits.fetchHedgeMs, signal)]);
    } while (!over && !signal.aborted && hunt.found.length > found);
  }

  /** Those who should know first, then others in an order that spreads the load. */
  #candidates(from: readonly string[]): string[] {
    const nowMs = this.#host.nowMs();
    for (const [peer, untilMs] of this.#restUntilMs) if (untilMs <= nowMs) this.#restUntilMs.delete(peer);
    const ready = this.#host.nodes.filter((peer) => !this.#restUntilMs.has(peer));
    const first = [...new Set(from)].filter((peer) => ready.includes(peer));
    const others = ready.filter((peer) => !first.includes(peer));
    for (let i = others.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [others[i], others[j]] = [others[j]!, others[i]!];
    }
    return [...first, ...others].slice(0, this.#host.limits.fetchPeersMax);
  }

  /** Never rejects: the next peer is asked then. */
  async #askOne(peer: string, hunt: Hunt): Promise<void> {
    const ids = [...hunt.wanted];
    if (ids.length === 0) return;
    this.#host.counters.add('fetch_asked');
    const asked = new Set(ids);
    try {
      const end = await this.#asker.ask(peer, {
        message: { ids: concat(ids.map(unhex)) },
        verticesMax: ids.length,
        bytesMax: ids.length * FRAME_BYTES_MAX,
        onVertex: (bytes) => this.#keep(peer, hunt, asked, bytes),
      });
      this.#heed(peer, End.safeParse(end).data);
    } catch (error) {
      this.#host.counters.add('requests_failed');
      const code = error instanceof PeersError ? error.code : String(error);
      this.#host.log.debug({ peer, code }, 'a fetch failed');
    }
  }

  /** A peer that is asked to wait for is not asked before; asking on would cost points there. */
  #heed(peer: string, end: z.infer<typeof End> | undefined): void {
    if (end === undefined) {
      this.#host.penalise(peer, { code: 'malformed', what: 'fetch answer' });
    } else if ('refusal' in end && end.refusal.code === 'budget_spent') {
      const retryAfterMs = Math.min(Number(end.refusal.retryAfterMs) || 0, REST_MS_MAX);
      this.#restUntilMs.set(peer, this.#host.nowMs() + retryAfterMs);
    }
  }

  async #keep(peer: string, hunt: Hunt, asked: ReadonlySet<VertexId>, vertex: Uint8Array): Promise<void> {
    // A full answer takes 75 ms of hashing; gossip gets its turn in between.
    await breath();
    const id = blake3Hex<VertexId>(vertex);
    if (!asked.has(id)) {
      this.#host.penalise(peer, { code: 'malformed', what: 'a vertex that was not asked for' });
      return;
    }
    // Another peer may have been faster.
    if (!hunt.wanted.delete(id)) return;
    this.#host.counters.add('fetch_vertices_received');
    hunt.found.push({ bytes: vertex, from: peer });
    if (hunt.wanted.size === 0) hunt.done.abort();
  }
}

/** Lets everything else that waits run first. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
