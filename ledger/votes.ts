/**
 * The fast path (docs/protocol.md, section 6): what each witness covers, accepts and certifies, and what is final. All of
 * it follows from the DAG alone, so every node computes the same whatever the order in which vertices arrive. Authors are
 * counted, never witnesses: an author that equivocates has several branches and still one voice.
 */
import type { Accounts, PaymentRecord } from './accounts.ts';
import { type Branch, type Branches, BranchRounds, type Chain, type Clock } from './branches.ts';
import type { Committee } from './committee.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { NewPast, Tangle } from './tangle.ts';
import type { PaymentId, Round, Slot, ValidatorIndex } from './types.ts';

/** What a witness to come finds in its past. */
export interface Coverage {
  readonly chain: Chain;
  readonly round: Round;
  /** How far every branch reaches into its past, itself not counted. */
  readonly clock: Clock;
  /** Payments that it covers, in order of first sight. */
  readonly covered: ReadonlySet<PaymentRecord>;
  /** Payments accepted by witnesses that are new in its past. */
  readonly acceptedByOthers: readonly (readonly PaymentRecord[])[];
}

/** What a witness says about payments, checked against what it covers. */
export interface Vote {
  readonly accepted: ReadonlySet<PaymentRecord>;
  readonly deferred: readonly PaymentRecord[];
}

interface Freeze {
  readonly branch: Branch;
  readonly round: Round;
  readonly slot: Slot;
}

export class Votes {
  readonly #tangle: Tangle;
  readonly #accounts: Accounts;
  readonly #committee: Committee;
  readonly #branches: Branches;
  readonly #accepted: BranchRounds;
  readonly #certified: BranchRounds;
  readonly #deferred: BranchRounds;
  /** By author; nearly always empty. */
  readonly #freezes: Freeze[][];

  constructor(tangle: Tangle, accounts: Accounts, committee: Committee) {
    this.#tangle = tangle;
    this.#accounts = accounts;
    this.#committee = committee;
    this.#branches = tangle.branches;
    this.#accepted = new BranchRounds(committee.size);
    this.#certified = new BranchRounds(committee.size);
    this.#deferred = new BranchRounds(committee.size);
    this.#freezes = committee.members.map(() => []);
  }

  acceptedOn(chain: Chain, payment: PaymentRecord): boolean {
    return this.#accepted.on(chain, payment.row) !== 0;
  }

  /** Deferred on the chain and not accepted since. */
  deferredOn(chain: Chain, payment: PaymentRecord): boolean {
    return this.#deferred.on(chain, payment.row) !== 0 && !this.acceptedOn(chain, payment);
  }

  /** Authors of weight >= q have witnesses within the clock's reach that certify the payment. */
  finalWithin(clock: Clock, payment: PaymentRecord): boolean {
    return payment.final && this.#weightWithin(this.#certified, clock, payment) >= this.#committee.quorum;
  }

  /** What a witness of `round` on top of `chain` covers when it adds `past`. */
  coverage(chain: Chain, selfRow: number, round: Round, past: NewPast): Coverage {
    const clock = this.#tangle.clockOf(selfRow);
    const covered = new Set<PaymentRecord>();
    const acceptedByOthers: (readonly PaymentRecord[])[] = [];
    for (const row of past.rows) {
      const record = this.#tangle.record(row);
      if (record.kind === 'witness') {
        clock.raise(record.branch, record.round);
        if (record.accepted.length > 0) acceptedByOthers.push(record.accepted);
      } else if (record.kind === 'block' && this.#tangle.round(row) >= round - DEPTH_ROUNDS_MAX) {
        // A witness of round r first covers no block older than r - D.
        for (const payment of record.payments) {
          const before = this.#accepted.on(chain, payment.row) || this.#deferred.on(chain, payment.row);
          if (before === 0) covered.add(payment);
        }
      }
    }
    return { chain, round, clock, covered, acceptedByOthers };
  }

  /** Holds the lists of a witness against what it covers: a vote about anything else has no ground. */
  vote(coverage: Coverage, defers: readonly PaymentId[], accepts: readonly PaymentId[]): Vote | Refusal {
    const accepted = new Set(coverage.covered);
    const deferred: PaymentRecord[] = [];
    for (const id of defers) {
      const payment = this.#accounts.get(id);
      if (payment === undefined || !accepted.delete(payment)) {
        return { code: 'vote_unfounded', payment: id, list: 'defers' };
      }
      deferred.push(payment);
    }
    for (const id of accepts) {
      const payment = this.#accounts.get(id);
      if (payment === undefined || !this.deferredOn(coverage.chain, payment)) {
        return { code: 'vote_unfounded', payment: id, list: 'accepts' };
      }
      accepted.add(payment);
    }
    return { accepted, deferred };
  }

