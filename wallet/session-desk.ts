/** Where the running sessions of a charger are found when a car comes back on a new line. */
import type { SessionLine } from './session-line.ts';

export interface Visitor {
  readonly line: SessionLine;
  /** The session that was offered on that line. */
  readonly offered: string;
  /** Unverified. */
  readonly signature: Uint8Array;
}

/** One for each charger: sessions that share it can be resumed. As many entries as sessions run. */
export class SessionDesk {
  readonly #running = new Map<string, (visitor: Visitor) => void>();

  open(session: string, take: (visitor: Visitor) => void): void {
    this.#running.set(session, take);
  }

  close(session: string): void {
    this.#running.delete(session);
  }

  /** False when no such session runs. */
  handOver(session: string, visitor: Visitor): boolean {
    const take = this.#running.get(session);
    take?.(visitor);
    return take !== undefined;
  }
}
