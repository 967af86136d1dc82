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
import { keysOf } from '../dsl/network.ts';
import { eventually } from './deadline.ts';
import { MeasuredNetwork, type Sample } from './measured-network.ts';
import { Owner } from './owner.ts';
import { shortEpoch } from './short-epoch.ts';

const OWNERS = 120;
const SAMPLE_MS = 5_000;
const TICK_MS = 50;
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

/** Payments fall due at a fixed rate; what a node has no room for is offered again, to the same node, in order. */
class SteadyLoad {
  readonly #network: MeasuredNetwork;
  readonly #owners: readonly Owner[];
  readonly #waiting: Uint8Array[][];
  readonly #running: Promise<void>[];
  #stopped = false;
  made = 0;
  refused = 0;

  constructor(network: MeasuredNetwork, owners: readonly Owner[], rate: number) {
    this.#network = network;
    this.#owners = owners;
    this.#waiting = network.nodes.map(() => []);
    this.#running = [this.#make(rate), ...network.nodes.map((node) => this.#submit(node))];
  }

  async #make(rate: number): Promise<void> {
    const startMs = performance.now();
    while (!this.#stopped) {
      const due = Math.floor(((performance.now() - startMs) * rate) / 1000);
      for (; this.made < due; this.made++) {
        const owner = this.made % this.#owners.length;
        const { bytes } = this.#owners[owner]!.pay({ to: `owner ${(owner + 1) % OWNERS}`, amount: 1 });
        this.#waiting[owner % this.#waiting.length]!.push(bytes);
      }
      await pause(TICK_MS);
    }
  }

  async #submit(node: number): Promise<void> {
    const waiting = this.#waiting[node]!;
    while (!this.#stopped || waiting.length > 0) {
      const batch = waiting.splice(0, 200);
      if (batch.length > 0) {
        const link = await (await this.#network.client()).link(node);
        const replies = await link.submit(batch).catch(() => undefined);
        const again = batch.filter((_, i) => replies === undefined || 'refusal' in replies[i]!);
        this.refused += again.length;
        waiting.unshift(...again);
      }
      await pause(TICK_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
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

async function settled(network: MeasuredNetwork, owners: readonly Owner[]): Promise<void> {
  const client = await network.client();
  for (const node of network.nodes) {
    const link = await client.link(node);
    for (const owner of owners) {
      await eventually(
        `payment ${owner.sequence} of ${owner.name} is final at validator ${node}`,
        async () => (await link.account(owner.address)).finalHead === owner.slot,
        120_000,
      );
    }
  }
}

async function main(): Promise<number> {
  const [minutes, rate, epoch] = [Number(values.minutes), Number(values.rate), Number(values.epoch)];
  const names = Array.from({ length: OWNERS }, (_, i) => `owner ${i}`);
  await using network = await MeasuredNetwork.create({
    validators: Number(values.validators),
    workBits: 4,
    owners: names.map((name) => keysOf(name).address),
    unitsEach: 1_000_000,
    environment: epoch === 1000 ? {} : shortEpoch(epoch),
  });
  await network.start();
  await network.connected();
  const owners = names.map((name) => new Owner(name, network.genesis));
  const load = new SteadyLoad(network, owners, rate);
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
  await load.stop();
  const view = await network.agreement();
  await settled(network, owners);
  const state = view.root.slice(0, 16);
  say(
    `${load.made} payments made and settled (${load.refused} offered again), state ${state} on all, supply ${view.supply}`,
  );
  const why = growth(rows);
  say(why === undefined ? 'The disks are flat.' : `Not shown to be flat: ${why}.`);
  return why === undefined ? 0 : 1;
}

process.exitCode = await main();
