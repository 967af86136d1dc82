import assert from 'node:assert/strict';
import {
  type AccountState,
  type Address,
  type BalanceProof,
  checkOutcome,
  decodeBalanceProof,
  decodeOutcome,
  decodePaymentProof,
  encodeBalanceProof,
  encodeFinalityProof,
  encodeOutcome,
  encodePaymentProof,
  type FinalityProof,
  isRefusal,
  OUTCOME_PAYMENTS_MAX,
  type Outcome,
  type Payment,
  type PaymentId,
  type Slot,
  type Units,
} from '../../ledger/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { TestState } from '../dsl/state.ts';

const NET = new TestNetwork({
  weights: [1, 1, 1, 1],
  funds: { alice: 1000, bob: 1000, carol: 1000 },
  signed: true,
});
const { genesis } = NET;
const ALICE = keysOf('alice').address;

function pay(from: string, previous: Slot, sequence: number, name: string, to = 'bob'): Payment {
  return NET.payment({ from, previous, sequence, transfers: [{ to, amount: 1 }], name });
}

/** Alice's chain, of which the third is the first in question. */
const P1 = pay('alice', ALICE, 1, 'p1');
const P2 = pay('alice', P1.id, 2, 'p2');
const WINNER = pay('alice', P2.id, 3, 'the winner');
const LOSER = pay('alice', P2.id, 3, 'the loser', 'carol');
const P4 = pay('alice', WINNER.id, 4, 'p4');
const HEAD = pay('alice', P4.id, 5, 'the head');

function stateOf(name: string, change: Partial<AccountState> = {}): AccountState {
  const { address } = keysOf(name);
  return { address, balance: 900 as Units, sequence: 0, head: address, ...change };
}

function balanceOf(change: Partial<AccountState>, validators = [0, 1, 2], owner = 'alice'): BalanceProof {
  const state = stateOf('alice', { head: HEAD.id, sequence: HEAD.sequence, ...change });
  const world = new TestState(genesis, [state, stateOf('bob'), stateOf('carol')]);
  return world.proof(keysOf(owner).address, validators);
}

const PROOF = balanceOf({});
const BALANCE = encodeBalanceProof(PROOF);
const CHAIN = [WINNER, P4, HEAD].map(({ bytes }) => bytes);
const OUTCOME: Outcome = { balance: BALANCE, chain: CHAIN };

/** The code of what is wrong, after a journey through bytes. */
function problemOf(payment: Payment, outcome: Outcome): string | undefined {
  const decoded = outcome.chain.length === 0 ? outcome : decodeOutcome(encodeOutcome(outcome));
  if (isRefusal(decoded)) return decoded.code;
  const result = checkOutcome(genesis, payment, decoded);
  if (!('code' in result)) return undefined;
  return result.code === 'chain_wrong' ? `${result.what} at ${result.at}` : result.code;
}

