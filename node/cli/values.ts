/** Values of flags: each reader takes the text and gives the value, or says what is wrong and how to write it. */
import { InvalidArgumentError } from 'commander';

function refuse(expected: string, example: string): never {
  throw new InvalidArgumentError(`Give ${expected}, like ${example}.`);
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      refuse(`a whole number from ${min} to ${max}`, String(Math.max(min, Math.min(max, 10))));
    }
    return value;
  };
}

/** A decimal number above 0 and at most `max`. */
export function positiveNumber(max: number, example: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^(\d+\.?\d*|\.\d+)$/.test(text) || value <= 0 || value > max) {
      refuse(`a number above 0 and at most ${max}`, example);
    }
    return value;
  };
}

/** How many times faster than life, or `max`. */
export function speed(text: string): number | 'max' {
  return text === 'max' ? 'max' : positiveNumber(1_000_000, '200 (times faster than life) or max')(text);
}

/** Collects a flag that may be given several times, or once with commas. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ];
}

/** `500ms`, `30s`, `2m` or a bare number of seconds, as milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) refuse('a time', '500ms, 30s or 2m');
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] ?? 's'] ?? 1_000;
  const ms = Math.round(Number(match[1]) * unit);
  if (ms < 1 || ms > 7 * 24 * 3_600_000) refuse('a time of at most a week', '30s');
  return ms;
}

/** `stream`, `settle` or both, preferred one first. */
export function modes(text: string): readonly ('stream' | 'settle')[] {
  const names = list(text, undefined);
  const known = names.filter((name) => name === 'stream' || name === 'settle');
  if (known.length !== names.length || known.length === 0 || new Set(known).size !== known.length) {
    refuse('stream, settle or both', 'stream,settle');
  }
  return known;
}
