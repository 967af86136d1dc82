/** The answering side of fetch and since: one request after the other on a stream, each within the peer's budget. */
import type { Stream } from '@libp2p/interface';
import type { Refusal } from '../ledger/index.ts';
import { decodeMessage } from './codec.ts';
import { PeersError } from './errors.ts';
import { type Ending, FrameChannel } from './frames.ts';
import type { Host } from './libp2p-host.ts';
import { STALL_POINTS } from './limits.ts';

export interface Served {
  readonly vertices: readonly Uint8Array[];
  /** The message at the end. */
  readonly end: object;
}

/**
 * Serves a stream until it ends. `answer` gets a decoded message that nobody has looked at, and resolves with a refusal
 * when it is no request of the protocol; when it rejects, the peer hears that the request failed.
 */
export async function serveRequests(
  host: Host,
  stream: Stream,
  peer: string,
  answer: (request: unknown) => Promise<Served | Refusal>,
): Promise<void> {
  const channel = new FrameChannel(stream, host.limits);
  const budget = host.budgets.of(peer);
  for (;;) {
    const frame = await channel.next();
    if (frame.type !== 'message') {
      endChannel(host, channel, peer, frame.type === 'vertex' ? unexpected : frame);
      return;
    }
    const nowMs = host.nowMs();
    const retryAfterMs = budget.bytesOut.waitMs(1, nowMs) || budget.requests.take(1, nowMs);
    try {
      if (retryAfterMs > 0) {
        const refusal: Refusal = { code: 'budget_spent', what: 'requests', retryAfterMs };
        host.penalise(peer, refusal);
        await channel.writeMessage({ refusal });
        continue;
      }
      const served = await answered(host, peer, answer, decodeMessage(frame.bytes));
      if ('code' in served) {
        endChannel(host, channel, peer, { type: 'refused', refusal: served });
        return;
      }
      for (const vertex of served.vertices) {
        budget.bytesOut.spend(vertex.length, host.nowMs());
        await channel.writeVertex(vertex);
      }
      await channel.writeMessage(served.end);
    } catch (error) {
      // A peer that dies or does not drain while it is answered is nothing unusual.
      channel.abort(error instanceof PeersError ? error : new Error(String(error)));
      return;
    }
  }
}

const unexpected: Ending = {
  type: 'refused',
  refusal: { code: 'malformed', what: 'a vertex instead of a request' },
};

async function answered(
  host: Host,
  peer: string,
  answer: (request: unknown) => Promise<Served | Refusal>,
  request: unknown,
): Promise<Served | Refusal> {
  try {
    return await answer(request);
  } catch (error) {
    host.counters.add('handlers_failed');
    host.log.error({ peer, error: String(error) }, 'a request could not be answered');
    return { vertices: [], end: { failed: true } };
  }
}

/** Ends a channel for the way in which its reading ended, with what that costs the peer. */
export function endChannel(host: Host, channel: FrameChannel, peer: string, ending: Ending): void {
  switch (ending.type) {
    case 'refused':
      host.penalise(peer, ending.refusal);
      channel.abort(new Error(`refused: ${ending.refusal.code}`));
      return;
    case 'stalled':
    case 'late':
      host.counters.add('frames_stalled');
      host.punish(peer, STALL_POINTS, 'stalled');
      channel.abort(new Error('half a frame and no more'));
      return;
    case 'ended':
      void channel.close();
      return;
    case 'broken':
      channel.abort(new Error('the stream broke'));
      return;
  }
}
