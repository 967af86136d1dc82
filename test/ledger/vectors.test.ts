import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  type Address,
  accountLeaf,
  type BalanceProof,
  blake3Hex,
  checkBalanceProof,
  checkFinalityProof,
  checkVertex,
  decodeBalanceProof,
  decodeFinalityProof,
  decodeGenesis,
  decodePayment,
  decodeVertex,
  encodeBalanceProof,
  encodeFinalityProof,
  encodeGenesis,
  encodeWitness,
  type FinalityProof,
  type Genesis,
  headerBytes,
  hex,
  isRefusal,
  MerkleTree,
  makeBalanceProof,
  type PaymentId,
  publicKeyOf,
  StateTree,
  sign,
  type Units,
  unhex,
  type VertexId,
  type Witness,
} from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';

/**
 * Frozen bytes for every encoding: whoever implements the protocol anew has to make the same. A change here is a change of
 * the protocol. RAVEL_WRITE_VECTORS=1 writes the file again.
 */
const FILE = new URL('../vectors/encodings.json', import.meta.url);

/** Alice has an account; the others' places are another account's and nobody's. */
const PROVEN = ['alice', 'erin', 'carol'];

function witness(
  genesis: Genesis,
  validator: number,
  certified: readonly PaymentId[],
  tips: readonly VertexId[],
): Witness {
  const bytes = encodeWitness(
    genesis.network,
    {
      validator,
      round: 1,
      timeMs: 1_700_000_000_000 + validator,
      self: genesis.id,
      certifiedCount: certified.length,
      certifiedRoot: new MerkleTree(genesis.network, certified).root,
      checkpoint: genesis.checkpoint,
    },
    { witnesses: [], tips, defers: [], accepts: [], freezes: [] },
    (message) => sign(keysOf(`validator ${'ABCD'[validator]}`).secret, message),
  );
  const decoded = decodeVertex(bytes, genesis.network);
  assert.ok(!isRefusal(decoded) && decoded.kind === 'witness');
  return decoded;
}

function samples() {
  const net = new TestNetwork({ weights: [1, 2, 3, 4], funds: { alice: 1000, bob: 1 }, signed: true });
  const { genesis } = net;
  const alice = keysOf('alice');
  const first = net.payment({
    from: 'alice',
    transfers: [
      { to: 'bob', amount: 300 },
      { to: 'carol', amount: Number.MAX_SAFE_INTEGER - 300 },
    ],
    previous: alice.address,
    sequence: 1,
    name: 'memo with \u20ac',
  });
  const second = net.payment({
    from: 'alice',
    transfers: [{ to: 'bob', amount: 1 }],
    previous: first.id,
    sequence: 2,
    name: '',
  });
  const block = net.block([genesis.id], [first.bytes, second.bytes, net.data('data')]);
  const ids = [first.id, second.id].sort();
  const witnesses = [0, 1, 2, 3].map((i) => witness(genesis, i, ids, [block.id]));
  const tree = new MerkleTree(genesis.network, ids);
  const index = ids.indexOf(second.id);
  const proof: FinalityProof = {
    payment: second.id,
    certificates: witnesses.slice(1).map((w) => ({ header: headerBytes(w), index, path: tree.path(index) })),
  };
  const state = new StateTree(genesis.network);
  for (const { address, amount } of genesis.allocations) {
    state.set(address, accountLeaf(genesis.network, address, amount, 0, address));
  }
  const headers = witnesses.slice(1).map(headerBytes);
  const balanceProof = (address: Address): BalanceProof =>
    makeBalanceProof(
      state,
      address,
      (account) => {
        const { amount } = genesis.allocations.find((one) => one.address === account)!;
        return { balance: amount, sequence: 0, head: account };
      },
      headers,
    );
  return { genesis, first, second, block, witnesses, proof, balanceProof };
}

/** Accounts with numbered addresses, and two whose addresses part at their last bit. */
function stateRoots(network: Genesis['network']) {
  const numbered = Array.from({ length: 20 }, (_, i) => blake3Hex<Address>(Uint8Array.of(i)));
  const twins = ['00', '01'].map((end) => `${'00'.repeat(31)}${end}` as Address);
  const rows = [[], numbered.slice(0, 1), numbered.slice(0, 2), twins, [...twins, ...numbered]];
  return rows.map((addresses) => {
    const tree = new StateTree(network);
    for (const [i, address] of addresses.entries()) {
      tree.set(address, accountLeaf(network, address, (i + 1) as Units, 0, address));
    }
    return { addresses, root: tree.root() };
  });
}

function described() {
  const { genesis, first, second, block, witnesses, proof, balanceProof } = samples();
  return {
    genesis: {
      bytes: hex(encodeGenesis(genesis)),
      id: genesis.id,
      network: hex(genesis.network),
      stateRoot: genesis.checkpoint.root,
    },
    payments: [first, second].map(({ bytes, id, account }) => ({ bytes: hex(bytes), id, account })),
    block: { bytes: hex(block.bytes), id: block.id },
    witnesses: witnesses.map(({ bytes, id, bodyHash, certifiedRoot }) => ({
      bytes: hex(bytes),
      id,
      bodyHash,
      certifiedRoot,
    })),
    finalityProof: { bytes: hex(encodeFinalityProof(proof)), payment: proof.payment },
    balanceProofs: PROVEN.map((name) => {
      const { address } = keysOf(name);
      const proven = balanceProof(address);
      return { bytes: hex(encodeBalanceProof(proven)), address, balance: proven.balance };
    }),
    stateRoots: stateRoots(genesis.network),
    merkleRoots: [0, 1, 2, 3, 5, 8].map((count) => {
      const ids = Array.from({ length: count }, (_, i) => hex(new Uint8Array(32).fill(i + 1)) as PaymentId);
      return { count, root: new MerkleTree(genesis.network, ids).root };
    }),
  };
}

