/** The process of all cars: it drives one to a station when it is told to, and tells how the session went. */
import { PeersError } from '../../p2p/index.ts';
import {
  type LightClient,
  memorySpendingLog,
  type Payer,
  runCarSession,
  SESSION_PROTOCOL,
  systemClock,
} from '../../wallet/index.ts';
import type { Drive, SideResult } from './fleet-messages.ts';
import { type Fleet, preciseNowMs, runFleet } from './fleet-process.ts';
import { keepReceipt, resultOf } from './fleet-results.ts';
import { carMeter, carWaits, paceOf, policyOf } from './session-pace.ts';

/** A station that was expecting a car is there; only a lost packet makes a second try worth while. */
const OPEN_TRIES = 3;

await runFleet([], async (fleet) => (message) => {
  if (message.type !== 'drive') return;
  void drive(fleet, message).then((result) => fleet.send({ type: 'driven', result }));
});

async function drive(fleet: Fleet, order: Drive): Promise<SideResult> {
  const { client, peers, signer } = fleet.members[order.member]!;
  const pace = paceOf(order);
  try {
    const stream = await openStream(fleet, order);
    const result = await runCarSession(
      {
        network: fleet.genesis.network,
        policy: policyOf(order),
        charger: order.payee,
        energyWantedWh: 0,
        ...carWaits(order),
      },
      {
        stream,
        client: reporting(fleet, client),
        signer,
        meter: carMeter(order, pace),
        spending: memorySpendingLog(),
        clock: systemClock,
        pace,
        log: fleet.log,
        reopen: () => peers.openStream(order.station, SESSION_PROTOCOL),
      },
    );
    await keepReceipt(fleet.setup, order.session, 'car', result.receipt);
    return resultOf(order, result);
  } catch (error) {
    fleet.log.warn({ err: error, session: order.session }, 'A car could not charge');
    const ended = error instanceof Error ? error.message : String(error);
    return { session: order.session, energyWh: 0, unitsDue: 0, unitsPaid: 0, complete: false, ended };
  }
}

async function openStream(fleet: Fleet, order: Drive) {
  const { peers } = fleet.members[order.member]!;
  for (let tries = 1; ; tries++) {
    try {
      return await peers.openStream(order.station, SESSION_PROTOCOL);
    } catch (error) {
      if (tries === OPEN_TRIES || !(error instanceof PeersError)) throw error;
    }
  }
}

/** The wallet, telling when each payment was submitted. */
function reporting(fleet: Fleet, client: LightClient): Payer {
  return {
    address: client.address,
    get balance() {
      return client.balance;
    },
    async pay(transfers, memo) {
      const atMs = preciseNowMs();
      const sent = await client.pay(transfers, memo);
      fleet.send({ type: 'submitted', payment: sent.id, atMs });
      return sent;
    },
  };
}
