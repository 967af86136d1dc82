/**
 * How much disk and memory four validators take under a constant load, for as long as one likes:
 *
 *   node test/end-to-end/measure-disk.ts [--minutes 10] [--rate 100] [--csv FILE] [--validators 4] [--epoch 1000]
 *
 * Prints a line every five seconds. It ends with exit code 0 when every payment is settled on every validator and no disk has
 * grown after it had forgotten for the first time: when it took no more in the last third of the time since then than in
 * the first two thirds, but for a tenth. With another --epoch than 1000 it is another network, for a quick look.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openLoop } from '../../node/load/pacing.ts';
import { openLoadTools } from '../../node/load/tools.ts';
import { Traffic } from '../../node/load/traffic.ts';
import { silentLog } from '../../p2p/index.ts';
import { keysOf } from '../dsl/network.ts';
import { eventually } from './deadline.ts';
import { MeasuredNetwork, type Sample } from './measured-network.ts';
import { shortEpoch } from './short-epoch.ts';

const NAMES = Array.from({ length: 120 }, (_, i) => `owner ${i}`);
const SAMPLE_MS = 5_000;
const SETTLED_MS_MAX = 120_000;
const SECONDS_MAX = 7 * 24 * 3600;

/** Of each owner's payments; one proof speaks for all before it. */
const PROVE_EVERY = 10;

/** Payments are signed so long before they are due. */
const AHEAD_SECONDS = 10;
const REFILL_MS = 1_000;
const MB = 1_000_000;

/** A log that has just been begun, say. */
const SLACK_BYTES = 4 * MB;

interface Row {
  readonly seconds: number;
  readonly round: number;
  readonly settled: number;
  readonly snapshots: number;
  readonly nodes: readonly Sample[];
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '100' },
    validators: { type: 'string', default: '4' },
    epoch: { type: 'string', default: '1000' },
    csv: { type: 'string' },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Owners who pay one another through all validators. */
async function openTraffic(network: MeasuredNetwork, stack: AsyncDisposableStack): Promise<Traffic> {
  const { genesis } = network;
  const { peers, findWork } = stack.use(await openLoadTools(genesis, silentLog));
  return stack.use(
    await Traffic.open(
      {
        genesis,
        nodes: network.nodes.map((node) => `/ip4/127.0.0.1/tcp/${network.port(node)}`),
        secrets: NAMES.map((name) => keysOf(name).secret),
        proveEvery: PROVE_EVERY,
      },
      { peers, findWork, log: silentLog, proven: () => {} },
    ),
  );
}

/** Pays at a fixed rate until the signal aborts; what a validator has no room for is offered again. */
async function payOn(traffic: Traffic, rate: number, signal: AbortSignal): Promise<void> {
  const lanes = traffic.lanes.length;
  const refill = async (): Promise<void> => {
    while (!signal.aborted) {
      await traffic.make(Math.ceil((rate * AHEAD_SECONDS) / lanes), signal);
      await pause(REFILL_MS);
    }
  };
  const pacing = openLoop({ rate, lanes, startMs: performance.now(), seconds: SECONDS_MAX });
  await Promise.all([refill(), traffic.load.run(pacing, signal)]);
}

async function look(network: MeasuredNetwork, startMs: number): Promise<Row> {
  const view = await eventually('validator 0 answers', () => network.glance(0));
  return {
    seconds: (performance.now() - startMs) / 1000,
    round: view.round,
    settled: view.finalPayments,
    snapshots: Math.min(...network.nodes.map((node) => network.snapshots(node).length)),
    nodes: await Promise.all(network.nodes.map((node) => network.sample(node))),
  };
}

function mb(bytes: number): string {
  return (bytes / MB).toFixed(1).padStart(6);
}

function line({ seconds, round, settled, snapshots, nodes }: Row): string {
  const each = (of: keyof Sample): string => nodes.map((sample) => mb(sample[of])).join(' ');
  const [s, r, f] = [seconds.toFixed(0).padStart(4), String(round).padStart(6), String(settled).padStart(8)];
  return `${s} ${r} ${f} ${String(snapshots).padStart(4)} | ${each('diskBytes')} | ${each('rssBytes')} | ${each('writtenBytes')}`;
}

