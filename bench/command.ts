/** `npm run bench`: which benches there are, and which of them run. */
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { type Bench, type BenchResult, runBench } from './harness.ts';
import type { Progress } from './progress.ts';
import { formatResult } from './text.ts';

export interface CommandHost {
  /** Results. */
  out(text: string): void;
  /** Troubles, and where files were written. */
  note(text: string): void;
  readonly progress: Progress;
}

/** 1: a bench failed, the others ran. 2: what was asked for cannot be understood, and nothing ran. */
export type ExitCode = 0 | 1 | 2;

const SUFFIX = '.bench.ts';

const USAGE = `Usage: npm run bench -- [name...] [--full] [--json] [--out DIR] [--list]

  --full     sizes for figures that are told to others; without it each bench only shows that it works
  --json     one line of JSON for each bench, instead of text
  --out DIR  keeps results as DIR/NAME.json, plots as SVG, and a report of all results in DIR: DIR/report.html
  --list     says which benches there are, and runs none

Exit codes: 0 done, whether or not goals were reached; 1 a bench failed; 2 not understood.
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

/** Runs the benches that are named, or all, one after the other. */
export async function runBenches(args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const asked = read(args, benchNames());
  if ('trouble' in asked) {
    host.note(`${asked.trouble}\n\n${USAGE}`);
    return 2;
  }
  let code: ExitCode = 0;
  for (const [index, name] of asked.names.entries()) {
    if (asked.list) {
      host.out(`${name}: ${(await load(name)).question}\n`);
      continue;
    }
    try {
      let done = 0;
      const result = await runOne(name, asked, (text, share = done) => {
        done = share;
        host.progress.show({ bench: name, index, count: asked.names.length, text, share });
      });
      host.progress.clear();
      host.out(asked.json ? `${JSON.stringify(result)}\n` : formatResult(result));
    } catch (error) {
      host.progress.clear();
      host.note(`${name} failed: ${error instanceof Error ? error.stack : error}\n`);
      code = 1;
    }
  }
  if (asked.out === undefined || asked.list) return code;
  return (await report(asked.out, host)) ? code : 1;
}

async function runOne(
  name: string,
  { full, out }: Asked,
  progress: (text: string, share?: number) => void,
): Promise<BenchResult> {
  const bench = await load(name);
  progress(bench.question, 0);
  const result = await runBench(bench, { name, full }, { progress });
  // Kept before the next one runs, which may take an hour and fail.
  if (out !== undefined) await (await import('./results.ts')).writeResult(out, result);
  return result;
}

/** False when the folder holds what is no result. */
async function report(dir: string, host: CommandHost): Promise<boolean> {
  const { ResultsError, writeReport } = await import('./results.ts');
  try {
    host.note(`report: ${await writeReport(dir)}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof ResultsError)) throw error;
    host.note(`no report: ${error.message}\n`);
    return false;
  }
}

interface Asked {
  /** At least one. */
  readonly names: readonly string[];
  readonly full: boolean;
  readonly json: boolean;
  readonly list: boolean;
  readonly out?: string;
}

function read(args: readonly string[], known: readonly string[]): Asked | { readonly trouble: string } {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { full: flag, json: flag, list: flag, out: { type: 'string' } },
    });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const nearest = closest(unknown, [...known]);
      const trouble = `There is no bench ${unknown}; did you mean ${nearest}? Benches: ${known.join(', ')}.`;
      return { trouble };
    }
    const { out, ...flags } = values;
    const names = positionals.length === 0 ? known : positionals;
    if (out === undefined) return { names, ...flags };
    // Before anything runs: afterwards it would have run in vain.
    mkdirSync(out, { recursive: true });
    return { names, ...flags, out: path.resolve(out) };
  } catch (error) {
    return { trouble: (error as Error).message };
  }
}
