/**
 * Whether the account's own past is known well enough to sign. A wallet that signs in ignorance of a payment it made
 * before, on another machine or before its disk was lost, makes a rival of it; so a wallet without a store hears several
 * nodes first, and a node that speaks of more own payments than are known gets time to prove them. None of this can lift
 * the balance: what a node says here only makes the wallet wait, and not for ever.
 */
import type { Log } from '../p2p/index.ts';
import type { AccountBook } from './account-book.ts';

export interface RestoreGuardOptions {
  /** True when the store was empty. */
  readonly fresh: boolean;
  /** Nodes to hear before the first signature of a fresh wallet. */
  readonly nodesMin: number;
  /**
   * After this time one node is enough, with a warning, as the others may be gone for good; and so long the proof of
   * more own payments is waited for when a node speaks of them.
   */
  readonly restoreWaitMs: number;
}

export interface RestoreGuardDeps {
  readonly book: Readonly<AccountBook>;
  readonly log: Log;
  nowMs(): number;
}

interface Claim {
  readonly sequence: number;
  readonly sinceMs: number;
}

export class RestoreGuard {
  readonly #options: RestoreGuardOptions;
  readonly #deps: RestoreGuardDeps;
  readonly #heard = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  readonly #startedAtMs: number;
  #warned = false;

  constructor(options: RestoreGuardOptions, deps: RestoreGuardDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#startedAtMs = deps.nowMs();
  }

  /** The whole history of the account at this node has been read. */
  heard(node: string): void {
    this.#heard.add(node);
  }

  /** A node speaks of this many own payments, final or not. */
  claimed(node: string, sequence: number): void {
    const known = this.#deps.book.tip.sequence;
    const before = this.#claims.get(node);
    if (sequence <= known) {
      this.#claims.delete(node);
      return;
    }
    // The clock of a claim runs once: a node that raises its claim each time does not stop the wallet for ever.
    const sinceMs = before?.sinceMs ?? this.#deps.nowMs();
    this.#claims.set(node, { sequence, sinceMs });
    if (before === undefined)
      this.#deps.log.warn({ node, sequence, known }, 'a node knows more own payments');
  }

  /** Why nothing may be signed now, or undefined. */
  get problem(): string | undefined {
    return this.#unheard ?? this.#deps.book.problem ?? this.#unproven;
  }

  get #unheard(): string | undefined {
    const { fresh, nodesMin, restoreWaitMs } = this.#options;
    const needed = fresh ? nodesMin : 1;
    if (this.#heard.size >= needed) return undefined;
    if (this.#heard.size > 0 && this.#deps.nowMs() >= this.#startedAtMs + restoreWaitMs) {
      if (!this.#warned)
        this.#deps.log.warn({ heard: this.#heard.size, needed }, 'fewer nodes than wanted were heard');
      this.#warned = true;
      return undefined;
    }
    return `${this.#heard.size} of ${needed} nodes have told the account's history; check that the nodes can be reached`;
  }

  get #unproven(): string | undefined {
    const known = this.#deps.book.tip.sequence;
    const since = this.#deps.nowMs() - this.#options.restoreWaitMs;
    for (const [node, { sequence, sinceMs }] of this.#claims) {
      if (sequence > known && sinceMs > since) {
        return (
          `${node} speaks of ${sequence} own payments, and ${known} are known here: the key may be used elsewhere; ` +
          'their proofs are waited for'
        );
      }
    }
    return undefined;
  }
}
