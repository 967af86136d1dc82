import assert from 'node:assert/strict';
import { type Board, createBoard } from '../../../node/up/board.ts';
import { type Departure, planReplay } from '../../../node/up/replay-plan.ts';
import type { NodeView } from '../../../p2p/index.ts';

const recorded = [0, 1].map((index) => ({
  chargePoint: 'A',
  connector: `${index}`,
  startMs: index,
  endMs: index + 60_000,
  energyWh: 7_500,
}));
const plan = planReplay(recorded, { cars: 2, speed: 200 });
const departures: readonly Departure[] = plan.sessions.map((session, car) => ({
  session,
  car,
  connector: session.connector,
}));

function board(): { board: Board; notes: string[]; clock: { nowMs: number } } {
  const clock = { nowMs: 1_000 };
  const notes: string[] = [];
  const view = { rounds: [7, 8], finalPayments: 3, peers: 1, queue: 2 } as unknown as NodeView;
  const validators = [
    { view, silent: false, ended: false },
    { view, silent: true, ended: false },
    { view, silent: true, ended: true },
    { view: undefined, silent: true, ended: false },
  ];
  const deps = {
    nowMs: () => clock.nowMs,
    validators: () => validators,
    onNote: (text: string) => void notes.push(text),
  };
  return { board: createBoard({ plan, mode: 'stream', speed: 200 }, deps), notes, clock };
}

describe('the board of a replay', () => {
  it('follows a session from the drive to the last payment', () => {
    const { board: shown, clock } = board();
    const [first] = departures;
    shown.started(first!);
    const phase = (): string => shown.view().sessions.running[0]!.phase;
    assert.equal(phase(), 'driving');
    shown.progress(0, 3_000, 900);
    assert.equal(phase(), 'charging');
    shown.progress(0, 7_500, 1_800);
    assert.equal(phase(), 'paying');
    assert.deepEqual(shown.view().sessions.running, [
      { car: 1, place: '1/1', phase: 'paying', energyWh: 7_500, deliveredWh: 7_500, unitsPaid: 1_800 },
    ]);
    clock.nowMs += 500;
    shown.ended(first!, { settled: true, energyWh: 7_500, unitsPaid: 2_250 });
    const { sessions, energyWh, elapsedMs } = shown.view();
    assert.deepEqual(
      { sessions, energyWh, elapsedMs },
      {
        sessions: { total: 2, settled: 1, failed: 0, running: [] },
        energyWh: 7_500,
        elapsedMs: 500,
      },
    );
    assert.deepEqual(shown.totals, { sessions: 2, settled: 1, energyWh: 7_500 });
  });

  it('notes why a session was not settled, with car and place as people count', () => {
    const { board: shown, notes } = board();
    shown.started(departures[1]!);
    shown.ended(departures[1]!, {
      settled: false,
      energyWh: 100,
      unitsPaid: 0,
      problem: 'the car did not come',
    });
    assert.deepEqual(notes, ['Session 2 (car 2 at 1/2): the car did not come.']);
    assert.deepEqual(shown.view().notes, notes);
    assert.equal(shown.view().sessions.failed, 1);
  });

  it('ignores news of a session that is over', () => {
    const { board: shown } = board();
    shown.progress(0, 3_000, 900);
    assert.equal(shown.view().energyWh, 0);
  });

  it('shows each validator with its own round, and how it is', () => {
    const rows = board()
      .board.view()
      .validators.map(({ state, round }) => [state, round]);
    assert.deepEqual(rows, [
      ['up', 7],
      ['silent', 8],
      ['ended', 0],
      ['starting', 0],
    ]);
  });

  it('keeps only the latest notes', () => {
    const { board: shown } = board();
    for (let index = 0; index < 200; index++) shown.note(`${index}`);
    const { notes } = shown.view();
    assert.equal(notes.length, 50);
    assert.equal(notes.at(-1), '199');
  });
});
