import assert from 'node:assert/strict';
import { duration, list, modes, positiveNumber, speed, wholeNumber } from '../../../node/cli/values.ts';

type Row = readonly [text: string, value: unknown];

function table(
  name: string,
  read: (text: string) => unknown,
  good: readonly Row[],
  bad: readonly string[],
): void {
  for (const [text, value] of good) it(`reads ${name} "${text}"`, () => assert.deepEqual(read(text), value));
  for (const text of bad) {
    it(`refuses ${name} "${text}" with an example`, () =>
      assert.throws(() => read(text), /Give .*, like .*\./));
  }
}

describe('values of flags', () => {
  table(
    'a whole number',
    wholeNumber(2, 20),
    [
      ['2', 2],
      ['20', 20],
    ],
    ['1', '21', '', '2.0', '1e1', ' 3', '-3', 'x'],
  );
  table(
    'a number',
    positiveNumber(10, '7.6'),
    [
      ['0.5', 0.5],
      ['.5', 0.5],
      ['10', 10],
    ],
    ['0', '10.1', '1e1', 'x', '', '-1'],
  );
  table(
    'a speed',
    speed,
    [
      ['max', 'max'],
      ['2.5', 2.5],
    ],
    ['0', 'MAX', '1000001'],
  );
  table(
    'a time',
    duration,
    [
      ['500ms', 500],
      ['30s', 30_000],
      ['30', 30_000],
      ['1.5m', 90_000],
      ['2h', 7_200_000],
    ],
    ['0', '-1s', '8d', 's', '1e3s', '200h'],
  );
  table(
    'modes',
    modes,
    [
      ['stream', ['stream']],
      ['settle, stream', ['settle', 'stream']],
    ],
    ['', 'never', 'stream,stream', 'stream,x'],
  );

  it('collects lists from several flags and from commas', () => {
    assert.deepEqual(list('c, ,d', list('a,b', undefined)), ['a', 'b', 'c', 'd']);
  });
});
