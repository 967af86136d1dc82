/** The picture of a running `ravel spam`, as lines of text: pure, so that a test can look at it in any size of terminal. */
import type { Bar, Percentiles } from '../load/latency.ts';
import type { TerminalSize } from '../up/live-view.ts';
import {
  bar,
  clock,
  counted,
  fitLine,
  grouped,
  type Line,
  type Painter,
  wrapped,
} from '../up/terminal-text.ts';

/** Times of payments that were proven. */
export interface Times {
  readonly percentiles: Percentiles;
  readonly bars: readonly Bar[];
}

/** Everything that the picture shows. */
export interface SpamView {
  readonly elapsedMs: number;
  readonly rate: number;
  readonly seconds: number;
  readonly nodes: number;
  readonly sent: number;
  readonly final: number;
  /** Due, and taken by no node yet. */
  readonly waiting: number;
  /** Over the last seconds. */
  readonly sentPerSecond: number;
  readonly finalPerSecond: number;
  readonly latency: Times;
  readonly refusals: Readonly<Record<string, number>>;
}

/** At most `rows` lines of at most `columns` characters each. */
export function renderSpam(view: SpamView, size: TerminalSize, paint: Painter): string[] {
  const { columns, rows } = size;
  const head = totals(view, columns);
  const room = rows - head.length - 1;
  const bars = room < 2 ? [] : histogram(view.latency.bars, columns, room);
  const lines = bars.length === 0 ? head : [...head, [], ...bars];
  return lines.slice(0, rows).map((line) => fitLine(line, columns, paint));
}

function totals(view: SpamView, columns: number): Line[] {
  const { percentiles } = view.latency;
  const share = view.elapsedMs / (view.seconds * 1000);
  const refused = Object.entries(view.refusals).map(([code, count]): Line => [['bad', `${code} ${count}`]]);
  return [
    ...wrapped(
      [
        [['bold', 'ravel spam'], ` ${clock(view.elapsedMs)}`],
        [['good', bar(share, Math.max(4, Math.floor(columns / 8)))]],
        [['dim', `${grouped(view.rate)} payments a second to ${counted(view.nodes, 'node')}`]],
      ],
      columns,
    ),
    ...wrapped(
      [
        [`${grouped(view.sent)} sent, ${grouped(view.sentPerSecond)}/s`],
        [['good', `${grouped(view.final)} final, ${grouped(view.finalPerSecond)}/s`]],
        [`${grouped(view.sent - view.final)} under way`],
        ...(view.waiting === 0 ? [] : [[['busy', `${grouped(view.waiting)} due`]] as Line]),
      ],
      columns,
    ),
    ...wrapped(
      [
        ['finality'],
        ...(['p50', 'p95', 'p99', 'max'] as const).map((name): Line => [`${name} ${ms(percentiles[name])}`]),
        ...refused,
      ],
      columns,
    ),
  ];
}

/** A row for each bar; neighbours share one where there are more bars than rows. */
export function histogram(bars: readonly Bar[], columns: number, rows: number): Line[] {
  const together = Math.max(1, Math.ceil(bars.length / Math.max(1, rows)));
  const merged: Bar[] = [];
  for (let i = 0; i < bars.length; i += together) {
    const some = bars.slice(i, i + together);
    const count = some.reduce((sum, one) => sum + one.count, 0);
    merged.push({ fromMs: some[0]!.fromMs, untilMs: some.at(-1)!.untilMs, count });
  }
  const most = Math.max(1, ...merged.map(({ count }) => count));
  const counts = merged.map(({ count }) => grouped(count));
  const countWidth = Math.max(0, ...counts.map((text) => text.length));
  const width = Math.max(1, columns - LABEL_COLUMNS - countWidth - 4);
  return merged.map(({ untilMs, count }, i) => [
    ['dim', `up to ${ms(untilMs)}`.padStart(LABEL_COLUMNS)],
    `  ${counts[i]!.padStart(countWidth)}  `,
    ['good', '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * width)))],
  ]);
}

/** `up to 100,000 ms` */
const LABEL_COLUMNS = 16;

/** Milliseconds for people: 1.25 ms, 12.5 ms, 125 ms, 1,250 ms. */
export function ms(value: number | null): string {
  if (value === null) return '-';
  const digits = value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return `${value.toLocaleString('en-US', digits)} ms`;
}

/** The totals in one line. */
export function spamLine(view: SpamView): string {
  const { p50, p95, p99, max } = view.latency.percentiles;
  const refused = Object.entries(view.refusals).map(([code, count]) => `${code} ${count}`);
  return [
    `${clock(view.elapsedMs)}  ${grouped(view.sent)} sent at ${grouped(view.sentPerSecond)}/s`,
    `${grouped(view.final)} final at ${grouped(view.finalPerSecond)}/s`,
    `${grouped(view.sent - view.final)} under way`,
    `finality p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)}`,
    ...refused,
  ].join(', ');
}
