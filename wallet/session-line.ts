/** One stream of a session: decodes what comes, sends what goes, and never lets a counterpart hold up its owner. */
import { isRefusal } from '../ledger/index.ts';
import type { FramedStream } from '../p2p/index.ts';
import { clip, decodeSessionMessage } from './session-decoder.ts';
import type { SessionMessage } from './session-messages.ts';
import type { SessionClock } from './session-ports.ts';

export type LineEvent =
  | { readonly type: 'message'; readonly message: SessionMessage }
  | { readonly type: 'malformed'; readonly detail: string }
  | { readonly type: 'closed'; readonly detail: string };

/** Takes an event; the next one is read when it resolves. */
export type LineSink = (event: LineEvent) => Promise<void>;

function reasonOf(error: unknown): string {
  return clip(error instanceof Error ? error.message : String(error));
}

export class SessionLine {
  readonly #stream: FramedStream;
  readonly #clock: SessionClock;
  readonly #timeoutMs: number;
  #sink: LineSink;
  readonly #done: Promise<void>;
  #over = false;

  /** @param timeoutMs Longest wait for the counterpart to take a message, and to close after this side has closed. */
  constructor(stream: FramedStream, clock: SessionClock, timeoutMs: number, sink: LineSink) {
    this.#stream = stream;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#sink = sink;
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    let detail = 'the other side closed the line';
    try {
      for await (const value of this.#stream.receive()) {
        if (this.#over) continue;
        const message = decodeSessionMessage(value);
        const event: LineEvent = isRefusal(message)
          ? { type: 'malformed', detail: message.code === 'malformed' ? clip(message.what) : message.code }
          : { type: 'message', message };
        await this.#sink(event);
      }
    } catch (error) {
      detail = reasonOf(error);
    }
    if (!this.#over) await this.#sink({ type: 'closed', detail });
  }

  /** What comes from now on goes elsewhere. */
  redirect(sink: LineSink): void {
    this.#sink = sink;
  }

  /** True when the counterpart has taken the message in time; otherwise the line is broken off and says `closed`. */
  async send(message: SessionMessage): Promise<boolean> {
    if (this.#over) return false;
    const timer = new AbortController();
    try {
      const sent = this.#stream.send(message).then(() => true);
      sent.catch(() => {});
      const late = this.#clock.sleep(this.#timeoutMs, timer.signal).then(() => false);
      if (await Promise.race([sent, late])) return true;
      this.#stream.abort(new Error(`a message was not taken within ${this.#timeoutMs} ms`));
    } catch (error) {
      this.#stream.abort(new Error(reasonOf(error)));
    } finally {
      timer.abort();
    }
    return false;
  }

  /** What was sent still arrives, when the counterpart takes it in time. Nothing is said to the sink any more. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const timer = new AbortController();
    const closed = (async () => {
      await this.#stream.close();
      await this.#done;
    })().catch(() => {});
    await Promise.race([closed, this.#clock.sleep(this.#timeoutMs, timer.signal)]);
    timer.abort();
    this.#stream.abort(new Error('the session is over'));
  }

  /** At once, without a word. */
  breakOff(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.abort(new Error('the session went on with another line'));
  }
}
