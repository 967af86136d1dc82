/**
 * What lies where: vertices, pasts, chains and rounds (docs/protocol.md, sections 1 and 4) by plain set operations, for the
 * slow rules that stand on it. A past never changes, so the answers about one vertex are remembered; nothing else is.
 *
 * A ballot (a witness that is not signed yet) is asked about like a witness, which is how drawn and generated validators
 * decide what to write.
 */
import type {
  Block,
  Genesis,
  Payment,
  PaymentId,
  Round,
  ValidatorIndex,
  Vertex,
  VertexId,
  Witness,
} from '../../ledger/index.ts';

/** What a witness says about its place and about payments, with or without id, certificates and signature. */
export type Ballot = Pick<
  Witness,
  'kind' | 'validator' | 'round' | 'self' | 'witnesses' | 'tips' | 'defers' | 'accepts' | 'freezes'
>;

/** What lies in a past. The genesis lies in every past; it holds nothing that votes are about, so it is left out. */
export type Known = Block | Ballot;

export type Payments = ReadonlyMap<PaymentId, Payment>;

export class Dag {
  readonly genesis: Genesis;
  readonly #vertices = new Map<VertexId, Vertex>();
  readonly #remembered = new Map<string, WeakMap<object, unknown>>();
  /** By the list of parents: a validator asks about many ballots in one place. */
  readonly #below = new Map<string, ReadonlySet<Vertex>>();

  constructor(genesis: Genesis) {
    this.genesis = genesis;
  }

  /** Makes a vertex known. Its parents must be known. */
  add(vertex: Vertex): void {
    for (const parent of parentsOf(vertex)) {
      if (parent !== this.genesis.id && !this.#vertices.has(parent))
        throw new Error(`unknown parent ${parent}`);
    }
    this.#vertices.set(vertex.id, vertex);
  }

  has(id: VertexId): boolean {
    return this.#vertices.has(id);
  }

  vertex(id: VertexId): Vertex {
    const vertex = this.#vertices.get(id);
    if (vertex === undefined) throw new Error(`unknown vertex ${id}`);
    return vertex;
  }

  /** In the order in which they were added. */
  vertices(): readonly Vertex[] {
    return [...this.#vertices.values()];
  }

  witnesses(): readonly Witness[] {
    return this.vertices().filter((vertex) => vertex.kind === 'witness');
  }

  /** The answer to a question about something that never changes, worked out once. */
  once<T>(question: string, about: object, answer: () => T): T {
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

  /** past(x) without x: the same set for the same parents, so that more may be remembered about it. */
  below(x: Known): ReadonlySet<Vertex> {
    return this.once('below', x, () => {
      const parents = parentsOf(x);
      const key = parents.join();
      let below = this.#below.get(key);
      if (below === undefined) {
        const vertices = parents.flatMap((id) => this.#lookup(id));
        below = new Set(vertices.flatMap((parent) => [...this.below(parent), parent]));
        this.#below.set(key, below);
      }
      return below;
    });
  }

  /** "x and everything reachable from it through parents." */
  past(x: Known): ReadonlySet<Known> {
    return this.once('past', x, () => new Set<Known>([...this.below(x), x]));
  }

  /** The witnesses in past(x) other than x. */
  ballotsBelow(x: Known): readonly Witness[] {
    const below = this.below(x);
    return this.once('ballots', below, () => [...below].filter((y) => y.kind === 'witness'));
  }

  /** The witnesses and ballots in past(x). */
  ballotsIn(x: Known): readonly Ballot[] {
    return this.once('ballotsIn', x, () => [...this.ballotsBelow(x), ...(x.kind === 'witness' ? [x] : [])]);
  }

  /** The payments in past(x), whichever blocks carry them. */
  paymentsIn(x: Known): Payments {
    const below = this.below(x);
    const payments = this.once('payments', below, () => paymentsOfAll([...below]));
    return x.kind === 'witness' ? payments : new Map([...payments, ...paymentsOfAll([x])]);
  }

  /** Every payment that any known block carries. */
  payments(): Payments {
    return paymentsOfAll(this.vertices());
  }

  /** "round(witness) is its round; round(block) is the greatest round among the witnesses in its past, else 0." */
  roundOf(x: Known): Round {
    if (x.kind === 'witness') return x.round;
    return this.once('roundOf', x, () => Math.max(0, ...this.ballotsBelow(x).map(({ round }) => round)));
  }

  /** past(self) of a witness; nothing when it starts its chain. */
  pastOfSelf(w: Ballot): ReadonlySet<Known> {
    return this.once('pastOfSelf', w, () => {
      const [self] = this.#lookup(w.self);
      return self === undefined ? new Set<Known>() : this.past(self);
    });
  }

  /** The witnesses before w on its own chain of `self`, nearest first. */
  chainBefore(w: Ballot): readonly Witness[] {
    return this.once('chainBefore', w, () =>
      this.#lookup(w.self).flatMap((self) => {
        if (self.kind !== 'witness') throw new Error('self is a block');
        return [self, ...this.chainBefore(self)];
      }),
    );
  }

  /** Weight of those authors. */
  weight(authors: ReadonlySet<ValidatorIndex>): number {
    return sum([...authors].map((author) => this.genesis.committee[author]!.weight));
  }

  /** "q = the least weight greater than 2W/3." */
  isQuorum(authors: ReadonlySet<ValidatorIndex> | undefined): boolean {
    const total = sum(this.genesis.committee.map(({ weight }) => weight));
    return authors !== undefined && 3 * this.weight(authors) > 2 * total;
  }
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((all, amount) => all + amount, 0);
}

export function parentsOf(x: Known): readonly VertexId[] {
  return x.kind === 'block' ? x.parents : [x.self, ...x.witnesses, ...x.tips];
}

export function paymentsOf(block: Block): readonly Payment[] {
  return block.payloads.filter((payload) => payload.kind === 'payment');
}

function paymentsOfAll(vertices: readonly Known[]): Payments {
  const blocks = vertices.filter((x) => x.kind === 'block');
  return new Map(blocks.flatMap((block) => paymentsOf(block).map((payment) => [payment.id, payment])));
}

/** For each thing that some ballot says, the authors of those ballots: authors are counted, not witnesses. */
export function authorsOf<B extends Ballot, T>(
  ballots: readonly B[],
  says: (ballot: B) => Iterable<T>,
): Map<T, Set<ValidatorIndex>> {
  const authors = new Map<T, Set<ValidatorIndex>>();
  for (const ballot of ballots) {
    for (const thing of says(ballot)) {
      const known = authors.get(thing);
      if (known === undefined) authors.set(thing, new Set([ballot.validator]));
      else known.add(ballot.validator);
    }
  }
  return authors;
}
