/** Runs a state machine: one event at a time, each of its actions done before the next event is looked at. */
import type { SessionEnd } from './session-messages.ts';
import type { SessionClock } from './session-ports.ts';

export interface SessionMachine<Event, Action, Moment> {
  step(event: Event | { readonly type: 'deadline' }, at: Moment): readonly Action[];
  readonly deadlineMs: number | undefined;
  readonly ended: SessionEnd | undefined;
}

interface Letter<Event> {
  readonly event: Event;
  readonly taken: () => void;
}

/**
 * Events that wait for the machine. It has no bound of its own: the sources have. The line and the meter put the next event
 * when the one before was taken, and each payment under way puts one.
 */
export class Mailbox<Event> {
  readonly #letters: Letter<Event>[] = [];
  #wake: (() => void) | undefined;
  #shut = false;

  /** Resolves when the event was dealt with, or when nobody deals with events any more. */
  put(event: Event): Promise<void> {
    if (this.#shut) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#letters.push({ event, taken: resolve });
    this.#wake?.();
    return promise;
  }

  async take(): Promise<Letter<Event>> {
    while (this.#letters.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#letters.shift()!;
  }

  /** Lets everybody go who waits for an event to be dealt with. */
  shut(): void {
    this.#shut = true;
    for (const letter of this.#letters.splice(0)) letter.taken();
  }
}

export interface LoopDeps<Action, Moment> {
  readonly clock: SessionClock;
  moment(): Moment;
  perform(action: Action): Promise<void>;
}

/** Puts `deadline` into the mailbox when the machine's deadline has come; one timer at a time. */
class DeadlineTimer {
  readonly #clock: SessionClock;
  readonly #ring: () => void;
  #atMs: number | undefined;
  #current = new AbortController();

  constructor(clock: SessionClock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(atMs: number | undefined): void {
    if (atMs === this.#atMs) return;
    this.#atMs = atMs;
    this.#current.abort();
    if (atMs === undefined) return;
    const timer = new AbortController();
    this.#current = timer;
    this.#clock.sleep(Math.max(0, atMs - this.#clock.nowMs()), timer.signal).then(() => {
      if (timer.signal.aborted) return;
      // A clock that woke early is asked again.
      this.#atMs = undefined;
      this.#ring();
    });
  }
}

/** Until the machine has ended. Rejects with what a dependency threw; the mailbox is shut in any case. */
export async function runSession<Event, Action, Moment>(
  machine: SessionMachine<Event, Action, Moment>,
  mailbox: Mailbox<Event | { readonly type: 'deadline' }>,
  deps: LoopDeps<Action, Moment>,
): Promise<void> {
  const timer = new DeadlineTimer(deps.clock, () => void mailbox.put({ type: 'deadline' }));
  try {
    while (machine.ended === undefined) {
      timer.set(machine.deadlineMs);
      const letter = await mailbox.take();
      for (const action of machine.step(letter.event, deps.moment())) await deps.perform(action);
      letter.taken();
    }
  } finally {
    timer.set(undefined);
    mailbox.shut();
  }
}
