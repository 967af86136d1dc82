import assert from 'node:assert/strict';
import type { Address } from '../../../ledger/index.ts';
import { createTraffic, type Fleet } from '../../../node/up/fleet.ts';
import type { FleetMember, FromFleet, SideResult, ToFleet } from '../../../node/up/fleet-messages.ts';
import { type Departure, planReplay } from '../../../node/up/replay-plan.ts';

function members(kind: string): FleetMember[] {
  return [0, 1].map((index) => ({
    address: `${kind} ${index}` as Address,
    peer: `${kind} peer ${index}`,
    addresses: [`/${kind}/${index}`],
  }));
}

/** A process that is a list of what it was told. */
function fakeFleet(kind: string): Fleet & { readonly told: ToFleet[]; say(message: FromFleet): void } {
  const told: ToFleet[] = [];
  let hear: (message: FromFleet) => void = () => {};
  return {
    child: undefined as never,
    members: members(kind),
    told,
    send: (message) => void told.push(message),
    onMessage: (listener) => {
      hear = listener;
    },
    say: (message) => hear(message),
  };
}

function side(changes: Partial<SideResult> = {}): SideResult {
  return {
    session: 0,
    energyWh: 7_500,
    unitsDue: 10,
    unitsPaid: 10,
    complete: true,
    ended: 'full',
    ...changes,
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe('a session of a replay', () => {
  const recorded = { chargePoint: 'A', connector: '1', startMs: 0, endMs: 60_000, energyWh: 7_500 };
  const departure: Departure = {
    session: planReplay([recorded], { cars: 2, speed: 'max' }).sessions[0]!,
    car: 1,
    connector: 0,
  };
  const manner = { speed: 'max', mode: 'stream', stepWh: 500 } as const;

  it('begins with the station expecting the car, before the car drives there', async () => {
    const [cars, stations] = [fakeFleet('car'), fakeFleet('station')];
    const done = createTraffic(cars, stations, manner, new AbortController().signal).drive(departure);
    const facts = { ...manner, session: 0, energyWh: 7_500, durationMs: 60_000 };
    assert.deepEqual(stations.told, [{ type: 'expect', ...facts, member: 0, carPeer: 'car peer 1' }]);
    assert.deepEqual(cars.told, []);
    stations.say({ type: 'expecting', session: 0 });
    await settled();
    assert.deepEqual(cars.told, [
      { type: 'drive', ...facts, member: 1, station: '/station/0', payee: 'station 0' },
    ]);
    cars.say({ type: 'driven', result: side() });
    await settled();
    assert.deepEqual(stations.told.at(-1), { type: 'forget', session: 0 });
    stations.say({ type: 'served', result: side() });
    assert.deepEqual(await done, { settled: true, energyWh: 7_500, unitsPaid: 10 });
  });

  it("is settled by the station's word, whatever the car believes", async () => {
    const [cars, stations] = [fakeFleet('car'), fakeFleet('station')];
    const done = createTraffic(cars, stations, manner, new AbortController().signal).drive(departure);
    stations.say({ type: 'expecting', session: 0 });
    await settled();
    cars.say({ type: 'driven', result: side() });
    stations.say({ type: 'served', result: side({ unitsPaid: 9, complete: false, ended: 'unpaid' }) });
    assert.deepEqual(await done, {
      settled: false,
      energyWh: 7_500,
      unitsPaid: 9,
      problem: '7500 Wh delivered, 9 of 10 units paid; the station says unpaid; the car says full',
    });
  });

  it('is over, and not settled, when everything ends', async () => {
    const ending = new AbortController();
    const done = createTraffic(fakeFleet('car'), fakeFleet('station'), manner, ending.signal).drive(
      departure,
    );
    ending.abort();
    assert.equal((await done).settled, false);
  });
});
