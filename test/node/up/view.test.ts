import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bar, clock, fitLine, plainPainter } from '../../../node/up/terminal-text.ts';
import { type ReplayView, renderView, type SessionView } from '../../../node/up/view.ts';

const running: readonly SessionView[] = [
  { car: 3, place: '2/1', phase: 'charging', energyWh: 7_600, deliveredWh: 3_200, unitsPaid: 14_400 },
  { car: 12, place: '6/2', phase: 'driving', energyWh: 12_345, deliveredWh: 0, unitsPaid: 0 },
  { car: 4, place: '1/1', phase: 'paying', energyWh: 22_500, deliveredWh: 22_500, unitsPaid: 99_000 },
];

const view: ReplayView = {
  elapsedMs: 65_400,
  cars: 12,
  stations: 6,
  mode: 'stream',
  speed: 200,
  sessions: { total: 60, settled: 24, failed: 0, running },
  payments: 1_840,
  paymentsPerSecond: 12.34,
  finality: { p50: 128, p99: 240 },
  energyWh: 98_200,
  unitsPaid: 441_900,
  validators: [0, 1, 2, 3].map((index) => ({
    index,
    state: index === 2 ? 'silent' : 'up',
    round: 1_204 + index,
    finalPayments: 1_840,
    peers: 3,
    queue: index === 1 ? 7 : 0,
  })),
  notes: [],
};

function picture(changes: Partial<ReplayView>, columns: number, rows: number): string {
  return renderView({ ...view, ...changes }, { columns, rows }, plainPainter).join('\n');
}

describe('the live view', () => {
  it('is readable in 80 by 24', () => {
    assert.equal(
      picture({}, 80, 24),
      [
        'ravel 1:05  12 cars, 6 stations  paid while charging  200 times faster than life',
        '████░░░░░░  24 of 60 sessions settled, 3 running  98.2 kWh, 441,900 units',
        '1,840 payments, 12.3/s  finality p50 128 ms, p99 240 ms',
        '',
        'car 3   at 2/1  charging ████████░░░░░░░░░░░    3.20/7.60 kWh     14,400 u',
        'car 12  at 6/2  driving  ░░░░░░░░░░░░░░░░░░░   0.00/12.35 kWh          0 u',
        'car 4   at 1/1  paying   ███████████████████  22.50/22.50 kWh     99,000 u',
        '',
        'validator 0  up       round 1,204   1,840 final   3 peers',
        'validator 1  up       round 1,205   1,840 final   3 peers  7 waiting',
        'validator 2  silent   round 1,206   1,840 final   3 peers',
        'validator 3  up       round 1,207   1,840 final   3 peers',
      ].join('\n'),
    );
  });

  it('is readable in 60 by 15, and says what has no room', () => {
    const many = Array.from({ length: 12 }, (_, index) => ({ ...running[index % 3]!, car: index + 1 }));
    const sessions = { total: 60, settled: 24, failed: 2, running: many };
    assert.equal(
      picture({ sessions, notes: ['car 3: the station did not answer in 10 s'] }, 60, 15),
      [
        'ravel 1:05  12 cars, 6 stations  paid while charging',
        '200 times faster than life',
        '███░░░░  24 of 60 sessions settled, 12 running  2 failed',
        '98.2 kWh, 441,900 units',
        '1,840 payments, 12.3/s  finality p50 128 ms, p99 240 ms',
        '',
        'car 1   at 2/1  charging █████░░░░░░░░░    3.20/7.60 kWh',
        'car 2   at 6/2  driving  ░░░░░░░░░░░░░░   0.00/12.35 kWh',
        'car 3   at 1/1  paying   ██████████████  22.50/22.50 kWh',
        'and 9 more charging cars',
        '',
        'validator 0  up       round 1,204   1,840 final   3 peers',
        'validator 1  up       round 1,205   1,840 final   3 peers  …',
        'and 2 more validators',
        'car 3: the station did not answer in 10 s',
      ].join('\n'),
    );
  });

  it('shows the totals alone in a very small terminal', () => {
    assert.equal(
      picture({}, 40, 5),
      [
        'ravel 1:05  12 cars, 6 stations',
        'paid while charging',
        '200 times faster than life',
        '██░░░',
        '24 of 60 sessions settled, 3 running',
      ].join('\n'),
    );
  });

  it('has something to say before anything happened', () => {
    const sessions = { total: 60, settled: 0, failed: 0, running: [] };
    const validators = view.validators.map((validator) => ({ ...validator, state: 'starting' as const }));
    const early = {
      sessions,
      validators,
      payments: 0,
      paymentsPerSecond: 0,
      finality: undefined,
      energyWh: 0,
      unitsPaid: 0,
    };
    assert.equal(
      picture(early, 80, 24),
      [
        'ravel 1:05  12 cars, 6 stations  paid while charging  200 times faster than life',
        '░░░░░░░░░░  0 of 60 sessions settled, 0 running  0.0 kWh, 0 units',
        '0 payments, 0.0/s  finality p50 - ms, p99 - ms',
        '',
        'validator 0  starting',
        'validator 1  starting',
        'validator 2  starting',
        'validator 3  starting',
      ].join('\n'),
    );
  });

  it('never leaves the terminal, whatever its size and whatever runs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(80),
        fc.nat(64),
        (columns, rows, cars, validators) => {
          const lines = renderView(
            {
              ...view,
              sessions: {
                ...view.sessions,
                running: Array.from({ length: cars }, (_, index) => running[index % 3]!),
              },
              validators: Array.from({ length: validators }, (_, index) => view.validators[index % 4]!),
              notes: ['something long '.repeat(20)],
            },
            { columns, rows },
            plainPainter,
          );
          assert(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
          for (const line of lines) assert([...line].length <= columns, `"${line}" in ${columns} columns`);
        },
      ),
    );
  });

  it('paints only after measuring', () => {
    const loud = (style: string, text: string): string => `<${style}>${text}</>`;
    assert.equal(fitLine([['bold', 'abc'], 'def'], 4, loud), '<bold>abc</>…');
    assert.equal(fitLine([['bold', 'abc'], 'def'], 6, loud), '<bold>abc</>def');
  });

  it('has bars that are full only at the end', () => {
    assert.deepEqual(
      [0, 0.5, 0.999, 1].map((share) => bar(share, 4)),
      ['░░░░', '██░░', '███░', '████'],
    );
  });

  it('writes times as people do', () => {
    assert.deepEqual([0, 65_400, 3_723_000].map(clock), ['0:00', '1:05', '1:02:03']);
  });
});
