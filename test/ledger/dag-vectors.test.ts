import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type Address,
  checkVertex,
  decodeGenesis,
  decodeVertex,
  type Genesis,
  isRefusal,
  type PaymentId,
  type Slot,
  unhex,
  type Vertex,
} from '../../ledger/index.ts';
import { LedgerJudge } from '../dsl/judge.ts';
import { DAG_PLANS, type DagPlan, type DagVector, dagVector, vectorText } from '../vectors/dag-vectors.ts';

/**
 * Frozen DAGs with all that follows from them: whoever implements the protocol anew has to find the same. A change here is
 * a change of the protocol. RAVEL_WRITE_VECTORS=1 writes the files again.
 */
const FOLDER = new URL('../vectors/dags/', import.meta.url);

function fileOf({ seed, epochRounds }: DagPlan): URL {
  return new URL(`dag-${String(seed).padStart(3, '0')}-e${epochRounds}.json`, FOLDER);
}

/** From the bytes alone, signatures and work included. */
function vertexOf(bytes: string, genesis: Genesis): Vertex {
  const hashes = checkVertex(unhex(bytes), genesis);
  assert.ok(!isRefusal(hashes), JSON.stringify(hashes));
  const vertex = decodeVertex(unhex(bytes), genesis.network, hashes);
  assert.ok(!isRefusal(vertex));
  return vertex;
}

interface Read {
  readonly vector: DagVector;
  readonly genesis: Genesis;
  readonly judge: LedgerJudge;
  readonly vertices: readonly Vertex[];
  /** Ids of payments as indices. */
  numbers(ids: Iterable<PaymentId>): readonly number[];
}

function read(plan: DagPlan): Read {
  const vector = JSON.parse(readFileSync(fileOf(plan), 'utf8')) as DagVector;
  const genesis = decodeGenesis(unhex(vector.genesis));
  assert.ok(!isRefusal(genesis));
  const places = new Map(vector.payments.map((id, i) => [id, i]));
  return {
    vector,
    genesis,
    judge: new LedgerJudge(genesis, vector.epochRounds),
    vertices: vector.vertices.map(({ bytes }) => vertexOf(bytes, genesis)),
    numbers: (ids) => [...ids].map((id) => places.get(id)!).sort((a, b) => a - b),
  };
}

function holdEnd({ vector, judge, vertices, numbers }: Read): void {
  const { ledger } = judge;
  const ids = vector.payments as readonly PaymentId[];
  const leaders = ledger.commits.filter(({ index }) => index > 0);
  assert.deepEqual(
    leaders.map(({ round, leader, root, decided, resolved }) => ({
      round,
      leader: vertices.findIndex(({ id }) => id === leader),
      root,
      decided: numbers(decided.map(({ id }) => id)),
      resolved: numbers(decided.filter(({ previous }) => resolved.includes(previous)).map(({ id }) => id)),
    })),
    vector.commits,
  );
  for (const [round, outcome] of Object.entries(vector.outcomes))
    assert.equal(ledger.outcome(Number(round)), outcome, `outcome of round ${round}`);
  const having = (status: string): readonly number[] =>
    numbers(ids.filter((id) => ledger.statusOf(id) === status));
  assert.deepEqual(numbers(ids.filter((id) => ledger.isFinal(id))), vector.final);
  assert.deepEqual(having('decided'), vector.decided);
  assert.deepEqual(having('dead'), vector.dead);
  for (const { address, final, balance, sequence, head } of vector.accounts) {
    assert.equal(ledger.balanceOf(address as Address), final);
    const expected = { balance, sequence, head: head as Slot };
    assert.deepEqual({ ...ledger.decidedOf(address as Address) }, expected);
  }
}

describe('frozen DAGs', function () {
  this.timeout(120_000);

  if (process.env.RAVEL_WRITE_VECTORS === '1') {
    for (const name of readdirSync(FOLDER)) if (name.endsWith('.json')) rmSync(new URL(name, FOLDER));
    for (const plan of DAG_PLANS) writeFileSync(fileOf(plan), vectorText(dagVector(plan)));
  }

  it('are what the slow rules make of the seeds', () => {
    for (const plan of DAG_PLANS)
      assert.ok(readFileSync(fileOf(plan), 'utf8') === vectorText(dagVector(plan)), fileOf(plan).pathname);
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
    assert.equal(files.length, DAG_PLANS.length);
  });

  for (const plan of DAG_PLANS) {
    it(`are read and judged by the ledger as they say: seed ${plan.seed}`, () => {
      const frozen = read(plan);
      const { vector, genesis, judge, vertices, numbers } = frozen;
      for (const [i, vertex] of vertices.entries()) {
        const refusal = judge.attach(vertex);
        assert.equal(refusal, undefined, JSON.stringify(refusal));
        if (vertex.kind === 'block') continue;
        const { accepts, certifies, committed } = vector.vertices[i]!;
        assert.deepEqual(numbers(judge.acceptedBy(vertex.id)), accepts, `vertex ${i} accepts`);
        assert.deepEqual(numbers(judge.certifiedBy(vertex.id)), certifies, `vertex ${i} certifies`);
        const leader = vertices[committed!]?.id ?? genesis.id;
        assert.equal(vertex.checkpoint.leader, leader, `vertex ${i} names the last commit`);
      }
      holdEnd(frozen);
      for (const { bytes, code } of vector.refused) {
        const refusal = judge.attach(vertexOf(bytes, genesis));
        assert.equal(refusal?.code, code);
      }
    });
  }

  it('have something of everything', () => {
    const vectors = DAG_PLANS.map((plan) => read(plan).vector);
    const some = (count: (vector: DagVector) => number): number =>
      vectors.reduce((sum, vector) => sum + count(vector), 0);
    const outcomes = (what: string) => (vector: DagVector) =>
      Object.values(vector.outcomes).filter((outcome) => outcome === what).length;
    assert.ok(some(({ commits }) => commits.length) > 40);
    assert.ok(some(outcomes('skip')) > 3);
    assert.ok(some(outcomes('undecided')) > 3);
    assert.ok(some(({ commits }) => commits.flatMap(({ resolved }) => resolved).length) > 10);
    assert.ok(some(({ dead }) => dead.length) > 10);
    assert.ok(some(({ refused }) => refused.length) > 40);
  });
});
