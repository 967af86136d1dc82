import assert from 'node:assert/strict';
import {
  decodeVertex,
  encodeWitness,
  type HeaderDraft,
  isRefusal,
  Ledger,
  type Payment,
  type RefusalCode,
  type Vertex,
  type VertexId,
  type Witness,
  type WitnessBody,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';

const net = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 100 }, signed: false });
const { genesis } = net;

/** A witness that certifies nothing, which is right while no quorum has accepted anything. */
function witness(validator: number, round: number, more: Partial<HeaderDraft & WitnessBody> = {}): Witness {
  const bytes = encodeWitness(
    genesis.network,
    {
      validator,
      round,
      timeMs: round * 1000,
      self: genesis.id,
      certifiedCount: 0,
      certifiedRoot: ZERO_HASH,
      checkpoint: genesis.checkpoint,
      ...more,
    },
    { witnesses: [], tips: [], defers: [], accepts: [], freezes: [], ...more },
    () => new Uint8Array(64),
  );
  const decoded = decodeVertex(bytes, genesis.network);
  assert.ok(!isRefusal(decoded) && decoded.kind === 'witness');
  return decoded;
}

const pay = (amount: number): Payment =>
  net.payment({
    from: 'alice',
    transfers: [{ to: 'bob', amount }],
    previous: keysOf('alice').address,
    sequence: 1,
    name: 'p',
  });

function taken(ledger: Ledger, vertex: Vertex): void {
  const result = ledger.attach(vertex);
  assert.ok(!isRefusal(result), JSON.stringify(result));
}

/** Round 1 of all four, then round 2 of A: the ground that the rows below stand on. */
function ground() {
  const ledger = new Ledger(genesis);
  const block = net.block([genesis.id], [pay(1).bytes]);
  const ones = [0, 1, 2, 3].map((i) => witness(i, 1));
  for (const vertex of [block, ...ones]) taken(ledger, vertex);
  const ids = ones.map(({ id }) => id);
  const a2 = witness(0, 2, { self: ids[0]!, witnesses: [ids[1]!, ids[2]!] });
  taken(ledger, a2);
  return { ledger, block, ids, a2 };
}

function others(ids: readonly VertexId[], validator: number): VertexId[] {
  return ids.filter((_, i) => i !== validator);
}

describe('structural validity of a witness', () => {
  const { block, ids, a2 } = ground();
  const [a1, b1, c1] = ids as [VertexId, VertexId, VertexId];
  const covered = pay(1).id;
  const rows: readonly (readonly [string, Witness, RefusalCode | undefined])[] = [
    [
      'one that keeps all rules',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), tips: [block.id] }),
      undefined,
    ],
    ['continues another validator’s chain', witness(1, 2, { self: a1, witnesses: [b1, c1] }), 'self_parent'],
    ['continues a block', witness(1, 2, { self: block.id, witnesses: others(ids, 1) }), 'self_parent'],
    [
      'does not go on from its own round',
      witness(0, 2, { self: a2.id, witnesses: others(ids, 0) }),
      'round_order',
    ],
    [
      'refers to a witness of its own round',
      witness(1, 2, { self: b1, witnesses: [a1, c1, a2.id] }),
      'round_order',
    ],
    ['goes back in time', witness(1, 2, { self: b1, witnesses: others(ids, 1), timeMs: 999 }), 'time_order'],
    [
      'names a block among witnesses',
      witness(1, 2, { self: b1, witnesses: [a1, c1, block.id] }),
      'parent_kind',
    ],
    ['names its own witness twice', witness(1, 2, { self: b1, witnesses: [...ids] }), 'parent_kind'],
    [
      'names a witness among tips',
      witness(1, 2, { self: b1, witnesses: [a1, c1], tips: [ids[3]!] }),
      'parent_kind',
    ],
    ['refers to half of the round before', witness(1, 2, { self: b1, witnesses: [a1] }), 'quorum_missing'],
    ['skips a round', witness(1, 3, { self: b1, witnesses: [a1, c1, ids[3]!] }), 'quorum_missing'],
    [
      'has another checkpoint',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), checkpoint: { ...genesis.checkpoint, round: 3 } }),
      'checkpoint_wrong',
    ],
    [
      'defers what it does not cover',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), defers: [covered] }),
      'vote_unfounded',
    ],
    [
      'accepts what it never deferred',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), tips: [block.id], accepts: [covered] }),
      'vote_unfounded',
    ],
    [
      'claims a certificate too many',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), certifiedCount: 1 }),
      'certified_root_wrong',
    ],
    [
      'claims another root',
      witness(1, 2, { self: b1, witnesses: others(ids, 1), certifiedRoot: genesis.checkpoint.root }),
      'certified_root_wrong',
    ],
  ];

  for (const [what, vertex, code] of rows) {
    it(`${code ?? 'taken'}: ${what}`, () => {
      const { ledger } = ground();
      const size = ledger.tangle.size;
      const result = ledger.attach(vertex);
      assert.equal(isRefusal(result) ? result.code : undefined, code);
      if (code === undefined) return;
      // A refused vertex leaves nothing behind: the good one is taken as if nothing had been.
      assert.equal(ledger.tangle.size, size);
      taken(ledger, rows[0]![1]);
    });
  }

  it('refusals have a fixed precedence: order before parents, parents before votes, votes before roots', () => {
    const { ledger } = ground();
    const wrong = { witnesses: [a1], timeMs: 1, defers: [covered], certifiedCount: 9 };
    const codes: (string | undefined)[] = [];
    for (const fix of [
      {},
      { timeMs: 5000 },
      { witnesses: others(ids, 1) },
      { defers: [] },
      { certifiedCount: 0 },
    ]) {
      Object.assign(wrong, fix);
      const result = ledger.attach(witness(1, 2, { self: b1, ...wrong }));
      codes.push(isRefusal(result) ? result.code : undefined);
    }
    assert.deepEqual(codes, [
      'time_order',
      'quorum_missing',
      'vote_unfounded',
      'certified_root_wrong',
      undefined,
    ]);
  });
});