describe('frozen encodings', () => {
  if (process.env.RAVEL_WRITE_VECTORS === '1')
    writeFileSync(FILE, `${JSON.stringify(described(), null, 1)}\n`);
  const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof described>;

  it('are made byte for byte', () => {
    assert.deepEqual(described(), frozen);
  });

  it('are read, and check', () => {
    const genesis = decodeGenesis(unhex(frozen.genesis.bytes));
    assert.ok(!isRefusal(genesis));
    assert.equal(genesis.id, frozen.genesis.id);
    for (const { bytes, id } of frozen.payments) {
      const payment = decodePayment(unhex(bytes), genesis.network);
      assert.ok(!isRefusal(payment));
      assert.equal(payment.id, id);
    }
    for (const { bytes, id } of [frozen.block, ...frozen.witnesses]) {
      const hashes = checkVertex(unhex(bytes), genesis);
      assert.ok(!isRefusal(hashes), JSON.stringify(hashes));
      const vertex = decodeVertex(unhex(bytes), genesis.network, hashes);
      assert.ok(!isRefusal(vertex));
      assert.equal(vertex.id, id);
    }
    const proof = decodeFinalityProof(unhex(frozen.finalityProof.bytes));
    assert.ok(!isRefusal(proof));
    assert.equal(checkFinalityProof(genesis, proof), undefined);
    for (const { bytes, balance } of frozen.balanceProofs) {
      const proven = decodeBalanceProof(unhex(bytes));
      assert.ok(!isRefusal(proven));
      assert.equal(proven.balance, balance);
      assert.deepEqual(Object.keys(checkBalanceProof(genesis, proven)), ['checkpoint', 'timeMs']);
    }
  });
});

describe('decoding', () => {
  const { genesis, first, block, witnesses, proof } = samples();
  const decoders: Record<string, { bytes: Uint8Array; decode: (bytes: Uint8Array) => object }> = {
    payment: { bytes: first.bytes, decode: (bytes) => decodePayment(bytes, genesis.network) },
    block: { bytes: block.bytes, decode: (bytes) => decodeVertex(bytes, genesis.network) },
    witness: { bytes: witnesses[0]!.bytes, decode: (bytes) => decodeVertex(bytes, genesis.network) },
    genesis: { bytes: encodeGenesis(genesis), decode: decodeGenesis },
    'finality proof': { bytes: encodeFinalityProof(proof), decode: decodeFinalityProof },
  };

  for (const [name, { bytes, decode }] of Object.entries(decoders)) {
    it(`refuses a ${name} cut short anywhere, and one with anything behind it`, () => {
      for (let length = 0; length < bytes.length; length++) {
        assert.ok(isRefusal(decode(bytes.slice(0, length))), `${length} bytes`);
      }
      assert.ok(isRefusal(decode(Uint8Array.of(...bytes, 0))));
    });

    it(`never takes a changed ${name} for the same thing, and never throws`, () => {
      const id = (value: object): unknown => ('id' in value ? value.id : JSON.stringify(value));
      const original = id(decode(bytes));
      for (let at = 0; at < bytes.length; at++) {
        for (const change of [0x01, 0x80, 0xff]) {
          const changed = bytes.slice();
          changed[at]! ^= change;
          const result = decode(changed);
          // Work and signature are outside of a payment's id; checkPayment looks at them.
          const unsigned = name === 'payment' && at >= bytes.length - 72;
          if (!isRefusal(result) && !unsigned) assert.notEqual(id(result), original, `byte ${at}`);
        }
      }
    });
  }
});

describe('finality proofs', () => {
  const { genesis, first, proof } = samples();

  it('hold with weight of a quorum, and with every signature of it', () => {
    assert.equal(checkFinalityProof(genesis, proof), undefined);
    // Weights 2, 3, 4 of 10: without any of them less than q = 7 is left, but for the first.
    for (const [i, part] of proof.certificates.entries()) {
      const certificates = proof.certificates.filter((other) => other !== part);
      const problem = checkFinalityProof(genesis, { ...proof, certificates });
      assert.equal(problem?.code, i === 0 ? undefined : 'quorum_missing');
    }
  });

  it('do not hold when anything in them is changed', () => {
    const bytes = encodeFinalityProof(proof);
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = bytes.slice();
      changed[at]! ^= 0x10;
      const decoded = decodeFinalityProof(changed);
      if (!isRefusal(decoded)) assert.ok(checkFinalityProof(genesis, decoded) !== undefined, `byte ${at}`);
    }
  });

  it('count each validator once, and prove nothing about another payment', () => {
    const [one] = proof.certificates;
    const twice = { ...proof, certificates: [one!, one!, one!, one!] };
    assert.equal(checkFinalityProof(genesis, twice)?.code, 'validator_twice');
    assert.equal(checkFinalityProof(genesis, { ...proof, payment: first.id })?.code, 'path_wrong');
  });

  it('are worth nothing in another network', () => {
    const other = new TestNetwork({ weights: [1, 2, 3, 4], funds: { alice: 1001 as Units }, signed: true })
      .genesis;
    assert.equal(checkFinalityProof(other, proof)?.code, 'wrong_network');
    const strangers = {
      ...genesis,
      committee: genesis.committee.map((m) => ({ ...m, publicKey: publicKeyOf(new Uint8Array(32)) })),
    };
    assert.equal(checkFinalityProof(strangers, proof)?.code, 'bad_signature');
  });
});
