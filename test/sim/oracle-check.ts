/** Recomputes a whole run by the slow rules: everything that correct nodes have attached, as one DAG that somebody knows in full. */
import type { PaymentId, Vertex, VertexId } from '../../ledger/index.ts';
import { brokenInvariants } from '../oracle/invariants.ts';
import { Oracle, parentsOf } from '../oracle/oracle.ts';
import type { Referee } from './referee.ts';
import type { SimWorld } from './sim-world.ts';

/** Beyond it the slow rules take minutes: every question looks at every past. */
export const ORACLE_VERTICES_MAX = 260;

/** What the slow rules say otherwise; undefined when they agree. */
export function oracleDisagrees(
  { genesis, mix, referee }: SimWorld,
  vertices: readonly Vertex[],
): string | undefined {
  const oracle = new Oracle(genesis, { epochRounds: mix.epochRounds });
  const known = new Set<VertexId>([genesis.id]);
  for (const vertex of vertices) {
    if (!referee.isAttached(vertex.id)) continue;
    if (!parentsOf(vertex).every((parent) => known.has(parent))) return `${vertex.id} came before a parent`;
    known.add(vertex.id);
    oracle.add(vertex);
  }
  // A contest counts from when the validator knows that they are rivals, which the vertices alone do not tell.
  const broken = brokenInvariants(oracle, mix.byzantine).find((one) => !one.endsWith('not_frozen'));
  return broken ?? otherCommits(oracle, referee) ?? otherFinals(oracle, referee);
}

function otherCommits(oracle: Oracle, referee: Referee): string | undefined {
  const commits = oracle.commitsAmong(oracle.witnesses());
  for (const [i, { leader, root, decided }] of referee.committedSequence.entries()) {
    const own = commits[i];
    if (own === undefined) return `the oracle has ${commits.length} commits, a node has told ${i + 1}`;
    const ids = own.decided
      .map(({ id }) => id)
      .sort()
      .join();
    if (own.leader?.id !== leader || own.root !== root || ids !== decided.split(',').sort().join())
      return `commit ${i + 1} is ${own.leader?.id} ${own.root} for the oracle, ${leader} ${root} for the nodes`;
  }
  return undefined;
}

function otherFinals(oracle: Oracle, referee: Referee): string | undefined {
  const finals: ReadonlySet<PaymentId> = oracle.finals();
  const invented = [...referee.finalPayments].find((id) => !finals.has(id));
  return invented === undefined ? undefined : `a node has told that ${invented} is final, the oracle has not`;
}
