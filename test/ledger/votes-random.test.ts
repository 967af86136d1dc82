import assert from 'node:assert/strict';
import type { Checkpoint, Payment, PaymentId, RefusalCode, Vertex, Witness } from '../../ledger/index.ts';
import type { LedgerJudge } from '../dsl/judge.ts';
import { Chance } from '../generators/chance.ts';
import type { RandomDag } from '../generators/random-dag.ts';
import { ordersOf, sampleDags } from '../generators/sample.ts';
import { attachInOrder, compareVotes } from '../oracle/comparison.ts';
import { defersAll } from '../oracle/votes.ts';

describe('votes: the ledger agrees with the slow votes on random DAGs', function () {
  this.timeout(600_000);

  it('accepts and certifies the same at every witness, whatever the order of arrival', () => {
    let witnesses = 0;
    let certificates = 0;
    for (const dag of sampleDags()) {
      for (const order of ordersOf(dag, 2)) {
        attachInOrder(dag, order, {
          after(judge, vertex) {
            if (vertex.kind !== 'witness') return;
            compareVotes(dag, judge, vertex);
            witnesses++;
            certificates += dag.oracle.newlyCertifies(vertex).size;
          },
        });
      }
    }
    assert.ok(
      witnesses > 30 * sampleDags().length && certificates > sampleDags().length,
      'something was compared',
    );
  });

  it('refuses a wrong certificate root and votes without ground, and nothing stays of them', () => {
    const tried = new Map<string, number>();
    const dags = sampleDags().filter((_, i) => i % 3 === 0);
    for (const dag of dags) {
      const chance = new Chance(dag.seed);
      attachInOrder(dag, dag.vertices, {
        before(judge, vertex) {
          if (vertex.kind !== 'witness') return;
          for (const slip of SLIPS) {
            if (!trySlip(dag, judge, vertex, slip, chance)) continue;
            tried.set(slip.name, (tried.get(slip.name) ?? 0) + 1);
          }
        },
        after(judge, vertex) {
          if (vertex.kind === 'witness') compareVotes(dag, judge, vertex);
        },
      });
    }
    for (const { name } of SLIPS) assert.ok((tried.get(name) ?? 0) >= dags.length / 10, `tried: ${name}`);
  });
});

interface Slip {
  readonly name: string;
  readonly code: RefusalCode;
  /** The payments that make this slip at w when one of them is used. */
  candidates(dag: RandomDag, w: Witness): readonly Payment[];
  make(dag: RandomDag, w: Witness, payment: PaymentId): Vertex;
}

function paymentsIn(dag: RandomDag, w: Witness, keep: (payment: Payment) => boolean): Payment[] {
  return [...dag.oracle.paymentsIn(w).values()].filter(keep);
}

function remade(
  dag: RandomDag,
  w: Witness,
  lists: Partial<Pick<Witness, 'defers' | 'accepts' | 'freezes'>>,
): Witness {
  return dag.network.witness(dag.oracle, { ...w, ...lists }, 500);
}

/** The same witness with the certificates of one that has more or fewer payments accepted by everybody. */
function withRootOver(dag: RandomDag, w: Witness, ids: readonly PaymentId[]): Witness {
  return dag.network.witness(dag.oracle, w, 500, dag.network.certified(ids));
}

const SLIPS: readonly Slip[] = [
  {
    name: 'claims a certificate that there is not',
    code: 'certified_root_wrong',
    candidates: (dag, w) => paymentsIn(dag, w, ({ id }) => !dag.oracle.newlyCertifies(w).has(id)),
    make: (dag, w, id) => withRootOver(dag, w, [...dag.oracle.newlyCertifies(w), id]),
  },
  {
    name: 'conceals a certificate',
    code: 'certified_root_wrong',
    candidates: (dag, w) => paymentsIn(dag, w, ({ id }) => dag.oracle.newlyCertifies(w).has(id)),
    make: (dag, w, id) =>
      withRootOver(
        dag,
        w,
        [...dag.oracle.newlyCertifies(w)].filter((other) => other !== id),
      ),
  },
  {
    name: 'defers what it does not cover',
    code: 'vote_unfounded',
    candidates: (dag, w) =>
      [...dag.oracle.payments().values()].filter(({ id }) => !dag.oracle.covers(w).has(id)),
    make: (dag, w, id) => remade(dag, w, { defers: [...w.defers, id].sort() }),
  },
  {
    name: 'accepts late what it has not deferred',
    code: 'vote_unfounded',
    candidates: (dag, w) => {
      const deferred = dag.oracle.votes.deferredBefore(w);
      const listable = (id: PaymentId) => deferred.has(id) || (defersAll(w) && dag.oracle.covers(w).has(id));
      return [...dag.oracle.payments().values()].filter(({ id }) => !listable(id));
    },
    make: (dag, w, id) => remade(dag, w, { accepts: [...w.accepts, id].sort() }),
  },
  {
    name: 'accepts late what it has accepted already',
    code: 'vote_unfounded',
    candidates: (dag, w) => {
      const late = new Set(dag.oracle.votes.chainHeard(w).flatMap((x) => x.accepts));
      return paymentsIn(dag, w, ({ id }) => late.has(id) && !dag.oracle.covers(w).has(id));
    },
    make: (dag, w, id) => remade(dag, w, { accepts: [...w.accepts, id].sort() }),
  },
  {
    name: 'freezes a slot of which it knows nothing',
    code: 'vote_unfounded',
    candidates: (dag, w) => {
      const freezable = dag.oracle.votes.freezable(w);
      return [...dag.oracle.payments().values()].filter(({ previous }) => !freezable.has(previous));
    },
    make: (dag, w, id) => {
      const slot = dag.oracle.payments().get(id)!.previous;
      return remade(dag, w, { freezes: [...w.freezes, slot].sort() });
    },
  },
  {
    name: 'names a checkpoint that is not the last one in its past',
    code: 'checkpoint_wrong',
    candidates: (dag, w) => [...dag.oracle.payments().values()].slice(0, w.round > 3 ? 1 : 0),
    make: (dag, w) => dag.network.witness(dag.oracle, w, 500, { checkpoint: wrongCheckpoint(dag, w) }),
  },
];

/** That of the genesis, or, where this is right, of a leader of whom nothing is committed yet. */
function wrongCheckpoint(dag: RandomDag, w: Witness): Checkpoint {
  const { checkpoint } = dag.genesis;
  if (w.checkpoint.round > 0) return checkpoint;
  return { ...checkpoint, round: 3, leader: w.witnesses[0] ?? w.self };
}

/** False when no payment makes this slip here. */
function trySlip(dag: RandomDag, judge: LedgerJudge, w: Witness, slip: Slip, chance: Chance): boolean {
  const candidates = slip.candidates(dag, w);
  if (candidates.length === 0) return false;
  const refusal = judge.attach(slip.make(dag, w, chance.pick(candidates).id));
  assert.equal(refusal?.code, slip.code, slip.name);
  return true;
}
