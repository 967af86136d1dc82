import assert from 'node:assert/strict';
import {
  checkLastWitness,
  decodeLastWitness,
  encodeLastWitness,
  type Hash,
  isRefusal,
  LAST_WITNESS_BYTES,
  type LastWitness,
  type NetworkId,
  sign,
  type VertexId,
} from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';

const { genesis } = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 1 }, signed: true });
const WITNESS = 'ab'.repeat(32) as Hash as VertexId;

const SAID = {
  by: 1,
  about: 3,
  nonce: new Uint8Array(32).fill(7),
  round: 90,
  witness: WITNESS,
  highestQuorum: 93,
};

function encoded(more: Partial<LastWitness> = {}, signer = 'B'): Uint8Array {
  return encodeLastWitness(genesis.network, { ...SAID, ...more }, (message) =>
    sign(keysOf(`validator ${signer}`).secret, message),
  );
}

function judged(bytes: Uint8Array) {
  const said = decodeLastWitness(bytes, genesis.network);
  return isRefusal(said) ? said : checkLastWitness(said, bytes, genesis);
}

describe('what a validator says of the last witness of another', () => {
  it('comes back as it was said', () => {
    const bytes = encoded();
    assert.equal(bytes.length, LAST_WITNESS_BYTES);
    const said = decodeLastWitness(bytes, genesis.network);
    assert.ok(!isRefusal(said));
    const { signature: _, ...rest } = said;
    assert.deepEqual(rest, SAID);
    assert.equal(checkLastWitness(said, bytes, genesis), undefined);
    assert.equal(judged(encoded({ round: 0, witness: genesis.id })), undefined);
  });

  const ROWS: readonly (readonly [what: string, bytes: Uint8Array, code: string])[] = [
    ['of itself', encoded({ about: 1 }), 'malformed'],
    ['of nobody', encoded({ about: 4 }), 'not_a_validator'],
    ['by nobody', encoded({ by: 4 }), 'not_a_validator'],
    ['by another than who signed it', encoded({}, 'C'), 'bad_signature'],
    ['of no round, with a witness', encoded({ round: 0 }), 'malformed'],
    ['of a round, without a witness', encoded({ witness: genesis.id }), 'malformed'],
    ['with a byte too few', encoded().subarray(1), 'malformed'],
    ['with a byte too many', new Uint8Array([...encoded(), 0]), 'malformed'],
    [
      'in another network',
      encodeLastWitness(new Uint8Array(16) as NetworkId, SAID, () => new Uint8Array(64)),
      'wrong_network',
    ],
  ];
  for (const [what, bytes, code] of ROWS) {
    it(`is refused ${what}`, () => {
      assert.deepEqual((judged(bytes) as { code: string } | undefined)?.code, code);
    });
  }

  it('is worth nothing with any bit changed', () => {
    const bytes = encoded();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      assert.notEqual(judged(changed), undefined, `byte ${at}`);
    }
  });
});
