/** Series of a bench as pictures. Owner of `vega` and `vega-lite`. */
import { Error as ONLY_ERRORS, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Series } from './result.ts';
import { html } from './text.ts';

export interface Plot {
  readonly title: string;
  /** Text and axes have the colour of the text around it, so that it can stand on light and on dark. */
  readonly svg: string;
}

const WIDTH = 480;
const HEIGHT = 260;

/** Told apart by people who see fewer colours too (Okabe and Ito), without those that vanish on white or on black. */
const COLOURS = ['#0f86c8', '#d9730d', '#009e73', '#c2609a', '#8a7a00', '#7b6fd0', '#c0392b', '#6b7280'];

const FONT = 'system-ui, sans-serif';
const QUIET = 'currentColor';

/** Of a picture that stands alone: its text has nothing around it. */
const ALONE =
  '<style>svg{color:#1f2328;background:#fff}@media (prefers-color-scheme:dark){svg{color:#e6edf3;background:#15191e}}</style>';

/** One picture for each title, in the order in which the titles were first used. */
export async function drawPlots(all: readonly Series[]): Promise<readonly Plot[]> {
  const titles = [...new Set(all.map(({ plot }) => plot))];
  return Promise.all(
    titles.map((title) =>
      draw(
        title,
        all.filter(({ plot }) => plot === title),
      ),
    ),
  );
}

/** The same picture as a file of its own. */
export function standalone({ svg }: Plot): string {
  return svg.replace(/^<svg[^>]*>/, (opening) => `${opening}${ALONE}`);
}

async function draw(title: string, series: readonly Series[]): Promise<Plot> {
  const { spec } = compile(specOf(series), { config: config() });
  const view = new View(parse(spec), { renderer: 'none', logLevel: ONLY_ERRORS });
  try {
    const svg = await view.toSVG();
    return { title, svg: svg.replace('<svg ', `<svg role="img" aria-label="${html(title)}" `) };
  } finally {
    view.finalize();
  }
}

function specOf(series: readonly Series[]): TopLevelSpec {
  const { x, y, log = '' } = series[0]!;
  const names = series.map(({ name }) => name ?? '');
  const axis = (title: string, which: 'x' | 'y') => {
    const plain = { title, type: 'quantitative' as const };
    if (!log.includes(which)) return plain;
    const values = series.flatMap(({ points }) => points.map((point) => point[which === 'x' ? 0 : 1]));
    const distinct = [...new Set(values)];
    // Sizes that were chosen are their own marks.
    const marks = which === 'x' && distinct.length <= MARKS_MAX ? distinct : logSteps(values);
    return { ...plain, scale: { type: 'log' as const, nice: false }, axis: { values: marks } };
  };
  const colour = {
    field: 'name',
    type: 'nominal' as const,
    scale: { domain: names, range: names.map((_, i) => COLOURS[i % COLOURS.length]!) },
    // One series needs no key to it.
    legend: names.length === 1 ? null : { title: null, orient: 'bottom' as const, columns: 3 },
  };
  return {
    width: WIDTH,
    height: HEIGHT,
    layer: series.map((one) => ({
      data: { values: valuesOf(one) },
      mark: markOf(one),
      encoding: {
        x: { field: 'x', ...axis(x, 'x') },
        ...(one.mark === 'bars'
          ? { x2: { field: 'end' }, y2: { datum: groundOf(one) } }
          : { order: { field: 'turn', type: 'quantitative' as const } }),
        y: { field: 'y', ...axis(y, 'y') },
        color: colour,
      },
    })),
  };
}

/** 1, 2, 5, 10 ... between the least and the greatest; 1, 10, 100 where that would be many. */
function logSteps(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const steps = to - from > 2 ? [1] : [1, 2, 5];
  return Array.from({ length: to - from + 1 }, (_, i) => steps.map((step) => step * 10 ** (from + i))).flat();
}

const MARKS_MAX = 8;

/** More than these along a line hide it. */
const DOTS_MAX = 40;

function markOf({ mark, points }: Series) {
  // A name for each of a thousand points would be most of the file, and a burden to whoever has it read aloud.
  const quiet = { aria: false } as const;
  const dot = points.length > DOTS_MAX ? false : ({ size: 24, ...quiet } as const);
  if (mark === 'line') return { type: 'line', point: dot, strokeWidth: 1.75, ...quiet } as const;
  if (mark === 'points') return { type: 'point', filled: true, size: 26, opacity: 0.7, ...quiet } as const;
  return { type: 'bar', binSpacing: 1, opacity: 0.8, ...quiet } as const;
}

/** Where bars stand: a logarithmic axis has no 0. */
function groundOf({ log, points }: Series): number {
  return log?.includes('y') ? Math.min(...points.map(([, y]) => y)) / 2 : 0;
}

/** A bar ends where the next one begins; the last is as wide as the one before. */
function valuesOf({ points, name = '' }: Series) {
  const last = points.at(-1)![0];
  const end = last + (points.length > 1 ? last - points.at(-2)![0] : 1);
  return points.map(([x, y], turn) => ({ name, x, y, turn, end: points[turn + 1]?.[0] ?? end }));
}

function config() {
  const labels = {
    labelFont: FONT,
    titleFont: FONT,
    labelColor: QUIET,
    titleColor: QUIET,
    labelFontSize: 12,
    titleFontSize: 12,
  };
  return {
    background: 'transparent',
    view: { stroke: null },
    axis: {
      ...labels,
      titleFontWeight: 'normal' as const,
      domainColor: QUIET,
      tickColor: QUIET,
      gridColor: QUIET,
      gridOpacity: 0.15,
      domainOpacity: 0.5,
      tickOpacity: 0.5,
      tickCount: 6,
      labelOverlap: true,
    },
    legend: { ...labels, labelLimit: 0 },
  };
}