describe('depth', () => {
  /** All four make every round up to `rounds`. */
  function chain(rounds: number) {
    const ledger = new Ledger(genesis);
    const old = net.block([genesis.id], [pay(1).bytes]);
    ledger.attach(old);
    let ids = [0, 1, 2, 3].map(() => genesis.id);
    for (let round = 1; round <= rounds; round++) {
      const { lastCommit: checkpoint } = ledger;
      const row = ids.map((self, i) =>
        witness(i, round, { self, witnesses: round === 1 ? [] : others(ids, i), checkpoint }),
      );
      for (const one of row) taken(ledger, one);
      ids = row.map(({ id }) => id);
    }
    return { ledger, old, ids };
  }

  it('lets a parent be 64 rounds older than its child, and no more', () => {
    for (const [rounds, code] of [
      [64, undefined],
      [65, 'too_deep'],
    ] as const) {
      const { ledger, old, ids } = chain(rounds);
      const result = ledger.attach(net.block([old.id, ids[0]!].sort(), [net.data('young')]));
      assert.equal(isRefusal(result) ? result.code : undefined, code);
    }
  });

  it('ends with the horizon: nothing older enters a past, and a chain that has lapsed begins anew at the genesis', () => {
    const epochRounds = 20;
    const ledger = new Ledger(genesis, { verticesMax: 10_000, epochRounds });
    const first = witness(3, 1);
    for (const one of [first, witness(0, 1), witness(1, 1), witness(2, 1)]) taken(ledger, one);
    let three = [0, 1, 2].map((i) => witness(i, 1).id);
    let round = 2;
    for (; ledger.lastCommit.round - epochRounds <= 1; round++) {
      const { lastCommit: checkpoint } = ledger;
      const row = three.map((self, i) =>
        witness(i, round, { self, witnesses: three.filter((_, j) => j !== i), checkpoint }),
      );
      for (const one of row) taken(ledger, one);
      three = row.map(({ id }) => id);
    }
    const place = { witnesses: three, checkpoint: ledger.lastCommit };
    const late = ledger.attach(witness(3, round, { ...place, self: first.id }));
    assert.equal(isRefusal(late) ? late.code : undefined, 'past_too_old');
    taken(ledger, witness(3, round, place));
    assert.equal(ledger.tangle.branches.equivocated(3), false, 'to begin anew is no equivocation');
  });

  it('does not bind a validator to its own past: who was away for long may come back', () => {
    const { ledger, ids } = chain(3);
    let three = ids.slice(0, 3);
    for (let round = 4; round <= 90; round++) {
      const { lastCommit: checkpoint } = ledger;
      const row = three.map((self, i) =>
        witness(i, round, { self, witnesses: three.filter((_, j) => j !== i), checkpoint }),
      );
      for (const one of row) taken(ledger, one);
      three = row.map(({ id }) => id);
    }
    const back = witness(3, 91, { self: ids[3]!, witnesses: three, checkpoint: ledger.lastCommit });
    taken(ledger, back);
  });
});
