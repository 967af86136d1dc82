import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import { createLightPeers, type FramedStream, type LightPeers, silentLog } from '../../p2p/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { memorySpendingLog } from '../../wallet/policy.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { runCarSession } from '../../wallet/session-car-driver.ts';
import { serveChargerSession } from '../../wallet/session-charger-driver.ts';
import { leapingClock, systemClock } from '../../wallet/session-clock.ts';
import { SESSION_PROTOCOL } from '../../wallet/session-messages.ts';
import type { SessionResult } from '../../wallet/session-ports.ts';
import { Play, START_MS } from './session-play.ts';
import { TestLedger, type TestTime, testGenesis } from './session-world.ts';

/** Things happen at once; waits that somebody gives up never end. */
const NO_TIME: TestTime = {
  after: (_ms, act) => void setImmediate(act),
  sleep: (ms, signal) => (ms > 1000 ? systemClock.sleep(ms, signal) : Promise.resolve()),
};

/** A charger that listens on libp2p and a car that dials it; energy flows without waiting. */
class Street implements AsyncDisposable {
  readonly #genesis = testGenesis();
  readonly #ledger = new TestLedger(this.#genesis, NO_TIME);
  readonly #peers: LightPeers[] = [];
  readonly play = new Play();
  readonly genesis = this.#genesis;
  readonly served: Promise<SessionResult>[] = [];
  readonly car = this.#ledger.wallet('car');
  #pace = leapingClock(START_MS, () => new Promise((resolve) => setImmediate(resolve)));
  readonly source = recordedEnergy({ wh: 3000, durationMs: 600_000 });

  async #light(seed: number, listen: readonly string[]): Promise<LightPeers> {
    const { network } = this.#genesis;
    const identitySeed = new Uint8Array(32).fill(seed);
    const options = { network, identitySeed, listen, requestTimeoutMs: 5000 };
    const peers = await createLightPeers(options, { log: silentLog, nowMs: () => performance.now() });
    this.#peers.push(peers);
    return peers;
  }

  async open(): Promise<() => Promise<FramedStream>> {
    const { play } = this;
    const charger = this.#ledger.wallet('charger', 0);
    const stations = await this.#light(201, ['/ip4/127.0.0.1/tcp/0']);
    const options = play.chargerOptions({ network: this.#genesis.network, graceMs: 20_000, sendMs: 2000 });
    await stations.handleStream(SESSION_PROTOCOL, (stream) => {
      const deps = play.chargerDeps(stream, {
        client: this.#ledger.watch(charger.address),
        energySource: this.source,
        clock: systemClock,
        pace: this.#pace,
      });
      this.served.push(serveChargerSession(options, deps));
    });
    const cars = await this.#light(202, []);
    return () => cars.openStream(stations.addresses[0]!, SESSION_PROTOCOL);
  }

  async drive(stream: FramedStream, reopen?: () => Promise<FramedStream>): Promise<SessionResult> {
    const { clockToleranceMs: _, ...policy } = this.play.policy;
    const options = this.play.carOptions({
      network: this.#genesis.network,
      policy,
      reopenMs: 10,
      sendMs: 2000,
    });
    const deps = this.play.carDeps(stream, {
      client: this.car,
      meter: () => this.source.readWh(this.#pace.nowMs()),
      spending: memorySpendingLog(),
      clock: systemClock,
      pace: this.#pace,
    });
    return runCarSession(options, reopen === undefined ? deps : { ...deps, reopen });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peers of this.#peers) await peers[Symbol.asyncDispose]();
  }
}

describe('a charging session over libp2p', () => {
  it('is paid to the unit, and both receipts prove it', async () => {
    await using street = new Street();
    const open = await street.open();
    const car = await street.drive(await open());
    const charger = await street.served[0]!;
    assert.equal(charger.ended.reason, 'full', charger.ended.detail);
    assert.equal(car.ended.reason, 'full', car.ended.detail);
    assert.equal(charger.unitsPaid, (1350 + 70) as Units);
    assert.equal(car.unitsPaid, charger.unitsPaid);
    for (const { receipt } of [car, charger]) {
      assert.ok(verifyReceipt(street.genesis, receipt!).summary!.settled);
    }
  });

  it('goes on over a new stream when the first one breaks', async () => {
    await using street = new Street();
    const open = await street.open();
    const first = await open();
    const { send } = first;
    let said = 0;
    const breaking = {
      ...first,
      remote: first.remote,
      receive: () => first.receive(),
      close: () => first.close(),
      abort: (reason: Error) => first.abort(reason),
      send: async (message: unknown) => {
        if (++said === 5) throw new Error('out of reach');
        return send.call(first, message);
      },
    };
    const car = await street.drive(breaking, open);
    const [charger, ...visits] = await Promise.all(street.served);
    assert.equal(charger!.ended.reason, 'full', charger!.ended.detail);
    assert.equal(car.ended.reason, 'full', car.ended.detail);
    assert.equal(car.unitsPaid, 1350 + 70);
    assert.equal(charger!.unitsPaid, 1350 + 70);
    assert.deepEqual(
      visits.map(({ ended }) => ended.reason),
      ['resumed'],
    );
  });
});
