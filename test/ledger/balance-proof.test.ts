import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type AccountState,
  type Address,
  BALANCE_PROOF_BYTES_MAX,
  type BalanceProof,
  blake3Hex,
  type Checkpoint,
  checkBalanceProof,
  decodeBalanceProof,
  encodeBalanceProof,
  type Hash,
  hex,
  isRefusal,
  type Refusal,
  type Slot,
  type Units,
  type VertexId,
} from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { type HeaderOrder, headerOf as signedHeader, TestState } from '../dsl/state.ts';

/** q = 7 of 10: C and D are enough, A, B and C are not. */
const WEIGHTS = [1, 2, 3, 4];
const NET = new TestNetwork({ weights: WEIGHTS, funds: { alice: 1000 }, signed: true });
const { genesis } = NET;

const idOf = <H extends Hash>(number: number): H => blake3Hex<H>(Uint8Array.of(number, number >> 8));

/** Accounts by number, of which every third has paid. */
function stateOf(number: number): AccountState {
  const address = idOf<Address>(number);
  const paid = number % 3 === 0;
  return {
    address,
    balance: (number * 1000) as Units,
    sequence: paid ? number + 1 : 0,
    head: paid ? idOf<Slot>(number + 5000) : address,
  };
}

const worldOf = (numbers: readonly number[]): TestState => new TestState(genesis, numbers.map(stateOf));

const headerOf = (order: HeaderOrder): Uint8Array => signedHeader(genesis, order);

const proofOf = (world: TestState, address: Address): BalanceProof => world.proof(address, [1, 2, 3]);

/** The code of what is wrong, after a journey through bytes where the form permits it. */
function problemOf(proof: BalanceProof): string | undefined {
  const result = checkBalanceProof(genesis, proof);
  const decoded = decodeBalanceProof(encodeBalanceProof(proof));
  if (!isRefusal(decoded)) assert.deepEqual(checkBalanceProof(genesis, decoded), result);
  return 'code' in result ? result.code : undefined;
}

const WORLD = worldOf(Array.from({ length: 40 }, (_, i) => i));
const ALICE = idOf<Address>(12);
const PROOF = proofOf(WORLD, ALICE);

/** Addresses without an account: one that leads to nobody, one that leads to another account. */
const [VACANT, BESIDE] = [true, false].map((vacant) => {
  for (let number = 100; ; number++) {
    const address = idOf<Address>(number);
    if ((WORLD.tree.place(address).occupant === undefined) === vacant) return address;
  }
}) as [Address, Address];
const KINDS: readonly (readonly [string, BalanceProof])[] = [
  ['of an account', PROOF],
  ['of an empty place', proofOf(WORLD, VACANT)],
  ["of another account's place", proofOf(WORLD, BESIDE)],
];

