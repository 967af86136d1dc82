import assert from 'node:assert/strict';
import type { Hash, Units } from '../../../ledger/index.ts';
import { compare, type StatusLink, watchStatus } from '../../../node/up/status-watch.ts';
import type { NodeView } from '../../../p2p/index.ts';

function node(changes: { digest?: string; supply?: number; finalPayments?: number } = {}): NodeView {
  return {
    network: '00'.repeat(16),
    round: 7,
    vertices: 100,
    finalPayments: changes.finalPayments ?? 5,
    decidedPayments: changes.finalPayments ?? 5,
    supply: (changes.supply ?? 1_000) as Units,
    accounts: 3,
    root: (changes.digest ?? 'aa').repeat(32) as Hash,
    queue: 0,
    peers: 3,
    rounds: [7, 7, 7, 7],
  };
}

/** Time that passes as it is slept through; each sleep lets everybody else run. */
function clock() {
  const time = { now: 0 };
  const sleep = async (ms: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    time.now += ms / 10;
  };
  return { time, nowMs: () => time.now, sleep };
}

describe('agreement of validators', () => {
  it('is one state and one supply from every one', () => {
    assert.deepEqual(compare([node(), node()], 1_000), {
      supply: 1_000,
      supplyExpected: 1_000,
      agree: true,
      differences: [],
    });
  });

  const table: readonly (readonly [
    rule: string,
    views: readonly (NodeView | undefined)[],
    differences: RegExp,
  ])[] = [
    ['one did not answer', [node(), undefined], /^Validator 1 did not answer\.$/],
    ['nobody answered', [undefined], /^Validator 0 did not answer\.$/],
    [
      'states differ',
      [node(), node({ digest: 'bb' }), node()],
      /Validator 0, 2: state aaaa.*Validator 1: state bbbb/,
    ],
    ['supplies differ', [node(), node({ supply: 999 })], /supply 1000 .*supply 999 /],
  ];
  for (const [rule, views, differences] of table) {
    it(`is missing when ${rule}`, () => {
      const agreement = compare(views, 1_000);
      assert(!agreement.agree);
      assert.match(agreement.differences.join(' '), differences);
    });
  }

  it('shows a wrong supply even if only one validator has it', () => {
    assert.equal(compare([node(), node({ supply: 999 })], 1_000).supply, 999);
  });

  it('is waited for while validators catch up', async () => {
    const { nowMs, sleep } = clock();
    let asked = 0;
    const connect = async (address: string): Promise<StatusLink> => ({
      status: async () => (address === 'late' && asked++ < 10 ? node({ digest: 'bb' }) : node()),
      [Symbol.asyncDispose]: async () => {},
    });
    await using watch = watchStatus(['early', 'late'], { connect, nowMs, sleep });
    assert((await watch.agreement(1_000, () => false, new AbortController().signal)).agree);
    assert(asked > 10);
  });

  it('does not wait for a validator that is gone, and is missing without it', async () => {
    const { time, nowMs, sleep } = clock();
    const connect = async (address: string): Promise<StatusLink> => {
      if (address === 'gone') throw new Error('gone');
      return { status: async () => node(), [Symbol.asyncDispose]: async () => {} };
    };
    await using watch = watchStatus(['here', 'gone'], { connect, nowMs, sleep });
    const agreement = await watch.agreement(1_000, (index) => index === 1, new AbortController().signal);
    assert(!agreement.agree);
    assert.deepEqual(agreement.differences, ['Validator 1 did not answer.']);
    assert(time.now < 20_000, 'before the deadline');
  });

  it('is not waited for longer than the deadline', async () => {
    const { nowMs, sleep } = clock();
    const connect = async (address: string): Promise<StatusLink> => ({
      status: async () => node({ digest: address }),
      [Symbol.asyncDispose]: async () => {},
    });
    await using watch = watchStatus(['aa', 'bb'], { connect, nowMs, sleep });
    assert(!(await watch.agreement(1_000, () => false, new AbortController().signal)).agree);
  });
});

describe('the watch over validators', () => {
  it('dials again after a validator was gone, and calls it silent meanwhile', async () => {
    const { time, nowMs, sleep } = clock();
    let alive = true;
    let dialled = 0;
    let failed = 0;
    const connect = async (): Promise<StatusLink> => {
      if (!alive) {
        failed++;
        throw new Error('gone');
      }
      dialled++;
      return {
        status: async () => {
          if (!alive) throw new Error('gone');
          return node();
        },
        [Symbol.asyncDispose]: async () => {},
      };
    };
    await using watch = watchStatus(['one'], { connect, nowMs, sleep });
    const until = async (condition: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 1_000 && !condition(); turn++)
        await new Promise((resolve) => setImmediate(resolve));
      assert(condition(), 'it never came');
    };
    await until(() => watch.nodes()[0]!.view !== undefined);
    alive = false;
    time.now += 10_000;
    await until(() => watch.nodes()[0]!.silent && failed > 0);
    alive = true;
    await until(() => !watch.nodes()[0]!.silent);
    assert.equal(dialled, 2);
  });
});
