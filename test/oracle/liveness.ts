/**
 * "After the network heals, every payment of an honest, funded owner becomes final, and every contested slot with a payable
 * rival is decided" (docs/protocol.md, section 8).
 */
import assert from 'node:assert/strict';
import type { Payment } from '../../ledger/index.ts';
import { keysOf } from '../dsl/network.ts';
import type { RandomDag } from '../generators/random-dag.ts';
import { areRivals, creditsOf, isLinked } from './oracle.ts';

function nameOf({ memo }: Payment): string {
  return new TextDecoder().decode(memo);
}

/** What should have been settled when the network has long been whole: one sentence each. */
export function stuck(dag: RandomDag): string[] {
  return [
    ...honestPayments(dag).map((payment) => `${nameOf(payment)} is not final`),
    ...openHeads(dag).map((payment) => `${nameOf(payment)} stands on a head and could be paid`),
    ...lateDecisions(dag).map((payment) => `${nameOf(payment)} is final and not decided`),
  ];
}

/** Payments of honest owners that are not final though all before them is and the money is there. */
function honestPayments(dag: RandomDag): readonly Payment[] {
  const { oracle } = dag;
  const payments = oracle.payments();
  const final = oracle.finals();
  const settled = [...payments.values()].filter(({ id }) => final.has(id));
  const honest = new Set(dag.honest.map((owner) => keysOf(owner).address));
  return [...payments.values()].filter((payment) => {
    if (!honest.has(payment.account) || final.has(payment.id)) return false;
    assert.ok(![...payments.values()].some((other) => areRivals(payment, other, payments)), 'honest');
    if (payment.previous !== payment.account && !settled.some(({ id }) => id === payment.previous))
      return false;
    const spent = settled.filter(({ account }) => account === payment.account).map(({ total }) => total);
    const debits = spent.reduce((sum, total) => sum + total, payment.total as number);
    return creditsOf(dag.genesis, payment.account, settled) >= debits;
  });
}

/** Payments, of honest owners or not, on the head of their account, that the decided balance can pay. */
function openHeads(dag: RandomDag): readonly Payment[] {
  const { oracle } = dag;
  const payments = oracle.payments();
  const { state } = oracle.lastCommitAmong(oracle.witnesses());
  return [...payments.values()].filter((payment) => isLinked(payment, payments) && state.canDecide(payment));
}

/** "Decided is final's superset eventually." */
function lateDecisions(dag: RandomDag): readonly Payment[] {
  const { oracle } = dag;
  const { decided } = oracle.lastCommitAmong(oracle.witnesses()).state;
  const final = oracle.finals();
  return [...oracle.payments().values()].filter(({ id }) => final.has(id) && !decided.has(id));
}
