/** Folders of results: a file of JSON for each bench, beside it the plots, and a report of all that the folder holds. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drawPlots, standalone } from './plots.ts';
import { renderReport } from './report.ts';
import type { BenchResult } from './result.ts';

const SUFFIX = '.json';
const REPORT = 'report.html';

/** What cannot be read as results. The message names the file and the cure. */
export class ResultsError extends Error {
  readonly code = 'no_results';
}

/** Keeps one result with its plots. Makes the folder. */
export async function writeResult(dir: string, result: BenchResult): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, `${result.bench}${SUFFIX}`), `${JSON.stringify(result, null, 2)}\n`);
  for (const plot of await drawPlots(result.series))
    await writeFile(path.join(dir, `${result.bench}-${slug(plot.title)}.svg`), standalone(plot));
}

/** Writes the report of all results in the folder, those of earlier runs too, and resolves with its path. */
export async function writeReport(dir: string): Promise<string> {
  const sections = await Promise.all(
    (await readFolder(dir)).map(async (result) => ({ result, plots: await drawPlots(result.series) })),
  );
  const file = path.join(dir, REPORT);
  await writeFile(file, renderReport(sections));
  return file;
}

/**
 * The results in a file, or in a folder and the folders in it, sorted by name: several runs of a bench may lie in folders side
 * by side. Rejects with ResultsError when there are none, or when a file holds something else.
 */
export async function readResults(place: string): Promise<readonly BenchResult[]> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) throw new ResultsError(`${place}: there is no such file or folder`);
  if (found.isFile()) return [await readFileOf(place)];
  const folders = (await readdir(place, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const results = await Promise.all([place, ...folders.toSorted()].map(readFolder));
  if (results.flat().length === 0)
    throw new ResultsError(`${place}: there are no results; npm run bench -- --out ${place} makes them`);
  return results.flat();
}

async function readFolder(dir: string): Promise<readonly BenchResult[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith(SUFFIX)).toSorted();
  return Promise.all(files.map((file) => readFileOf(path.join(dir, file))));
}

async function readFileOf(file: string): Promise<BenchResult> {
  const text = await readFile(file, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (isResult(value)) return value;
  } catch {
    // Said below.
  }
  throw new ResultsError(
    `${file}: this is no result of a bench; take what npm run bench -- --out DIR has written`,
  );
}

/** What report and comparison could not do without. */
function isResult(value: unknown): value is BenchResult {
  const { bench, machine, measurements, series, skipped } = (value ?? {}) as Partial<BenchResult>;
  return (
    typeof bench === 'string' &&
    typeof machine?.cpu === 'string' &&
    Array.isArray(series) &&
    Array.isArray(skipped) &&
    Array.isArray(measurements) &&
    measurements.every(
      ({ operation, median, samples }) =>
        typeof operation === 'string' && Number.isFinite(median) && Array.isArray(samples),
    )
  );
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
