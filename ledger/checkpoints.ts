/**
 * The slow path (docs/protocol.md, section 7): committed leaders in their order, the state after each, its root. Puts commit
 * rule and resolution together and keeps the checkpoints that witnesses carry.
 */
import type { Account, PaymentRecord } from './account.ts';
import type { Accounts } from './accounts.ts';
import { assert } from './assert.ts';
import type { CommitRule, Leader } from './commit-rule.ts';
import type { Committee } from './committee.ts';
import { Resolution } from './resolution.ts';
import type { CommitState } from './snapshot-state.ts';
import { accountLeaf, StateTree } from './state-tree.ts';
import type { Tangle, WitnessRecord } from './tangle.ts';
import type { Checkpoint, Genesis, Hash, Round, Slot, Units, ValidatorIndex, VertexId } from './types.ts';
import type { View, Votes } from './votes.ts';

/** The state after a committed leader, and what made it. Number 0 is the genesis. */
export interface Commit extends Checkpoint {
  /** Its number in the committed sequence. */
  readonly index: number;
  /** In the order of application. */
  readonly decided: readonly PaymentRecord[];
  /** Slots that were decided between rivals of which none was certified. */
  readonly resolved: readonly Slot[];
}

/** A commit, and the payments that can never be final because of it. */
export interface Committed {
  readonly commit: Commit;
  readonly dead: readonly PaymentRecord[];
}

/** Why this node stops voting: what cannot be while Byzantine weight is under W/3, or a fault of its own. */
export interface Fault {
  readonly code: 'state_diverges' | 'commit_conflict';
  readonly message: string;
}

/** A validator says of a leader that the state after it is another one than this node has. */
export interface Divergence {
  readonly validator: ValidatorIndex;
  readonly round: Round;
  readonly leader: VertexId;
  readonly own: Hash;
  readonly theirs: Hash;
}

export interface CheckpointsDeps {
  readonly genesis: Genesis;
  readonly committee: Committee;
  readonly tangle: Tangle;
  readonly accounts: Accounts;
  readonly rule: CommitRule;
  readonly votes: Votes;
  readonly epochRounds: number;
}

export class Checkpoints {
  readonly #deps: CheckpointsDeps;
  readonly #resolution: Resolution;
  readonly tree: StateTree;
  #supply = 0;
  #accountsHeld = 0;
  /** The youngest, ascending by number; never empty. */
  readonly #commits: Commit[];
  /** By author: signed headers that carry the last checkpoint. */
  readonly #headers = new Map<ValidatorIndex, Uint8Array>();
  /** By leader: validators that say something else about the state after it. */
  readonly #diverging = new Map<VertexId, Set<ValidatorIndex>>();
  fault: Fault | undefined;

  constructor(deps: CheckpointsDeps) {
    this.#deps = deps;
    const { genesis, accounts, votes, committee } = deps;
    this.#resolution = new Resolution({ accounts, votes, quorum: committee.quorum });
    this.tree = new StateTree(genesis.network);
    for (const { address } of genesis.allocations) this.#setLeaf(accounts.account(address));
    this.#commits = [{ ...genesis.checkpoint, index: 0, decided: [], resolved: [] }];
  }

  get last(): Commit {
    return this.#commits.at(-1)!;
  }

  get all(): readonly Commit[] {
    return this.#commits;
  }

  /** Undefined when it is forgotten, or not made yet. */
  at(index: number): Commit | undefined {
    return this.#commits[index - this.#commits[0]!.index];
  }

  get frozenSlots(): number {
    return this.#resolution.frozenSlots;
  }

  /** Sum of the balances under the last root. */
  get supply(): Units {
    return this.#supply as Units;
  }

  /** Accounts under the last root. */
  get accountsHeld(): number {
    return this.#accountsHeld;
  }

