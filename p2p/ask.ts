/**
 * The asking side of fetch and since: a request message, vertices, and a message at the end. Streams are kept and used
 * again, because agreeing on a protocol costs a round trip; one stream carries one request at a time.
 */
import { decodeMessage } from './codec.ts';
import { PeersError } from './errors.ts';
import { FrameChannel } from './frames.ts';
import type { Host } from './libp2p-host.ts';
import { STALL_POINTS } from './limits.ts';

/** Streams to one peer for one protocol; the other side takes no more. */
export const ASK_STREAMS_MAX = 4;

/** One request and what may come back. */
export interface Question {
  readonly message: object;
  readonly verticesMax: number;
  readonly bytesMax: number;
  /** Takes the vertices as they come; the next one waits for it. */
  onVertex(bytes: Uint8Array): Promise<void> | void;
}

interface Line {
  readonly idle: FrameChannel[];
  open: number;
  readonly waiting: (() => void)[];
}

export class Asker {
  readonly #host: Host;
  readonly #protocol: string;
  readonly #lines = new Map<string, Line>();

  constructor(host: Host, protocol: string) {
    this.#host = host;
    this.#protocol = protocol;
  }

  /**
   * Resolves with the message at the end, which nobody has looked at. Rejects with a PeersError. A peer that answers
   * beyond the bounds is cut.
   */
  async ask(peer: string, question: Question): Promise<unknown> {
    const line = this.#lineTo(peer);
    if (line.open >= ASK_STREAMS_MAX) await new Promise<void>((resolve) => line.waiting.push(resolve));
    line.open++;
    try {
      const { channel, used } = await this.#channelTo(peer, line);
      try {
        return await this.#converse(peer, channel, line, question);
      } catch (error) {
        // The peer may have closed a stream that lay idle; that says nothing about a new one.
        if (!used || !(error instanceof PeersError) || error.code !== 'closed') throw error;
        const fresh = await this.#open(peer);
        return await this.#converse(peer, fresh, line, question);
      }
    } finally {
      line.open--;
      line.waiting.shift()?.();
      if (line.open === 0 && line.idle.length === 0) this.#lines.delete(peer);
    }
  }

  async #converse(peer: string, channel: FrameChannel, line: Line, question: Question): Promise<unknown> {
    try {
      await channel.writeMessage(question.message);
      const end = await this.#answer(peer, channel, question);
      if (channel.isOpen) line.idle.push(channel);
      return end;
    } catch (error) {
      channel.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  async #answer(peer: string, channel: FrameChannel, question: Question): Promise<unknown> {
    const { requestTimeoutMs } = this.#host.limits;
    let vertices = 0;
    let bytes = 0;
    for (;;) {
      const frame = await channel.next(requestTimeoutMs);
      switch (frame.type) {
        case 'vertex':
          bytes += frame.bytes.length;
          if (++vertices > question.verticesMax || bytes > question.bytesMax) {
            throw this.#blame(peer, 'more vertices than asked for');
          }
          await question.onVertex(frame.bytes);
          break;
        case 'message': {
          const end = decodeMessage(frame.bytes);
          if (end === undefined) throw this.#blame(peer, 'an answer that is no message');
          return end;
        }
        case 'refused':
          this.#host.penalise(peer, frame.refusal);
          throw new PeersError('bad_reply', `${peer} sent what is no frame; ask another peer`);
        case 'stalled':
          this.#host.counters.add('frames_stalled');
          this.#host.punish(peer, STALL_POINTS, 'stalled');
          throw new PeersError('timeout', `${peer} stopped in the middle of an answer; ask another peer`);
        case 'late':
          throw new PeersError(
            'timeout',
            `${peer} did not answer in ${requestTimeoutMs} ms; ask another peer`,
          );
        default:
          throw new PeersError('closed', `${peer} ended the stream before it answered; ask another peer`);
      }
    }
  }

  #blame(peer: string, what: string): PeersError {
    this.#host.penalise(peer, { code: 'malformed', what });
    return new PeersError('bad_reply', `${peer} sent ${what}; ask another peer`);
  }

  async #channelTo(peer: string, line: Line): Promise<{ channel: FrameChannel; used: boolean }> {
    for (let channel = line.idle.pop(); channel !== undefined; channel = line.idle.pop()) {
      if (channel.isOpen) return { channel, used: true };
    }
    return { channel: await this.#open(peer), used: false };
  }

  async #open(peer: string): Promise<FrameChannel> {
    const connection = this.#host.connectionTo(peer);
    if (connection === undefined) {
      throw new PeersError('unreachable', `${peer} is not connected; ask one of the connected peers`);
    }
    return new FrameChannel(await this.#host.openStream(connection, this.#protocol), this.#host.limits);
  }

  #lineTo(peer: string): Line {
    let line = this.#lines.get(peer);
    if (line === undefined) {
      this.#forgetClosed();
      line = { idle: [], open: 0, waiting: [] };
      this.#lines.set(peer, line);
    }
    return line;
  }

  /** Peers that went away leave closed streams behind. */
  #forgetClosed(): void {
    for (const [peer, line] of this.#lines) {
      if (line.open === 0 && !line.idle.some((channel) => channel.isOpen)) this.#lines.delete(peer);
    }
  }
}
