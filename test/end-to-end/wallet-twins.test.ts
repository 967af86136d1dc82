import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { searchWork, type Units } from '../../ledger/index.ts';
import { createLightPeers, silentLog } from '../../p2p/index.ts';
import { createLightClient, createSeedSigner, type LightClient, WalletError } from '../../wallet/index.ts';
import { keysOf } from '../dsl/network.ts';
import { MemoryStore } from '../wallet/memory-store.ts';
import { eventually } from './deadline.ts';
import { RealNetwork } from './real-network.ts';

const PATIENCE = { timeoutMs: 60_000 };

describe('a wallet and an old backup of it, against four real validators', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  const stack = new AsyncDisposableStack();

  before(async () => {
    network = stack.use(
      await RealNetwork.create({ name: 'wallet twins', validators: 4, funds: { car: 1000, other: 1000 } }),
    );
    await network.start();
    await network.connected();
  });

  after(() => stack.disposeAsync());

  /** A copy of the wallet that knows one node only, as somewhere else. */
  async function open(store: MemoryStore, node: number): Promise<LightClient> {
    const { genesis } = network;
    const peers = stack.use(
      await createLightPeers(
        { network: genesis.network, identitySeed: randomBytes(32), listen: [], requestTimeoutMs: 5_000 },
        { log: silentLog, nowMs: () => performance.now() },
      ),
    );
    const client = stack.use(
      await createLightClient(
        { genesis, nodes: [network.address(node)] },
        {
          signer: createSeedSigner(keysOf('car').secret),
          peers,
          store,
          log: silentLog,
          nowMs: () => Date.now(),
          findWork: async (seed, bits) => searchWork(seed, bits, 0, 1 << 20)!,
        },
      ),
    );
    await client.ready(PATIENCE);
    return client;
  }

  const to = (name: string, amount: number) => [{ to: keysOf(name).address, amount: amount as Units }];

  /** What became of a payment: final, or why not. */
  async function fate(client: LightClient, name: string, amount: number): Promise<WalletError | 'final'> {
    try {
      const sent = await client.pay(to(name, amount));
      await sent.final;
      return 'final';
    } catch (error) {
      assert.ok(error instanceof WalletError, String(error));
      // Nobody wanted the rival; it is under way all the same, and what becomes of it is told.
      if (error.code !== 'refused') return error;
      return client.waitFinal(error.payment!, PATIENCE).then(
        () => 'final' as const,
        (later: WalletError) => later,
      );
    }
  }

  it('make rivals without knowing, lose one of them, and both go on by themselves', async () => {
    const store = new MemoryStore();
    const first = await open(store, 0);
    await (await first.pay(to('other', 10))).final;
    const backup = store.copy();
    const second = await open(backup, 1);
    assert.equal(second.head, first.head);

    let lost = 0;
    let paid = 0;
    // Where one hears of the other's payment before it signs, there are no rivals: then they try again.
    for (let turn = 0; turn < 3 || (lost === 0 && turn < 15); turn++) {
      const [a, b] = [10 + turn, 5 + turn];
      const clients = [first, second] as const;
      const fates = await Promise.all([fate(first, 'other', a), fate(second, 'other', b)]);
      for (const [i, one] of fates.entries()) {
        if (one === 'final') {
          paid += [a, b][i]!;
          continue;
        }
        assert.equal(one.code, 'payment_dead', one.message);
        lost++;
        const client = clients[i]!;
        // It is told which payment won: one that the other copy has signed.
        const told = client.lost.find(({ id }) => id === one.payment);
        assert.deepEqual([told?.reason, told?.winner], ['dead', one.winner]);
        assert.equal(client.underWay.length, 0);
      }
      const balance = 1000 - 10 - paid;
      await eventually(
        () =>
          `both know the same: ${first.head} ${second.head} ${first.balance} ${second.balance} ${balance}`,
        () => first.head === second.head && [first, second].every((one) => one.balance === balance),
      );
    }
    assert.ok(lost > 0, 'there were rivals');
    assert.equal(first.lost.length + second.lost.length, lost);

    // Whoever has lost decides about paying anew, from where the account is now.
    const [client] = [first, second].filter((one) => one.lost.length > 0);
    const again = client!.lost[0]!;
    await (await client!.pay(again.transfers)).final;
    await client!.forgetLost(again.id);
    const end = 1000 - 10 - paid - again.total;
    await eventually('both know of it', () => [first, second].every(({ balance }) => balance === end));
    // What is final is proven a few rounds later, by the commit that decides it.
    let proven = await first.provenBalance(PATIENCE);
    for (const untilMs = Date.now() + 30_000; proven.balance !== end && Date.now() < untilMs; ) {
      proven = await first.provenBalance(PATIENCE);
    }
    assert.equal(proven.balance, end);
    await network.agreement();
  });
});
