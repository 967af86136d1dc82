/** The way back: prints vertices in the language of draw-dag.ts, so that a generated DAG which fails can be read and kept. */
import type { Genesis, Payment, PaymentId, Vertex, VertexId, Witness } from '../../ledger/index.ts';
import { letterOf, nameOf } from './network.ts';

/** Names as they stand in a printed drawing. */
export interface DrawnNames {
  readonly vertices: ReadonlyMap<VertexId, string>;
  readonly payments: ReadonlyMap<PaymentId, string>;
}

function paymentsOf(vertices: readonly Vertex[]): Map<PaymentId, Payment> {
  const payments = new Map<PaymentId, Payment>();
  for (const vertex of vertices) {
    for (const payload of vertex.kind === 'block' ? vertex.payloads : []) {
      if (payload.kind === 'payment') payments.set(payload.id, payload);
    }
  }
  return payments;
}

/** The mark that makes twins different stands in the time (see network.ts): as many primes. */
function witnessName({ validator, round, timeMs }: Witness): string {
  const mark = timeMs - 1000 * round;
  return letterOf(validator) + round + "'".repeat(mark > 0 && mark < 10 ? mark : 0);
}

/** Witnesses as A1, A1' by validator and round, blocks b1, b2, ... in order; payments as their memo says, else p1, p2, ... */
export function drawnNames(genesis: Genesis, vertices: readonly Vertex[]): DrawnNames {
  const names = new Map<VertexId, string>([[genesis.id, 'genesis']]);
  const taken = new Set<string>();
  let blocks = 0;
  for (const vertex of vertices) {
    let name = vertex.kind === 'block' ? `b${++blocks}` : witnessName(vertex);
    while (taken.has(name)) name += "'";
    taken.add(name);
    names.set(vertex.id, name);
  }
  const payments = new Map<PaymentId, string>();
  for (const payment of paymentsOf(vertices).values()) {
    const memo = new TextDecoder().decode(payment.memo);
    let name = /^[a-z]\w*$/.test(memo) ? memo : `p${payments.size + 1}`;
    while (taken.has(name)) name += 'o';
    taken.add(name);
    payments.set(payment.id, name);
  }
  return { vertices: names, payments };
}

/** @param vertices Parents first. A payment whose previous one is in no block is printed without it, with a remark. */
export function draw(genesis: Genesis, vertices: readonly Vertex[], epochRounds = 1000): string {
  const names = drawnNames(genesis, vertices);
  const vertexName = (id: VertexId): string => names.vertices.get(id) ?? `unknown_${id.slice(0, 8)}`;
  const paymentName = (id: string): string =>
    names.payments.get(id as PaymentId) ?? `unknown_${id.slice(0, 8)}`;
  const ownerName = (address: Payment['account']): string => nameOf(address) ?? `x${address.slice(0, 8)}`;
  const payments = paymentsOf(vertices);
  const bySlot = new Map([...payments.values()].map((payment) => [payment.previous, payment]));
  const lines = [
    `committee ${genesis.committee.map((member) => member.weight).join(' ')}`,
    `epoch ${epochRounds}`,
    `fund ${genesis.allocations.map(({ address, amount }) => `${ownerName(address)} ${amount}`).join(', ')}`,
  ];

  const drawn = new Set<PaymentId>();
  const drawPayment = (payment: Payment): void => {
    if (drawn.has(payment.id)) return;
    drawn.add(payment.id);
    const previous = payments.get(payment.previous as PaymentId);
    if (previous !== undefined) drawPayment(previous);
    const first = payment.previous === payment.account;
    const right = first ? 1 : (previous?.sequence ?? 0) + 1;
    const transfers = payment.transfers.map(({ to, amount }) => `${ownerName(to)} ${amount}`).join(', ');
    const after = previous === undefined ? '' : ` after ${paymentName(previous.id)}`;
    const sequence = payment.sequence === right ? '' : ` seq ${payment.sequence}`;
    const lost = previous === undefined && !first ? '  # its previous payment is in no block here' : '';
    lines.push(
      `pay ${paymentName(payment.id)}: ${ownerName(payment.account)} -> ${transfers}${after}${sequence}${lost}`,
    );
  };

  const drawWitness = (witness: Witness): string => {
    const says = [
      ...witness.witnesses.map(vertexName),
      ...witness.tips.map(vertexName),
      ...witness.defers.map((id) => `-${paymentName(id)}`),
      ...witness.accepts.map((id) => `+${paymentName(id)}`),
      ...witness.freezes.map((slot) => {
        const spender = bySlot.get(slot as PaymentId);
        return spender === undefined ? `# freezes ${slot.slice(0, 8)}` : `!${paymentName(spender.id)}`;
      }),
    ];
    const self =
      witness.self === genesis.id && witness.round === 1 ? '' : `self=${vertexName(witness.self)} `;
    return `${vertexName(witness.id)}: ${self}${says.join(' ')}`;
  };

  for (const vertex of vertices) {
    if (vertex.kind === 'witness') {
      lines.push(drawWitness(vertex));
      continue;
    }
    for (const payload of vertex.payloads) if (payload.kind === 'payment') drawPayment(payload);
    const payloads = vertex.payloads.map((payload) => {
      if (payload.kind === 'data') return `data:${new TextDecoder().decode(payload.content)}`;
      const nonce = new DataView(payload.work.slice().buffer).getUint32(0);
      return paymentName(payload.id) + (nonce === 0 ? '' : `~${nonce}`);
    });
    lines.push(
      `block ${vertexName(vertex.id)}: ${vertex.parents.map(vertexName).join(' ')} | ${payloads.join(' ')}`,
    );
  }
  return lines.join('\n');
}
