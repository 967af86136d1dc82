/** Shows what runs while it runs: as a picture in a terminal, or as plain lines where there is none. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { Painter, Style } from './terminal-text.ts';

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

/** What a picture has room for. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Stopped once or more often, it leaves the last picture or line standing. */
export interface Display {
  stop(): void;
}

/** A picture that is drawn over itself. `stream` is a terminal; `render` gives its lines. */
export function showPicture(
  stream: WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
  render: (size: TerminalSize, paint: Painter) => readonly string[],
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
    const text = render({ columns, rows }, paint).join('\n');
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
export function showLines(write: (line: string) => void, line: () => string): Display {
  const timer = setInterval(() => write(line()), LINE_INTERVAL_MS);
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      write(line());
    },
  };
}
