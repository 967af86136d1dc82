import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describeProblem, isProblem, parseSessions } from '../../../node/up/session-file.ts';

const PUBLIC = new URL('../../../../shared/data/sessions/dundee-2018.clean.csv', import.meta.url);
const SKIPPED = existsSync(PUBLIC) ? '' : ' (skipped: no ../shared/data)';

const HEADER = 'cp_id,connector,start,end,kwh';
const GOOD = 'A,1,2018-06-05T10:00:00,2018-06-05T10:30:00,7.5';

function read(text: string, limit?: number) {
  const result = parseSessions(text, limit === undefined ? {} : { limit });
  assert(!isProblem(result), isProblem(result) ? describeProblem('f.csv', result) : '');
  return result;
}

function refusal(text: string): string {
  const result = parseSessions(text);
  assert(isProblem(result), `taken though it should be refused: ${text}`);
  return describeProblem('f.csv', result);
}

describe('a file of sessions', () => {
  it('gives identity, times and whole watt hours', () => {
    assert.deepEqual(read(`${HEADER}\n${GOOD}\n`), [
      {
        chargePoint: 'A',
        connector: '1',
        startMs: Date.UTC(2018, 5, 5, 10),
        endMs: Date.UTC(2018, 5, 5, 10, 30),
        energyWh: 7500,
      },
    ]);
  });

  it('may have other columns, another order, blanks, quotes, CRLF and a byte order mark', () => {
    const text =
      '\ufeffsite, KWH ,end,start,connector,cp_id\r\n"Street, Town",7.5,2018-06-05 10:30,2018-06-05T10:00Z,1,A\r\n\r\n';
    assert.deepEqual(read(text), read(`${HEADER}\n${GOOD}`));
  });

  it('is ordered by start, and the limit counts from the earliest', () => {
    const later = GOOD.replaceAll('2018-06-05', '2018-06-07').replace('A', 'later');
    const last = GOOD.replaceAll('2018-06-05', '2018-06-09').replace('A', 'last');
    const names = read(`${HEADER}\n${last}\n${later}\n${GOOD}`, 2).map((session) => session.chargePoint);
    assert.deepEqual(names, ['A', 'later']);
  });

  it('may give zones, which count', () => {
    const [session] = read(`${HEADER}\nA,1,2018-06-05T10:00:00+02:00,2018-06-05T10:00:00Z,1`);
    assert.equal(session!.endMs - session!.startMs, 7_200_000);
  });

  const table: readonly (readonly [rule: string, text: string, message: string])[] = [
    [
      'an empty file',
      '',
      'f.csv: the file is empty. Its first line has to name the columns cp_id, connector, start, end, kwh.',
    ],
    [
      'a header alone',
      `${HEADER}\n`,
      'f.csv: the file names its columns and has no session. Give a file with at least one row.',
    ],
    [
      'missing columns',
      'cp_id,plug,start,end,energy\nA,1,a,b,c',
      'f.csv:1: the header has no "connector", "kwh"; it has "cp_id", "plug", "start", "end", "energy". Name the columns cp_id, connector, start, end, kwh (others are ignored), separated by commas.',
    ],
    [
      'a column named twice',
      `${HEADER},kwh\n${GOOD},1`,
      'f.csv:1: column kwh: the header names it twice. Rename or remove one of them.',
    ],
    [
      'negative energy',
      `${HEADER}\n${GOOD}\n${GOOD.replace('7.5', '-7.5')}`,
      'f.csv:3: column kwh: -7.5 is negative. Give the energy that the car took, or remove the row.',
    ],
    [
      'no energy',
      `${HEADER}\n${GOOD.replace('7.5', '0.0')}`,
      'f.csv:2: column kwh: 0.0 is less than one watt hour, so that there is nothing to pay. Remove the row.',
    ],
    [
      'watt hours',
      `${HEADER}\n${GOOD.replace('7.5', '75000')}`,
      'f.csv:2: column kwh: 75000 is more than 5000 kWh. Give kilowatt hours, not watt hours.',
    ],
    [
      'a word for a number',
      `${HEADER}\n${GOOD.replace('7.5', 'much')}`,
      'f.csv:2: column kwh: "much" is not a number. Write kilowatt hours with a decimal point, like 7.562.',
    ],
    [
      'a decimal comma',
      `${HEADER}\n${GOOD.replace('7.5', '"7,5"')}`,
      'f.csv:2: column kwh: "7,5" is not a number. Write kilowatt hours with a decimal point, like 7.562.',
    ],
    [
      'an absent number',
      `${HEADER}\n${GOOD.replace('7.5', '')}`,
      'f.csv:2: column kwh: "" is not a number. Write kilowatt hours with a decimal point, like 7.562.',
    ],
    [
      'an end before the start',
      `${HEADER}\n${GOOD.replace('T10:30', 'T09:30')}`,
      'f.csv:2: column end: 2018-06-05T09:30:00 is not after the start, 2018-06-05T10:00:00. Swap the two, or correct the date.',
    ],
    [
      'an end at the start',
      `${HEADER}\n${GOOD.replace('T10:30', 'T10:00')}`,
      'f.csv:2: column end: 2018-06-05T10:00:00 is not after the start, 2018-06-05T10:00:00. Give the time at which the car left.',
    ],
    [
      'a word for a time',
      `${HEADER}\n${GOOD.replace('2018-06-05T10:00:00', 'noon')}`,
      'f.csv:2: column start: "noon" is not a time. Write it like 2018-06-05T10:55:00.',
    ],
    [
      'a day that no calendar has',
      `${HEADER}\n${GOOD.replace('2018-06-05T10:30', '2018-06-31T10:30')}`,
      'f.csv:2: column end: "2018-06-31T10:30:00" is not a time. Write it like 2018-06-05T10:55:00.',
    ],
    [
      'no charge point',
      `${HEADER}\n${GOOD.replace('A', '')}`,
      'f.csv:2: column cp_id: it is empty. Give the identity that stands on the station.',
    ],
    [
      'a row that is too short',
      `${HEADER}\n${GOOD}\nA,1`,
      'f.csv:3: this row has another number of columns than the header. Put a text that contains commas into double quotes, and leave no column out.',
    ],
    [
      'an open quote',
      `${HEADER}\n"A,1`,
      'f.csv:2: this is not CSV (Quote Not Closed: the parsing is finished with an opening quote at line 2). Put a text that contains commas or quotes into double quotes.',
    ],
  ];
  for (const [rule, text, message] of table) {
    it(`with ${rule} is refused, and says where and what to do`, () => assert.equal(refusal(text), message));
  }

  it(`of the public sessions is read whole${SKIPPED}`, function () {
    if (!existsSync(PUBLIC)) this.skip();
    const sessions = read(readFileSync(PUBLIC, 'utf8'));
    assert.equal(sessions.length, 16_113);
    assert.equal(
      sessions.reduce((sum, session) => sum + session.energyWh, 0),
      144_383_262,
    );
  });
});
