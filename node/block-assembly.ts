/** What clients have submitted, put into blocks of this node's own. */
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
import { FULL_BLOCK_PAYMENTS } from './limits.ts';

export interface BlockAssemblyOptions {
  readonly network: NetworkId;
  /** How long payments wait for company. */
  readonly lingerMs: number;
}

export interface BlockAssemblyDeps {
  readonly admission: Admission;
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

  constructor(options: BlockAssemblyOptions, deps: BlockAssemblyDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** In a moment, so that payments find company; at once when they fill a block. */
  soon(): void {
    const { size } = this.#deps.admission;
    if (size === 0) return;
    const full = size >= FULL_BLOCK_PAYMENTS;
    if (this.#timer !== undefined && !full) return;
    clearTimeout(this.#timer);
    const delayMs = full ? 0 : this.#options.lingerMs;
    this.#timer = setTimeout(() => this.#deps.onTimer(() => this.#assemble()), delayMs);
  }

  /** One block of what waits; more follow while more waits. */
  #assemble(): void {
    this.#timer = undefined;
    const { admission, held, parents, attach, dropped } = this.#deps;
    if (held()) return;
    const payments = admission.take();
    if (payments.length === 0) return;
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
    if (isRefusal(verdict)) for (const payment of payments) dropped(payment, verdict);
    this.soon();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
