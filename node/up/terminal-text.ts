/** Lines of styled text that fit a terminal: measured first, coloured last. */

/** How a piece of text looks; what that means in escape codes is the painter's business. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'busy' | 'bad';

export type Painter = (style: Style, text: string) => string;

/** For files, tests and terminals without colour. */
export const plainPainter: Painter = (_style, text) => text;

/** Pieces of one line. All characters used here are one column wide. */
export type Line = readonly (string | readonly [style: Style, text: string])[];

/** The line cut to `columns`, with an ellipsis where something is missing. */
export function fitLine(line: Line, columns: number, paint: Painter): string {
  const pieces = line.map((piece) => (typeof piece === 'string' ? (['plain', piece] as const) : piece));
  const length = pieces.reduce((sum, [, text]) => sum + text.length, 0);
  let room = length > columns ? Math.max(0, columns - 1) : columns;
  let fitted = '';
  for (const [style, text] of pieces) {
    const part = text.slice(0, room);
    room -= part.length;
    if (part !== '') fitted += style === 'plain' ? part : paint(style, part);
  }
  return (length > columns && columns > 0 ? `${fitted}…` : fitted).trimEnd();
}

/** Fragments side by side, two blanks apart, and on the next line where one does not fit. */
export function wrapped(fragments: readonly Line[], columns: number): Line[] {
  const lines: Line[] = [];
  let used = 0;
  for (const fragment of fragments) {
    const length = fragment.reduce(
      (sum, piece) => sum + (typeof piece === 'string' ? piece : piece[1]).length,
      0,
    );
    const last = lines.at(-1);
    if (last !== undefined && used + 2 + length <= columns) {
      lines[lines.length - 1] = [...last, '  ', ...fragment];
      used += 2 + length;
    } else {
      lines.push(fragment);
      used = length;
    }
  }
  return lines;
}

/** `share` from 0 to 1 as a bar of `width` characters; full only when it is all done. */
export function bar(share: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, share));
  const full = bounded === 1 ? width : Math.min(width - 1, Math.floor(bounded * width));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Watt hours as kWh with `digits` decimals, without the unit. */
export function kwh(wattHours: number, digits = 2): string {
  return (wattHours / 1000).toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Milliseconds as 0:42, 12:05 or 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A count with its noun: 1 car, 2 cars. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
