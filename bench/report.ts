/** Results as one page of HTML that needs nothing else: tables, plots, and what the figures may be set against. */
import type { Plot } from './plots.ts';
import { STYLE } from './report-style.ts';
import { type BenchResult, LOAD_QUIET_MAX, type Measurement, reached } from './result.ts';
import { boundText, html, machineText, number, sizeText, spreadText, withUnit } from './text.ts';

export interface Section {
  readonly result: BenchResult;
  readonly plots: readonly Plot[];
}

export function renderReport(sections: readonly Section[]): string {
  const results = sections.map(({ result }) => result);
  const body = [
    header(results),
    goals(results),
    skipped(results),
    contents(results),
    ...sections.map(renderSection),
  ].join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Ravel: benches</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function header(results: readonly BenchResult[]): string {
  const places = distinct(
    results.map(({ machine: { cpu, cores, node } }) => `${cpu}, ${cores} cores, Node ${node}`),
  );
  const commits = distinct(results.map(({ commit }) => commit));
  const from = results.map(({ began }) => began).toSorted()[0] ?? '';
  const facts: readonly (readonly [string, string])[] = [
    ['Machine', places.join('; ')],
    ['Commit', commits.join(', ')],
    ['Began', `${from.slice(0, 16).replace('T', ' ')} UTC`],
    ['Took', duration(results.reduce((sum, { seconds }) => sum + seconds, 0))],
  ];
  return `<header><h1>Ravel: benches</h1>
<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${html(value)}</dd></div>`).join('')}</dl>
${warnings(results, places.length, commits.length)}</header>`;
}

/** What takes from the figures' worth. */
function warnings(results: readonly BenchResult[], machines: number, commits: number): string {
  const small = results.filter(({ full }) => !full).map(({ bench }) => bench);
  const busy = results.filter(({ machine }) => machine.load > LOAD_QUIET_MAX).map(({ bench }) => bench);
  const said = [
    small.length > 0 &&
      `Small sizes, which only show that a bench works: ${small.join(', ')}. No figures to quote.`,
    busy.length > 0 &&
      `Others were busy on the machine before or after: ${busy.join(', ')}. Ratios of one run bear that; rates and times do not.`,
    machines > 1 && 'The benches ran on different machines.',
    commits > 1 && 'The benches ran at different commits.',
    commits === 1 && results[0]?.commit.endsWith('+') && 'Files differed from the commit.',
  ].filter((one) => typeof one === 'string');
  return said.map((one) => `<p class="warning">${html(one)}</p>`).join('\n');
}

/** All figures that have to reach something, missed ones first. */
function goals(results: readonly BenchResult[]): string {
  const all = results.flatMap((result) =>
    result.measurements.filter(({ goal }) => goal !== undefined).map((one) => ({ result, one })),
  );
  if (all.length === 0) return '';
  const rows = all
    .toSorted((a, b) => Number(reached(a.one)) - Number(reached(b.one)))
    .map(({ result: { bench, full }, one }) => [
      `<a href="#${bench}">${bench}</a>`,
      html(one.operation),
      ...valueCells(one),
      boundText(one.goal!),
      verdict(one, full),
    ]);
  return `<section><h2>What it must reach</h2>
${table(['Bench', 'Figure', 'Value', 'Spread', 'Goal', ''], rows, 2)}</section>`;
}

function skipped(results: readonly BenchResult[]): string {
  const all = results.flatMap(({ bench, skipped: some }) => some.map((one) => ({ bench, ...one })));
  if (all.length === 0) return '';
  const items = all.map(
    ({ bench, what, why }) => `<li><a href="#${bench}">${bench}</a>: ${html(what)}, ${html(why)}</li>`,
  );
  return `<section><h2>Skipped</h2><ul>${items.join('')}</ul></section>`;
}

function contents(results: readonly BenchResult[]): string {
  const items = results.map(
    ({ bench, question }) => `<li><a href="#${bench}">${bench}</a> <span>${html(question)}</span></li>`,
  );
  return `<nav><h2>Benches</h2><ul>${items.join('\n')}</ul></nav>`;
}

function renderSection({ result, plots }: Section): string {
  const { bench, question, comparable, notComparable, measurements } = result;
  const prose = [
    comparable && `<p><b>Comparable:</b> ${html(comparable)}</p>`,
    notComparable && `<p><b>Not comparable:</b> ${html(notComparable)}</p>`,
  ].filter(Boolean);
  const rows = measurements.map((one) => [
    html(one.operation),
    ...valueCells(one),
    one.ratio === undefined ? '' : `${number(one.ratio.value)} × ${html(one.ratio.to)}`,
    one.goal === undefined ? '' : `${boundText(one.goal)} ${verdict(one, result.full)}`,
    `<code>${html(one.digest)}</code>`,
  ]);
  const figures = plots.map(
    ({ title, svg }) => `<figure><figcaption>${html(title)}</figcaption>${svg}</figure>`,
  );
  return `<section id="${bench}"><h2>${bench}</h2>
<p class="question">${html(question)}</p>
${prose.join('\n')}
${rows.length === 0 ? '' : table(['Figure', 'Value', 'Spread', 'In relation', 'Goal', 'Digest'], rows, 1)}
<div class="plots">${figures.join('\n')}</div>
<p class="where">${sizeText(result.full)}; ${html(machineText(result.machine))}; commit ${html(result.commit)}; ${duration(result.seconds)}</p>
</section>`;
}

/** Value and spread. */
function valueCells(one: Measurement): readonly string[] {
  return [
    `<b>${html(withUnit(one.median, one.unit))}</b>`,
    `<span class="spread">${spreadText(one)} <small>(${one.samples.length})</small></span>`,
  ];
}

/** No verdict about small sizes. */
function verdict(one: Measurement, full: boolean): string {
  if (!full) return '<span class="unjudged">not judged</span>';
  return reached(one) ? '<span class="reached">✓ reached</span>' : '<span class="missed">✗ missed</span>';
}

/** Cells are HTML. The column of numbers is set to the right. */
function table(heads: readonly string[], rows: readonly (readonly string[])[], numbers: number): string {
  // A column in which nothing stands takes room from the others.
  const kept = heads.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ''));
  const cells = (row: readonly string[], tag: string): string =>
    kept.map((i) => `<${tag}${i === numbers ? ' class="number"' : ''}>${row[i]}</${tag}>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells(heads, 'th')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n')}</tbody></table></div>`;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${number(seconds)} s` : `${number(seconds / 60)} min`;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