  /** Payments that the witness certifies and its chain did not, predecessors first. */
  certify(coverage: Coverage, vote: Vote, freezes: readonly Slot[]): PaymentRecord[] {
    const { chain } = coverage;
    const frozen = this.#frozenSlots(chain, freezes);
    const certified = new Set<PaymentRecord>();
    const consider = (payment: PaymentRecord): boolean =>
      payment.link === 'linked' &&
      !certified.has(payment) &&
      this.#certified.on(chain, payment.row) === 0 &&
      this.#quorumAccepts(coverage, vote, payment) &&
      this.#predecessorCertified(chain, certified, payment) &&
      !blocked(frozen, payment);
    const candidates: PaymentRecord[] = [...vote.accepted];
    for (const list of coverage.acceptedByOthers) candidates.push(...list);
    for (let payment = candidates.pop(); payment !== undefined; payment = candidates.pop()) {
      if (!consider(payment)) continue;
      certified.add(payment);
      // What waited only for its predecessor.
      for (const child of payment.children) candidates.push(child);
    }
    return [...certified];
  }

  /** "Authors of weight >= q accept P in past(w)", w's own acceptance included. */
  #quorumAccepts(coverage: Coverage, vote: Vote, payment: PaymentRecord): boolean {
    const { quorum } = this.#committee;
    const author = coverage.chain.of.author;
    const own = this.#committee.weightOf(author);
    // A bound that costs nothing: all that is known of, in this past or not.
    if (payment.acceptWeight + own < quorum) return false;
    const self = vote.accepted.has(payment) ? author : undefined;
    return this.#weightWithin(this.#accepted, coverage.clock, payment, self) >= quorum;
  }

  /** "P's `previous` is P's own account, or w itself certifies it." (Somebody else's certificate does not do.) */
  #predecessorCertified(chain: Chain, now: ReadonlySet<PaymentRecord>, payment: PaymentRecord): boolean {
    const { parent } = payment;
    return parent === undefined || now.has(parent) || this.#certified.on(chain, parent.row) !== 0;
  }

  /** Weight of authors with a branch on which it became true within the clock's reach; `also` counts in any case. */
  #weightWithin(since: BranchRounds, clock: Clock, payment: PaymentRecord, also?: ValidatorIndex): number {
    let weight = 0;
    for (let author = 0; author < this.#committee.size; author++) {
      if (author === also || this.#reaches(since, clock, author, payment.row)) {
        weight += this.#committee.weightOf(author);
      }
    }
    return weight;
  }

  #reaches(since: BranchRounds, clock: Clock, author: ValidatorIndex, row: number): boolean {
    const round = since.main(author, row);
    if (round !== 0 && round <= clock.get(this.#branches.main(author))) return true;
    return this.#branches.forksOf(author).some((fork) => {
      const forkRound = since.get(fork, row);
      return forkRound !== 0 && forkRound <= clock.get(fork);
    });
  }

  #frozenSlots(chain: Chain, now: readonly Slot[]): ReadonlySet<Slot> {
    const frozen = new Set<Slot>(now);
    for (const { branch, round, slot } of this.#freezes[chain.of.author]!) {
      for (let part: Chain | undefined = chain; part !== undefined; part = part.of.fork) {
        if (part.of === branch && round <= part.round) frozen.add(slot);
      }
    }
    return frozen;
  }

  /**
   * Writes down what a witness of `branch` says. From here on nothing may fail.
   * @returns payments that became final by it, predecessors first.
   */
  record(
    branch: Branch,
    round: Round,
    vote: Vote,
    certified: readonly PaymentRecord[],
    freezes: readonly Slot[],
  ): PaymentRecord[] {
    const { author } = branch;
    const weight = this.#committee.weightOf(author);
    for (const payment of vote.deferred) this.#deferred.set(branch, payment.row, round);
    for (const payment of vote.accepted) {
      if (!this.#saidBefore(this.#accepted, author, payment.row)) payment.acceptWeight += weight;
      this.#accepted.set(branch, payment.row, round);
    }
    for (const slot of freezes) this.#freezes[author]!.push({ branch, round, slot });
    const finals: PaymentRecord[] = [];
    for (const payment of certified) {
      if (!this.#saidBefore(this.#certified, author, payment.row)) {
        payment.certifyWeight += weight;
        payment.certifiers.push(branch.tipRow);
      }
      this.#certified.set(branch, payment.row, round);
      if (!payment.final && payment.certifyWeight >= this.#committee.quorum) {
        this.#accounts.finalise(payment);
        finals.push(payment);
      }
    }
    return finals;
  }

  /** The author has said it on some branch: it counts once. */
  #saidBefore(since: BranchRounds, author: ValidatorIndex, row: number): boolean {
    if (since.main(author, row) !== 0) return true;
    return this.#branches.forksOf(author).some((fork) => since.get(fork, row) !== 0);
  }
}

/** "Its slot is frozen, or that of a payment before it": nothing built on a frozen slot is certified. */
function blocked(frozen: ReadonlySet<Slot>, payment: PaymentRecord): boolean {
  if (frozen.size === 0) return false;
  for (let at: PaymentRecord | undefined = payment; at !== undefined; at = at.parent) {
    if (frozen.has(at.previous)) return true;
  }
  return false;
}
