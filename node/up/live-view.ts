/** Shows a replay while it runs: as a picture in a terminal, or as plain lines where there is none. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { clock, counted, grouped, type Painter, type Style } from './terminal-text.ts';
import { type ReplayView, renderView } from './view.ts';

/** Four pictures a second: numbers that change faster cannot be read. */
const PICTURE_INTERVAL_MS = 250;

/** A line now and then shows that it lives, and keeps a log short. */
const LINE_INTERVAL_MS = 5_000;

/** Terminals that do not tell their size have had this one since 1978. */
const SIZE_DEFAULT = { columns: 80, rows: 24 };

const FORMATS: Readonly<Record<Exclude<Style, 'plain'>, Parameters<typeof styleText>[0]>> = {
  bold: 'bold',
  dim: 'dim',
  good: 'green',
  busy: 'yellow',
  bad: 'red',
};

/** Stopped once or more often, it leaves the last picture or line standing. */
export interface Display {
  stop(): void;
}

/** A picture that is drawn over itself. `stream` is a terminal. */
export function showPicture(
  stream: WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
  view: () => ReplayView,
): Display {
  const draw = createLogUpdate(stream);
  const paint: Painter = (style, text) =>
    // validateStream makes it look at NO_COLOR and at what the terminal can do.
    style === 'plain' ? text : styleText(FORMATS[style], text, { stream, validateStream: true });
  const asciiOnly = /^(C|POSIX)$/.test(environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '');
  const show = (): void => {
    const columns = stream.columns || SIZE_DEFAULT.columns;
    // The last row stays empty: a line break there would scroll the picture away.
    const rows = (stream.rows || SIZE_DEFAULT.rows) - 1;
    const text = renderView(view(), { columns, rows }, paint).join('\n');
    draw(asciiOnly ? toAscii(text) : text);
  };
  const redraw = (): void => {
    // Old lines may have been wrapped by the new width, so that drawing over them would leave halves.
    draw.clear();
    show();
  };
  stream.on('resize', redraw);
  const timer = setInterval(show, PICTURE_INTERVAL_MS);
  show();
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      stream.off('resize', redraw);
      show();
      draw.done();
    },
  };
}

/** For terminals whose locale says that they know nothing beyond ASCII. */
export function toAscii(text: string): string {
  return text.replaceAll('█', '#').replaceAll('░', '.').replaceAll('…', '~');
}

/** A line of totals every few seconds. */
export function showLines(write: (line: string) => void, view: () => ReplayView): Display {
  const timer = setInterval(() => write(progressLine(view())), LINE_INTERVAL_MS);
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      write(progressLine(view()));
    },
  };
}

/** The totals in one line. */
export function progressLine(view: ReplayView): string {
  const { total, settled, failed, running } = view.sessions;
  const parts = [
    `${clock(view.elapsedMs)}  ${grouped(settled)} of ${counted(total, 'session')} settled`,
    `${grouped(running.length)} running`,
    ...(failed === 0 ? [] : [`${grouped(failed)} failed`]),
    `${counted(view.payments, 'payment')} at ${view.paymentsPerSecond.toFixed(1)}/s`,
    ...(view.finality === undefined
      ? []
      : [`finality p50 ${view.finality.p50} ms, p99 ${view.finality.p99} ms`]),
  ];
  return parts.join(', ');
}
