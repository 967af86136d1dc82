/** `/ravel/<network>/since/1`: a window of vertices for catching up. {round, cursor?} -> vertices, then {next?}. */
import { z } from 'zod';
import { FRAME_BYTES_MAX, type Refusal } from '../ledger/index.ts';
import { ASK_STREAMS_MAX, Asker } from './ask.ts';
import { PeersError } from './errors.ts';
import type { Host } from './libp2p-host.ts';
import { SINCE_BYTES_MAX } from './limits.ts';
import { type Served, serveRequests } from './serve.ts';
import { pause } from './timing.ts';
import type { SinceRequest, SinceWindow, VertexHandlers } from './types.ts';
import { count, notAnswered } from './wire-shapes.ts';

const Request = z.strictObject({ round: count, cursor: count.nullish() });

const End = z.union([z.strictObject({ next: count.nullish(), floor: count.nullish() }), notAnswered]);

/** The smallest vertex has more bytes than this, so a window holds fewer. */
const VERTEX_BYTES_MIN = 64;

/** One vertex may stand over the rim. */
const WINDOW_BYTES_MAX = SINCE_BYTES_MAX + FRAME_BYTES_MAX;

/** A peer that is asked for more than its share names a time: waited for this often, and not longer than this. */
const WAITS_MAX = 3;
const WAIT_MS_MAX = 5_000;

/** Answers other nodes. */
export async function serveSince(host: Host, vertices: Pick<VertexHandlers, 'since'>): Promise<void> {
  await host.handle(host.names.since, ASK_STREAMS_MAX, (stream, peer) =>
    serveRequests(host, stream, peer, async (message): Promise<Served | Refusal> => {
      const request = Request.safeParse(message);
      if (!request.success) return { code: 'malformed', what: 'since request' };
      const { round, cursor } = request.data;
      host.counters.add('since_served');
      const window = await vertices.since({ round, cursor: cursor ?? undefined, bytesMax: SINCE_BYTES_MAX });
      const size = window.vertices.reduce((sum, vertex) => sum + vertex.length, 0);
      if (size > WINDOW_BYTES_MAX) throw new Error(`broken invariant: a window of ${size} bytes`);
      host.counters.add('since_vertices_sent', window.vertices.length);
      return { vertices: window.vertices, end: { next: window.next, floor: window.floor } };
    }),
  );
}

export class Follower {
  readonly #host: Host;
  readonly #asker: Asker;

  constructor(host: Host) {
    this.#host = host;
    this.#asker = new Asker(host, host.names.since);
  }

  /** See Peers.since. A peer whose budget is spent for the moment is waited for. */
  async since(peer: string, request: SinceRequest): Promise<SinceWindow> {
    for (let waits = 0; ; waits++) {
      this.#host.counters.add('since_asked');
      const vertices: Uint8Array[] = [];
      const end = await this.#asker.ask(peer, {
        message: { round: request.round, cursor: request.cursor },
        verticesMax: SINCE_BYTES_MAX / VERTEX_BYTES_MIN,
        bytesMax: WINDOW_BYTES_MAX,
        onVertex: (bytes) => {
          vertices.push(bytes);
        },
      });
      const parsed = End.safeParse(end);
      if (!parsed.success) {
        this.#host.penalise(peer, { code: 'malformed', what: 'since answer' });
        throw new PeersError('bad_reply', `${peer} ended a window with what is no end; ask another peer`);
      }
      if ('failed' in parsed.data) {
        throw new PeersError('bad_reply', `${peer} could not answer; ask another peer, or later`);
      }
      if (!('refusal' in parsed.data)) {
        const { next, floor } = parsed.data;
        return floor == null
          ? { vertices, next: next ?? undefined }
          : { vertices, next: next ?? undefined, floor };
      }
      const { refusal } = parsed.data;
      const waitMs = refusal.code === 'budget_spent' ? refusal.retryAfterMs : Number.POSITIVE_INFINITY;
      if (waits === WAITS_MAX || !(waitMs <= WAIT_MS_MAX)) {
        throw new PeersError('refused', `${peer} refused: ${refusal.code}; ask another peer, or later`, {
          refusal,
        });
      }
      await pause(waitMs, this.#host.closing);
    }
  }
}
