import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AccountBook } from '../../wallet/account-book.ts';
import { FakeNetwork, signerOf } from './fake-network.ts';

const ME = signerOf(1).address;
const OTHER = signerOf(3).address;
const NET = new FakeNetwork([
  [ME, 1000],
  [OTHER, 1_000_000],
]);

/** Credits that differ in their payer's sequence. */
const GIFTS = Array.from({ length: 12 }, (_, i) =>
  NET.payment(3, i + 2, signerOf(i + 50).address, [[ME, 2 ** i]]),
);

const COMMIT_EVERY = 3;

/** A credit as the network may have made it: certified from `first` to `last`, decided by a commit of `decided`. */
const credit = fc
  .record({ first: fc.integer({ min: 4, max: 60 }), spread: fc.nat(8), early: fc.nat(30) })
  .map(({ first, spread, early }) => {
    const last = first + spread;
    // Never decided so early that every correct validator would have certified it before, never later than a certificate forces.
    const latest = Math.ceil((last + 1) / COMMIT_EVERY) * COMMIT_EVERY;
    const earliest = Math.floor((first - 4) / COMMIT_EVERY) * COMMIT_EVERY + COMMIT_EVERY;
    const decided = Math.max(earliest, latest - COMMIT_EVERY * early);
    return { span: { from: Math.max(0, first - 3), until: last + 1 }, decided };
  });

type Step = { readonly learn: number } | { readonly base: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ learn: fc.nat(GIFTS.length - 1) }),
  fc.record({ base: fc.integer({ min: 1, max: 25 }) }),
);

describe('the book of an account', () => {
  it('never counts a credit twice, and counts none less than once but for what it calls uncertain', () => {
    let uncertain = 0;
    let rebased = 0;
    fc.assert(
      fc.property(
        fc.array(credit, { minLength: GIFTS.length, maxLength: GIFTS.length }),
        fc.array(step, { maxLength: 40 }),
        (credits, steps) => {
          const book = new AccountBook({ address: ME, allocation: 1000 });
          const learnt = new Set<number>();
          let base = 0;
          for (const at of steps) {
            if ('learn' in at) {
              learnt.add(at.learn);
              book.addVerified(GIFTS[at.learn]!, credits[at.learn]!.span);
            } else {
              const round = at.base * COMMIT_EVERY;
              const sum = credits.reduce(
                (all, { decided }, i) => all + (decided <= round ? 2 ** i : 0),
                1000,
              );
              const state = { round, balance: sum, sequence: 0, head: ME };
              if ([...credits.keys()].every((i) => learnt.has(i))) assert.ok(book.explains(state));
              book.rebase(state);
              base = Math.max(base, round);
              rebased++;
            }
            const truth = credits.reduce(
              (all, { decided }, i) => all + (decided <= base || learnt.has(i) ? 2 ** i : 0),
              1000,
            );
            assert.ok(book.balance <= truth, `${book.balance} of ${truth}`);
            assert.ok(
              book.balance + book.uncertain >= truth,
              `${book.balance} and ${book.uncertain} of ${truth}`,
            );
            if (book.uncertain > 0) uncertain++;
          }
        },
      ),
      { numRuns: 500 },
    );
    assert.ok(uncertain > 50 && rebased > 1000, `${uncertain} ${rebased}`);
  });

  it('finds out that something is missing', () => {
    const book = new AccountBook({ address: ME, allocation: 1000 });
    const state = { round: 30, balance: 1000, sequence: 0, head: ME };
    assert.ok(book.explains(state));
    assert.ok(!book.explains({ ...state, balance: 1001 }), 'a credit');
    assert.ok(!book.explains({ ...state, balance: 999, sequence: 1, head: GIFTS[0]!.id }), 'an own payment');
    book.addVerified(GIFTS[3]!, { from: 5, until: 9 });
    assert.ok(book.explains({ ...state, balance: 1008 }));
    assert.ok(!book.explains(state), 'a credit that the state must have');
    assert.ok(book.explains({ ...state, round: 7 }), 'open');
    assert.ok(book.explains({ ...state, round: 7, balance: 1008 }), 'open');
    assert.ok(!book.explains({ ...state, round: 4, balance: 1008 }), 'a credit that the state cannot have');
  });

  it('takes own payments above the base as debits after it, and none below', () => {
    const book = new AccountBook({ address: ME, allocation: 1000 });
    const first = NET.payment(1, 1, undefined, [[OTHER, 10]]);
    const second = NET.payment(1, 2, first.id, [
      [OTHER, 20],
      [ME, 5],
    ]);
    const third = NET.payment(1, 3, second.id, [[OTHER, 40]]);
    book.addVerified(third, { from: 0, until: 1 });
    assert.match(book.problem ?? '', /own payment 1 of 3/);
    book.rebase({ round: 3, balance: 970, sequence: 2, head: second.id });
    assert.deepEqual([book.problem, book.balance, book.tip.head], [undefined, 930, third.id]);
    // What comes late is in the base already.
    book.addVerified(second, { from: 0, until: 1 });
    assert.equal(book.balance, 930);
    book.rebase({ round: 2, balance: 5, sequence: 9, head: first.id });
    assert.equal(book.balance, 930, 'an older state');
  });

  it('holds nothing back for a payment under way whose slot is settled, as it is in the base or dead', () => {
    const book = new AccountBook({ address: ME, allocation: 1000 });
    const first = NET.payment(1, 1, undefined, [[OTHER, 100]]);
    book.addPending(first);
    assert.equal(book.balance, 900);
    const head = NET.payment(1, 5, GIFTS[0]!.id, [[OTHER, 1]]).id;
    book.rebase({ round: 3, balance: 700, sequence: 5, head });
    assert.deepEqual([book.balance, book.pending.length, book.problem], [700, 1, undefined]);
    assert.deepEqual(book.tip, { sequence: 5, head });
    book.dropPending(first.id);
    assert.deepEqual([book.balance, book.pending.length], [700, 0]);
  });

  it('knows a broken network when it sees one', () => {
    const [one, two] = [7, 8].map((amount) => NET.payment(1, 1, undefined, [[OTHER, amount]]));
    const book = new AccountBook({ address: ME, allocation: 1000 });
    book.addVerified(one!, { from: 0, until: 1 });
    book.rebase({ round: 3, balance: 992, sequence: 1, head: two!.id });
    assert.match(book.problem ?? '', /a third of the validators or more is dishonest/);
    const other = new AccountBook({ address: ME, allocation: 1000 });
    other.rebase({ round: 3, balance: 992, sequence: 1, head: two!.id });
    other.addVerified(one!, { from: 0, until: 1 });
    assert.match(other.problem ?? '', /a third of the validators or more is dishonest/);
  });
});