describe('an outcome', () => {
  it('says who has the slot, to the one who won and to the one who lost', () => {
    for (const [payment, won] of [
      [WINNER, true],
      [LOSER, false],
    ] as const) {
      const verdict = checkOutcome(genesis, payment, OUTCOME);
      assert.ok(!('code' in verdict), JSON.stringify(verdict));
      assert.deepEqual([verdict.won, verdict.winner], [won, WINNER.id]);
      assert.deepEqual(
        verdict.chain.map(({ id }) => id),
        [WINNER.id, P4.id, HEAD.id],
      );
      assert.deepEqual([verdict.checkpoint.round, verdict.balance], [30, PROOF]);
    }
  });

  it('holds for the head alone, and from the first payment on', () => {
    assert.equal(problemOf(HEAD, { balance: BALANCE, chain: [HEAD.bytes] }), undefined);
    const whole = [P1, P2, WINNER, P4, HEAD].map(({ bytes }) => bytes);
    assert.equal(problemOf(P1, { balance: BALANCE, chain: whole }), undefined);
  });

  it('proves that a whole branch is dead by its first payment alone', () => {
    const verdict = checkOutcome(genesis, LOSER, OUTCOME);
    assert.ok('won' in verdict && !verdict.won);
    // What extends the loser has another slot, of which the chain says nothing.
    const child = pay('alice', LOSER.id, 4, 'after the loser');
    assert.equal(problemOf(child, OUTCOME), 'previous at 0');
  });

  it('is refused when any part of it is another', () => {
    const rows: readonly (readonly [what: string, outcome: Outcome, problem: string])[] = [
      ['another slot', { ...OUTCOME, chain: CHAIN.slice(1) }, 'previous at 0'],
      ['one left out', { ...OUTCOME, chain: [CHAIN[0]!, CHAIN[2]!] }, 'previous at 1'],
      ['the head left out', { ...OUTCOME, chain: CHAIN.slice(0, 2) }, 'head at 1'],
      ['nothing', { ...OUTCOME, chain: [] }, 'empty at 0'],
      ['one twice', { ...OUTCOME, chain: [CHAIN[0]!, ...CHAIN] }, 'previous at 1'],
      ['turned round', { ...OUTCOME, chain: CHAIN.toReversed() }, 'previous at 0'],
      ['the loser as winner', { ...OUTCOME, chain: [LOSER.bytes] }, 'head at 0'],
      ["the loser's own branch", { ...OUTCOME, chain: [LOSER.bytes, ...CHAIN.slice(1)] }, 'previous at 1'],
      ["somebody else's payment", { ...OUTCOME, chain: [pay('carol', P2.id, 3, 'x').bytes] }, 'account at 0'],
      [
        'a sequence that does not follow',
        { ...OUTCOME, chain: [CHAIN[0]!, pay('alice', WINNER.id, 5, 'x').bytes] },
        'sequence at 1',
      ],
      [
        'a balance of another account',
        { balance: encodeBalanceProof(balanceOf({}, [0, 1, 2], 'bob')), chain: CHAIN },
        'balance of another account at 2',
      ],
      [
        'another head',
        { balance: encodeBalanceProof(balanceOf({ head: P4.id })), chain: CHAIN },
        'head at 2',
      ],
      [
        'another sequence',
        { balance: encodeBalanceProof(balanceOf({ sequence: 6 })), chain: CHAIN },
        'sequence at 2',
      ],
      [
        'a balance that is not so',
        { balance: encodeBalanceProof({ ...PROOF, balance: 1 as Units }), chain: CHAIN },
        'path_wrong',
      ],
      ['no quorum', { balance: encodeBalanceProof(balanceOf({}, [0, 1])), chain: CHAIN }, 'quorum_missing'],
      ['no balance', { balance: new Uint8Array(), chain: CHAIN }, 'malformed'],
      ['no payment', { ...OUTCOME, chain: [new Uint8Array(5)] }, 'malformed'],
      [
        'too many',
        { ...OUTCOME, chain: Array.from({ length: OUTCOME_PAYMENTS_MAX + 1 }, () => CHAIN[0]!) },
        'limit_exceeded',
      ],
    ];
    for (const [what, outcome, problem] of rows) assert.equal(problemOf(WINNER, outcome), problem, what);
  });

  it('refuses too long a chain also when it has not come through bytes', () => {
    const chain = Array.from({ length: OUTCOME_PAYMENTS_MAX + 1 }, () => CHAIN[0]!);
    const result = checkOutcome(genesis, WINNER, { ...OUTCOME, chain });
    assert.ok('code' in result && result.code === 'limit_exceeded');
  });

  it('is refused when any byte of it is another, but for the nonces, where this network asks for no work', () => {
    const bytes = encodeOutcome(OUTCOME);
    const found = new Set<string>();
    let nonces = 0;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      const decoded = decodeOutcome(changed);
      const result = isRefusal(decoded) ? decoded : checkOutcome(genesis, WINNER, decoded);
      if ('code' in result) found.add(result.code);
      else nonces++;
    }
    assert.equal(nonces, 8 * CHAIN.length);
    for (const code of ['chain_wrong', 'bad_signature', 'path_wrong', 'malformed', 'wrong_network'])
      assert.ok(found.has(code), `${code} is not among ${[...found]}`);
  });

  it('is refused when it is cut short anywhere, or goes on', () => {
    const bytes = encodeOutcome(OUTCOME);
    for (let length = 0; length < bytes.length; length++)
      assert.ok(isRefusal(decodeOutcome(bytes.slice(0, length))), `${length} bytes`);
    assert.ok(isRefusal(decodeOutcome(Uint8Array.of(...bytes, 0))));
    assert.deepEqual(decodeOutcome(bytes), OUTCOME);
  });

  it('is told from a proof by certificates by its first bytes', () => {
    assert.deepEqual(decodePaymentProof(encodePaymentProof(OUTCOME)), OUTCOME);
    const proof: FinalityProof = {
      payment: '01'.repeat(32) as PaymentId,
      certificates: [{ header: PROOF.headers[0]!, index: 0, path: [] }],
    };
    assert.deepEqual(encodePaymentProof(proof), encodeFinalityProof(proof));
    assert.deepEqual(decodePaymentProof(encodePaymentProof(proof)), proof);
    assert.ok(isRefusal(decodePaymentProof(new Uint8Array())));
    assert.ok(isRefusal(decodePaymentProof(new Uint8Array(33))));
  });

  it('of a first payment has the account as its slot', () => {
    const head: Slot = P1.id;
    const balance = encodeBalanceProof(balanceOf({ head, sequence: 1 }));
    const rival = pay('alice', ALICE as Address, 1, 'another first');
    const verdict = checkOutcome(genesis, rival, { balance, chain: [P1.bytes] });
    assert.ok('won' in verdict && !verdict.won && verdict.winner === P1.id);
    assert.ok(!isRefusal(decodeBalanceProof(balance)));
  });
});
