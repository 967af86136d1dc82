/**
 * The votes of docs/protocol.md, section 6, computed as slowly and as literally as they are written there: every
 * question is answered from the whole past by plain set operations. The fast code of ledger/ is held to this.
 *
 * A past never changes, so the answers about one vertex are remembered; nothing else is. A ballot (a witness that is not
 * signed yet) is asked about like a witness, which is how drawn and generated validators decide what to write.
 */
import {
  type Address,
  type Block,
  DEPTH_ROUNDS_MAX,
  type Genesis,
  type Payment,
  type PaymentId,
  type Round,
  type Slot,
  type Units,
  type ValidatorIndex,
  type Vertex,
  type VertexId,
  type Witness,
} from '../../ledger/index.ts';

/** What a witness says about its place and about payments, with or without id, certificates and signature. */
export type Ballot = Pick<
  Witness,
  'kind' | 'validator' | 'round' | 'self' | 'witnesses' | 'tips' | 'defers' | 'accepts' | 'freezes'
>;

/** What lies in a past. The genesis lies in every past; it holds nothing that votes are about, so it is left out. */
export type Known = Block | Ballot;

export class Oracle {
  readonly genesis: Genesis;
  readonly #vertices = new Map<VertexId, Vertex>();
  readonly #remembered = new Map<string, WeakMap<Known, unknown>>();

  constructor(genesis: Genesis, vertices: readonly Vertex[] = []) {
    this.genesis = genesis;
    for (const vertex of vertices) this.add(vertex);
  }

  /** Makes a vertex known. Its parents must be known. */
  add(vertex: Vertex): void {
    for (const parent of parentsOf(vertex)) {
      if (parent !== this.genesis.id && !this.#vertices.has(parent))
        throw new Error(`unknown parent ${parent}`);
    }
    this.#vertices.set(vertex.id, vertex);
  }

  vertex(id: VertexId): Vertex {
    const vertex = this.#vertices.get(id);
    if (vertex === undefined) throw new Error(`unknown vertex ${id}`);
    return vertex;
  }

  vertices(): readonly Vertex[] {
    return [...this.#vertices.values()];
  }

  witnesses(): readonly Witness[] {
    return this.vertices().filter((vertex) => vertex.kind === 'witness');
  }

  #once<T>(question: string, about: Known, answer: () => T): T {
    let answers = this.#remembered.get(question);
    if (answers === undefined) {
      answers = new WeakMap();
      this.#remembered.set(question, answers);
    }
    if (!answers.has(about)) answers.set(about, answer());
    return answers.get(about) as T;
  }

  #lookup(id: VertexId): readonly Vertex[] {
    return id === this.genesis.id ? [] : [this.vertex(id)];
  }

