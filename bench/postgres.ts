/** PostgreSQL as a peer: how many transactions a second its own load generator, pgbench, gets out of it on this machine. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Measurement, percentile, type Run, SAMPLES_MIN } from './harness.ts';
import { DURABILITY, findPostgres, PostgresCluster } from './postgres-cluster.ts';

/** As it is often quoted: as many connections as a small service has. */
const CLIENTS = 16;
const THREADS = 2;

/** pgbench's warm-up in the log does not count: plans are made and pages read. */
const WARM_UP_SHARE = 0.1;

/** Beyond the seconds asked for: connecting, vacuum, the last transactions. */
const SLACK_MS = 60_000;

export interface PgbenchOptions {
  /** Whole seconds that each of the two scripts runs. */
  readonly seconds: number;
  /** 100,000 accounts, 10 tellers and one branch for each. */
  readonly scale: number;
}

/** What one script of pgbench did. */
export interface Transactions {
  readonly perSecond: number;
  /** The same for each of SAMPLES_MIN parts of the time. */
  readonly samples: readonly number[];
  /** Of each transaction, in the order in which they ended. */
  readonly latenciesMs: readonly number[];
}

export interface PgbenchResult {
  /** Three balances changed, one row added, one balance read. */
  readonly tpcb: Transactions;
  /** One balance changed, one row added, one balance read: without the rows that all clients wait for. */
  readonly simpleUpdate: Transactions;
  /** Version, settings, and that the sums of all tables agree. */
  readonly digest: string;
}

const SCRIPTS = { tpcb: 'tpcb-like', simpleUpdate: 'simple-update' } as const;

/**
 * Runs pgbench's TPC-B-like and simple-update scripts, prepared, with 16 clients in 2 threads, against a cluster made for
 * it, with durable commits. About twice `seconds` and ten more. `skipped` says why it could not, and the cure.
 */
export async function measurePgbench(
  options: PgbenchOptions,
  progress: Run['progress'] = () => {},
): Promise<PgbenchResult | { readonly skipped: string }> {
  const bin = findPostgres();
  if (bin === undefined) return { skipped: 'not installed here: apt-get install postgresql' };
  progress('making a database cluster');
  await using cluster = await PostgresCluster.start(bin);
  await cluster.client('pgbench', ['--initialize', '--quiet', `--scale=${options.scale}`]);
  const run = async (script: keyof typeof SCRIPTS): Promise<Transactions> => {
    progress(`pgbench ${SCRIPTS[script]}, ${options.seconds} s`);
    await cluster.ask('checkpoint');
    return transactions(cluster, SCRIPTS[script], options.seconds);
  };
  // The script that all four tables have a part in comes first, when they are empty.
  const [tpcb, simpleUpdate] = [await run('tpcb'), await run('simpleUpdate')];
  return { tpcb, simpleUpdate, digest: await settings(cluster, options.scale) };
}

/** The same as figures of a bench, for others to be set in relation to; undefined where it was skipped, which is said. */
export async function recordPgbench(
  run: Run,
  options: PgbenchOptions,
): Promise<{ readonly tpcb: Measurement; readonly simpleUpdate: Measurement } | undefined> {
  const result = await measurePgbench(options, run.progress);
  if ('skipped' in result) {
    run.skip('PostgreSQL', result.skipped);
    return undefined;
  }
  const record = (script: keyof typeof SCRIPTS): Measurement => {
    const { perSecond, samples } = result[script];
    const operation = `PostgreSQL, pgbench ${SCRIPTS[script]} transactions`;
    return run.record({ operation, unit: 'a second', whole: perSecond, samples, digest: result.digest });
  };
  const recorded = { tpcb: record('tpcb'), simpleUpdate: record('simpleUpdate') };
  for (const script of ['tpcb', 'simpleUpdate'] as const) recordLatencies(run, script, result);
  return recorded;
}

