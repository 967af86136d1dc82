/**
 * The fast path (docs/protocol.md, section 6): what each witness covers, accepts and certifies, and what is final. All of
 * it follows from the DAG alone, so every node computes the same whatever the order in which vertices arrive. Authors are
 * counted, never witnesses: an author that equivocates has several branches and still one voice. Votes lapse: a witness
 * looks no further back than its horizon, E rounds before the last commit in its past.
 */
import { decidedIn, eachOf, type PaymentRecord, settledIn } from './account.ts';
import type { Accounts } from './accounts.ts';
import { type Branch, type Branches, BranchRounds, type Chain, type Clock } from './branches.ts';
import type { CommitRule } from './commit-rule.ts';
import type { Committee } from './committee.ts';
import { Freezes } from './freezes.ts';
import { ZERO_HASH } from './hash.ts';
import { DEPTH_ROUNDS_MAX } from './limits.ts';
import { appended, exact } from './lists.ts';
import { type PaymentSet, PaymentSets } from './payment-set.ts';
import type { Refusal } from './refusal.ts';
import type { NewPast, Tangle } from './tangle.ts';
import type { Hash, PaymentId, Round, Slot, ValidatorIndex } from './types.ts';

/** What a witness, or a committed leader, looks at: how far its past reaches, and what in it still counts. */
export interface View {
  /** How far every branch reaches into the past. */
  readonly clock: Clock;
  /** What was said before this round has lapsed. */
  readonly horizon: Round;
  /** Number of the last commit in the past. */
  readonly commit: number;
}

/** What a witness to come finds in its past, itself not counted. */
export interface Coverage extends View {
  readonly chain: Chain;
  readonly round: Round;
  /** Payments that it covers, in order of first sight. Asked while it is the last coverage. */
  readonly covered: PaymentSet;
  /** Payments accepted by witnesses that are new in its past. */
  readonly acceptedByOthers: readonly (readonly PaymentRecord[])[];
  /** The chain's last witness saw this far. */
  readonly before: { readonly horizon: Round; readonly commit: number };
}

/** What a witness says about payments, checked against what it covers. */
export interface Vote {
  readonly accepted: PaymentSet;
  readonly deferred: readonly PaymentRecord[];
  readonly freezes: readonly Slot[];
}

/** Alone in `defers`: all that w covers and does not list in `accepts`. So w can cover more than it has room to list. */
export const DEFERS_ALL = ZERO_HASH as Hash as PaymentId;

export interface VotesDeps {
  readonly tangle: Tangle;
  readonly accounts: Accounts;
  readonly committee: Committee;
  readonly commits: CommitRule;
  /** Payments that a commit has decided, by its number. */
  decidedBy(commit: number): readonly PaymentRecord[];
  /** E. */
  readonly epochRounds: number;
}

export class Votes {
  readonly #deps: VotesDeps;
  readonly #branches: Branches;
  readonly #accepted: BranchRounds;
  readonly #certified: BranchRounds;
  readonly #deferred: BranchRounds;
  readonly #freezes = new Freezes();
  readonly #coveredSets = new PaymentSets();
  readonly #acceptedSets = new PaymentSets();
  readonly #certifiedSets = new PaymentSets();

  constructor(deps: VotesDeps) {
    this.#deps = deps;
    this.#branches = deps.tangle.branches;
    const { size } = deps.committee;
    this.#accepted = new BranchRounds(size);
    this.#certified = new BranchRounds(size);
    this.#deferred = new BranchRounds(size);
  }

  acceptedOn(chain: Chain, payment: PaymentRecord, horizon: Round): boolean {
    return this.#accepted.on(chain, payment.row, horizon);
  }

  /** Deferred on the chain and not accepted since. */
  deferredOn(chain: Chain, payment: PaymentRecord, horizon: Round): boolean {
    return this.#deferred.on(chain, payment.row, horizon) && !this.#accepted.on(chain, payment.row, horizon);
  }

