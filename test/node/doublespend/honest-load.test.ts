import assert from 'node:assert/strict';
import type { Payment } from '../../../ledger/index.ts';
import { HonestLoad, percentile } from '../../../node/doublespend/honest-load.ts';
import { RawAccount } from '../../../node/doublespend/raw-account.ts';
import { keysOf, TestNetwork } from '../../dsl/network.ts';

const NET = new TestNetwork({ weights: [1], funds: { alice: 10, bob: 10 }, signed: true });
const nonce = async (): Promise<Uint8Array> => new Uint8Array(8);

describe('the honest load', () => {
  it('has the percentiles of the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual(
      [percentile(values, 50), percentile(values, 99), percentile(values, 100)],
      [50, 99, 100],
    );
    assert.deepEqual([percentile([7], 50), percentile([], 50)], [7, null]);
  });

  it('pays from each account in its order, and counts what was sent in a time', async () => {
    const accounts = ['alice', 'bob'].map((name) => new RawAccount(NET.genesis, keysOf(name).secret));
    const sent: Payment[] = [];
    let nowMs = 0;
    const enough = Promise.withResolvers<void>();
    const load = new HonestLoad(
      { rate: 1000, receiver: keysOf('carol').address },
      {
        accounts,
        findWork: nonce,
        nowMs: () => nowMs++,
        submit: async (payment) => {
          sent.push(payment);
          if (sent.length >= 10) enough.resolve();
        },
      },
    );
    await enough.promise;
    await load.stop();
    assert.equal(load.trouble, undefined);
    for (const name of ['alice', 'bob']) {
      const own = sent.filter(({ account }) => account === keysOf(name).address);
      assert.ok(own.length > 2);
      for (const [i, payment] of own.entries()) {
        assert.equal(payment.sequence, i + 1);
        assert.equal(payment.previous, own[i - 1]?.id ?? payment.account);
      }
    }
    assert.equal(load.open, sent.length);
    assert.ok(load.final(sent[0]!.id, nowMs));
    assert.ok(
      !load.final(
        NET.payment({
          from: 'dora',
          previous: keysOf('dora').address,
          sequence: 1,
          transfers: [{ to: 'bob', amount: 1 }],
          name: 'x',
        }).id,
        nowMs,
      ),
    );
    const all = load.finality(0, Number.POSITIVE_INFINITY);
    assert.deepEqual([all.payments, all.open], [sent.length, sent.length - 1]);
    assert.ok(all.p50! > 0);
    assert.deepEqual(load.finality(0, 0), { payments: 0, open: 0, p50: null, p99: null });
  });
});
