/**
 * `/ravel/<network>/snapshot/1`: a state to begin with. {} -> its first part, then {offer?}; {leader, from} -> parts from
 * that one on, then {next?} or {gone}. What is in the parts is the ledger's to judge.
 */
import { z } from 'zod';
import { FRAME_BYTES_MAX, type Refusal, type VertexId } from '../ledger/index.ts';
import { Asker } from './ask.ts';
import { PeersError } from './errors.ts';
import type { Host } from './libp2p-host.ts';
import { SINCE_BYTES_MAX, SNAPSHOT_BYTES_MAX } from './limits.ts';
import { type Served, serveRequests } from './serve.ts';
import { pause } from './timing.ts';
import type { SnapshotOffer, SnapshotRequest, SnapshotWindow, VertexHandlers } from './types.ts';
import { count, hash, notAnswered } from './wire-shapes.ts';

const Request = z.strictObject({ leader: hash<VertexId>().nullish(), from: count.nullish() });

const Offer = z.strictObject({
  leader: hash<VertexId>(),
  count: count.min(1),
  bytes: count.min(1).max(SNAPSHOT_BYTES_MAX),
  cursor: count,
});

const OfferEnd = z.union([z.strictObject({ offer: Offer.nullish() }), notAnswered]);
const WindowEnd = z.union([
  z.strictObject({ next: count.nullish() }),
  z.strictObject({ gone: z.literal(true) }),
  notAnswered,
]);

/** One node fetches one snapshot at a time. */
const STREAMS_MAX = 2;

/** A peer that is asked for more than its share names a time: waited for this often, and not longer than this. */
const WAITS_MAX = 20;
const WAIT_MS_MAX = 5_000;

/** Answers other nodes. */
export async function serveSnapshots(
  host: Host,
  vertices: Pick<VertexHandlers, 'snapshot' | 'snapshotParts'>,
): Promise<void> {
  await host.handle(host.names.snapshot, STREAMS_MAX, (stream, peer) =>
    serveRequests(host, stream, peer, async (message): Promise<Served | Refusal> => {
      const request = Request.safeParse(message);
      if (!request.success) return { code: 'malformed', what: 'snapshot request' };
      host.counters.add('snapshot_served');
      const { leader, from } = request.data;
      if (leader == null || from == null) {
        const offered = await vertices.snapshot();
        if (offered === undefined) return { vertices: [], end: {} };
        const { first, ...offer } = offered;
        return { vertices: [first], end: { offer } };
      }
      const window = await vertices.snapshotParts({ leader, from, bytesMax: SINCE_BYTES_MAX });
      if (window === undefined) return { vertices: [], end: { gone: true } };
      return { vertices: window.parts, end: { next: window.next } };
    }),
  );
}

export class SnapshotAsker {
  readonly #host: Host;
  readonly #asker: Asker;

  constructor(host: Host) {
    this.#host = host;
    this.#asker = new Asker(host, host.names.snapshot);
  }

  /** See Peers.snapshot. */
  async offer(peer: string): Promise<SnapshotOffer | undefined> {
    const { parts, end } = await this.#ask(peer, {}, OfferEnd);
    if (!('offer' in end) || end.offer == null) return undefined;
    const [first] = parts;
    if (first === undefined || parts.length > 1) throw this.#blame(peer, 'an offer without its first part');
    return { ...end.offer, first };
  }

  /** See Peers.snapshotParts. */
  async parts(peer: string, request: SnapshotRequest): Promise<SnapshotWindow | undefined> {
    const { parts, end } = await this.#ask(peer, { ...request }, WindowEnd);
    if (!('next' in end)) return 'gone' in end ? undefined : { parts };
    return { parts, next: end.next ?? undefined };
  }

  async #ask<E>(
    peer: string,
    message: object,
    shape: z.ZodType<E | z.infer<typeof notAnswered>>,
  ): Promise<{ parts: Uint8Array[]; end: E }> {
    for (let waits = 0; ; waits++) {
      const parts: Uint8Array[] = [];
      const end = await this.#asker.ask(peer, {
        message,
        verticesMax: SINCE_BYTES_MAX / 64,
        bytesMax: SINCE_BYTES_MAX + FRAME_BYTES_MAX,
        onVertex: (part) => {
          parts.push(part);
        },
      });
      const parsed = shape.safeParse(end);
      if (!parsed.success) throw this.#blame(peer, 'what is no snapshot answer');
      const answer = parsed.data as object;
      if ('failed' in answer)
        throw new PeersError('bad_reply', `${peer} could not answer; ask another peer, or later`);
      if (!('refusal' in answer)) return { parts, end: parsed.data as E };
      const refusal = answer.refusal as Refusal;
      const waitMs = refusal.code === 'budget_spent' ? refusal.retryAfterMs : Number.POSITIVE_INFINITY;
      if (waits === WAITS_MAX || !(waitMs <= WAIT_MS_MAX)) {
        throw new PeersError('refused', `${peer} refused: ${refusal.code}; ask another peer, or later`, {
          refusal,
        });
      }
      await pause(waitMs, this.#host.closing);
    }
  }

  #blame(peer: string, what: string): PeersError {
    this.#host.penalise(peer, { code: 'malformed', what });
    return new PeersError('bad_reply', `${peer} sent ${what}; ask another peer`);
  }
}
