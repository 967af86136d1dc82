/** `npm run bench`: which benches there are, and which of them run. */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Bench, type BenchResult, runBench } from './harness.ts';
import { formatResult } from './text.ts';

export interface CommandHost {
  /** Results. */
  out(text: string): void;
  /** Progress and refusals. */
  note(text: string): void;
}

const SUFFIX = '.bench.ts';

const USAGE = `Usage: npm run bench [name...] [-- --full] [--json] [--list]

  --full  sizes for figures that are told to others; without it each bench only shows that it works
  --json  one line of JSON for each bench, instead of text
  --list  says which benches there are, and runs none
`;

/** Names of all benches, sorted. */
export function benchNames(): readonly string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

async function load(name: string): Promise<Bench> {
  return ((await import(`./${name}${SUFFIX}`)) as { bench: Bench }).bench;
}

/** Runs the benches that are named, or all. Resolves with the exit code: 0, or 2 for what cannot be understood; rejects with what a bench throws. */
export async function runBenches(args: readonly string[], host: CommandHost): Promise<0 | 2> {
  const asked = read(args);
  const names = benchNames();
  const unknown = 'trouble' in asked ? [] : asked.names.filter((name) => !names.includes(name));
  if ('trouble' in asked || unknown.length > 0) {
    const trouble = 'trouble' in asked ? asked.trouble : `There is no bench ${unknown.join(', ')}.`;
    host.note(`${trouble} Benches: ${names.join(', ')}.\n\n${USAGE}`);
    return 2;
  }
  const chosen = asked.names.length === 0 ? names : asked.names;
  for (const [i, name] of chosen.entries()) {
    const bench = await load(name);
    if (asked.list) {
      host.out(`${name}: ${bench.question}\n`);
      continue;
    }
    const progress = (text: string): void => host.note(`[${i + 1} of ${chosen.length}] ${name}: ${text}\n`);
    progress(bench.question);
    const result: BenchResult = await runBench(bench, { name, full: asked.full }, { progress });
    host.out(asked.json ? `${JSON.stringify(result)}\n` : formatResult(result));
  }
  return 0;
}

interface Asked {
  readonly names: readonly string[];
  readonly full: boolean;
  readonly json: boolean;
  readonly list: boolean;
}

function read(args: readonly string[]): Asked | { readonly trouble: string } {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { full: flag, json: flag, list: flag },
    });
    return { names: positionals, ...values };
  } catch (error) {
    return { trouble: (error as Error).message };
  }
}
