/** What each committed leader decides (docs/protocol.md, section 7, *At each committed leader*), by plain recomputation. */
import type { Hash, Payment, PaymentId, Round, Slot, Witness } from '../../ledger/index.ts';
import { isVoid } from './branches.ts';
import { authorsOf, type Ballot, type Dag, type Payments } from './dag.ts';
import type { Leader, Leaders } from './leaders.ts';
import { State } from './states.ts';
import type { Votes } from './votes.ts';

export interface OracleCommit {
  /** 0 for the genesis. */
  readonly index: number;
  readonly round: Round;
  /** Undefined for the genesis. */
  readonly leader: Leader;
  readonly state: State;
  readonly root: Hash;
  /** In the order in which they were decided. */
  readonly decided: readonly Payment[];
  /** The slots that rule 2 decided. */
  readonly resolved: readonly Slot[];
}

export interface CommitsDeps {
  readonly dag: Dag;
  readonly leaders: Leaders;
  readonly votes: Votes;
  readonly epochRounds: number;
}

export class Commits {
  readonly #deps: CommitsDeps;
  readonly #genesis: OracleCommit;

  constructor(deps: CommitsDeps) {
    this.#deps = deps;
    const { genesis } = deps.dag;
    const state = State.ofGenesis(genesis);
    const root = state.root(genesis);
    this.#genesis = { index: 0, round: 0, leader: undefined, state, root, decided: [], resolved: [] };
  }

  /** The commit of a leader, on top of all before it. */
  of(leader: Leader): OracleCommit {
    if (leader === undefined) return this.#genesis;
    return this.#deps.dag.once('commit', leader, () => this.#make(leader));
  }

  #make(leader: Witness): OracleCommit {
    const { dag, leaders, votes, epochRounds } = this.#deps;
    const last = this.of(leaders.prev(leader));
    const horizon = last.round - epochRounds;
    const said = dag.ballotsIn(leader).filter(({ round }) => round >= horizon);
    const turn = new Turn(last.state, votes, dag, said, dag.paymentsIn(leader));
    turn.decideCertified();
    while (turn.resolveContested());
    const { state, decided, resolved } = turn;
    const root = state.root(dag.genesis);
    return { index: last.index + 1, round: leader.round, leader, state, root, decided, resolved };
  }
}

/** One commit while it is being made. */
class Turn {
  state: State;
  readonly decided: Payment[] = [];
  readonly resolved: Slot[] = [];
  readonly #dag: Dag;
  readonly #votes: Votes;
  /** The witnesses in past(L) within the horizon. */
  readonly #said: readonly Ballot[];
  readonly #payments: Payments;

  constructor(state: State, votes: Votes, dag: Dag, said: readonly Ballot[], payments: Payments) {
    this.state = state;
    this.#votes = votes;
    this.#dag = dag;
    this.#said = said;
    this.#payments = payments;
  }

  #decide(payment: Payment): void {
    this.state = this.state.with(payment);
    this.decided.push(payment);
  }

  #payment(id: PaymentId): Payment {
    return this.#payments.get(id)!;
  }

  /** "1. Every payment with a certificate in past(L), undecided, on its account's head, that the balance can pay." */
  decideCertified(): void {
    const certified = [...this.#votes.certifiedBy(this.#said)].sort();
    for (let grew = true; grew; ) {
      grew = false;
      for (const payment of certified.map((id) => this.#payment(id))) {
        if (!this.state.canDecide(payment)) continue;
        this.#decide(payment);
        grew = true;
      }
    }
  }

  /**
   * "2. For each account in ascending order of address whose head slot is frozen in past(L) by weight >= q: ... After each
   * decision rule 1 is exhausted again." One pass.
   * @returns whether it decided anything.
   */
  resolveContested(): boolean {
    const frozen = authorsOf(this.#said, ({ freezes }) => freezes);
    const before = this.decided.length;
    for (const address of [...this.state.accounts.keys()].sort()) {
      const { head } = this.state.account(address);
      if (!this.#dag.isQuorum(frozen.get(head))) continue;
      const winner = this.#heaviest(head);
      if (winner === undefined) continue;
      this.#decide(winner);
      this.resolved.push(head);
      this.decideCertified();
    }
    return this.decided.length > before;
  }

  /** "Of those accepted or deferred, not void, payable: the one accepted by the most weight, then the least id." */
  #heaviest(slot: Slot): Payment | undefined {
    const spoken = new Set(this.#said.flatMap((x) => [...this.#votes.spokenOf(x)]));
    const acceptors = authorsOf(this.#said, (x) => this.#votes.accepts(x));
    const weight = (id: PaymentId): number => this.#dag.weight(acceptors.get(id) ?? new Set());
    return [...spoken]
      .flatMap((id) => this.#payments.get(id) ?? [])
      .filter((payment) => payment.previous === slot && !isVoid(payment, this.#payments))
      .filter((payment) => this.state.canDecide(payment))
      .sort((a, b) => weight(b.id) - weight(a.id) || (a.id < b.id ? -1 : 1))[0];
  }
}
