import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { showPicture, toAscii } from '../../../node/up/live-view.ts';
import { progressLine, type ReplayView, renderView } from '../../../node/up/view.ts';

const view: ReplayView = {
  elapsedMs: 65_400,
  cars: 12,
  stations: 6,
  mode: 'stream',
  speed: 200,
  sessions: { total: 60, settled: 24, failed: 1, running: [] },
  payments: 1_840,
  paymentsPerSecond: 12.34,
  finality: { p50: 128, p99: 240 },
  energyWh: 98_200,
  unitsPaid: 441_900,
  validators: [],
  notes: [],
};

const draw: Parameters<typeof showPicture>[2] = (size, paint) => renderView(view, size, paint);

/** A terminal that keeps what is written. */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  columns = 80;
  rows = 24;
  written = '';
  write(text: string): boolean {
    this.written += text;
    return true;
  }
  getColorDepth(): number {
    return 1;
  }
  hasColors(): boolean {
    return false;
  }
}

describe('the display of a replay', () => {
  it('without a terminal is one plain line', () => {
    assert.equal(
      progressLine(view),
      '1:05  24 of 60 sessions settled, 0 running, 1 failed, 1,840 payments at 12.3/s, finality p50 128 ms, p99 240 ms',
    );
    assert.match(progressLine({ ...view, finality: undefined }), /payments at 12.3\/s$/);
  });

  it('in a terminal is drawn at once, again when the size changes, and left standing once', () => {
    const terminal = new Terminal();
    const display = showPicture(terminal as unknown as WriteStream, {}, draw);
    const count = (): number => terminal.written.split('24 of 60').length - 1;
    assert.equal(count(), 1);
    terminal.columns = 60;
    terminal.emit('resize');
    assert.equal(count(), 2);
    display.stop();
    const drawn = terminal.written.length;
    display.stop();
    terminal.emit('resize');
    assert.equal(terminal.written.length, drawn, 'nothing is drawn after the end');
  });

  it('is plain ASCII where the locale knows nothing else', () => {
    const terminal = new Terminal();
    showPicture(terminal as unknown as WriteStream, { LC_ALL: 'C' }, draw).stop();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are ASCII too
    assert.match(terminal.written, /^[\x00-\x7f]*$/);
    assert.equal(toAscii('██░…'), '##.~');
  });
});
