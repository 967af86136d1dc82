/**
 * `npm run sim -- --seeds N --from S [--jobs J] [--keep-going]` plays seeds; `npm run sim -- --seed X --draw` plays one again and
 * draws what lies around what it broke. Exits with 1 when something was broken.
 */
import { parseArgs } from 'node:util';
import { createLogUpdate } from 'log-update';
import { type Outcome, Player } from './players.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    draw: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});

const SUMS = [
  'virtualMs',
  'vertices',
  'payments',
  'finals',
  'commits',
  'contested',
  'resolved',
  'crashes',
  'snapshots',
  'partitions',
  'lies',
  'equivocators',
  'messages',
  'oracles',
] as const;

const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const sums = new Map<string, number>();
const progress = createLogUpdate(process.stderr);
const startMs = performance.now();
let next = from;
let played = 0;
let broken = 0;
let stop = false;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function summary(): string {
  const sum = (name: string) => sums.get(name) ?? 0;
  const seconds = (performance.now() - startMs) / 1000;
  return [
    `${played} seeds (${from} to ${next - 1}) in ${seconds.toFixed(0)} s, ${(sum('virtualMs') / 3_600_000).toFixed(2)} virtual hours, ${broken} broken`,
    `${sum('vertices')} vertices, ${sum('messages')} messages, ${sum('payments')} payments, ${sum('finals')} final, ${sum('commits')} commits`,
    `${sum('contested')} contested slots, ${sum('resolved')} decided by commits alone; ${sum('crashes')} crashes, ${sum('snapshots')} snapshots, ${sum('partitions')} partitions, ${sum('lies')} lies, ${sum('equivocators')} equivocators found out; ${sum('oracles')} runs recomputed by the slow rules`,
  ].join('\n');
}

function tell({ seed, played: report, trouble }: Outcome): void {
  played++;
  for (const name of report === undefined ? [] : SUMS) sums.set(name, (sums.get(name) ?? 0) + report![name]);
  if (process.stderr.isTTY) progress(summary());
  if (values.seed !== undefined && report !== undefined) {
    const { broken: _, ...rest } = report;
    say(JSON.stringify(rest));
  }
  const what = trouble ?? report?.broken?.message;
  if (what === undefined) return;
  broken++;
  if (!values['keep-going']) stop = true;
  progress.clear();
  say(`seed ${seed}: ${what}`);
  if ((values.draw || !values['keep-going']) && report?.broken !== undefined) say(report.broken.drawing);
  say(`again: npm run sim -- --seed ${seed} --draw`);
}

// Whoever ends it early still hears what has been played.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stop = true;
  });

async function work(): Promise<void> {
  const player = new Player();
  while (!stop && next < from + count) tell(await player.play(next++));
  await player.end();
}

await Promise.all(Array.from({ length: Math.min(Number(values.jobs), count) }, work));
progress.clear();
say(summary());
if (broken > 0) process.exitCode = 1;
