import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Address,
  accountLeaf,
  blake3,
  blake3Hex,
  type Hash,
  hex,
  KIND,
  type NetworkId,
  rootOfAccount,
  STATE_PATH_MAX,
  StateTree,
  type Units,
  unhex,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { TestNetwork } from '../dsl/network.ts';

const NETWORK = blake3(Uint8Array.of(1)).slice(0, 16) as NetworkId;

type Accounts = ReadonlyMap<Address, Hash>;

const bitAt = (address: Address, bit: number): number =>
  (Number.parseInt(address[bit >> 2]!, 16) >> (3 - (bit % 4))) & 1;

/** The definition, word by word: no branch is kept, and every hash is taken anew. */
function slowRoot(accounts: Accounts, depth = 0): Hash {
  const [only, second] = accounts.values();
  if (only === undefined) return ZERO_HASH;
  if (second === undefined) return only;
  const [left, right] = [0, 1].map((side) => {
    const inside = [...accounts].filter(([address]) => bitAt(address, depth) === side);
    return unhex(slowRoot(new Map(inside), depth + 1));
  });
  return blake3Hex(Uint8Array.of(KIND.merkleNode), NETWORK, left!, right!);
}

function treeOf(accounts: Iterable<readonly [Address, Hash]>): StateTree {
  const tree = new StateTree(NETWORK);
  for (const [address, leaf] of accounts) tree.set(address, leaf);
  return tree;
}

const leafOf = (address: Address, balance: number): Hash =>
  accountLeaf(NETWORK, address, balance as Units, 0, address);

/** Few values per byte, most of all the same: addresses that share long prefixes, as an attacker searches for them. */
const crowded = fc
  .tuple(fc.nat(32), fc.constantFrom(0x00, 0x01, 0x80, 0xff), fc.constantFrom(0x00, 0x01))
  .map(([at, byte, last]) => {
    const bytes = new Uint8Array(32);
    if (at < 32) bytes[at] = byte;
    bytes[31]! ^= last;
    return hex(bytes) as Address;
  });
const spread = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hex(bytes) as Address);
const addresses = fc.oneof(crowded, spread);
const entries = (max: number) =>
  fc
    .array(fc.tuple(addresses, fc.nat(5)), { maxLength: max })
    .map((list) => list.map(([address, balance]) => [address, leafOf(address, balance)] as const));

const flip = (address: Address, bit: number): Address => {
  const bytes = unhex(address);
  bytes[bit >> 3]! ^= 0x80 >> (bit % 8);
  return hex(bytes) as Address;
};

