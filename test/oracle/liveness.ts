/** "After the network heals, every payment of an honest, funded owner becomes final" (docs/protocol.md, section 8). */
import assert from 'node:assert/strict';
import { keysOf } from '../dsl/network.ts';
import type { RandomDag } from '../generators/random-dag.ts';
import { areRivals, creditsOf } from './oracle.ts';

/** Payments of honest owners that are not final though all before them is and the money is there. */
export function stuck(dag: RandomDag): string[] {
  const { oracle } = dag;
  const payments = oracle.payments();
  const final = oracle.finals();
  const settled = [...payments.values()].filter(({ id }) => final.has(id));
  const honest = new Set(dag.honest.map((owner) => keysOf(owner).address));
  const due = [...payments.values()].filter((payment) => {
    if (!honest.has(payment.account) || final.has(payment.id)) return false;
    assert.ok(![...payments.values()].some((other) => areRivals(payment, other, payments)), 'honest');
    if (payment.previous !== payment.account && !settled.some(({ id }) => id === payment.previous))
      return false;
    const spent = settled.filter(({ account }) => account === payment.account).map(({ total }) => total);
    const debits = spent.reduce((sum, total) => sum + total, payment.total as number);
    return creditsOf(dag.genesis, payment.account, settled) >= debits;
  });
  return due.map(({ memo }) => new TextDecoder().decode(memo));
}
