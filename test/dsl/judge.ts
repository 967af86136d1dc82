/** Holds whoever computes votes, the slow oracle or the fast ledger, to what a drawing expects. */
import assert from 'node:assert/strict';
import {
  type Address,
  type Genesis,
  type Hash,
  isRefusal,
  Ledger,
  type PaymentId,
  type Refusal,
  type Round,
  type Slot,
  type Vertex,
  type VertexId,
  type Witness,
} from '../../ledger/index.ts';
import { violations } from '../oracle/correct.ts';
import { type Oracle, type OracleCommit, paymentsOf } from '../oracle/oracle.ts';
import type { AccountState } from '../oracle/states.ts';
import { type DrawnNames, drawnNames } from './draw.ts';
import type { Drawing, Expectation } from './draw-dag.ts';
import { keysOf } from './network.ts';

/** What the ledger offers to its caller, as far as votes go. Vertices come parents first. */
export interface Judge {
  attach(vertex: Vertex): Refusal | undefined;
  acceptedBy(witness: VertexId): Iterable<PaymentId>;
  /** What the witness certifies and no earlier one of its chain did. */
  certifiedBy(witness: VertexId): Iterable<PaymentId>;
  finals(): Iterable<PaymentId>;
  isFinal(payment: PaymentId): boolean;
  balanceOf(address: Address): number;
  /** Oldest first, without the genesis. */
  commits(): readonly JudgedCommit[];
  outcome(round: Round): string;
  decidedOf(address: Address): AccountState;
  isDecided(payment: PaymentId): boolean;
  isDead(payment: PaymentId): boolean;
}

/** A commit in a form that can be compared: ids ascending. */
export interface JudgedCommit {
  readonly index: number;
  readonly round: Round;
  readonly leader: VertexId;
  readonly root: Hash;
  readonly decided: readonly PaymentId[];
  readonly resolved: readonly Slot[];
}

export function judged(commit: OracleCommit, genesis: Genesis): JudgedCommit {
  const { index, round, root } = commit;
  const leader = commit.leader?.id ?? genesis.id;
  const decided = commit.decided.map(({ id }) => id).sort();
  return { index, round, leader, root, decided, resolved: [...commit.resolved].sort() };
}