function csvOf({ seconds, round, settled, snapshots, nodes }: Row): string {
  const samples = nodes.flatMap(({ diskBytes, rssBytes, writtenBytes }) => [
    diskBytes,
    rssBytes,
    writtenBytes,
  ]);
  return `${[seconds.toFixed(1), round, settled, snapshots, ...samples].join(',')}\n`;
}

function headOf(nodes: readonly number[]): string {
  const columns = nodes.flatMap((node) => [`disk ${node}`, `rss ${node}`, `written ${node}`]);
  return `${['seconds', 'round', 'final', 'snapshots', ...columns].join(',')}\n`;
}

/** Why a disk is not flat, or undefined. Looked at from the first time on at which all have forgotten. */
function growth(rows: readonly Row[]): string | undefined {
  const since = rows.filter(({ snapshots }) => snapshots >= 2);
  if (since.length < 6) return `only ${since.length} looks since the second snapshot: too few to tell`;
  const border = Math.floor((since.length * 2) / 3);
  for (const node of rows[0]!.nodes.keys()) {
    const most = (part: readonly Row[], of: keyof Sample): number =>
      Math.max(...part.map(({ nodes }) => nodes[node]![of]));
    const [early, late] = [most(since.slice(0, border), 'diskBytes'), most(since.slice(border), 'diskBytes')];
    say(`validator ${node}: at most ${mb(early)} MB of disk early and ${mb(late)} MB late`);
    if (late > early * 1.1 + SLACK_BYTES) return `validator ${node} has grown`;
  }
  return undefined;
}

async function main(): Promise<number> {
  const [minutes, rate, epoch] = [Number(values.minutes), Number(values.rate), Number(values.epoch)];
  await using network = await MeasuredNetwork.create({
    validators: Number(values.validators),
    workBits: 4,
    owners: NAMES.map((name) => keysOf(name).address),
    unitsEach: 1_000_000,
    environment: epoch === 1000 ? {} : shortEpoch(epoch),
  });
  await network.start();
  await network.connected();
  await using stack = new AsyncDisposableStack();
  const traffic = await openTraffic(network, stack);
  const over = new AbortController();
  const paying = payOn(traffic, rate, over.signal);
  say(`${network.nodes.length} validators, ${rate} payments a second, ${minutes} min, E = ${epoch}`);
  say('   s  round    final snap | disk MB | memory MB | written MB');
  if (values.csv !== undefined) writeFileSync(values.csv, headOf(network.nodes));
  const rows: Row[] = [];
  const startMs = performance.now();
  while (performance.now() < startMs + minutes * 60_000) {
    await pause(SAMPLE_MS - ((performance.now() - startMs) % SAMPLE_MS));
    const row = await look(network, startMs);
    if (row.snapshots > 0 && (rows.at(-1)?.snapshots ?? 0) === 0)
      say('every validator has forgotten for the first time');
    rows.push(row);
    say(line(row));
    if (values.csv !== undefined) appendFileSync(values.csv, csvOf(row));
  }
  over.abort();
  await paying;
  const never = new AbortController().signal;
  await traffic.load.drain(SETTLED_MS_MAX, never);
  const view = await network.agreement();
  const disagreements = await traffic.disagreements(SETTLED_MS_MAX, never);
  if (disagreements.length > 0) throw new Error(`not settled: ${JSON.stringify(disagreements)}`);
  const { sent, final, refusals } = traffic.load.totals;
  if (sent !== final) throw new Error(`${sent - final} payments are lost`);
  const state = view.root.slice(0, 16);
  say(
    `${sent} payments made and settled, state ${state} on all, supply ${view.supply}, refusals ${JSON.stringify(refusals)}`,
  );
  const why = growth(rows);
  say(why === undefined ? 'The disks are flat.' : `Not shown to be flat: ${why}.`);
  return why === undefined ? 0 : 1;
}

process.exitCode = await main();
