/**
 * The next payment's work, done while nobody waits for it: it depends on the slot alone, not on what the payment says
 * (docs/protocol.md, section 3).
 */
import { type Address, checkWork, type NetworkId, type Slot, workSeed } from '../ledger/index.ts';
import type { Log } from '../p2p/index.ts';
import { WalletError } from './wallet-error.ts';
import type { ReadyWork } from './wallet-store.ts';

export interface WorkAheadOptions {
  readonly network: NetworkId;
  readonly address: Address;
  /** Leading zero bits that the network asks for. */
  readonly bits: number;
}

export interface WorkAheadDeps {
  readonly log: Log;
  /** 8 bytes with at least `bits` of work over `seed` (32 bytes); rejects when `signal` fires. */
  findWork(seed: Uint8Array, bits: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Work for a slot is there and could be stored. */
  onReady(work: ReadyWork): void;
}

interface Search {
  readonly slot: Slot;
  readonly found: Promise<Uint8Array>;
  readonly controller: AbortController;
}

export class WorkAhead implements Disposable {
  readonly #options: WorkAheadOptions;
  readonly #deps: WorkAheadDeps;
  #search: Search | undefined;
  #ready: ReadyWork | undefined;
  #disposed = false;

  /** @param ready From the store; used when its slot is asked for and it holds. */
  constructor(options: WorkAheadOptions, deps: WorkAheadDeps, ready: ReadyWork | undefined) {
    this.#options = options;
    this.#deps = deps;
    this.#ready = ready;
  }

  /** Starts to work for a slot, if that is not done or under way; a search for another slot ends. */
  prepare(slot: Slot): void {
    if (this.#disposed || this.#ready?.slot === slot || this.#search?.slot === slot) return;
    this.#search?.controller.abort();
    const controller = new AbortController();
    const found = this.find(slot, this.#options.bits, controller.signal);
    this.#search = { slot, found, controller };
    found.then(
      (nonce) => this.#keep({ slot, nonce }),
      (error) => this.#fail(slot, controller, error),
    );
  }

  #keep(work: ReadyWork): void {
    if (this.#search?.slot !== work.slot) return;
    this.#search = undefined;
    this.#ready = work;
    this.#deps.onReady(work);
  }

  #fail(slot: Slot, controller: AbortController, error: unknown): void {
    if (this.#search?.controller === controller) this.#search = undefined;
    if (!controller.signal.aborted)
      this.#deps.log.warn({ slot, error: String(error) }, 'no work found ahead');
  }

  /** The work for a slot: at once when it is ready. Throws `work_failed`. */
  async take(slot: Slot): Promise<Uint8Array> {
    const { network, address, bits } = this.#options;
    if (this.#ready?.slot === slot) {
      const { nonce } = this.#ready;
      const seed = workSeed(network, slot, address);
      if (checkWork(seed, nonce, bits) === undefined) return nonce;
      // Stored for other rules than today's.
      this.#ready = undefined;
    }
    this.prepare(slot);
    if (this.#search === undefined) throw this.#failed('the wallet is closed');
    return this.#search.found;
  }

  /** Searches for a slot with more bits than usual, without keeping the result. */
  async find(slot: Slot, bits: number, signal: AbortSignal): Promise<Uint8Array> {
    const seed = workSeed(this.#options.network, slot, this.#options.address);
    let nonce: Uint8Array;
    try {
      nonce = await this.#deps.findWork(seed, bits, signal);
    } catch (cause) {
      throw this.#failed(String(cause), cause);
    }
    const refusal = nonce.length === 8 ? checkWork(seed, nonce, bits) : undefined;
    if (nonce.length !== 8 || refusal !== undefined)
      throw this.#failed(`it found ${JSON.stringify(refusal)}`);
    return nonce;
  }

  #failed(why: string, cause?: unknown): WalletError {
    const text = `The search for this payment's work failed (${why}). Pay again: nothing was signed.`;
    return new WalletError('work_failed', text, { cause });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#search?.controller.abort();
    this.#search = undefined;
  }
}
