/** Holds whoever computes votes, the slow oracle or the fast ledger, to what a drawing expects. */
import assert from 'node:assert/strict';
import {
  type Address,
  type Genesis,
  isRefusal,
  Ledger,
  type PaymentId,
  type Refusal,
  type Vertex,
  type VertexId,
} from '../../ledger/index.ts';
import { violations } from '../oracle/correct.ts';
import { type Oracle, paymentsOf } from '../oracle/oracle.ts';
import { drawnNames } from './draw.ts';
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
}

/** The ledger as a judge; it also sees to it that `attach` names each payment when it becomes final, and only then. */
export class LedgerJudge implements Judge {
  readonly ledger: Ledger;
  readonly #payments = new Set<PaymentId>();
  readonly #told = new Set<PaymentId>();

  constructor(genesis: Genesis) {
    this.ledger = new Ledger(genesis, { verticesMax: 10_000 });
  }

  attach(vertex: Vertex): Refusal | undefined {
    const result = this.ledger.attach(vertex);
    if (isRefusal(result)) return result;
    if (vertex.kind === 'block') for (const { id } of paymentsOf(vertex)) this.#payments.add(id);
    for (const { id } of result) {
      assert.ok(!this.#told.has(id), 'a payment becomes final once');
      assert.ok(this.ledger.isFinal(id), 'what is told to be final is final');
      this.#told.add(id);
    }
    assert.deepEqual([...this.#told].sort(), [...this.finals()].sort(), 'what is final has been told');
    return undefined;
  }

  acceptedBy(witness: VertexId): Iterable<PaymentId> {
    return this.ledger.acceptedBy(witness);
  }

  certifiedBy(witness: VertexId): Iterable<PaymentId> {
    return this.ledger.certifiedBy(witness);
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
    const actual = answer(drawing, judge, step);
    assert.deepEqual(
      actual,
      step.what === 'balance' ? step.words.slice(1) : expected(step),
      `line ${step.line + 1}: ${step.text}`,
    );
  }
  assert.ok(expectations > 0, 'a drawing expects something');
}

function expected({ words }: Expectation): string[] {
  return words.length === 1 && words[0] === 'nothing' ? [] : [...words].sort();
}

function answer(drawing: Drawing, judge: Judge, { what, witness, words }: Expectation): string[] {
  const names = drawnNames(drawing.network.genesis, drawing.vertices).payments;
  const named = (ids: Iterable<PaymentId>): string[] => [...ids].map((id) => names.get(id) ?? id).sort();
  if (what === 'balance') return [String(judge.balanceOf(keysOf(words[0]!).address))];
  if (what === 'final') {
    const finals = [...judge.finals()];
    for (const id of names.keys())
      assert.equal(judge.isFinal(id), finals.includes(id), `${names.get(id)} final`);
    return named(finals);
  }
  const w = drawing.witness(witness);
  if (what === 'accepts') return named(judge.acceptedBy(w.id));
  if (what === 'certifies') return named(judge.certifiedBy(w.id));
  // A ledger says what a witness said, not what it should have said: that is the oracle's to judge.
  return violations(drawing.oracle, w)
    .map(({ payment, why }) => `${names.get(payment)}:${why}`)
    .sort();
}
