import assert from 'node:assert/strict';
import fc from 'fast-check';
import { byStart, type RecordedSession } from '../../../node/up/recorded-session.ts';
import {
  createSchedule,
  type Departure,
  planReplay,
  type ReplayPlan,
  STATIONS_DEFAULT_MAX,
} from '../../../node/up/replay-plan.ts';

const MINUTE = 60_000;

function session(chargePoint: string, connector: string, start: number, minutes = 30): RecordedSession {
  return {
    chargePoint,
    connector,
    startMs: start * MINUTE,
    endMs: (start + minutes) * MINUTE,
    energyWh: 7_500,
  };
}

const anySessions = fc
  .array(
    fc.record({
      chargePoint: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
      connector: fc.constantFrom('1', '2'),
      start: fc.nat(500),
      minutes: fc.integer({ min: 1, max: 300 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((rows) => byStart(rows.map((row) => session(row.chargePoint, row.connector, row.start, row.minutes))));

const anySpeed = fc.oneof(fc.constant('max' as const), fc.double({ min: 0.5, max: 10_000, noNaN: true }));

/** Carries a plan out in made-up time: a session lasts its planned time, at `max` a time that varies. */
function carryOut(
  plan: ReplayPlan,
  seen: (nowMs: number, departure: Departure, running: Set<Departure>) => void,
): void {
  const schedule = createSchedule(plan);
  const running = new Map<Departure, number>();
  let nowMs = 0;
  for (;;) {
    for (const departure of schedule.due(nowMs)) {
      seen(nowMs, departure, new Set(running.keys()));
      running.set(
        departure,
        nowMs + (departure.session.durationMs || 1 + ((departure.session.index * 7) % 5)),
      );
    }
    assert.equal(schedule.running, running.size);
    const nextEnd = Math.min(...running.values());
    const next = Math.min(nextEnd, schedule.nextStartMs(nowMs) ?? Infinity);
    if (next === Infinity) break;
    nowMs = next;
    for (const [departure, endMs] of running) {
      if (endMs > nowMs) continue;
      running.delete(departure);
      schedule.ended(departure);
    }
  }
  assert.equal(schedule.waiting, 0);
}

describe('a replay plan', () => {
  it('keeps starts relative to the first and divides time by the speed', () => {
    const plan = planReplay([session('A', '1', 100), session('B', '1', 160, 10)], { cars: 1, speed: 60 });
    assert.deepEqual(
      plan.sessions.map(({ startMs, durationMs }) => [startMs, durationMs]),
      [
        [0, 30_000],
        [60_000, 10_000],
      ],
    );
  });

  it('at max has everything start at once and last no time', () => {
    const plan = planReplay([session('A', '1', 100), session('B', '1', 160)], { cars: 1, speed: 'max' });
    for (const { startMs, durationMs } of plan.sessions) assert.deepEqual([startMs, durationMs], [0, 0]);
  });

  it('gives each charge point a station while they are few', () => {
    const plan = planReplay([session('A', '2', 0), session('B', '1', 1), session('A', '1', 2)], {
      cars: 1,
      speed: 1,
    });
    assert.deepEqual(plan.stations, [
      { chargePoints: ['A'], connectors: 2 },
      { chargePoints: ['B'], connectors: 1 },
    ]);
    assert.deepEqual(
      plan.sessions.map(({ station, connector }) => [station, connector]),
      [
        [0, 0],
        [1, 0],
        [0, 1],
      ],
    );
  });

  it('maps many charge points onto the stations asked for, and onto a readable few otherwise', () => {
    const sessions = Array.from({ length: 20 }, (_, index) => session(`P${index}`, '1', index));
    const three = planReplay(sessions, { cars: 1, stations: 3, speed: 1 });
    assert.deepEqual(
      three.stations.map((station) => station.connectors),
      [7, 7, 6],
    );
    assert.equal(planReplay(sessions, { cars: 1, speed: 1 }).stations.length, STATIONS_DEFAULT_MAX);
  });

  it('may have more stations than charge points: the others stay empty', () => {
    const plan = planReplay([session('A', '1', 0)], { cars: 1, stations: 2, speed: 1 });
    assert.deepEqual(plan.stations[1], { chargePoints: [], connectors: 0 });
  });

  it('starts every session once, never early, with one car and one connector each', () => {
    fc.assert(
      fc.property(
        anySessions,
        anySpeed,
        fc.integer({ min: 1, max: 8 }),
        fc.option(fc.integer({ min: 1, max: 7 })),
        (sessions, speed, cars, stations) => {
          const plan = planReplay(sessions, { cars, speed, ...(stations === null ? {} : { stations }) });
          const started = new Set<number>();
          carryOut(plan, (nowMs, departure, running) => {
            const { session: planned, car } = departure;
            assert(nowMs >= planned.startMs, 'early');
            assert(!started.has(planned.index), 'twice');
            started.add(planned.index);
            assert(car >= 0 && car < cars);
            assert(departure.connector < plan.stations[planned.station]!.connectors);
            if (speed !== 'max') assert.equal(departure.connector, planned.connector);
            for (const other of running) {
              assert.notEqual(other.car, car, 'a car in two places');
              assert(
                other.session.station !== planned.station || other.connector !== departure.connector,
                'two cars at one connector',
              );
            }
          });
          assert.equal(started.size, sessions.length);
        },
      ),
    );
  });

  it('never moves two recorded connectors onto one, so that what ran at once can run at once', () => {
    fc.assert(
      fc.property(anySessions, fc.integer({ min: 1, max: 7 }), (sessions, stations) => {
        const plan = planReplay(sessions, { cars: 1, stations, speed: 1 });
        const places = new Map<string, string>();
        for (const { index, station, connector } of plan.sessions) {
          const recorded = JSON.stringify([sessions[index]!.chargePoint, sessions[index]!.connector]);
          const place = `${station}/${connector}`;
          assert(connector < plan.stations[station]!.connectors);
          assert.equal(places.get(place) ?? recorded, recorded);
          places.set(place, recorded);
        }
        assert.equal(new Set(places.values()).size, places.size);
      }),
    );
  });
});

describe('a schedule', () => {
  it('sends the car that has been free for the longest time', () => {
    const plan = planReplay([session('A', '1', 0), session('A', '1', 1), session('A', '1', 2)], {
      cars: 2,
      speed: 'max',
    });
    const schedule = createSchedule(plan);
    const cars: number[] = [];
    for (let round = 0; round < 3; round++) {
      const [departure, ...more] = schedule.due(0);
      assert.equal(more.length, 0, 'the connector is taken');
      cars.push(departure!.car);
      schedule.ended(departure!);
    }
    assert.deepEqual(cars, [0, 1, 0]);
  });

  it('at max lets a car take any free connector of the station, but no more cars than there are connectors', () => {
    const busy = [session('A', '1', 0), session('A', '2', 1), session('A', '1', 2), session('A', '1', 3)];
    const schedule = createSchedule(planReplay(busy, { cars: 4, speed: 'max' }));
    const [first, second, ...more] = schedule.due(0);
    assert.deepEqual([first!.connector, second!.connector, more.length], [0, 1, 0]);
    schedule.ended(second!);
    assert.deepEqual(
      schedule.due(0).map(({ session: { index }, connector }) => [index, connector]),
      [[2, 1]],
    );
  });

  it('lets a later session pass one whose connector is taken', () => {
    const plan = planReplay([session('A', '1', 0), session('A', '1', 1), session('B', '1', 2)], {
      cars: 3,
      speed: 'max',
    });
    const indexes = createSchedule(plan)
      .due(0)
      .map((departure) => departure.session.index);
    assert.deepEqual(indexes, [0, 2]);
  });

  it('says when to ask again', () => {
    const plan = planReplay([session('A', '1', 0), session('B', '1', 1)], { cars: 3, speed: 1 });
    const schedule = createSchedule(plan);
    assert.equal(schedule.due(0).length, 1);
    assert.equal(schedule.nextStartMs(0), MINUTE);
    assert.equal(schedule.due(MINUTE).length, 1);
    assert.equal(schedule.nextStartMs(MINUTE), undefined);
  });
});