  /** "x and everything reachable from it through parents." */
  past(x: Known): ReadonlySet<Known> {
    return this.#once('past', x, () => {
      const parents = parentsOf(x).flatMap((id) => this.#lookup(id));
      return new Set<Known>([...parents.flatMap((parent) => [...this.past(parent)]), x]);
    });
  }

  /** The witnesses and ballots in past(x). */
  ballotsIn(x: Known): readonly Ballot[] {
    return this.#once('ballotsIn', x, () => [...this.past(x)].filter((y) => y.kind === 'witness'));
  }

  /** The payments in past(x), whichever blocks carry them. */
  paymentsIn(x: Known): ReadonlyMap<PaymentId, Payment> {
    return this.#once('paymentsIn', x, () => {
      const blocks = [...this.past(x)].filter((y) => y.kind === 'block');
      return new Map(blocks.flatMap((block) => paymentsOf(block).map((payment) => [payment.id, payment])));
    });
  }

  /** "round(witness) is its round; round(block) is the greatest round among the witnesses in its past, else 0." */
  roundOf(x: Known): Round {
    if (x.kind === 'witness') return x.round;
    return Math.max(0, ...this.ballotsIn(x).map((witness) => witness.round));
  }

  /** The witnesses before w on its own chain of `self`, nearest first. */
  chainBefore(w: Ballot): readonly Witness[] {
    return this.#once('chainBefore', w, () =>
      this.#lookup(w.self).flatMap((self) => {
        if (self.kind !== 'witness') throw new Error('self is a block');
        return [self, ...this.chainBefore(self)];
      }),
    );
  }

  /**
   * "w covers the payments in past(w) that are not in past(self)", and "a witness of round r first covers no block older
   * than r - D": such a block gives no coverage, a younger block with the same payment does.
   */
  covers(w: Ballot): ReadonlySet<PaymentId> {
    return this.#once('covers', w, () => {
      const before = new Set(this.#lookup(w.self).flatMap((self) => [...this.past(self)]));
      const fresh = [...this.past(w)].filter((x) => x.kind === 'block' && !before.has(x));
      const young = fresh.filter((block) => this.roundOf(block) >= w.round - DEPTH_ROUNDS_MAX);
      const payments = young.flatMap((block) => (block.kind === 'block' ? paymentsOf(block) : []));
      const earlier = new Set(this.chainBefore(w).flatMap((x) => [...this.covers(x)]));
      return new Set(payments.map((payment) => payment.id).filter((id) => !earlier.has(id)));
    });
  }

  /** "Every payment that w covers and does not list in `defers`, and every payment in `accepts`." */
  accepts(w: Ballot): ReadonlySet<PaymentId> {
    return this.#once('accepts', w, () => {
      const taken = [...this.covers(w)].filter((id) => !w.defers.includes(id));
      return new Set([...taken, ...w.accepts]);
    });
  }

  /** What the validator has accepted with w and with all before it on the chain. */
  acceptedUpTo(w: Ballot): ReadonlySet<PaymentId> {
    return this.#once('acceptedUpTo', w, () => {
      return new Set([w, ...this.chainBefore(w)].flatMap((x) => [...this.accepts(x)]));
    });
  }

  /** Weight of the distinct authors of those ballots. */
  #weight(ballots: readonly Ballot[]): number {
    const authors = new Set<ValidatorIndex>(ballots.map((ballot) => ballot.validator));
    return [...authors].reduce((sum, author) => sum + this.genesis.committee[author]!.weight, 0);
  }

  #isQuorum(ballots: readonly Ballot[]): boolean {
    const total = this.genesis.committee.reduce((sum, member) => sum + member.weight, 0);
    return 3 * this.#weight(ballots) > 2 * total;
  }

  /** The slots "frozen by w or by an earlier witness of the same chain". */
  frozen(w: Ballot): ReadonlySet<Slot> {
    return new Set([w, ...this.chainBefore(w)].flatMap((x) => x.freezes));
  }

  /** The payments that w certifies, whether or not an earlier witness of its chain certified them too. */
  certifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.#once('certifies', w, () => {
      const payments = this.paymentsIn(w);
      const frozen = this.frozen(w);
      const certified = (payment: Payment): boolean => {
        const acceptors = this.ballotsIn(w).filter((x) => this.accepts(x).has(payment.id));
        if (!this.#isQuorum(acceptors) || frozen.has(payment.previous)) return false;
        if (isVoid(payment, payments)) return false;
        if (payment.previous === payment.account) return true;
        const previous = payments.get(payment.previous as PaymentId);
        return previous !== undefined && certified(previous);
      };
      return new Set([...payments.values()].filter(certified).map((payment) => payment.id));
    });
  }

  /** "Certified by w and by no earlier witness" of its chain: what the Merkle root of its header is over. */
  newlyCertifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.#once('newlyCertifies', w, () => {
      const earlier = new Set(this.chainBefore(w).flatMap((x) => [...this.certifies(x)]));
      return new Set([...this.certifies(w)].filter((id) => !earlier.has(id)));
    });
  }

  /** "P is final when authors of weight >= q have witnesses that certify it", when these are all there are. */
  finalAmong(ballots: readonly Ballot[]): ReadonlySet<PaymentId> {
    const candidates = new Set(ballots.flatMap((x) => [...this.certifies(x)]));
    return new Set(
      [...candidates].filter((id) => this.#isQuorum(ballots.filter((x) => this.certifies(x).has(id)))),
    );
  }

  /** What is final for a node that knows all vertices added so far. */
  finals(): ReadonlySet<PaymentId> {
    return this.finalAmong(this.witnesses());
  }

  /** Allocation plus credits, less debits, of the payments in `final`; it may come out negative. */
  balanceOf(
    address: Address,
    final: ReadonlySet<PaymentId>,
    payments: ReadonlyMap<PaymentId, Payment>,
  ): number {
    const settled = [...payments.values()].filter((payment) => final.has(payment.id));
    const debits = settled.filter((payment) => payment.account === address).map((payment) => payment.total);
    return creditsOf(this.genesis, address, settled) - sum(debits);
  }

  /** Every payment that any known block carries. */
  payments(): ReadonlyMap<PaymentId, Payment> {
    const blocks = this.vertices().filter((vertex) => vertex.kind === 'block');
    return new Map(blocks.flatMap((block) => paymentsOf(block).map((payment) => [payment.id, payment])));
  }
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((all, amount) => all + amount, 0);
}

/** What an account has been given by the genesis and by those payments. */
export function creditsOf(genesis: Genesis, address: Address, settled: readonly Payment[]): Units {
  const transfers = [...genesis.allocations.map(({ address: to, amount }) => ({ to, amount }))];
  for (const payment of settled) transfers.push(...payment.transfers);
  return sum(transfers.filter(({ to }) => to === address).map(({ amount }) => amount)) as Units;
}

export function parentsOf(x: Known): readonly VertexId[] {
  return x.kind === 'block' ? x.parents : [x.self, ...x.witnesses, ...x.tips];
}

export function paymentsOf(block: Block): readonly Payment[] {
  return block.payloads.filter((payload) => payload.kind === 'payment');
}

/**
 * A slot belongs to one account. A payment on another account's payment, or whose sequence is not one more than that of
 * its previous, is void: never accepted by a correct validator, never certified, never a rival. While the previous
 * payment is unknown, nothing can be said yet.
 */
export function isVoid(payment: Payment, payments: ReadonlyMap<PaymentId, Payment>): boolean {
  if (payment.previous === payment.account) return payment.sequence !== 1;
  const previous = payments.get(payment.previous as PaymentId);
  if (previous === undefined) return false;
  return previous.account !== payment.account || payment.sequence !== previous.sequence + 1;
}

/** Two different payments of one account with the same `previous`, neither void. */
export function areRivals(a: Payment, b: Payment, payments: ReadonlyMap<PaymentId, Payment>): boolean {
  if (a.id === b.id || a.account !== b.account || a.previous !== b.previous) return false;
  return !isVoid(a, payments) && !isVoid(b, payments);
}
