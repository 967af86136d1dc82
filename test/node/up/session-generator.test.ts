import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { meanPowerW, type RecordedSession } from '../../../node/up/recorded-session.ts';
import { isProblem, parseSessions } from '../../../node/up/session-file.ts';
import { generateSessions } from '../../../node/up/session-generator.ts';

const PUBLIC = new URL('../../../../shared/data/sessions/dundee-2018.clean.csv', import.meta.url);
const SKIPPED = existsSync(PUBLIC) ? '' : ' (skipped: no ../shared/data)';

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

function figures(sessions: readonly RecordedSession[]) {
  const hours = sessions.map((session) => (session.endMs - session.startMs) / 3_600_000);
  const energy = sessions.map((session) => session.energyWh / 1000);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    medianKwh: quantile(energy, 0.5),
    medianMinutes: quantile(hours, 0.5) * 60,
    medianKw: quantile(sessions.map(meanPowerW), 0.5) / 1000,
    p99Kw: quantile(sessions.map(meanPowerW), 0.99) / 1000,
    energyOverTimeKw: sum(energy) / sum(hours),
  };
}

function near(received: number, expected: number, share: number): void {
  assert(
    Math.abs(received / expected - 1) <= share,
    `${received} is not within ${share * 100} % of ${expected}`,
  );
}

describe('generated sessions', () => {
  const sessions = generateSessions({ count: 20_000, seed: 1 });

  it('are the same for the same seed, and others for another', () => {
    assert.deepEqual(generateSessions({ count: 50, seed: 1 }), sessions.slice(0, 50));
    assert.notDeepEqual(generateSessions({ count: 50, seed: 2 }), sessions.slice(0, 50));
  });

  it('have the public median energy, median time, power and its greatest hundredth', () => {
    const found = figures(sessions);
    near(found.medianKwh, 7.6, 0.03);
    near(found.medianMinutes, 35, 0.03);
    near(found.medianKw, 13, 0.03);
    near(found.energyOverTimeKw, 13, 0.03);
    near(found.p99Kw, 46.5, 0.06);
  });

  it(`agree in this with the public sessions themselves${SKIPPED}`, function () {
    if (!existsSync(PUBLIC)) this.skip();
    const real = parseSessions(readFileSync(PUBLIC, 'utf8'));
    assert(!isProblem(real));
    const expected = figures(real);
    const found = figures(sessions);
    for (const name of ['medianKwh', 'medianMinutes', 'medianKw', 'p99Kw'] as const) {
      near(found[name], expected[name], 0.06);
    }
  });

  it('are ordered by start, take energy and time, and come about 133 a day', () => {
    for (const [index, session] of sessions.entries()) {
      assert(session.energyWh >= 1 && Number.isSafeInteger(session.energyWh));
      assert(session.endMs > session.startMs && Number.isSafeInteger(session.endMs));
      assert(session.startMs >= (sessions[index - 1]?.startMs ?? 0));
    }
    const days = (sessions.at(-1)!.startMs - sessions[0]!.startMs) / 86_400_000;
    near(sessions.length / days, 133, 0.03);
  });

  it('use every charge point, the first one most', () => {
    const counts = new Map<string, number>();
    for (const { chargePoint } of sessions) counts.set(chargePoint, (counts.get(chargePoint) ?? 0) + 1);
    assert.equal(counts.size, 6);
    assert.equal(Math.max(...counts.values()), counts.get('CP1'));
  });
});
