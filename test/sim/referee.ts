/**
 * Sees everything that correct nodes do and say, and holds it to what must always hold (docs/protocol.md, section 8). It
 * believes no node: it has its own tables, by slot, by round and by commit. What a node says counts from the moment at which
 * its disk has all that it follows from; what a crash can undo has not been said.
 */
import {
  type Address,
  type Commit,
  type Core,
  checkFinalityProof,
  type Genesis,
  type Payment,
  type PaymentId,
  type PaymentRecord,
  type Refusal,
  type RefusalCode,
  type ValidatorIndex,
  type Vertex,
  type VertexId,
  type Witness,
} from '../../ledger/index.ts';

export type Invariant =
  | 'two final rivals'
  | 'final reverted'
  | 'commits differ'
  | 'commit reverted'
  | 'commit out of turn'
  | 'supply or balance'
  | 'two witnesses of one round'
  | 'visible before durable'
  | 'a correct vertex refused'
  | 'validity differs'
  | 'a correct validator accused'
  | 'a proof does not hold'
  | 'a bound exceeded'
  | 'a fault told'
  | 'an assertion'
  | 'a store that does not add up'
  | 'an owner waits for ever'
  | 'a slot stays contested'
  | 'states differ after healing'
  | 'the oracle disagrees';

/** What was broken, and which vertices it is about. */
export class Violation extends Error {
  readonly invariant: Invariant;
  readonly about: readonly VertexId[];
  readonly payments: readonly PaymentId[];

  constructor(
    invariant: Invariant,
    message: string,
    about: readonly VertexId[] = [],
    payments: readonly PaymentId[] = [],
  ) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
    this.about = about;
    this.payments = payments;
  }
}

/** Refusals that say nothing about the vertex, only about the node at that moment. */
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'queue_full',
  'stale',
  'budget_spent',
  'tangle_full',
]);

/** One proof in so many is checked: two signatures of three cost as much as the rest of a seed's work on a payment. */
const PROOF_SAMPLE = 16;

export interface Committed {
  readonly leader: VertexId;
  readonly root: string;
  readonly decided: string;
  readonly resolved: number;
  readonly by: ValidatorIndex;
}

export class Referee {
  readonly #genesis: Genesis;
  readonly #byzantine: ReadonlySet<ValidatorIndex>;
  readonly #winners = new Map<string, PaymentId>();
  readonly #witnesses = new Map<string, VertexId>();
  /** Vertices made by correct nodes. */
  readonly #correct = new Set<VertexId>();
  readonly #attached = new Set<VertexId>();
  readonly #invalid = new Map<VertexId, RefusalCode>();
  readonly #commits: Committed[] = [];
  readonly equivocators = new Set<ValidatorIndex>();
  /** The first one; everything after it may follow from it. */
  violation: Violation | undefined;
  finals = 0;
  #proofs = 0;

  constructor(genesis: Genesis, byzantine: ReadonlySet<ValidatorIndex>) {
    this.#genesis = genesis;
    this.#byzantine = byzantine;
  }

  fail(
    invariant: Invariant,
    message: string,
    about: readonly VertexId[] = [],
    payments: readonly PaymentId[] = [],
  ): void {
    this.violation ??= new Violation(invariant, message, about, payments);
  }

  get commits(): number {
    return this.#commits.length;
  }

  get resolved(): number {
    return this.#commits.reduce((sum, { resolved }) => sum + resolved, 0);
  }

  /** A correct node lets others see a vertex that it made. */
  published(node: ValidatorIndex, vertex: Vertex, durable: boolean): void {
    this.#correct.add(vertex.id);
    this.attached(node, vertex);
    if (!durable)
      this.fail('visible before durable', `${node} shows ${vertex.kind} ${vertex.id}`, [vertex.id]);
    if (vertex.kind === 'witness') this.#signed(vertex);
  }

