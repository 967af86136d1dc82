/** The way of a peer's vertices into the ledger: verify pool, then ledger thread; under pressure whoever can wait waits. */
import { blake3Hex, isRefusal, type Refusal, type VertexId } from '../ledger/index.ts';
import type { Verdict } from '../p2p/index.ts';
import type { VerifiedVertex } from './ledger-messages.ts';
import { type LedgerThread, LedgerThreadError } from './ledger-thread.ts';
import { INTAKE_CHUNK_VERTICES, INTAKE_RETRIES_MAX, INTAKE_RETRY_MS } from './limits.ts';
import { pause } from './up/pause.ts';
import type { VerifyPool } from './verify-pool.ts';

export interface VertexIntakeDeps {
  readonly verify: Pick<VerifyPool, 'checkVertex'>;
  ledger(): Pick<LedgerThread, 'call'>;
}

export class VertexIntake {
  readonly #deps: VertexIntakeDeps;
  readonly #stop = new AbortController();

  constructor(deps: VertexIntakeDeps) {
    this.#deps = deps;
  }

  /** Checks and attaches what came; when there is no room for it, it will come again. */
  async take(bytes: Uint8Array, from: string, requested: boolean): Promise<Verdict> {
    const hashes = await this.#deps.verify.checkVertex(bytes, from, requested);
    const verdict = isRefusal(hashes)
      ? hashes
      : (await this.#attach([{ bytes: owned(bytes), hashes, from, requested }]))[0]!;
    return isFull(verdict) ? 'ignore' : verdict;
  }

  /**
   * The same for many that were asked for, in their order and in small groups. Those that are here already are not checked
   * again. While the node is full, this waits: whoever fetches them does not fetch more meanwhile.
   */
  async takeAll(vertices: readonly Uint8Array[], from: string): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = [];
    for (let i = 0; i < vertices.length; i += INTAKE_CHUNK_VERTICES) {
      const chunk = vertices.slice(i, i + INTAKE_CHUNK_VERTICES);
      const here = await this.#here(chunk);
      const taken = [
        ...(await this.#takeNew(
          chunk.filter((_, at) => !here[at]),
          from,
        )),
      ];
      verdicts.push(...here.map((known) => (known ? 'ignore' : taken.shift()!)));
    }
    return verdicts;
  }

  /** Which of them the ledger has; a ledger that is too busy to say so has none. */
  async #here(vertices: readonly Uint8Array[]): Promise<readonly boolean[]> {
    try {
      return await this.#deps.ledger().call(
        'has',
        vertices.map((bytes) => blake3Hex<VertexId>(bytes)),
      );
    } catch (error) {
      if (isBusy(error)) return vertices.map(() => false);
      throw error;
    }
  }

  async #takeNew(vertices: readonly Uint8Array[], from: string): Promise<readonly Verdict[]> {
    for (let tries = 0; ; tries++) {
      const checked = await Promise.all(
        vertices.map((bytes) => this.#deps.verify.checkVertex(bytes, from, true)),
      );
      const good = checked.flatMap((hashes, i) =>
        isRefusal(hashes) ? [] : [{ bytes: owned(vertices[i]!), hashes, from, requested: true }],
      );
      const full = checked.find(isFull);
      const attached = full !== undefined || good.length === 0 ? [] : [...(await this.#attach(good))];
      const pressed = full ?? attached.find(isFull);
      if (pressed === undefined || tries === INTAKE_RETRIES_MAX || this.#stop.signal.aborted)
        return checked.map((one) => (isRefusal(one) ? one : (attached.shift() ?? full ?? 'ignore')));
      await pause(INTAKE_RETRY_MS, this.#stop.signal);
    }
  }

  async #attach(list: readonly VerifiedVertex[]): Promise<readonly Verdict[]> {
    try {
      return await this.#deps.ledger().call('vertices', list);
    } catch (error) {
      if (isBusy(error)) return list.map(() => BUSY);
      throw error;
    }
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stop.abort();
  }
}

function isFull(verdict: unknown): verdict is Refusal {
  return isRefusal(verdict) && verdict.code === 'queue_full';
}

function isBusy(error: unknown): boolean {
  return error instanceof LedgerThreadError && error.code !== 'failed';
}

const BUSY = { code: 'queue_full', waiting: 0, max: 0 } as const;

/** A view would travel to the other thread with the whole buffer behind it. */
function owned(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
