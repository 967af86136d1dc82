/** What lies around a violation, in the language of drawn DAGs: enough to see who said what, not the whole run. */
import type { PaymentId, Vertex, VertexId } from '../../ledger/index.ts';
import { draw } from '../dsl/draw.ts';
import { parentsOf } from '../oracle/oracle.ts';
import type { Simulation } from './simulation.ts';

const VERTICES_MAX = 48;

export function drawingOf({ genesis, vertices, referee }: Simulation): string {
  const { about = [], payments = [] } = referee.violation ?? {};
  return draw(genesis, neighbourhood(vertices, new Set(about), new Set(payments)));
}

/** The vertices themselves and their parents, the blocks with the payments, and the witnesses that name either; else the last ones. */
function neighbourhood(
  vertices: readonly Vertex[],
  about: ReadonlySet<VertexId>,
  payments: ReadonlySet<PaymentId>,
): readonly Vertex[] {
  const near = new Set<VertexId>(about);
  for (const vertex of vertices) {
    if (about.has(vertex.id)) for (const id of parentsOf(vertex)) near.add(id);
    if (vertex.kind === 'block' && vertex.payloads.some(({ id }) => payments.has(id as PaymentId)))
      near.add(vertex.id);
  }
  const slots = new Set<string>(payments);
  for (const vertex of vertices) {
    if (vertex.kind !== 'block') continue;
    for (const payload of vertex.payloads)
      if (payload.kind === 'payment' && payments.has(payload.id)) slots.add(payload.previous);
  }
  const named = vertices.filter(
    (vertex) =>
      near.has(vertex.id) ||
      (vertex.kind === 'witness' &&
        (vertex.tips.some((id) => near.has(id)) ||
          [...vertex.defers, ...vertex.accepts, ...vertex.freezes].some((id) => slots.has(id)))),
  );
  return named.length === 0 ? vertices.slice(-VERTICES_MAX) : named.slice(0, VERTICES_MAX);
}
