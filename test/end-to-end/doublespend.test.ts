import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { equalBytes, type Payment } from '../../ledger/index.ts';
import type { DoubleSpendReport } from '../../node/doublespend/report.ts';
import type { Client } from './client.ts';
import { eventually } from './deadline.ts';
import { Load } from './load.ts';
import type { Owner } from './owner.ts';
import { RavelProcess, ravel } from './ravel-process.ts';
import { RealNetwork } from './real-network.ts';

const NODES = [0, 1, 2, 3];
const SLOTS = 20;

describe('double spends among four validators, each a process of its own', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  let client: Client;

  before(async () => {
    const two = Array.from({ length: SLOTS }, (_, i) => `two-faced ${i}`);
    const funds = Object.fromEntries(['bank', 'eve', ...two].map((name) => [name, 1_000_000]));
    network = await RealNetwork.create({ name: 'double spends', validators: 4, funds });
    await network.start();
    client = await network.client();
    await network.connected();
  });

  after(() => network?.[Symbol.asyncDispose]());
  afterEach(() => client.assertNoLies());

  it('are all decided, the same on every node and with proofs, while honest payments go on', async () => {
    const owners = Array.from({ length: SLOTS }, (_, i) => network.owner(`two-faced ${i}`));
    await using load = new Load(client, {
      owners: [network.owner('eve')],
      window: 2,
      to: 'zoe',
      nodes: NODES,
    });
    await load.more(4);
    // Each has to tell by itself what happens from now on.
    await Promise.all(NODES.map((node) => client.link(node)));
    await client.watch(owners.map(({ address }) => address));
    const slots = owners.map(rivals);
    await Promise.all(
      slots.map((slot, i) => Promise.all(slot.map((rival, r) => client.submit((i + r) % 4, rival)))),
    );
    const winners = new Map<Owner, Payment>();
    for (const [i, slot] of slots.entries()) {
      const told = () => slot.filter(({ id }) => client.final.get(id)?.size === NODES.length);
      await eventually(
        () =>
          `all nodes have proven a winner of slot ${i}: ${slot.map(({ id }) => [...(client.final.get(id) ?? [])])}`,
        () => told().length > 0,
      );
      assert.equal(
        slot.filter(({ id }) => client.final.has(id)).length,
        1,
        'no two of them are final anywhere',
      );
      winners.set(owners[i]!, told()[0]!);
    }
    await load.more(4);
    await load.finish();
    assert.equal(load.proven.length, load.made.length);

    // Losers hear who has their slot, and the account goes on from the winner.
    for (const [i, owner] of owners.slice(0, 3).entries()) {
      const winner = winners.get(owner)!;
      const loser = slots[i]!.find(({ id }) => id !== winner.id)!;
      for (const node of NODES) {
        // A node that the winner reached first has never heard of the loser, and takes it no more.
        const reply = await (await client.link(node)).proof(loser.id);
        if (reply === undefined)
          assert.deepEqual(await client.refusal(node, loser.bytes), { code: 'slot_taken', by: winner.id });
        else assert.deepEqual(reply, { status: 'dead', winner: winner.id });
      }
      const next = owner.draft({ to: 'zoe', amount: 1, previous: winner.id, sequence: 2 });
      await client.submit(i, next);
      await client.untilFinal([next]);
    }
    await network.agreement();
  });

  function rivals(owner: Owner): [Payment, Payment, Payment] {
    return [
      owner.draft({ to: 'zoe', amount: 5 }),
      owner.draft({ to: 'ann', amount: 7 }),
      owner.draft({ to: 'bob', amount: 9 }),
    ];
  }

  it('are made and reported by ravel doublespend, with a balance to prove afterwards', async () => {
    const password = path.join(network.dir, 'password');
    const wallet = path.join(network.dir, 'funds.json');
    const unlocked = ['--wallet', wallet, '--password-file', password];
    await writeFile(password, 'a long enough password\n');
    const made = await ravel(['wallet', 'new', ...unlocked, '--dir', network.dir, '--json']);
    const { address } = JSON.parse(made.stdout) as { address: string };
    const { parseAddress } = await import('../../wallet/index.ts');
    const bank = network.owner('bank');
    const gift = bank.payTo(parseAddress(network.genesis.prefix, address), 500_000);
    await client.watch([bank.address]);
    await client.submit(1, gift);
    await client.untilFinal([gift]);

    const flags = [
      '--dir',
      network.dir,
      ...unlocked,
      '--accounts',
      String(SLOTS),
      '--rivals',
      '2',
      '--spread',
    ];
    const honest = ['--honest-rate', '5', '--warmup', '2s', '--over', '2s'];
    await using run = new RavelProcess(['doublespend', ...flags, ...honest, '--json']);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as DoubleSpendReport;
    const { ok, resolved, unresolved, disagreements, byCertificates, byCommit, slots } = report;
    assert.deepEqual(
      { ok, resolved, unresolved, disagreements },
      { ok: true, resolved: SLOTS, unresolved: 0, disagreements: 0 },
    );
    assert.equal(byCertificates + byCommit, SLOTS);
    for (const { winner, winners, rivals: signed, ms, rounds } of slots) {
      assert.ok(winner !== null && signed.includes(winner) && signed.length === 2);
      assert.deepEqual(winners, [winner, winner, winner, winner]);
      assert.ok(ms !== null && ms > 0 && rounds !== null && rounds >= 0);
    }
    assert.ok(report.resolutionMs.p50! <= report.resolutionMs.p99!);
    assert.ok(report.honest!.before.payments > 0 && report.honest!.before.p50! > 0);
    assert.equal(report.honest!.during.open, 0);

    const proof = path.join(network.dir, 'balance.proof');
    const balance = await ravel([
      'wallet',
      'balance',
      ...unlocked,
      '--dir',
      network.dir,
      '--proof',
      proof,
      '--json',
    ]);
    assert.equal(balance.code, 0, balance.stderr);
    const said = JSON.parse(balance.stdout) as {
      balance: number;
      proven: { balance: number; round: number };
    };
    assert.ok(said.balance > 0 && said.proven.round > 0);
    const checked = await ravel(['wallet', 'verify-balance', proof, '--dir', network.dir, '--json']);
    assert.equal(checked.code, 0, checked.stdout);
    assert.equal((JSON.parse(checked.stdout) as { balance: number }).balance, said.proven.balance);
    // It is never written over.
    const before = await readFile(proof);
    const again = await ravel(['wallet', 'balance', ...unlocked, '--dir', network.dir, '--proof', proof]);
    assert.equal(again.code, 2, again.stderr);
    assert.ok(equalBytes(await readFile(proof), before));
  });
});
