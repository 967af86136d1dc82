/** What a node consists of, while it is put together and after. */
import type { Genesis } from '../ledger/index.ts';
import type { Peers } from '../p2p/index.ts';
import type { CatchUp } from './catch-up.ts';
import type { Config } from './config.ts';
import type { Joining } from './joining.ts';
import type { LastRound } from './last-round.ts';
import type { LedgerThread } from './ledger-thread.ts';
import type { NodeLog } from './log.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { VerifyPool } from './verify-pool.ts';
import type { VertexIntake } from './vertex-intake.ts';
import type { Wanted } from './wanted.ts';
import type { WorkPool } from './work-pool.ts';

/** Rules of the protocol, for tests that cannot wait: nodes with other ones are another network. */
export interface NodeRules {
  /** E; EPOCH_ROUNDS. */
  readonly epochRounds?: number | undefined;
}

/** Ended in reverse order. */
export class NodeParts {
  readonly #stack = new AsyncDisposableStack();
  readonly genesis: Genesis;
  readonly log: NodeLog;
  readonly config: Config;
  ledger!: LedgerThread;
  verify!: VerifyPool;
  intake!: VertexIntake;
  work: WorkPool | undefined;
  peers!: Peers;
  catchUp!: CatchUp;
  wanted: Wanted | undefined;
  subscriptions!: Subscriptions;
  /** The validator has to learn its last round. */
  silent = false;
  lastRound: LastRound | undefined;
  /** The snapshot that this node begins with is not whole. */
  incomplete = false;
  joining: Joining | undefined;
  restarting: Promise<void> | undefined;
  readonly rules: NodeRules;
  readonly failed = Promise.withResolvers<string>();

  constructor(genesis: Genesis, config: Config, log: NodeLog, rules: NodeRules) {
    this.rules = rules;
    this.genesis = genesis;
    this.config = config;
    this.log = log;
  }

  own<T extends AsyncDisposable>(part: T): T {
    return this.#stack.use(part);
  }

  defer(end: () => Promise<void>): void {
    this.#stack.defer(end);
  }

  dispose(): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