/** The oracle as a judge of what has been attached so far. */
export class OracleJudge implements Judge {
  readonly #oracle: Oracle;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  attach(vertex: Vertex): undefined {
    this.#oracle.add(vertex);
  }

  acceptedBy(witness: VertexId): Iterable<PaymentId> {
    const w = this.#oracle.vertex(witness);
    return w.kind === 'witness' ? this.#oracle.accepts(w) : [];
  }

  certifiedBy(witness: VertexId): Iterable<PaymentId> {
    const w = this.#oracle.vertex(witness);
    return w.kind === 'witness' ? this.#oracle.newlyCertifies(w) : [];
  }

  finals(): Iterable<PaymentId> {
    return this.#oracle.finals();
  }

  isFinal(payment: PaymentId): boolean {
    return this.#oracle.finals().has(payment);
  }

  balanceOf(address: Address): number {
    return this.#oracle.balanceOf(address, this.#oracle.finals(), this.#oracle.payments());
  }

  #last(): OracleCommit {
    return this.#oracle.lastCommitAmong(this.#oracle.witnesses());
  }

  commits(): readonly JudgedCommit[] {
    const commits = this.#oracle.commitsAmong(this.#oracle.witnesses());
    return commits.map((commit) => judged(commit, this.#oracle.genesis));
  }

  outcome(round: Round): string {
    return this.#oracle.leaders.outcome(round, this.#last().leader);
  }

  decidedOf(address: Address): AccountState {
    return this.#last().state.account(address);
  }

  isDecided(payment: PaymentId): boolean {
    return this.#last().state.decided.has(payment);
  }

  isDead(payment: PaymentId): boolean {
    return this.#oracle.deadAmong(this.#oracle.vertices(), this.#oracle.payments()).has(payment);
  }
}

/** The ledger as a judge; it also sees to it that `attach` names each payment when it becomes final, and only then. */
export class LedgerJudge implements Judge {
  readonly ledger: Ledger;
  readonly #payments = new Set<PaymentId>();
  readonly #told = new Set<PaymentId>();

  constructor(genesis: Genesis, epochRounds: number) {
    this.ledger = new Ledger(genesis, { verticesMax: 10_000, epochRounds });
  }

  attach(vertex: Vertex): Refusal | undefined {
    const result = this.ledger.attach(vertex);
    if (isRefusal(result)) return result;
    if (vertex.kind === 'block') for (const { id } of paymentsOf(vertex)) this.#payments.add(id);
    assert.equal(result.divergence, undefined, 'every root that a test writes is the right one');
    for (const { id } of result.finals) {
      assert.ok(!this.#told.has(id), 'a payment becomes final once');
      assert.ok(this.ledger.isFinal(id), 'what is told to be final is final');
      this.#told.add(id);
    }
    const told = [...this.#told].filter((id) => !this.forgets(id));
    assert.deepEqual(told.sort(), [...this.finals()].sort(), 'what is final has been told');
    return undefined;
  }

  /** The ledger no longer knows this payment, or only that its slot is behind. */
  forgets(id: PaymentId): boolean {
    const status = this.ledger.statusOf(id);
    return status === 'unknown' || status === 'settled';
  }

  /** The ledger does not know this vertex, or no longer. */
  lacks(id: VertexId): boolean {
    return !this.ledger.tangle.has(id);
  }

  acceptedBy(witness: VertexId): Iterable<PaymentId> {
    return this.#said(witness, 'accepted');
  }

  certifiedBy(witness: VertexId): Iterable<PaymentId> {
    return this.#said(witness, 'certified');
  }

  #said(witness: VertexId, list: 'accepted' | 'certified'): Iterable<PaymentId> {
    const record = this.ledger.tangle.find(witness);
    if (record?.kind !== 'witness') throw new Error(`${witness} is no known witness`);
    return record[list].map(({ id }) => id);
  }

  finals(): PaymentId[] {
    return [...this.#payments].filter((id) => this.ledger.isFinal(id));
  }

  isFinal(payment: PaymentId): boolean {
    return this.ledger.isFinal(payment);
  }

  balanceOf(address: Address): number {
    return this.ledger.balanceOf(address);
  }

  commits(): readonly JudgedCommit[] {
    const commits = this.ledger.commits.filter(({ index }) => index > 0);
    return commits.map(({ index, round, leader, root, decided, resolved }) => {
      const ids = decided.map(({ id }) => id).sort();
      return { index, round, leader, root, decided: ids, resolved: [...resolved].sort() };
    });
  }

  outcome(round: Round): string {
    return this.ledger.outcome(round);
  }

  decidedOf(address: Address): AccountState {
    return this.ledger.decidedOf(address);
  }

  isDecided(payment: PaymentId): boolean {
    return this.ledger.statusOf(payment) === 'decided';
  }

  isDead(payment: PaymentId): boolean {
    return this.ledger.statusOf(payment) === 'dead';
  }
}

/** Attaches the drawn vertices one after the other and asserts each expectation at its place. */
export function judgeDrawing(drawing: Drawing, judge: Judge): void {
  let expectations = 0;
  for (const step of drawing.steps) {
    if (step.kind !== 'expectation') {
      const refusal = judge.attach(step);
      const name = drawnNames(drawing.network.genesis, drawing.vertices).vertices.get(step.id);
      assert.equal(refusal, undefined, `${name} refused: ${JSON.stringify(refusal)}`);
      continue;
    }
    expectations++;
    assert.deepEqual(answer(drawing, judge, step), expected(step), `line ${step.line + 1}: ${step.text}`);
  }
  assert.ok(expectations > 0, 'a drawing expects something');
}

/** What is a set is compared in order of names, what is a list as it stands. */
const SETS: ReadonlySet<string> = new Set<Expectation['what']>([
  'accepts',
  'certifies',
  'breaks',
  'final',
  'decided',
  'resolved',
  'dead',
]);

function expected({ what, words }: Expectation): string[] {
  if (what === 'balance' || what === 'outcome' || what === 'state') return words.slice(1);
  const list = words.length === 1 && words[0] === 'nothing' ? [] : [...words];
  return SETS.has(what) ? list.sort() : list;
}

function answer(drawing: Drawing, judge: Judge, expectation: Expectation): string[] {
  const { what, words } = expectation;
  const { genesis } = drawing.network;
  const names = drawnNames(genesis, drawing.vertices);
  const payments = [...names.payments.keys()];
  const named = (ids: Iterable<PaymentId>): string[] =>
    [...ids].map((id) => names.payments.get(id) ?? id).sort();
  const resolved = (): PaymentId[] => {
    const slots = new Set(judge.commits().flatMap((commit) => commit.resolved));
    const known = drawing.oracle.payments();
    return payments.filter((id) => judge.isDecided(id) && slots.has(known.get(id)!.previous));
  };
  switch (what) {
    case 'balance':
      return [String(judge.balanceOf(keysOf(words[0]!).address))];
    case 'final': {
      const finals = [...judge.finals()];
      for (const id of payments)
        assert.equal(judge.isFinal(id), finals.includes(id), `${names.payments.get(id)} final`);
      return named(finals);
    }
    case 'commits':
      return judge.commits().map(({ leader }) => names.vertices.get(leader) ?? leader);
    case 'outcome':
      return [judge.outcome(Number(words[0]))];
    case 'decided':
      return named(payments.filter((id) => judge.isDecided(id)));
    case 'resolved':
      return named(resolved());
    case 'dead':
      return named(payments.filter((id) => judge.isDead(id)));
    case 'state': {
      const { balance, sequence, head } = judge.decidedOf(keysOf(words[0]!).address);
      return [String(balance), String(sequence), names.payments.get(head as PaymentId) ?? 'nothing'];
    }
    default:
      return answerOf(drawing, judge, what, drawing.witness(expectation.witness), names);
  }
}

function answerOf(
  { oracle }: Drawing,
  judge: Judge,
  what: 'accepts' | 'certifies' | 'breaks' | 'checkpoint',
  w: Witness,
  names: DrawnNames,
): string[] {
  const named = (ids: Iterable<PaymentId>): string[] =>
    [...ids].map((id) => names.payments.get(id) ?? id).sort();
  if (what === 'accepts') return named(judge.acceptedBy(w.id));
  if (what === 'certifies') return named(judge.certifiedBy(w.id));
  if (what === 'checkpoint') return [names.vertices.get(w.checkpoint.leader) ?? w.checkpoint.leader];
  // A ledger says what a witness said, not what it should have said: that is the oracle's to judge.
  const slots = new Map([...oracle.payments().values()].reverse().map(({ id, previous }) => [previous, id]));
  const nameOfThing = (about: string): string => {
    const payment = names.payments.get(about as PaymentId);
    return payment ?? `!${names.payments.get(slots.get(about as Slot)!)}`;
  };
  return violations(oracle, w)
    .map(({ about, why }) =>
      why === 'not_frozen' || why.startsWith('freeze_')
        ? `!${names.payments.get(slots.get(about as Slot)!)}:${why}`
        : `${nameOfThing(about)}:${why}`,
    )
    .sort();
}
