/**
 * What a witness says about payments (docs/protocol.md, sections 6 and 7): what it covers, accepts, freezes and certifies, and
 * what is final in its past. Every question is answered from the whole past, by the words of the rule.
 */
import {
  DEPTH_ROUNDS_MAX,
  type Payment,
  type PaymentId,
  type Round,
  type Slot,
  type ValidatorIndex,
  type Witness,
} from '../../ledger/index.ts';
import { areRivals, before, isVoid } from './branches.ts';
import { authorsOf, type Ballot, type Dag, paymentsOf } from './dag.ts';
import type { Leader, Leaders } from './leaders.ts';
import type { State } from './states.ts';

type Authors = ReadonlyMap<PaymentId, ReadonlySet<ValidatorIndex>>;

export interface VotesDeps {
  readonly dag: Dag;
  readonly leaders: Leaders;
  readonly epochRounds: number;
  /** The state after the commit of that leader. */
  stateAfter(leader: Leader): State;
}

export class Votes {
  readonly #deps: VotesDeps;
  readonly #dag: Dag;

  constructor(deps: VotesDeps) {
    this.#deps = deps;
    this.#dag = deps.dag;
  }

  /** "horizon(w) = round(C(w)) - E": what witnesses of lower rounds have said has lapsed at w. */
  horizon(w: Ballot): Round {
    return (this.#deps.leaders.committedAt(w)?.round ?? 0) - this.#deps.epochRounds;
  }

  /** The state after C(w). */
  state(w: Ballot): State {
    return this.#deps.stateAfter(this.#deps.leaders.committedAt(w));
  }

  /** The witnesses below w of which the votes count at w. */
  heard(w: Ballot): readonly Witness[] {
    const horizon = this.horizon(w);
    return this.#dag.once('heard', this.#dag.below(w), () =>
      this.#dag.ballotsBelow(w).filter(({ round }) => round >= horizon),
    );
  }