function recordLatencies(run: Run, script: keyof typeof SCRIPTS, result: PgbenchResult): void {
  const all = result[script].latenciesMs;
  const each = Math.ceil(all.length / SAMPLES_MIN);
  for (const percent of [50, 99]) {
    const at = (from: number, to: number): number => percentile(all.slice(from, to), percent / 100);
    run.record({
      operation: `PostgreSQL, pgbench ${SCRIPTS[script]} latency, p${percent}`,
      unit: 'ms',
      whole: at(0, all.length),
      samples: Array.from({ length: SAMPLES_MIN }, (_, i) => at(i * each, (i + 1) * each)),
      digest: result.digest,
    });
  }
  run.series({
    plot: `Latency of pgbench with ${CLIENTS} clients`,
    name: SCRIPTS[script],
    x: 'share of transactions, %',
    y: 'ms until committed',
    mark: 'line',
    log: 'y',
    points: [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9].map(
      (share) => [share, percentile(all, share / 100)] as const,
    ),
  });
}

async function transactions(
  cluster: PostgresCluster,
  script: string,
  seconds: number,
): Promise<Transactions> {
  const load = [`--client=${CLIENTS}`, `--jobs=${THREADS}`, '--protocol=prepared', `--time=${seconds}`];
  const log = ['--log', `--log-prefix=${path.join(cluster.dir, script)}`];
  await cluster.client('pgbench', [`--builtin=${script}`, ...load, ...log], seconds * 1000 + SLACK_MS);
  const ended: { readonly atMs: number; readonly tookMs: number }[] = [];
  for (const file of await readdir(cluster.dir)) {
    if (!file.startsWith(`${script}.`)) continue;
    for await (const line of createInterface(createReadStream(path.join(cluster.dir, file)))) {
      // client, number, microseconds it took, script, and when it ended: seconds and microseconds.
      const [, , tookUs, , atSeconds, atUs] = line.split(' ').map(Number);
      ended.push({ atMs: atSeconds! * 1000 + atUs! / 1000, tookMs: tookUs! / 1000 });
    }
  }
  await check(cluster, script, ended.length);
  ended.sort((a, b) => a.atMs - b.atMs);
  return ofLog(ended);
}

/** Rates between the warm-up and the last transaction. */
function ofLog(ended: readonly { readonly atMs: number; readonly tookMs: number }[]): Transactions {
  if (ended.length === 0) throw new Error('pgbench has logged no transaction');
  const endMs = ended.at(-1)!.atMs;
  const fromMs = ended[0]!.atMs + (endMs - ended[0]!.atMs) * WARM_UP_SHARE;
  const rate = (from: number, to: number): number =>
    (ended.filter(({ atMs }) => atMs > from && atMs <= to).length * 1000) / (to - from);
  const part = (endMs - fromMs) / SAMPLES_MIN;
  return {
    perSecond: rate(fromMs, endMs),
    samples: Array.from({ length: SAMPLES_MIN }, (_, i) =>
      rate(fromMs + i * part, i === SAMPLES_MIN - 1 ? endMs : fromMs + (i + 1) * part),
    ),
    latenciesMs: ended.filter(({ atMs }) => atMs > fromMs).map(({ tookMs }) => tookMs),
  };
}

/** What a script must leave behind; pgbench empties the history before each. */
async function check(cluster: PostgresCluster, script: string, count: number): Promise<void> {
  const rows = Number(await cluster.ask('select count(*) from pgbench_history'));
  if (rows !== count) throw new Error(`PostgreSQL has stored ${rows} of ${count} transactions`);
  if (script !== SCRIPTS.tpcb) return;
  const sums = await cluster.ask(`select count(distinct sum) from (
    select sum(abalance) from pgbench_accounts union all select sum(bbalance) from pgbench_branches union all
    select sum(tbalance) from pgbench_tellers union all select sum(delta) from pgbench_history) as sums`);
  if (sums !== '1') throw new Error('PostgreSQL: the sums of the tables do not agree');
}

/** What the figures stand on. Rejects when the server was not told to be durable after all. */
async function settings(cluster: PostgresCluster, scale: number): Promise<string> {
  for (const setting of DURABILITY) {
    const [name, value] = setting.split('=');
    if ((await cluster.ask(`show ${name}`)) !== value)
      throw new Error(`PostgreSQL does not run with ${setting}`);
  }
  return `${cluster.version}, scale ${scale}, ${DURABILITY.join(', ')}, sums agree`;
}
