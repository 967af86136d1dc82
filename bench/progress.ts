/** Says how far a run is: a bar that is drawn over itself in a terminal, lines elsewhere. */
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';

export interface Step {
  readonly bench: string;
  /** From 0, of `count` benches. */
  readonly index: number;
  readonly count: number;
  /** What is being done. */
  readonly text: string;
  /** How much of this bench is done, 0 to 1. */
  readonly share: number;
}

export interface Progress {
  show(step: Step): void;
  /** Takes the bar away, so that something else can be written. */
  clear(): void;
}

const BAR_WIDTH = 24;

/** The clock goes on while a bench waits. */
const REDRAW_MS = 1_000;

export function showProgress(stream: WriteStream): Progress {
  return stream.isTTY ? drawBar(stream) : writeLines((text) => stream.write(text));
}

export function writeLines(write: (text: string) => void): Progress {
  return {
    show: ({ bench, index, count, text }) => write(`[${index + 1} of ${count}] ${bench}: ${text}\n`),
    clear: () => {},
  };
}

function drawBar(stream: WriteStream): Progress {
  const update = createLogUpdate(stream);
  const startMs = performance.now();
  let last: Step | undefined;
  const draw = (): void => {
    if (last !== undefined) update(barText(last, performance.now() - startMs));
  };
  // It keeps nobody waiting.
  setInterval(draw, REDRAW_MS).unref();
  return {
    show(step) {
      last = step;
      draw();
    },
    clear() {
      last = undefined;
      update.clear();
    },
  };
}

/** Bar and clock, and below what is being done. */
export function barText({ bench, index, count, text, share }: Step, elapsedMs: number): string {
  const full = Math.floor(((index + Math.min(1, Math.max(0, share))) / count) * BAR_WIDTH);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
  const seconds = Math.floor(elapsedMs / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return `${bar}  ${index + 1} of ${count}  ${bench}  ${clock}\n  ${text}`;
}
