/** What the slow rules say of some random DAGs, in a form for every language: see dags/README.md. */
import {
  type Checkpoint,
  encodeGenesis,
  hex,
  type Payment,
  type PaymentId,
  type RefusalCode,
  type Slot,
  type Vertex,
  type Witness,
} from '../../ledger/index.ts';
import { type RandomDag, randomDag } from '../generators/random-dag.ts';
import type { Oracle } from '../oracle/oracle.ts';

/** Indices into `payments`, ascending. */
type Payments = readonly number[];

export interface VertexVector {
  /** The whole encoding in hex. */
  readonly bytes: string;
  /** Of a witness: what it accepts, what it newly certifies, and the place of C(w) in `vertices`; -1 for the genesis. */
  readonly accepts?: Payments;
  readonly certifies?: Payments;
  readonly committed?: number;
}

export interface CommitVector {
  readonly round: number;
  /** Its place in `vertices`. */
  readonly leader: number;
  readonly root: string;
  readonly decided: Payments;
  /** Those of `decided` that rule 2 decided. */
  readonly resolved: Payments;
}

export interface AccountVector {
  readonly address: string;
  /** By what is final. */
  readonly final: number;
  /** After the last commit. */
  readonly balance: number;
  readonly sequence: number;
  readonly head: string;
}

export interface DagVector {
  readonly seed: number;
  readonly epochRounds: number;
  /** The whole encoding in hex. */
  readonly genesis: string;
  /** Ids of all payments that blocks carry. */
  readonly payments: readonly string[];
  /** Parents first. */
  readonly vertices: readonly VertexVector[];
  /** When all vertices are known: */
  readonly final: Payments;
  readonly commits: readonly CommitVector[];
  readonly outcomes: Readonly<Record<string, string>>;
  readonly decided: Payments;
  readonly dead: Payments;
  readonly accounts: readonly AccountVector[];
  /** Witnesses on known parents that are refused, and why. */
  readonly refused: readonly { readonly bytes: string; readonly code: RefusalCode }[];
}

export interface DagPlan {
  readonly seed: number;
  readonly cycles: number;
  readonly epochRounds: number;
}

/** Short ones, in which nothing lapses; then longer ones, in which votes do. Nothing is old enough to be forgotten. */
export const DAG_PLANS: readonly DagPlan[] = [
  ...[6, 23, 39, 54, 56, 60, 71, 78, 90, 95, 98].map((seed) => ({ seed, cycles: 13, epochRounds: 12 })),
  ...[129, 131, 140, 158, 159, 169, 200].map((seed) => ({ seed, cycles: 20, epochRounds: 10 })),
  { seed: 125, cycles: 20, epochRounds: 10 },
];

export function dagVector({ seed, cycles, epochRounds }: DagPlan): DagVector {
  const dag = randomDag(seed, { cycles, epochRounds, signed: true });
  const { oracle, vertices, genesis } = dag;
  const payments = [...oracle.payments().values()];
  const places = new Map(payments.map(({ id }, i) => [id, i]));
  const numbers = (ids: Iterable<PaymentId>): number[] =>
    [...ids].map((id) => places.get(id)!).sort((a, b) => a - b);
  const witnesses = oracle.witnesses();
  const last = oracle.lastCommitAmong(witnesses);
  const commits = oracle.commitsAmong(witnesses);
  const placeOf = (leader: Witness | undefined): number =>
    leader === undefined ? -1 : vertices.indexOf(leader);
  const rounds = Math.max(...witnesses.map(({ round }) => round));
  const leaderRounds = Array.from({ length: Math.floor(rounds / 3) }, (_, i) => 3 * i + 3);
  const said = (vertex: Vertex): Omit<VertexVector, 'bytes'> =>
    vertex.kind === 'block'
      ? {}
      : {
          accepts: numbers(oracle.accepts(vertex)),
          certifies: numbers(oracle.newlyCertifies(vertex)),
          committed: placeOf(oracle.leaders.committedAt(vertex)),
        };
  return {
    seed,
    epochRounds,
    genesis: hex(encodeGenesis(genesis)),
    payments: payments.map(({ id }) => id),
    vertices: vertices.map((vertex) => ({ bytes: hex(vertex.bytes), ...said(vertex) })),
    final: numbers(oracle.finals()),
    commits: commits.map(({ round, leader, root, decided, resolved }) => ({
      round,
      leader: placeOf(leader),
      root,
      decided: numbers(decided.map(({ id }) => id)),
      resolved: numbers(winners(decided, resolved)),
    })),
    outcomes: Object.fromEntries(
      leaderRounds.map((round) => [round, oracle.leaders.outcome(round, last.leader)]),
    ),
    decided: numbers(last.state.decided),
    dead: numbers(oracle.deadAmong(vertices, oracle.payments())),
    accounts: accountsOf(oracle),
    refused: refusedOn(dag),
  };
}

