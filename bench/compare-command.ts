/** `npm run bench:compare`: whether one set of results is better or worse than another. */
import { parseArgs } from 'node:util';
import { type Change, type Comparison, compare, MARGIN, type Verdict } from './compare.ts';
import { ResultsError, readResults } from './results.ts';
import { withUnit } from './text.ts';

export interface CompareHost {
  out(text: string): void;
  note(text: string): void;
}

const USAGE = `Usage: npm run bench:compare -- A B [--margin PERCENT] [--json]

  A, B              what --out has written, before and after: a file, or a folder with all in it. Several runs of the same
                    code, in folders side by side in one folder, are all held against all of the other side.
  --margin PERCENT  a change counts when all of its interval lies beyond this (${MARGIN * 100})
  --json            one line of JSON

Exit codes: 0 nothing is worse; 1 something is worse; 2 not understood, or nothing to compare; 3 something has changed, but others
were busy on the machine: measure again when it is quiet, or five times on each side, in turns.
`;

/** Resolves with the exit code: see the usage. */
export async function runCompare(args: readonly string[], host: CompareHost): Promise<0 | 1 | 2 | 3> {
  const asked = read(args);
  if ('trouble' in asked) {
    host.note(`${asked.trouble}\n\n${USAGE}`);
    return 2;
  }
  const { places, margin, json } = asked;
  try {
    const comparison = compare(await readResults(places[0]), await readResults(places[1]), margin);
    if (comparison.changes.length === 0)
      throw new ResultsError(`${places.join(' and ')} have no figure in common: run the same benches twice`);
    host.out(json ? `${JSON.stringify(comparison)}\n` : formatComparison(comparison));
    const verdicts = new Set(comparison.changes.map(({ verdict }) => verdict));
    return verdicts.has('worse') ? 1 : verdicts.has('unsure') ? 3 : 0;
  } catch (error) {
    if (!(error instanceof ResultsError)) throw error;
    host.note(`${error.message}\n`);
    return 2;
  }
}

interface Asked {
  readonly places: readonly [before: string, after: string];
  readonly margin: number;
  readonly json: boolean;
}

function read(args: readonly string[]): Asked | { readonly trouble: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        margin: { type: 'string', default: String(MARGIN * 100) },
        json: { type: 'boolean', default: false },
      },
    });
    const [before, after, ...more] = positionals;
    if (before === undefined || after === undefined || more.length > 0)
      return { trouble: 'Two results are compared: A, before, and B, after.' };
    const margin = Number(values.margin) / 100;
    if (!(margin >= 0)) return { trouble: `--margin ${values.margin} is no number of percent.` };
    return { places: [before, after], margin, json: values.json };
  } catch (error) {
    return { trouble: (error as Error).message };
  }
}

/** Of rates and times; other units are better or worse. */
const SPEED = /second|^(CPU )?(s|ms|µs|ns)$/;

const WORDS: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  changed: 'changed',
  same: 'same within noise',
  unsure: 'unsure: the machine was busy',
};

/** Lines for people: warnings, then figure, values, change with its interval, verdict. */
export function formatComparison({ changes, onlyBefore, onlyAfter, warnings }: Comparison): string {
  const rows = changes.map((change) => [
    `${change.bench}: ${change.operation}`,
    `${withUnit(change.before, change.unit)} -> ${withUnit(change.after, change.unit)}`,
    change.factor === undefined ? '' : percentText(change.factor),
    change.interval === undefined ? '' : `(${change.interval.map(percentText).join(' to ')})`,
    verdictText(change),
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]!.length));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(width(i)))
      .join('  ')
      .trimEnd(),
  );
  const count = (verdict: Verdict): number => changes.filter((one) => one.verdict === verdict).length;
  const sums = (Object.keys(WORDS) as Verdict[])
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${WORDS[verdict]}`);
  return [
    ...warnings.map((warning) => `Warning: ${warning}`),
    ...lines,
    ...onlyBefore.map((key) => `only before: ${key}`),
    ...onlyAfter.map((key) => `only after: ${key}`),
    `${sums.join(', ')}; intervals hold with 99 % confidence.`,
    '',
  ].join('\n');
}

function verdictText({ verdict, unit, otherDigest }: Change): string {
  const words = SPEED.test(unit) ? { ...WORDS, better: 'faster', worse: 'slower' } : WORDS;
  const word = words[verdict];
  return otherDigest ? `${word}; its digest is another one` : word;
}

/** 1.031 -> +3.1 %. */
function percentText(factor: number): string {
  const percent = (factor - 1) * 100;
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
}