  #setLeaf({ address, decided }: Account): void {
    const { network } = this.#deps.genesis;
    const { balance, sequence, head, rooted } = decided;
    if (rooted === undefined) this.#accountsHeld++;
    this.#supply += balance - (rooted ?? 0);
    decided.rooted = balance;
    this.tree.set(address, accountLeaf(network, address, balance as Units, sequence, head));
  }

  /**
   * Takes note of a witness that has been attached and whose votes are written down.
   * @returns the commits that it makes, oldest first; their payments may not be final yet.
   */
  add(witness: WitnessRecord): readonly Commit[] {
    if (this.fault !== undefined) return [];
    const leaders = this.#deps.rule.add(witness);
    if (leaders === 'conflict') {
      this.fault = {
        code: 'commit_conflict',
        message: `Round ${witness.round} commits a leader that does not continue what was committed up to round ${this.last.round}.`,
      };
      return [];
    }
    const made: Commit[] = [];
    for (const leader of leaders) {
      const commit = this.#commit(leader);
      if (commit === undefined) break;
      made.push(commit);
    }
    return made;
  }

  #commit({ witness, round }: Leader): Commit | undefined {
    const { epochRounds } = this.#deps;
    const index = this.last.index + 1;
    const horizon = this.last.round - epochRounds;
    const view: View = { clock: witness.clock, horizon, commit: index - 1 };
    const { decided, slots, touched } = this.#resolution.resolve(
      view,
      this.#news(witness, horizon, index),
      index,
    );
    const rival = decided.find((payment) => !payment.final && this.#rivalIsFinal(payment));
    if (rival !== undefined) {
      this.fault = {
        code: 'commit_conflict',
        message: `Round ${round} decides payment ${rival.id}, a rival of which is final here.`,
      };
      return undefined;
    }
    for (const account of touched) this.#setLeaf(account);
    assert(this.#supply === this.#deps.genesis.supply, 'the state tree holds the supply');
    const commit: Commit = {
      index,
      round,
      leader: witness.id,
      root: this.tree.root(),
      decided,
      resolved: slots,
    };
    this.#commits.push(commit);
    this.#headers.clear();
    return commit;
  }

  #rivalIsFinal(payment: PaymentRecord): boolean {
    return this.#deps.accounts.slotOf(payment).some((rival) => rival.final);
  }

  /** "A commit orders past(L) minus the past of the leader before, nothing else." */
  #news(leader: WitnessRecord, horizon: Round, index: number): readonly WitnessRecord[] {
    return this.#deps.tangle.commitPast(leader.row, index).filter(({ round }) => round >= horizon);
  }

  /**
   * Holds the checkpoint of a witness against the state here.
   * @param index Number of the last commit in the witness's past, whose leader its checkpoint names.
   * @returns what differs, told once for each validator and leader.
   */
  compare(witness: WitnessRecord, checkpoint: Checkpoint): Divergence | undefined {
    const { validator, header, commit: index } = witness;
    const own = this.at(index);
    if (own === undefined) return undefined;
    if (own.root === checkpoint.root) {
      if (own === this.last) this.#headers.set(validator, header);
      return undefined;
    }
    return this.#diverges(validator, checkpoint, own);
  }

  #diverges(validator: ValidatorIndex, checkpoint: Checkpoint, own: Commit): Divergence | undefined {
    const { round, leader, root: theirs } = checkpoint;
    let validators = this.#diverging.get(leader);
    if (validators === undefined) {
      validators = new Set();
      this.#diverging.set(leader, validators);
    }
    if (validators.has(validator)) return undefined;
    validators.add(validator);
    const { committee } = this.#deps;
    const weight = committee.weight(validators);
    // One liar must not be able to stop everybody. More weight than liars have includes somebody correct.
    if (weight > committee.total - committee.quorum && this.fault === undefined) {
      this.fault = {
        code: 'state_diverges',
        message: `After the leader of round ${round} this node has the state ${own.root}; validators of weight ${weight} have another, the last of them ${theirs}.`,
      };
    }
    return { validator, round, leader, own: own.root, theirs };
  }

  /** Signed headers of weight >= q that carry the last checkpoint; undefined until there are so many. */
  headers(): readonly Uint8Array[] | undefined {
    const { committee } = this.#deps;
    if (committee.weight(this.#headers.keys()) < committee.quorum) return undefined;
    return [...this.#headers.values()];
  }

  /** Forgets commits below `round`, but for the last, and what of open slots has lapsed. */
  forget(round: Round): void {
    const kept = Math.max(0, this.#commits.length - 1);
    const count = this.#commits.findIndex((commit) => commit.round >= round);
    for (const { leader } of this.#commits.splice(0, count < 0 ? kept : Math.min(count, kept))) {
      this.#diverging.delete(leader);
    }
    const { rule, epochRounds } = this.#deps;
    const clock = rule.last?.witness.clock;
    if (clock === undefined) return;
    const horizon = this.last.round - epochRounds;
    this.#resolution.forget({ clock, horizon, commit: this.last.index });
  }

  /** Takes over the commits of a snapshot, and the state that accounts have taken over from it. */
  adopt(commits: readonly CommitState[], payments: readonly PaymentRecord[]): void {
    const decided = new Map<number, PaymentRecord[]>(commits.map(({ index }) => [index, []]));
    for (const payment of payments) decided.get(payment.decidedAt)?.push(payment);
    const full = commits.map((commit) => ({ ...commit, decided: decided.get(commit.index)!, resolved: [] }));
    this.#commits.splice(0, this.#commits.length, ...full);
    const { accounts, rule } = this.#deps;
    for (const account of accounts.all()) {
      if (account.decided.balance > 0 || account.decided.sequence > 0) this.#setLeaf(account);
    }
    const first = commits[0]!;
    // The genesis is number 0, and no leader.
    rule.startAfter(Math.max(0, first.index - 1), Math.max(0, first.round - 1));
  }

  /** Takes note of a witness that is read back: what it commits has been applied. False when it commits something else. */
  readBack(witness: WitnessRecord): boolean {
    const leaders = this.#deps.rule.add(witness);
    if (leaders === 'conflict') return false;
    return leaders.every(({ index, witness: { id } }) => {
      const known = this.at(index!);
      return known === undefined ? index! > this.last.index : known.leader === id;
    });
  }

  /** All that was to be read back has been: what is open in the past of the last commit is known again. */
  readBackDone(): void {
    const { rule } = this.#deps;
    const horizon = this.last.round - this.#deps.epochRounds;
    for (const { index } of this.#commits) {
      const leader = rule.at(index)?.witness;
      if (leader !== undefined) this.#resolution.adopt(this.#news(leader, horizon, index));
    }
  }

  /** A remembered commit has decided the payment. */
  decidedRecently({ decidedAt }: PaymentRecord): boolean {
    return decidedAt !== 0 && decidedAt >= this.#commits[0]!.index;
  }

  /** Payments that commit `index` decided; none when that is forgotten. */
  decidedBy(index: number): readonly PaymentRecord[] {
    return this.at(index)?.decided ?? [];
  }
}
