import assert from 'node:assert/strict';
import type { PaymentRecord } from '../../ledger/index.ts';
import { PaymentSets } from '../../ledger/payment-set.ts';

/** A set reads nothing of a payment but its row. */
function payment(row: number): PaymentRecord {
  return { row } as Partial<PaymentRecord> as PaymentRecord;
}

const rowsOf = (payments: readonly PaymentRecord[]): number[] => payments.map(({ row }) => row);

describe('sets of payments by column', () => {
  it('hold each payment once, in the order in which they were added, however great its row', () => {
    const set = new PaymentSets().next();
    for (const row of [7, 100_000, 7, 0, 100_000]) set.add(payment(row));
    assert.deepEqual(rowsOf(set.payments), [7, 100_000, 0]);
    assert.deepEqual(
      [0, 1, 7, 1024, 99_999, 100_000, 100_001].map((row) => set.has(payment(row))),
      [true, false, true, false, false, true, false],
    );
  });

  it('begin empty, and are not asked once there is another', () => {
    const sets = new PaymentSets();
    const before = sets.next();
    before.add(payment(3));
    const after = sets.next();
    assert.ok(!after.has(payment(3)));
    after.add(payment(4));
    assert.deepEqual(rowsOf(before.payments), [3], 'what it listed stays');
    assert.throws(() => before.has(payment(3)), /the last one/);
    assert.throws(() => before.add(payment(5)), /the last one/);
  });

  it('go on when the numbers of sets begin anew', () => {
    const sets = new PaymentSets(0xffff_fffe);
    const last = sets.next();
    last.add(payment(1));
    assert.ok(last.has(payment(1)));
    const first = sets.next();
    assert.ok(!first.has(payment(1)));
    first.add(payment(2));
    assert.ok(first.has(payment(2)) && !first.has(payment(0)));
    assert.throws(() => last.has(payment(1)), /the last one/);
    assert.ok(!sets.next().has(payment(2)));
  });
});
