import assert from 'node:assert/strict';
import { decodePayment, isRefusal } from '../../../ledger/index.ts';
import { HonestLoad } from '../../../node/doublespend/honest-load.ts';
import { RawAccount } from '../../../node/load/raw-account.ts';
import { silentLog } from '../../../p2p/index.ts';
import { keysOf, TestNetwork } from '../../dsl/network.ts';

const NET = new TestNetwork({ weights: [1], funds: { alice: 10, bob: 10 }, signed: true });
const NEVER = new AbortController().signal;

/** Payments a second. */
const RATE = 40;

describe('the honest load', () => {
  it('is told apart by what fell due before the attack, and during it', async () => {
    let came = 0;
    const some = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const beganMs = performance.now();
    const load: HonestLoad = new HonestLoad(
      { rate: RATE, receiver: keysOf('carol').address },
      {
        accounts: ['alice', 'bob'].map((name) => new RawAccount(NET.genesis, keysOf(name).secret)),
        findWork: async () => new Uint8Array(8),
        log: silentLog,
        nowMs: () => performance.now(),
        nodes: [
          {
            async submit(payments) {
              return payments.map(({ bytes }) => {
                const payment = decodePayment(bytes, NET.genesis.network);
                assert.ok(!isRefusal(payment));
                setImmediate(() => load.final(payment.id, performance.now()));
                came++;
                if (came === 5) some[0]!.resolve();
                if (came === 12) some[1]!.resolve();
                return { id: payment.id, status: 'queued' };
              });
            },
            ask: async () => undefined,
          },
        ],
      },
    );
    await some[0]!.promise;
    load.border();
    const attackMs = performance.now();
    await some[1]!.promise;
    load.border();
    const endMs = performance.now();
    await load.finish(5_000, NEVER);
    const { before, during } = load.finality();
    // By the clock, whatever has left by then.
    const due = (ms: number): number => (ms * RATE) / 1000;
    assert.ok(Math.abs(before.payments - due(attackMs - beganMs)) <= 2, `${before.payments} before`);
    assert.ok(Math.abs(during.payments - due(endMs - attackMs)) <= 2, `${during.payments} during`);
    assert.ok(before.p50! > 0 && during.p99! > 0);
    assert.equal(before.payments + during.payments - before.open - during.open, came, 'all are final');
    await load.stop();
  });
});