function winners(decided: readonly Payment[], slots: readonly Slot[]): readonly PaymentId[] {
  return decided.filter(({ previous }) => slots.includes(previous)).map(({ id }) => id);
}

function accountsOf(oracle: Oracle): readonly AccountVector[] {
  const payments = oracle.payments();
  const final = oracle.finals();
  const { state } = oracle.lastCommitAmong(oracle.witnesses());
  const transfers = [...payments.values()].flatMap((payment) => payment.transfers);
  const addresses = new Set([...state.accounts.keys(), ...transfers.map(({ to }) => to)]);
  return [...addresses].sort().map((address) => ({
    address,
    final: oracle.balanceOf(address, final, payments),
    ...state.account(address),
  }));
}

/** The last correct witness once more, each time with another lie in it. */
function refusedOn({ oracle, network, genesis, byzantine }: RandomDag): DagVector['refused'] {
  const w = oracle.witnesses().findLast((x) => !byzantine.has(x.validator) && x.checkpoint.round > 0);
  if (w === undefined) return [];
  const deferred = oracle.votes.deferredBefore(w);
  const freezable = oracle.votes.freezable(w);
  const covers = oracle.covers(w);
  const payments = [...oracle.paymentsIn(w).values()];
  const stranger = payments.find(({ id }) => !covers.has(id) && !deferred.has(id))?.id;
  const slot = payments.find(({ previous }) => !freezable.has(previous))?.previous;
  const older = oracle.commits.of(oracle.leaders.prev(oracle.vertex(w.checkpoint.leader) as Witness));
  const before: Checkpoint = {
    round: older.round,
    leader: older.leader?.id ?? genesis.id,
    root: older.root,
  };
  const made = (lists: Partial<Witness>, slips: Partial<Witness>): string =>
    hex(network.witness(oracle, { ...w, ...lists }, 700, slips).bytes);
  const slips: { bytes: string; code: RefusalCode }[] = [
    { bytes: made({}, { checkpoint: before }), code: 'checkpoint_wrong' },
    { bytes: made({}, { certifiedCount: w.certifiedCount + 1 }), code: 'certified_root_wrong' },
  ];
  if (stranger !== undefined) {
    const defers = [...w.defers, stranger].sort();
    const accepts = [...w.accepts, stranger].sort();
    slips.push({ bytes: made({ defers }, {}), code: 'vote_unfounded' });
    slips.push({ bytes: made({ accepts }, {}), code: 'vote_unfounded' });
  }
  if (slot !== undefined)
    slips.push({ bytes: made({ freezes: [...w.freezes, slot].sort() }, {}), code: 'vote_unfounded' });
  return slips;
}

/** One line a vertex, so that changes can be read. */
export function vectorText(vector: DagVector): string {
  const fields = Object.entries(vector).map(([name, value]) => {
    const long = name === 'vertices' || name === 'commits' || name === 'accounts' || name === 'refused';
    if (!long) return `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
    const lines = (value as readonly object[]).map((line) => ` ${JSON.stringify(line)}`);
    return `${JSON.stringify(name)}: [\n${lines.join(',\n')}\n]`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}