  #signed({ id, validator, round }: Witness): void {
    const place = `${validator}/${round}`;
    const before = this.#witnesses.get(place);
    if (before === undefined) this.#witnesses.set(place, id);
    else if (before !== id) {
      const message = `correct validator ${validator} shows two witnesses of round ${round}`;
      this.fail('two witnesses of one round', message, [before, id]);
    }
  }

  attached(node: ValidatorIndex, vertex: Vertex): void {
    if (this.#attached.has(vertex.id)) return;
    this.#attached.add(vertex.id);
    const code = this.#invalid.get(vertex.id);
    if (code !== undefined)
      this.fail('validity differs', `${node} takes ${vertex.id}, refused as ${code}`, [vertex.id]);
  }

  refused(node: ValidatorIndex, id: VertexId, refusal: Refusal, from: string): void {
    const { code } = refusal;
    if (PASSING.has(code)) return;
    this.#invalid.set(id, code);
    const what = `${node} refuses ${id} of ${from}: ${JSON.stringify(refusal)}`;
    if (this.#correct.has(id)) this.fail('a correct vertex refused', what, [id]);
    else if (this.#attached.has(id)) this.fail('validity differs', what, [id]);
  }

  accused(node: ValidatorIndex, validator: ValidatorIndex, ids: readonly VertexId[]): void {
    if (this.#byzantine.has(validator)) this.equivocators.add(validator);
    else this.fail('a correct validator accused', `${node} accuses ${validator}`, ids);
  }

  /** A node says that a validator has another state after a leader. */
  diverges(node: ValidatorIndex, validator: ValidatorIndex, leader: VertexId): void {
    if (this.#byzantine.has(validator)) return;
    this.fail('commits differ', `${node} and ${validator} have two states after one leader`, [leader]);
  }

  /** A node says that a payment is final. */
  final(node: ValidatorIndex, core: Core, payment: PaymentRecord): void {
    const slot = `${payment.account.address}/${payment.previous}`;
    const winner = this.#winners.get(slot);
    if (winner === undefined) {
      this.#winners.set(slot, payment.id);
      this.finals++;
    } else if (winner !== payment.id) {
      const message = `${node} says ${payment.id}, somebody said ${winner}`;
      this.fail('two final rivals', message, [], [payment.id, winner]);
    }
    const balance = core.ledger.balanceOf(payment.account.address);
    if (balance < 0) this.fail('supply or balance', `${node}: ${balance}`, [], [payment.id]);
    if (++this.#proofs % PROOF_SAMPLE !== 0) return;
    // What a commit alone has decided is proven by the state.
    if (payment.decidedAt !== 0) return;
    const proof = core.ledger.proof(payment.id);
    const problem = proof === undefined ? { code: 'none' } : checkFinalityProof(this.#genesis, proof);
    if (problem !== undefined)
      this.fail('a proof does not hold', `${node}: ${JSON.stringify(problem)}`, [], [payment.id]);
  }

  isAttached(id: VertexId): boolean {
    return this.#attached.has(id);
  }

  get finalPayments(): Iterable<PaymentId> {
    return this.#winners.values();
  }

  get committedSequence(): readonly Committed[] {
    return this.#commits;
  }

  winnerOf(account: Address, previous: string): PaymentId | undefined {
    return this.#winners.get(`${account}/${previous}`);
  }

  /** Commits come one by one, as the ledger has them. */
  ordered(node: ValidatorIndex, commit: Commit, { ledger }: Core): void {
    if (ledger.lastCommit.index < commit.index)
      this.fail('commit out of turn', `${node}: ${commit.index}, and the last is ${ledger.lastCommit.index}`);
  }

  /** A node says that a leader is committed. */
  committed(node: ValidatorIndex, core: Core, commit: Commit): void {
    const { index, leader, root } = commit;
    const decided = commit.decided.map(({ id }) => id).join();
    const known = this.#commits[index - 1];
    if (known === undefined) {
      if (index !== this.#commits.length + 1)
        this.fail('commit out of turn', `${node}: ${index} after ${this.#commits.length}`, [leader]);
      this.#commits.push({ leader, root, decided, resolved: commit.resolved.length, by: node });
    } else if (known.leader !== leader || known.root !== root || known.decided !== decided) {
      const message = `commit ${index} is ${leader} ${root} for ${node}, ${known.leader} ${known.root} for ${known.by}`;
      this.fail('commits differ', message, [leader, known.leader]);
    }
    for (const payment of commit.decided) this.final(node, core, payment);
    this.#supply(node, core, leader);
  }

  #supply(node: ValidatorIndex, core: Core, leader: VertexId): void {
    let supply = 0;
    for (const { address } of core.ledger.accounts.all()) {
      const { balance } = core.ledger.decidedOf(address);
      if (balance < 0) this.fail('supply or balance', `${node}: ${address} has ${balance}`, [leader]);
      supply += balance;
    }
    if (supply !== this.#genesis.supply)
      this.fail('supply or balance', `${node}: the supply is ${supply}`, [leader]);
  }

  /** A node has read back its disk: what it had said before, it still says. */
  restored(node: ValidatorIndex, core: Core, told: ReadonlyMap<PaymentId, Payment>, commits: number): void {
    for (const { id, account, sequence } of told.values()) {
      if (core.ledger.isFinal(id) || core.ledger.decidedOf(account).sequence >= sequence) continue;
      this.fail('final reverted', `${node} has forgotten that ${id} is final`, [], [id]);
    }
    const last = core.ledger.lastCommit;
    if (last.index < commits)
      this.fail('commit reverted', `${node} is back at commit ${last.index} from ${commits}`);
  }
}
