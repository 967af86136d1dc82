import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SpamReport } from '../../node/spam/report.ts';
import { parseAddress } from '../../wallet/index.ts';
import { eventually } from './deadline.ts';
import { RavelProcess, ravel } from './ravel-process.ts';
import { RealNetwork } from './real-network.ts';

describe('ravel spam against four validators', function () {
  this.timeout(170_000);

  let network: RealNetwork;
  let unlocked: readonly string[];

  before(async () => {
    network = await RealNetwork.create({ name: 'spam', validators: 4, funds: { bank: 1_000_000 } });
    await network.start();
    const client = await network.client();
    await network.connected();
    const password = path.join(network.dir, 'password');
    const wallet = ['--wallet', path.join(network.dir, 'funds.json'), '--password-file', password];
    unlocked = [...wallet, '--dir', network.dir];
    await writeFile(password, 'a long enough password\n');
    const made = await ravel(['wallet', 'new', ...unlocked, '--json']);
    const { address } = JSON.parse(made.stdout) as { address: string };
    const bank = network.owner('bank');
    const gift = bank.payTo(parseAddress(network.genesis.prefix, address), 500_000);
    await client.watch([bank.address]);
    await client.submit(1, gift);
    await client.untilFinal([gift]);
  });

  after(() => network?.[Symbol.asyncDispose]());

  it('pays at the rate, proves every payment, and finds all nodes of one mind', async () => {
    const flags = ['--rate', '20', '--accounts', '10', '--seconds', '3'];
    const { code, stdout, stderr } = await ravel(['spam', ...unlocked, ...flags, '--json']);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as SpamReport;
    assert.deepEqual(
      [report.ok, report.sent, report.final, report.lost, report.unsent, report.disagreements],
      [true, 60, 60, 0, 0, 0],
    );
    assert.equal(report.nodes.length, 4);
    assert.equal(report.proofs, 60);
    const { p50, p95, p99, max } = report.finalityMs;
    assert.ok(p50! > 0 && p50! <= p95! && p95! <= p99! && p99! <= max!);
    assert.equal(
      report.histogram.reduce((sum, { count }) => sum + count, 0),
      60,
    );
    const { supply, vitals } = await network.agreement();
    assert.equal(supply, network.genesis.supply);
    assert.ok(vitals !== undefined && vitals.loopDelayMs >= 0, 'a status says how the process is');
    assert.ok(vitals.rssBytes > vitals.heapBytes && vitals.heapBytes > 1_000_000);
  });

  it('ends in order when it is interrupted, and says what it did', async () => {
    const flags = ['--rate', '20', '--accounts', '10', '--seconds', '60', '--prove-every', '3'];
    await using run = new RavelProcess(['spam', ...unlocked, ...flags]);
    await eventually(
      () => `it says that it pays: ${run.stderr}`,
      () => / sent at /.test(run.stderr),
    );
    const { code, stdout } = await run.stop();
    assert.equal(code, 130, stdout);
    assert.match(stdout, /Ended early\.\n(\d+) payments of 10 accounts to 4 nodes: \1 final/);
    assert.match(stdout, /up to .+ ms +\d+ +█/);
    await network.agreement();
  });

  it('refuses what cannot be, and says the cure', async () => {
    for (const [flags, said] of [
      [['--rate', '0'], /a number above 0/],
      [['--accounts', '5000'], /a whole number from 1 to 2000/],
      [['--seconds', '1.5'], /a whole number from 1/],
      [['--prove-every', 'all'], /a whole number from 1/],
    ] as const) {
      const { code, stderr } = await ravel(['spam', '--dir', network.dir, ...flags]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    }
    const nobody = await ravel(['spam', '--dir', network.dir]);
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /whose money this takes\. Name a wallet with --wallet/);
    const nowhere = await ravel(['spam', ...unlocked, '--node', '/ip4/127.0.0.1/tcp/9', '--timeout', '3s']);
    assert.equal(nowhere.code, 3, nowhere.stderr);
  });
});
