/** One charging session between a true car and a true charger, with whatever a test puts in their way. */
import type { Genesis, Units } from '../../ledger/index.ts';
import { type Log, silentLog } from '../../p2p/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { type ChargingPolicy, memorySpendingLog, type SpendingLog } from '../../wallet/policy.ts';
import { runCarSession } from '../../wallet/session-car-driver.ts';
import { serveChargerSession } from '../../wallet/session-charger-driver.ts';
import { SessionDesk } from '../../wallet/session-desk.ts';
import {
  CAR_WAITS,
  CHARGER_WAITS,
  type RunCarDeps,
  type RunCarOptions,
  type ServeChargerDeps,
  type ServeChargerOptions,
} from '../../wallet/session-options.ts';
import { type EnergySource, memoryClaims, type SessionResult } from '../../wallet/session-ports.ts';
import {
  BREAK,
  type OnTheWay,
  streamPair,
  TestLedger,
  type TestWallet,
  testGenesis,
  VirtualTime,
} from './session-world.ts';

export const START_MS = Date.UTC(2026, 4, 1, 12);

export const GENEROUS: ChargingPolicy = {
  unitsPerKwhMax: 1_000_000,
  unitsPerMinuteMax: 100_000,
  unitsPerSessionMax: 100_000_000,
  unitsPerDayMax: 500_000_000,
  modes: ['stream', 'settle'],
  powerMaxW: 400_000,
  meterToleranceRatio: 0.05,
  meterToleranceWh: 20,
  clockToleranceMs: 5000,
};

/** 0.45 units a Wh: fractions everywhere. */
export const TARIFF = {
  unitsPerKwh: 450,
  unitsPerMinute: 7,
  currency: 'centEUR/10',
  validUntilMs: START_MS + 3_600_000,
} as const;

/** Chance that repeats. */
export function counting(start = 1): (bytes: number) => Uint8Array {
  let next = start;
  return (bytes) => new Uint8Array(bytes).fill(next++);
}

export class Play {
  readonly time = new VirtualTime(START_MS);
  readonly genesis: Genesis;
  readonly ledger: TestLedger;
  readonly car: TestWallet;
  readonly charger: TestWallet;
  /** 11 kWh in half an hour: 22 kW. */
  source: EnergySource = recordedEnergy({ wh: 11_000, durationMs: 1_800_000, registerWh: 4_000_123 });
  /** The car's own meter; by default it sees what the charger's does. */
  meter: () => number = () => this.source.readWh(this.time.nowMs());
  policy: ChargingPolicy = GENEROUS;
  spending: SpendingLog = memorySpendingLog();
  onTheWay: OnTheWay | undefined;
  /** Hears what the charger has counted. */
  onCounted: (units: number) => void = () => {};
  /** Whether the line breaks at the next message. */
  cutWhen: () => boolean = () => false;
  readonly desk = new SessionDesk();
  readonly claims = memoryClaims();
  readonly random = counting();
  readonly log: Log = silentLog;

  /** @param workBits Of each payment. */
  constructor(workBits = 2) {
    this.genesis = testGenesis(workBits);
    this.ledger = new TestLedger(this.genesis, this.time);
    this.car = this.ledger.wallet('car');
    this.charger = this.ledger.wallet('charger', 0);
  }

  chargerOptions(more: Partial<ServeChargerOptions> = {}): ServeChargerOptions {
    return {
      ...CHARGER_WAITS,
      graceMs: 0,
      network: this.genesis.network,
      tariff: TARIFF,
      modes: ['stream', 'settle'],
      unpaidMax: 100 as Units,
      creditMax: 20_000 as Units,
      stepWh: 250,
      stepMs: 60_000,
      ...more,
    };
  }

  chargerDeps(stream: ServeChargerDeps['stream'], more: Partial<ServeChargerDeps> = {}): ServeChargerDeps {
    const { time, claims, desk, random, log } = this;
    return {
      stream,
      client: this.ledger.watch(this.charger.address),
      signer: this.charger.signer,
      energySource: this.source,
      claims,
      desk,
      clock: time,
      pace: time,
      random,
      log,
      ...more,
    };
  }

  carOptions(more: Partial<RunCarOptions> = {}): RunCarOptions {
    const { policy } = this;
    return { ...CAR_WAITS, network: this.genesis.network, policy, energyWantedWh: 0, ...more };
  }

  carDeps(stream: RunCarDeps['stream'], more: Partial<RunCarDeps> = {}): RunCarDeps {
    const { time, car, spending, log } = this;
    const { signer } = car;
    return {
      stream,
      client: car,
      signer,
      meter: () => this.meter(),
      spending,
      clock: time,
      pace: time,
      log,
      ...more,
    };
  }

  /** Both sides to their end. */
  async run(
    more: {
      readonly charger?: Partial<ServeChargerOptions>;
      readonly chargerDeps?: Partial<ServeChargerDeps>;
      readonly car?: Partial<RunCarOptions>;
      readonly carDeps?: Partial<RunCarDeps>;
    } = {},
  ): Promise<{ readonly charger: SessionResult; readonly car: SessionResult }> {
    const way: OnTheWay = this.onTheWay ?? ((message) => (this.cutWhen() ? BREAK : message));
    const pair = streamPair(way);
    const charger = serveChargerSession(
      this.chargerOptions(more.charger),
      this.chargerDeps(pair.charger, more.chargerDeps),
    );
    const car = runCarSession(this.carOptions(more.car), this.carDeps(pair.car, more.carDeps));
    const [chargerResult, carResult] = await this.time.until(Promise.all([charger, car]));
    return { charger: chargerResult, car: carResult };
  }
}