  /** Authors of weight >= q have witnesses in the past that certify the payment, or a commit in it decided it. */
  finalWithin(view: View, payment: PaymentRecord): boolean {
    if (decidedIn(payment, view.commit)) return true;
    if (payment.certifyWeight < this.#deps.committee.quorum) return false;
    return this.#weightWithin(this.#certified, view, payment) >= this.#deps.committee.quorum;
  }

  /** Some witness in the past certifies the payment. */
  certifiedWithin(view: View, payment: PaymentRecord): boolean {
    return payment.certifyWeight > 0 && this.#weightWithin(this.#certified, view, payment) > 0;
  }

  /** Weight of the authors that accept it in the past. */
  acceptedWithin(view: View, payment: PaymentRecord): number {
    return this.#weightWithin(this.#accepted, view, payment);
  }

  /** Some witness in the past accepted or deferred it. */
  coveredWithin(view: View, payment: PaymentRecord): boolean {
    const { committee } = this.#deps;
    for (let author = 0; author < committee.size; author++) {
      if (this.#reaches(this.#accepted, view, author, payment.row)) return true;
      if (this.#reaches(this.#deferred, view, author, payment.row)) return true;
    }
    return false;
  }

  /** Weight of the authors that freeze the slot in the past. */
  frozenWithin(view: View, slot: Slot): number {
    return this.#deps.committee.weight(this.#freezes.authorsWithin(view, slot));
  }

  /** The last round in which the chain froze the slot, 0 when that has lapsed or never was. */
  frozenOn(chain: Chain, slot: Slot, horizon: Round): Round {
    return this.#freezes.lastOn(chain, slot, horizon);
  }

  /** What a witness of `round` on top of `chain` covers when it adds `past`. */
  coverage(chain: Chain, selfRow: number, round: Round, past: NewPast): Coverage {
    const { tangle, commits } = this.#deps;
    const clock = tangle.clockOf(selfRow);
    for (const row of past.rows) {
      const record = tangle.record(row);
      if (record.kind === 'witness') clock.raise(record.branch, record.round);
    }
    const commit = commits.lastWithin(clock);
    const horizon = this.horizonAfter(commit);
    // A witness of round r first covers no block older than r - D, nor than its horizon.
    const oldest = Math.max(round - DEPTH_ROUNDS_MAX, horizon);
    const covered = this.#coveredSets.next();
    const acceptedByOthers: (readonly PaymentRecord[])[] = [];
    for (const row of past.rows) {
      const record = tangle.record(row);
      if (record.kind === 'witness') {
        if (record.accepted.length > 0) acceptedByOthers.push(record.accepted);
      } else if (record.kind === 'block' && tangle.round(row) >= oldest) {
        for (const payment of record.payments) {
          const said =
            this.#accepted.on(chain, payment.row, horizon) || this.#deferred.on(chain, payment.row, horizon);
          if (!said && !settledIn(payment, commit)) covered.add(payment);
        }
      }
    }
    const self = tangle.record(selfRow);
    const last = self.kind === 'witness' ? self.commit : 0;
    const before = { commit: last, horizon: this.horizonAfter(last) };
    return { chain, round, clock, commit, horizon, covered, acceptedByOthers, before };
  }

  /** "horizon(w) = round(C(w)) - E": below 0 in a network's first epoch. */
  horizonAfter(commit: number): Round {
    return (this.#deps.commits.at(commit)?.round ?? 0) - this.#deps.epochRounds;
  }

  /** Holds the lists of a witness against what it covers: a vote about anything else has no ground. */
  vote(
    coverage: Coverage,
    lists: {
      readonly defers: readonly PaymentId[];
      readonly accepts: readonly PaymentId[];
      readonly freezes: readonly Slot[];
    },
  ): Vote | Refusal {
    const { accounts } = this.#deps;
    const { chain, horizon, covered } = coverage;
    const freezes = exact(lists.freezes);
    if (lists.defers.length === 0 && lists.accepts.length === 0)
      return (
        this.#freezesHaveGround(coverage, freezes) ?? { accepted: covered, deferred: exact([]), freezes }
      );
    const all = lists.defers.length === 1 && lists.defers[0] === DEFERS_ALL;
    const deferred = new Set<PaymentRecord>();
    for (const id of all ? [] : lists.defers) {
      const payment = accounts.get(id);
      if (payment === undefined || !covered.has(payment) || deferred.has(payment)) {
        return { code: 'vote_unfounded', payment: id, list: 'defers' };
      }
      deferred.add(payment);
    }
    const accepted = this.#acceptedSets.next();
    if (!all) for (const payment of covered.payments) if (!deferred.has(payment)) accepted.add(payment);
    for (const id of lists.accepts) {
      const payment = accounts.get(id);
      const ground = payment !== undefined && all && covered.has(payment);
      if (payment === undefined || !(ground || this.deferredOn(chain, payment, horizon))) {
        return { code: 'vote_unfounded', payment: id, list: 'accepts' };
      }
      accepted.add(payment);
    }
    if (all) for (const payment of covered.payments) if (!accepted.has(payment)) deferred.add(payment);
    return (
      this.#freezesHaveGround(coverage, freezes) ?? { accepted, deferred: exact([...deferred]), freezes }
    );
  }

  #freezesHaveGround(coverage: Coverage, freezes: readonly Slot[]): Refusal | undefined {
    const slot = freezes.find((one) => !this.mayVoteOn(coverage, one));
    return slot === undefined ? undefined : { code: 'vote_unfounded', payment: slot, list: 'freezes' };
  }

  /** A freeze has ground: the witness or its chain covers a payment that names the slot. */
  mayVoteOn({ chain, covered, horizon }: Coverage, slot: Slot): boolean {
    return this.#deps.accounts
      .naming(slot)
      .some(
        (payment) =>
          covered.has(payment) ||
          this.#accepted.on(chain, payment.row, horizon) ||
          this.#deferred.on(chain, payment.row, horizon),
      );
  }

  /** Payments that the witness certifies and its chain did not, predecessors first. */
  certify(coverage: Coverage, vote: Vote): readonly PaymentRecord[] {
    const { chain, horizon } = coverage;
    const frozen = new Set(vote.freezes);
    const certified = this.#certifiedSets.next();
    const { committee } = this.#deps;
    const own = committee.weightOf(chain.of.author);
    const consider = (payment: PaymentRecord): boolean =>
      // A bound that costs nothing: all that is known of, in this past or not.
      payment.acceptWeight + own >= committee.quorum &&
      payment.link === 'linked' &&
      !this.#certified.on(chain, payment.row, horizon) &&
      !certified.has(payment) &&
      this.#quorumAccepts(coverage, vote, payment) &&
      this.#predecessorCertified(coverage, certified, payment) &&
      !this.#blocked(coverage, frozen, payment) &&
      // "No rival of P is decided in past(w)."
      (decidedIn(payment, coverage.commit) || !settledIn(payment, coverage.commit));
    const ready: PaymentRecord[] = [];
    const look = (candidate: PaymentRecord): void => {
      if (consider(candidate)) ready.push(candidate);
    };
    const settle = (candidate: PaymentRecord): void => {
      look(candidate);
      for (let payment = ready.pop(); payment !== undefined; payment = ready.pop()) {
        certified.add(payment);
        // What waited only for its predecessor.
        eachOf(payment.children, look);
      }
    };
    for (const candidate of vote.accepted.payments) settle(candidate);
    for (const candidates of coverage.acceptedByOthers) for (const candidate of candidates) settle(candidate);
    this.#eachLapsed(coverage, settle);
    return certified.payments;
  }

  /**
   * Payments about which something may be certified though nothing new was said about them: those whose predecessor has
   * been decided since, and those about which a freeze or a certificate of the chain has lapsed since.
   */
  #eachLapsed({ chain, commit, horizon, before }: Coverage, visit: (candidate: PaymentRecord) => void): void {
    const { tangle, accounts } = this.#deps;
    for (let index = before.commit + 1; index <= commit; index++) {
      for (const payment of this.#deps.decidedBy(index)) eachOf(payment.children, visit);
    }
    for (const row of tangle.witnessesOf(chain, before.horizon, horizon)) {
      const record = tangle.record(row);
      if (record.kind !== 'witness') continue;
      for (const payment of record.certified) visit(payment);
      for (const slot of record.freezes) for (const rival of accounts.rivalsFor(slot)) visit(rival);
    }
  }

  /** "Authors of weight >= q accept P in past(w)", w's own acceptance included. */
  #quorumAccepts(coverage: Coverage, vote: Vote, payment: PaymentRecord): boolean {
    const { committee } = this.#deps;
    const author = coverage.chain.of.author;
    const self = vote.accepted.has(payment) ? author : undefined;
    return this.#weightWithin(this.#accepted, coverage, payment, self) >= committee.quorum;
  }

  /** "`previous` is P's own account, or decided in past(w), or w itself certifies it." (Nobody else's certificate does.) */
  #predecessorCertified(
    { chain, horizon, commit }: Coverage,
    now: PaymentSet,
    { parent }: PaymentRecord,
  ): boolean {
    return (
      parent === undefined ||
      now.has(parent) ||
      decidedIn(parent, commit) ||
      this.#certified.on(chain, parent.row, horizon)
    );
  }

  /** Frozen by w or its chain: P's own slot, or that of a payment before it which is not decided in past(w). */
  #blocked({ chain, horizon, commit }: Coverage, now: ReadonlySet<Slot>, payment: PaymentRecord): boolean {
    if (now.size === 0 && this.#freezes.size === 0) return false;
    for (let at: PaymentRecord | undefined = payment; at !== undefined; at = at.parent) {
      if (at !== payment && decidedIn(at, commit)) return false;
      if (now.has(at.previous) || this.frozenOn(chain, at.previous, horizon) !== 0) return true;
    }
    return false;
  }

  /** Weight of authors with a branch in the past on which it was said; `also` counts in any case. */
  #weightWithin(said: BranchRounds, view: View, payment: PaymentRecord, also?: ValidatorIndex): number {
    const { committee } = this.#deps;
    let weight = 0;
    for (let author = 0; author < committee.size; author++) {
      if (author === also || this.#reaches(said, view, author, payment.row)) {
        weight += committee.weightOf(author);
      }
    }
    return weight;
  }

