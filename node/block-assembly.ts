/**
 * What clients have submitted, put into blocks of this node's own. A lone payment leaves at once. Those that follow closely
 * gather for a part of the time that finality takes, longer the busier the network is, so that load fills blocks.
 */
import {
  type Block,
  blake3,
  concat,
  decodeVertex,
  encodeBlock,
  isRefusal,
  type NetworkId,
  type Refusal,
  unhex,
  type VertexId,
} from '../ledger/index.ts';
import type { Verdict } from '../p2p/index.ts';
import type { Admission, Submission } from './admission.ts';
import { FLIGHT_BLOCKS, FULL_BLOCK_PAYMENTS } from './limits.ts';

export interface BlockAssemblyOptions {
  readonly network: NetworkId;
  /** The least time between two blocks that are not full. */
  readonly lingerMs: number;
}

export interface BlockAssemblyDeps {
  readonly admission: Pick<Admission, 'ready' | 'usualMs' | 'take' | 'returned'>;
  nowMs(): number;
  /** Parents of a new block. */
  parents(): readonly VertexId[];
  /** Nothing can be attached now. */
  held(): boolean;
  attach(block: Block): Verdict;
  dropped(payment: Submission, refusal: Refusal): void;
  /** Runs what writes the state, from a timer. */
  onTimer(work: () => void): void;
}

export class BlockAssembly {
  readonly #options: BlockAssemblyOptions;
  readonly #deps: BlockAssemblyDeps;
  #timer: NodeJS.Timeout | undefined;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BlockAssemblyOptions, deps: BlockAssemblyDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Whenever payments have come or have become final. */
  soon(): void {
    const { admission, nowMs } = this.#deps;
    const { ready } = admission;
    if (ready === 0) return;
    const full = ready >= FULL_BLOCK_PAYMENTS;
    if (this.#timer !== undefined && !full) return;
    clearTimeout(this.#timer);
    const gapMs = full ? 0 : Math.max(this.#options.lingerMs, admission.usualMs / FLIGHT_BLOCKS);
    // The clock of the machine may be set back.
    const delayMs = Math.max(0, Math.min(gapMs, this.#lastAtMs + gapMs - nowMs()));
    this.#timer = setTimeout(() => this.#deps.onTimer(() => this.#assemble()), delayMs);
  }

  /** One block of what may leave; more follow while more may. */
  #assemble(): void {
    this.#timer = undefined;
    const { admission, nowMs, held, parents, attach, dropped } = this.#deps;
    if (held()) return;
    const payments = admission.take();
    if (payments.length === 0) return;
    this.#lastAtMs = nowMs();
    const { network } = this.#options;
    const bytes = encodeBlock(
      network,
      parents(),
      payments.map((payment) => payment.bytes),
    );
    const hashes = concat([
      blake3(bytes),
      ...payments.flatMap(({ id, account }) => [unhex(id), unhex(account)]),
    ]);
    const block = decodeVertex(bytes, network, hashes);
    const verdict = isRefusal(block) ? block : attach(block as Block);
    if (isRefusal(verdict)) {
      admission.returned(payments);
      for (const payment of payments) dropped(payment, verdict);
    }
    this.soon();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