describe('a balance proof', () => {
  it('proves balance, sequence and head of every account, at the checkpoint that a quorum has signed', () => {
    const numbers = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(numbers, (list) => {
        const world = worldOf(list);
        for (const number of list) {
          const decoded = decodeBalanceProof(encodeBalanceProof(proofOf(world, idOf(number))));
          assert.ok(!isRefusal(decoded));
          const { address, balance, sequence, head, occupant } = decoded;
          assert.deepEqual({ address, balance, sequence, head }, stateOf(number));
          assert.equal(occupant, undefined);
          assert.deepEqual(checkBalanceProof(genesis, decoded), {
            checkpoint: world.checkpoint,
            timeMs: 1002,
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('proves that an address has no account', () => {
    const numbers = fc.uniqueArray(fc.nat(500), { maxLength: 20 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 501, max: 5000 }), (list, number) => {
        const world = worldOf(list);
        const address = idOf<Address>(number);
        const decoded = decodeBalanceProof(encodeBalanceProof(proofOf(world, address)));
        assert.ok(!isRefusal(decoded));
        const { balance, sequence, head } = decoded;
        assert.deepEqual({ balance, sequence, head }, { balance: 0, sequence: 0, head: address });
        assert.equal(problemOf(decoded), undefined);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same after a journey through bytes', () => {
    for (const [kind, proof] of KINDS) {
      assert.deepEqual(decodeBalanceProof(encodeBalanceProof(proof)), proof, kind);
    }
  });

  for (const [kind, proof] of KINDS) {
    const bytes = encodeBalanceProof(proof);

    it(`${kind} is refused when any byte of it is another`, () => {
      const found = new Set<string>();
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at]! ^= 1 << (at % 8);
        const decoded = decodeBalanceProof(changed);
        const problem = isRefusal(decoded) ? decoded : checkBalanceProof(genesis, decoded);
        if ('code' in problem) {
          found.add(problem.code);
          continue;
        }
        // Only that its neighbours in an empty place have no account either, which is true.
        const { address, occupant } = decoded as BalanceProof;
        assert.ok(at < 32 && occupant !== undefined, `byte ${at}`);
        assert.equal(WORLD.tree.place(address).occupant, occupant?.address);
      }
      for (const code of ['path_wrong', 'bad_signature', 'checkpoint_differs', 'wrong_network', 'malformed'])
        assert.ok(found.has(code), `${code} is not among ${[...found]}`);
    });

    it(`${kind} is refused when it is cut short anywhere, or goes on`, () => {
      for (let length = 0; length < bytes.length; length++) {
        assert.ok(isRefusal(decodeBalanceProof(bytes.slice(0, length))), `${length} bytes`);
      }
      assert.ok(isRefusal(decodeBalanceProof(Uint8Array.of(...bytes, 0))));
    });
  }

  it('is refused when it says something else of the account', () => {
    const changes: readonly Partial<BalanceProof>[] = [
      { balance: (PROOF.balance + 1) as Units },
      { sequence: PROOF.sequence - 1 },
      { head: ALICE },
      { address: idOf<Address>(13) },
      { path: PROOF.path.slice(1) },
      { path: PROOF.path.slice(0, -1) },
      { path: [...PROOF.path, new Uint8Array(32)] },
      { path: PROOF.path.toReversed() },
      { path: proofOf(WORLD, idOf(13)).path },
      { path: PROOF.path.map((sibling) => sibling.slice(1)) },
      { path: Array.from({ length: 257 }, () => new Uint8Array(32)) },
    ];
    for (const change of changes) {
      assert.equal(
        'code' in checkBalanceProof(genesis, { ...PROOF, ...change }) &&
          (checkBalanceProof(genesis, { ...PROOF, ...change }) as Refusal).code,
        'path_wrong',
        Object.keys(change)[0],
      );
    }
  });

  it('cannot say that an account is not there', () => {
    const { path, headers } = PROOF;
    const nothing = { address: ALICE, balance: 0 as Units, sequence: 0, head: ALICE, headers };
    const lies: readonly BalanceProof[] = [
      { ...nothing, path },
      { ...nothing, path, occupant: null },
      // Its own leaf as a stranger's in its place.
      { ...nothing, path, occupant: stateOf(12) },
      { ...nothing, path, occupant: stateOf(13) },
      { ...nothing, ...proofOf(WORLD, VACANT), address: ALICE, head: ALICE },
      { ...nothing, ...proofOf(WORLD, BESIDE), address: ALICE, head: ALICE },
      // An empty place above, where in truth a branch is.
      { ...nothing, path: path.slice(1), occupant: null },
      { ...nothing, path: [], occupant: null },
    ];
    for (const lie of lies) assert.equal(problemOf(lie), 'path_wrong');
  });

  it('gives nothing to an address without an account', () => {
    for (const address of [VACANT, BESIDE]) {
      const proof = proofOf(WORLD, address);
      assert.equal(problemOf(proof), undefined);
      for (const more of [{ balance: 1 as Units }, { sequence: 1 }, { head: idOf<Slot>(1) }]) {
        const result = checkBalanceProof(genesis, { ...proof, ...more });
        assert.equal('code' in result && result.code, 'path_wrong');
      }
    }
  });

  it('needs weight of a quorum, each validator once, and all with one checkpoint', () => {
    const headersOf = (...orders: readonly Omit<HeaderOrder, 'checkpoint'>[]) =>
      orders.map((order) => headerOf({ checkpoint: WORLD.checkpoint, ...order }));
    const other = (checkpoint: Partial<Checkpoint>) => [
      ...headersOf({ validator: 1 }, { validator: 2 }),
      headerOf({ validator: 3, checkpoint: { ...WORLD.checkpoint, ...checkpoint } }),
    ];
    const rows: readonly (readonly [what: string, headers: Uint8Array[], code: string | undefined])[] = [
      ['C D', headersOf({ validator: 2 }, { validator: 3 }), undefined],
      ['A B C D', headersOf(...[0, 1, 2, 3].map((validator) => ({ validator }))), undefined],
      ['D C, in another order', headersOf({ validator: 3 }, { validator: 2 }), undefined],
      ['A B C: 6 of 10', headersOf({ validator: 0 }, { validator: 1 }, { validator: 2 }), 'quorum_missing'],
      ['nobody', [], 'quorum_missing'],
      ['D twice', headersOf({ validator: 3 }, { validator: 3, timeMs: 5 }), 'validator_twice'],
      ['a stranger', headersOf({ validator: 3 }, { validator: 2 }, { validator: 4 }), 'not_a_validator'],
      [
        'C signed by D',
        headersOf({ validator: 3 }, { validator: 2, signer: 'validator D' }),
        'bad_signature',
      ],
      ['another round', other({ round: 27 }), 'checkpoint_differs'],
      ['another leader', other({ leader: idOf<VertexId>(1) }), 'checkpoint_differs'],
      ['another root', other({ root: idOf(1) }), 'checkpoint_differs'],
      ['a header too short', [headersOf({ validator: 3 })[0]!.slice(1)], 'malformed'],
    ];
    for (const [what, headers, code] of rows) {
      const result = checkBalanceProof(genesis, { ...PROOF, headers });
      assert.equal('code' in result ? result.code : undefined, code, what);
    }
  });

  it('names the validator whose header is about another state', () => {
    const headers = [3, 2, 1].map((validator) =>
      headerOf({ validator, checkpoint: { ...WORLD.checkpoint, round: validator === 2 ? 33 : 30 } }),
    );
    assert.deepEqual(checkBalanceProof(genesis, { ...PROOF, headers }), {
      code: 'checkpoint_differs',
      validator: 2,
    });
  });

  it('is as old as the time that a quorum has reached: stragglers beyond it change nothing', () => {
    const rows: readonly (readonly [times: readonly (readonly [number, number])[], expected: number])[] = [
      [
        [
          [2, 50],
          [3, 70],
        ],
        50,
      ],
      [
        [
          [3, 70],
          [2, 50],
        ],
        50,
      ],
      [
        [
          [0, 1],
          [1, 2],
          [2, 50],
          [3, 70],
        ],
        50,
      ],
      [
        [
          [0, 90],
          [1, 80],
          [2, 50],
          [3, 70],
        ],
        70,
      ],
      [
        [
          [0, 90],
          [1, 80],
          [2, 60],
          [3, 1],
        ],
        1,
      ],
    ];
    for (const [times, expected] of rows) {
      const headers = times.map(([validator, timeMs]) =>
        headerOf({ checkpoint: WORLD.checkpoint, validator, timeMs }),
      );
      const result = checkBalanceProof(genesis, { ...PROOF, headers });
      assert.equal('timeMs' in result && result.timeMs, expected, JSON.stringify(times));
    }
  });

  it('is worth nothing in another network, or for other validators', () => {
    const other = new TestNetwork({ weights: WEIGHTS, funds: { alice: 1001 }, signed: true }).genesis;
    const strange = checkBalanceProof(other, PROOF);
    assert.equal('code' in strange && strange.code, 'wrong_network');
    const committee = genesis.committee.map((member, i) => ({
      ...member,
      publicKey: keysOf(`stranger ${i}`).publicKey,
    }));
    const unsigned = checkBalanceProof({ ...genesis, committee }, PROOF);
    assert.equal('code' in unsigned && unsigned.code, 'bad_signature');
  });

  it('is measured before it is decoded', () => {
    const path = Array.from({ length: 256 }, () => new Uint8Array(32));
    const headers = Array.from({ length: 64 }, () => PROOF.headers[0]!);
    const largest = encodeBalanceProof({ ...proofOf(WORLD, BESIDE), path, headers });
    assert.equal(largest.length, BALANCE_PROOF_BYTES_MAX);
    assert.ok(!isRefusal(decodeBalanceProof(largest)));
    const rows: readonly (readonly [Uint8Array, string])[] = [
      [Uint8Array.of(...largest, 0), 'frame_too_large'],
      [encodeBalanceProof({ ...PROOF, path: [...path, path[0]!] }), 'limit_exceeded'],
      [encodeBalanceProof({ ...PROOF, headers: [...headers, headers[0]!] }), 'limit_exceeded'],
      [encodeBalanceProof({ ...PROOF, headers: [] }), 'malformed'],
      [encodeBalanceProof(PROOF).with(32, 3), 'limit_exceeded'],
    ];
    for (const [bytes, code] of rows) {
      const decoded = decodeBalanceProof(bytes);
      assert.equal(isRefusal(decoded) && decoded.code, code, hex(bytes.subarray(0, 40)));
    }
    const check = checkBalanceProof(genesis, { ...PROOF, headers: [...headers, headers[0]!] });
    assert.equal('code' in check && check.code, 'limit_exceeded');
  });
});
