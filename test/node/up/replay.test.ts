import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ReplayReport } from '../../../node/up/report.ts';
import { generateSessions } from '../../../node/up/session-generator.ts';
import { eventually, within } from '../../end-to-end/deadline.ts';
import { type Ended, RavelProcess, ravel } from '../../end-to-end/ravel-process.ts';

/** Seven processes on two cores that others may have as well. */
const PATIENCE_MS = 180_000;

const UNITS_PER_KWH = 450_000;

/** Runs ravel up to its end; what it prints last must be its report. */
async function up(...args: readonly string[]): Promise<Ended & { readonly report: ReplayReport }> {
  await using child = new RavelProcess(['up', '--headless', '--json', '--speed', 'max', ...args]);
  const ended = await within(`ravel up ${args.join(' ')} has ended`, child.ended, PATIENCE_MS);
  const [line = '', ...more] = ended.stdout.trimEnd().split('\n');
  assert.deepEqual(more, [], 'one line on standard output');
  assert.notEqual(line, '', ended.stderr);
  return { ...ended, report: JSON.parse(line) as ReplayReport };
}

/** Processes that have a validator's folder of a network open. */
async function validatorPids(dir: string): Promise<number[]> {
  const folders = await readdir(path.join(dir, 'validators')).catch(() => []);
  const locks = folders.map((name) => path.join(dir, 'validators', name, 'ravel.lock'));
  const texts = await Promise.all(locks.map((file) => readFile(file, 'utf8').catch(() => undefined)));
  return texts.flatMap((text) => (text === undefined ? [] : [(JSON.parse(text) as { pid: number }).pid]));
}

/** Every process on this machine whose command line names the folder, or whose parent is this one. */
async function processesOf(dir: string, parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state !== 'Z' && (command.includes(dir) || Number(ppid) === parent) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('ravel up', function () {
  this.timeout(2 * PATIENCE_MS);
  let dir: string;
  beforeEach(async () => {
    dir = path.join(await mkdtemp(path.join(tmpdir(), 'ravel-replay-')), 'net');
  });
  afterEach(() => rm(path.dirname(dir), { recursive: true, force: true }));

  const sessions = generateSessions({ count: 12, seed: 1 });
  const energyWh = sessions.reduce((sum, session) => sum + session.energyWh, 0);
  const unitsPaid = sessions.reduce(
    (sum, session) => sum + Math.floor((session.energyWh * UNITS_PER_KWH) / 1000),
    0,
  );

  for (const mode of ['settle', 'stream'] as const) {
    it(`has every car pay for what it took, in mode ${mode}, and the validators agree`, async () => {
      const { code, stderr, report } = await up('--cars', '4', '--limit', '12', '--mode', mode);
      assert.equal(code, 0, stderr);
      const { finalityMs, payments, paymentsPerSecond, ...rest } = report;
      assert.deepEqual(rest, {
        sessions: 12,
        settled: 12,
        energyWh,
        unitsPaid,
        supply: 4_000_000_000_000,
        supplyExpected: 4_000_000_000_000,
        validatorsAgree: true,
      });
      if (mode === 'settle') assert.equal(payments, 12);
      // A step has at least 500 Wh, the last one excepted.
      else assert(payments > 12 && payments <= energyWh / 500 + 12, `${payments} payments`);
      assert(finalityMs.p50! > 0 && finalityMs.p99! >= finalityMs.p50!);
      assert(paymentsPerSecond > 0);
    });
  }

  it('keeps a named folder, goes on with it, and its receipts are true', async () => {
    const first = await up(
      '--cars',
      '2',
      '--validators',
      '1',
      '--limit',
      '3',
      '--mode',
      'settle',
      '--dir',
      dir,
    );
    assert.equal(first.code, 0, first.stderr);
    const second = await up('--limit', '2', '--mode', 'stream', '--dir', dir);
    assert.equal(second.code, 0, second.stderr);
    assert.equal(second.report.supply, first.report.supply);
    assert.equal(second.report.settled, 2);
    for (const name of ['session-1-car.json', 'session-3-station.json']) {
      const receipt = path.join(dir, 'receipts', name);
      const { code, stdout } = await ravel(['wallet', 'verify-receipt', receipt, '--dir', dir, '--json']);
      assert.equal(code, 0, stdout);
      assert.equal((JSON.parse(stdout) as { summary: { settled: boolean } }).summary.settled, true);
    }
  });

  it('goes on when a validator is killed, reports it, and does not call that good', async () => {
    await using child = new RavelProcess([
      'up',
      '--headless',
      '--json',
      '--cars',
      '4',
      '--limit',
      '12',
      '--speed',
      'max',
      '--dir',
      dir,
    ]);
    await eventually('payments flow', () => /[1-9]\d* payments at/.test(child.stderr), PATIENCE_MS);
    const [victim] = await validatorPids(dir);
    process.kill(victim!, 'SIGKILL');
    const { code, stdout, stderr } = await within('the replay has ended', child.ended, PATIENCE_MS);
    const report = JSON.parse(stdout) as ReplayReport;
    assert.equal(report.settled, 12, stderr);
    assert.equal(report.validatorsAgree, false);
    assert.equal(code, 1);
    assert.match(stderr, /validator 0 ended \(signal SIGKILL\)/);
  });

  it('ends in order when it is interrupted, with nothing left running', async () => {
    await using child = new RavelProcess([
      'up',
      '--headless',
      '--cars',
      '2',
      '--limit',
      '12',
      '--speed',
      '200',
      '--dir',
      dir,
    ]);
    await eventually('payments flow', () => /[1-9]\d* payments? at/.test(child.stderr), PATIENCE_MS);
    child.signal('SIGINT');
    const { code, stdout } = await within('it has ended', child.ended);
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.deepEqual(await processesOf(dir, child.pid), []);
    assert.deepEqual(await validatorPids(dir), [], 'every folder is free');
  });

  it('leaves nothing running when it is killed', async () => {
    await using child = new RavelProcess([
      'up',
      '--headless',
      '--cars',
      '2',
      '--limit',
      '12',
      '--speed',
      '200',
      '--dir',
      dir,
    ]);
    await eventually(
      'the wallets are being opened',
      () => child.stderr.includes('Opening the wallets'),
      PATIENCE_MS,
    );
    const pids = await processesOf(dir, child.pid);
    assert(pids.length >= 5, `${pids.length} processes`);
    child.signal('SIGKILL');
    await child.ended;
    await eventually('all processes are gone', () => !pids.some(lives));
  });

  it('says which validator could not start, and why', async () => {
    const first = await up('--cars', '1', '--validators', '1', '--limit', '1', '--dir', dir);
    assert.equal(first.code, 0, first.stderr);
    await rm(path.join(dir, 'validators', '0', 'validator.key'));
    const { code, stderr } = await within(
      'it has ended',
      ravel(['up', '--headless', '--limit', '1', '--dir', dir]),
      PATIENCE_MS,
    );
    assert.equal(code, 1);
    assert.match(stderr, /^ravel: The validator 0 process ended \(exit code 2\): ravel: .*validator\.key/m);
  });
});