  #reaches(said: BranchRounds, { clock, horizon }: View, author: ValidatorIndex, row: number): boolean {
    const main = this.#branches.main(author);
    if (said.said(main, row, horizon, clock.get(main))) return true;
    if (!this.#branches.equivocated(author)) return false;
    return this.#branches.forksOf(author).some((fork) => said.said(fork, row, horizon, clock.get(fork)));
  }

  /**
   * Writes down what a witness of `branch` says. From here on nothing may fail.
   * @returns payments that became final by it, predecessors first.
   */
  record(branch: Branch, round: Round, vote: Vote, certified: readonly PaymentRecord[]): PaymentRecord[] {
    this.adopt(branch, round, { ...vote, accepted: vote.accepted.payments }, certified);
    const { committee, accounts } = this.#deps;
    const finals: PaymentRecord[] = [];
    for (const payment of certified) {
      if (payment.final || payment.certifyWeight < committee.quorum) continue;
      accounts.finalise(payment);
      finals.push(payment);
    }
    return finals;
  }

  /** Writes down what a witness says, and draws no conclusion: for what is read back. */
  adopt(
    branch: Branch,
    round: Round,
    vote: Omit<Vote, 'accepted'> & { readonly accepted: readonly PaymentRecord[] },
    certified: readonly PaymentRecord[],
  ): void {
    const { author } = branch;
    const weight = this.#deps.committee.weightOf(author);
    for (const payment of vote.deferred) {
      this.#deferred.set(branch, payment.row, round);
      payment.lastRow = branch.tipRow;
    }
    for (const payment of vote.accepted) {
      payment.lastRow = branch.tipRow;
      if (!this.#saidBefore(this.#accepted, author, payment.row)) payment.acceptWeight += weight;
      this.#accepted.set(branch, payment.row, round);
    }
    for (const slot of vote.freezes) this.#freezes.add(slot, branch, round);
    // Most of them have been certified by the same witnesses, and share one list.
    let before: readonly number[] = [];
    let after: readonly number[] = [branch.tipRow];
    for (const payment of certified) {
      if (!this.#saidBefore(this.#certified, author, payment.row)) {
        payment.certifyWeight += weight;
        if (payment.certifiers !== before) {
          before = payment.certifiers;
          after = appended(before, branch.tipRow);
        }
        payment.certifiers = after;
      }
      this.#certified.set(branch, payment.row, round);
      payment.lastRow = branch.tipRow;
    }
  }

  /** The author has said it on some branch: it counts once. */
  #saidBefore(said: BranchRounds, author: ValidatorIndex, row: number): boolean {
    if (said.said(this.#branches.main(author), row, 1, Number.POSITIVE_INFINITY)) return true;
    if (!this.#branches.equivocated(author)) return false;
    return this.#branches.forksOf(author).some((fork) => said.said(fork, row, 1, Number.POSITIVE_INFINITY));
  }

  /** Forgets freezes of rounds below `round`. */
  forgetFreezes(round: Round): void {
    this.#freezes.forget(round);
  }

  /** Forgets all votes about a payment: its row gets another meaning. */
  forget(payment: PaymentRecord): void {
    const { all } = this.#branches;
    this.#accepted.clear(payment.row, all);
    this.#certified.clear(payment.row, all);
    this.#deferred.clear(payment.row, all);
  }
}