describe('the state root', () => {
  it('is what the definition says, after any changes and at any time between them', () => {
    fc.assert(
      fc.property(entries(40), fc.array(fc.boolean(), { maxLength: 40 }), (changes, asked) => {
        const tree = new StateTree(NETWORK);
        const accounts = new Map<Address, Hash>();
        for (const [i, [address, leaf]] of changes.entries()) {
          tree.set(address, leaf);
          accounts.set(address, leaf);
          if (asked[i] === true) assert.equal(tree.root(), slowRoot(accounts));
        }
        assert.equal(tree.root(), slowRoot(accounts));
        assert.equal(tree.size, accounts.size);
      }),
      { numRuns: 300 },
    );
  });

  it('does not tell in which order accounts came', () => {
    const two = entries(60).chain((list) => {
      const all = [...new Map(list)];
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    fc.assert(fc.property(two, ([one, other]) => assert.equal(treeOf(one).root(), treeOf(other).root())));
  });

  it('is 32 zero bytes of nobody, and the leaf of a single account', () => {
    assert.equal(new StateTree(NETWORK).root(), ZERO_HASH);
    const address = blake3Hex<Address>(Uint8Array.of(1));
    assert.equal(treeOf([[address, leafOf(address, 7)]]).root(), leafOf(address, 7));
  });

  it('of two accounts that part at their last bit has an empty side on every level above', () => {
    const address = 'f0'.repeat(32) as Address;
    const twin = flip(address, 255);
    const accounts = new Map([address, twin].map((one) => [one, leafOf(one, 1)]));
    const tree = treeOf(accounts);
    assert.equal(tree.root(), slowRoot(accounts));
    const path = tree.path(address)!;
    assert.deepEqual(path.map(hex), [leafOf(twin, 1), ...Array.from({ length: 255 }, () => ZERO_HASH)]);
    assert.equal(rootOfAccount(NETWORK, address, leafOf(address, 1), path), tree.root());
  });

  it('of many accounts is the same in a tree that was changed and in one made at once', () => {
    const many = Array.from({ length: 3000 }, (_, i) => blake3Hex<Address>(new Uint8Array([i, i >> 8])));
    const tree = treeOf(many.map((address) => [address, leafOf(address, 1)]));
    for (const [i, address] of many.entries()) {
      if (i % 7 !== 0) continue;
      tree.set(address, leafOf(address, 2));
      if (i % 49 === 0) tree.root();
    }
    const accounts = new Map(many.map((address, i) => [address, leafOf(address, i % 7 === 0 ? 2 : 1)]));
    assert.equal(tree.root(), slowRoot(accounts));
    assert.equal(tree.size, 3000);
  });

  it('of the genesis is the one of its allocations', () => {
    const { genesis } = new TestNetwork({
      weights: [1, 1, 1, 1],
      funds: { alice: 5, bob: 6, carol: 7 },
      signed: false,
    });
    const tree = new StateTree(genesis.network);
    for (const { address, amount } of genesis.allocations) {
      tree.set(address, accountLeaf(genesis.network, address, amount, 0, address));
    }
    assert.equal(genesis.checkpoint.root, tree.root());
  });
});

describe('a path in the state tree', () => {
  const some = entries(30).filter((list) => list.length > 0);

  it('leads from every account to the root, and only at its own length', () => {
    fc.assert(
      fc.property(some, (list) => {
        const accounts = new Map(list);
        const tree = treeOf(accounts);
        const root = tree.root();
        for (const [address, leaf] of accounts) {
          const path = tree.path(address)!;
          assert.equal(rootOfAccount(NETWORK, address, leaf, path), root);
          const others = [
            path.slice(1),
            path.slice(0, -1),
            [...path, unhex(ZERO_HASH)],
            [unhex(ZERO_HASH), ...path],
          ];
          for (const other of others) {
            if (other.length !== path.length)
              assert.notEqual(rootOfAccount(NETWORK, address, leaf, other), root, `${other.length}`);
          }
        }
      }),
    );
  });

  it('leads to another root when leaf, address, network or a sibling is another', () => {
    fc.assert(
      fc.property(some, fc.nat(), fc.nat(), (list, which, turned) => {
        const accounts = [...new Map(list)];
        const tree = treeOf(accounts);
        const root = tree.root();
        const [address, leaf] = accounts[which % accounts.length]!;
        const path = tree.path(address)!;
        assert.notEqual(rootOfAccount(NETWORK, address, leafOf(address, 99), path), root);
        if (path.length === 0) return;
        const depth = path.length;
        assert.notEqual(rootOfAccount(NETWORK, flip(address, turned % depth), leaf, path), root);
        const changed = path.map((sibling) => sibling.slice());
        changed[turned % depth]![turned % 32]! ^= 1;
        assert.notEqual(rootOfAccount(NETWORK, address, leaf, changed), root);
        const other = NETWORK.with(0, NETWORK[0]! ^ 1) as NetworkId;
        assert.notEqual(rootOfAccount(other, address, leaf, path), root);
      }),
    );
  });

  it('of an address without an account ends at an empty place or at the only account there', () => {
    fc.assert(
      fc.property(entries(30), addresses, (list, address) => {
        const accounts = new Map(list);
        const tree = treeOf(accounts);
        const { occupant, path } = tree.place(address);
        assert.equal(occupant === address, accounts.has(address));
        assert.equal(tree.has(address), accounts.has(address));
        for (const one of accounts.keys()) assert.ok(tree.has(one));
        assert.equal(tree.path(address) !== undefined, accounts.has(address));
        const end = occupant === undefined ? ZERO_HASH : accounts.get(occupant)!;
        assert.equal(rootOfAccount(NETWORK, address, end, path), tree.root());
        if (occupant === undefined) return;
        for (let bit = 0; bit < path.length; bit++) assert.equal(bitAt(occupant, bit), bitAt(address, bit));
      }),
      { numRuns: 300 },
    );
  });

  it('stays what it was when the tree changes', () => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)].map((bytes) => blake3Hex<Address>(bytes));
    const tree = treeOf([one!, two!].map((address) => [address, leafOf(address, 1)]));
    const [before, root] = [tree.path(one!)!, tree.root()];
    tree.set(two!, leafOf(two!, 2));
    tree.root();
    assert.equal(rootOfAccount(NETWORK, one!, leafOf(one!, 1), before), root);
  });

  it('is refused when it is longer than an address, or has a sibling of another length', () => {
    const address = blake3Hex<Address>(Uint8Array.of(1));
    const path = (length: number, bytes: number) => Array.from({ length }, () => new Uint8Array(bytes));
    const leaf = leafOf(address, 1);
    assert.notEqual(rootOfAccount(NETWORK, address, leaf, path(STATE_PATH_MAX, 32)), undefined);
    assert.equal(rootOfAccount(NETWORK, address, leaf, path(STATE_PATH_MAX + 1, 32)), undefined);
    for (const bytes of [0, 31, 33]) {
      assert.equal(rootOfAccount(NETWORK, address, leaf, path(1, bytes)), undefined);
    }
  });
});
