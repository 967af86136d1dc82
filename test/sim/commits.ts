/** What a core knows about commits, in the words of the simulator. */
import type { Address, Core, Hash, PaymentRecord, Round, Slot, VertexId } from '../../ledger/index.ts';

export interface CommitLike {
  readonly index: number;
  readonly round: Round;
  readonly leader: VertexId;
  readonly root: Hash;
  readonly decided: readonly PaymentRecord[];
  readonly resolved: readonly Slot[];
}

interface Decided {
  readonly balance: number;
  readonly sequence: number;
  readonly head: Slot;
}

interface WithCommits {
  readonly lastCommit?: CommitLike;
  readonly commits?: readonly CommitLike[];
  decidedOf?(address: Address): Decided;
}

export interface Commits {
  /** False while the ledger commits nothing. */
  readonly on: boolean;
  readonly last: { readonly index: number; readonly leader: VertexId; readonly root: Hash; readonly round: Round };
  /** The youngest, ascending. */
  readonly all: readonly CommitLike[];
  decidedOf(address: Address): Decided;
  /** The account's decided chain has come as far as this sequence. */
  settled(address: Address, sequence: number): boolean;
}

export function commitsOf(core: Core): Commits {
  const ledger = core.ledger as unknown as WithCommits & Core['ledger'];
  const { checkpoint } = ledger.genesis;
  const last = ledger.lastCommit ?? { index: 0, ...checkpoint };
  const decidedOf = (address: Address): Decided =>
    ledger.decidedOf?.(address) ?? { balance: 0, sequence: 0, head: address };
  return {
    on: ledger.lastCommit !== undefined,
    last,
    all: ledger.commits ?? [],
    decidedOf,
    settled: (address, sequence) => decidedOf(address).sequence >= sequence,
  };
}