  /**
   * "What w brings newly into its past is not older than horizon(w), unless it is in past(C(w)). `self` is not older than
   * horizon(w), or it is the genesis": whether w breaks this.
   */
  bringsTooOld(w: Ballot): boolean {
    const horizon = this.horizon(w);
    const leader = this.#deps.leaders.committedAt(w);
    const committed = leader === undefined ? new Set() : this.#dag.past(leader);
    const old = this.#dag.pastOfSelf(w);
    const [self] = this.#dag.chainBefore(w);
    if (self !== undefined && self.round < horizon) return true;
    const brought = [...this.#dag.below(w)].filter((x) => !old.has(x) && !committed.has(x));
    return brought.some((x) => this.#dag.roundOf(x) < horizon);
  }

  /** The witnesses of w's own chain of which the votes count at w, nearest first. */
  chainHeard(w: Ballot): readonly Witness[] {
    const horizon = this.horizon(w);
    return this.#dag.once('chainHeard', w, () =>
      this.#dag.chainBefore(w).filter(({ round }) => round >= horizon),
    );
  }

  /**
   * "A block in past(w) that is not in past(self) carries P; that block is not older than round(w) - D, nor than horizon(w); no
   * earlier witness of w's chain, of round horizon(w) or later, has accepted or deferred P; P is not settled in past(w)."
   */
  covers(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('covers', w, () => {
      const old = this.#dag.pastOfSelf(w);
      const fresh = [...this.#dag.below(w)].filter((x) => x.kind === 'block' && !old.has(x));
      const least = Math.max(w.round - DEPTH_ROUNDS_MAX, this.horizon(w));
      const young = fresh.filter((block) => this.#dag.roundOf(block) >= least);
      const carried = young.flatMap((block) => (block.kind === 'block' ? paymentsOf(block) : []));
      const earlier = new Set(this.chainHeard(w).flatMap((x) => [...this.spokenOf(x)]));
      const open = carried.filter((payment) => !earlier.has(payment.id) && !this.state(w).settles(payment));
      return new Set(open.map(({ id }) => id));
    });
  }

  /** "Every payment that w covers and does not list in `defers`, and every payment in `accepts`." */
  accepts(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('accepts', w, () => {
      const taken = defersAll(w) ? [] : [...this.covers(w)].filter((id) => !w.defers.includes(id));
      return new Set([...taken, ...w.accepts]);
    });
  }

  /** "When `defers` holds 32 zero bytes and nothing else, w defers all that it covers and does not list in `accepts`." */
  defers(w: Ballot): readonly PaymentId[] {
    return defersAll(w) ? [...this.covers(w)].filter((id) => !w.accepts.includes(id)) : w.defers;
  }

  /** What w has accepted or deferred. */
  spokenOf(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('spokenOf', w, () => new Set([...this.accepts(w), ...this.defers(w)]));
  }

  /** Deferred by the chain before w within the horizon, and not accepted since: what `accepts` of w may list. */
  deferredBefore(w: Ballot): ReadonlySet<PaymentId> {
    const chain = this.chainHeard(w);
    const accepted = new Set(chain.flatMap((x) => [...this.accepts(x)]));
    return new Set(chain.flatMap((x) => this.defers(x)).filter((id) => !accepted.has(id)));
  }

  /**
   * Every witness of w's validator that w goes on from: its chain, and, when that starts anew at the genesis after a long
   * absence, all that the validator made before. It remembers them, whether or not they lie in past(w).
   */
  ownBefore(w: Ballot): readonly Witness[] {
    return this.#dag.once('ownBefore', w, () => {
      const chain = this.#dag.chainBefore(w);
      const start = chain.at(-1) ?? w;
      if (start.round === 1) return chain;
      const all = this.#dag.witnesses();
      return [...chain, ...all.filter((x) => x.validator === w.validator && x.round < start.round)];
    });
  }

  /** What the validator has accepted with w and ever before. */
  acceptedUpTo(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('acceptedUpTo', w, () => {
      return new Set([w, ...this.ownBefore(w)].flatMap((x) => [...this.accepts(x)]));
    });
  }

  /** The slots frozen by w or by an earlier witness of its chain, of a round >= horizon(w). */
  frozen(w: Ballot): ReadonlySet<Slot> {
    return new Set([w, ...this.chainHeard(w)].flatMap((x) => x.freezes));
  }

  /** The slots that w has ground to freeze: those of payments which it or its chain, within the horizon, has spoken of. */
  freezable(w: Ballot): ReadonlySet<Slot> {
    const payments = this.#dag.paymentsIn(w);
    const spoken = [w, ...this.chainHeard(w)].flatMap((x) => [...this.spokenOf(x)]);
    return new Set(spoken.flatMap((id) => payments.get(id)?.previous ?? []));
  }

  /** Who accepts what in past(w), w included. */
  #acceptors(w: Ballot): Authors {
    const below = this.#dag.once('acceptors', this.#dag.below(w), () =>
      authorsOf(this.heard(w), (x) => this.accepts(x)),
    );
    return withAuthor(below, this.accepts(w), w.validator);
  }

  /**
   * The payments that w certifies, whether or not it is the first of its chain to do so:
   * "authors of weight >= q accept P in past(w), w included; P not void; P's slot is not frozen by w or its chain, nor the
   * slot of an ancestor that is not decided in past(w); no rival of P is decided in past(w); `previous` is the account
   * itself, or decided in past(w), or certified by w, now or by an earlier witness of its chain."
   */
  certifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('certifies', w, () => {
      const payments = this.#dag.paymentsIn(w);
      const acceptors = this.#acceptors(w);
      const frozen = this.frozen(w);
      const { decided } = this.state(w);
      const earlier = new Set(this.chainHeard(w).flatMap((x) => [...this.newlyCertifies(x)]));
      const certified = (payment: Payment): boolean => {
        if (!this.#dag.isQuorum(acceptors.get(payment.id)) || isVoid(payment, payments)) return false;
        const undecided = before(payment, payments).filter(({ id }) => !decided.has(id));
        if ([payment, ...undecided].some(({ previous }) => frozen.has(previous))) return false;
        for (const id of decided) {
          const winner = payments.get(id);
          if (winner !== undefined && areRivals(payment, winner, payments)) return false;
        }
        if (payment.previous === payment.account) return true;
        const previous = payments.get(payment.previous as PaymentId);
        if (previous === undefined) return false;
        return decided.has(previous.id) || earlier.has(previous.id) || certified(previous);
      };
      return new Set([...payments.values()].filter(certified).map((payment) => payment.id));
    });
  }

  /**
   * "Certified, and newly so by no earlier witness of its chain of a round >= horizon(w)": what the Merkle root of its header
   * is over, and what w says to others.
   */
  newlyCertifies(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('newlyCertifies', w, () => {
      const earlier = new Set(this.chainHeard(w).flatMap((x) => [...this.newlyCertifies(x)]));
      return new Set([...this.certifies(w)].filter((id) => !earlier.has(id)));
    });
  }

  /** What some witness of those has newly certified. */
  certifiedBy(ballots: readonly Ballot[]): ReadonlySet<PaymentId> {
    return new Set(ballots.flatMap((x) => [...this.newlyCertifies(x)]));
  }

  #certifiersBelow(w: Ballot): Authors {
    return this.#dag.once('certifiers', this.#dag.below(w), () =>
      authorsOf(this.heard(w), (x) => this.newlyCertifies(x)),
    );
  }

  #finalBy(certifiers: Authors, w: Ballot): ReadonlySet<PaymentId> {
    const certified = [...certifiers].filter(([, authors]) => this.#dag.isQuorum(authors));
    return new Set([...certified.map(([id]) => id), ...this.state(w).decided]);
  }

  /** "Authors of weight >= q have witnesses in past(w) that certify it, or it is decided in past(w)." */
  finalIn(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('finalIn', w, () =>
      this.#finalBy(withAuthor(this.#certifiersBelow(w), this.newlyCertifies(w), w.validator), w),
    );
  }

  /** The same without the certificates of w itself. */
  finalBelow(w: Ballot): ReadonlySet<PaymentId> {
    return this.#dag.once('finalBelow', w, () => this.#finalBy(this.#certifiersBelow(w), w));
  }

  /** What the certificates of these witnesses alone make final for a node. */
  certifiedFinal(ballots: readonly Ballot[]): ReadonlySet<PaymentId> {
    const certifiers = authorsOf(ballots, (x) => this.newlyCertifies(x));
    return new Set([...certifiers].filter(([, some]) => this.#dag.isQuorum(some)).map(([id]) => id));
  }
}

function withAuthor(authors: Authors, said: Iterable<PaymentId>, author: ValidatorIndex): Authors {
  const all = new Map(authors);
  for (const id of said) all.set(id, new Set([...(authors.get(id) ?? []), author]));
  return all;
}

export function defersAll(w: Ballot): boolean {
  return w.defers.length === 1 && w.defers[0] === '0'.repeat(64);
}
