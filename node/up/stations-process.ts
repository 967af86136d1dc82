/** The process of all charging stations: each serves the cars that it was told to expect. */
import { randomBytes } from 'node:crypto';
import type { FramedStream } from '../../p2p/index.ts';
import {
  memoryClaims,
  type PaymentClaims,
  recordedEnergy,
  SESSION_PROTOCOL,
  SessionDesk,
  type SessionProgress,
  serveChargerSession,
  systemClock,
} from '../../wallet/index.ts';
import type { Expect, SideResult, ToFleet } from './fleet-messages.ts';
import { type Fleet, type Member, runFleet } from './fleet-process.ts';
import { keepReceipt, resultOf } from './fleet-results.ts';
import { chargerWaits, offerOf, paceOf } from './session-pace.ts';

/** The picture is drawn four times a second; more news of one session would only be overwritten. */
const PROGRESS_INTERVAL_MS = 200;

/** A car that is expected, and the lines on which it came. */
interface Visit {
  readonly order: Expect;
  /** Sessions of this car that run here: more than one only while a broken line is being resumed. */
  running: number;
  best: SideResult | undefined;
  /** The car is not coming any more. */
  forgotten: boolean;
}

interface Station {
  readonly index: number;
  readonly member: Member;
  readonly desk: SessionDesk;
  readonly claims: PaymentClaims;
}

await runFleet(['/ip4/127.0.0.1/tcp/0'], async (fleet) => {
  const visits = new Map<string, Visit>();
  for (const [index, member] of fleet.members.entries()) {
    reportIncoming(fleet, member);
    const station: Station = { index, member, desk: new SessionDesk(), claims: memoryClaims() };
    await member.peers.handleStream(SESSION_PROTOCOL, (stream, from) => {
      const visit = visits.get(nameOf(index, from));
      if (visit === undefined) stream.abort(new Error('this station expects no such car'));
      else void serve(fleet, station, visit, stream).then(() => settle(fleet, visits, visit));
    });
  }
  return (message) => take(fleet, visits, message);
});

function nameOf(station: number, carPeer: string): string {
  return `${station} ${carPeer}`;
}

function take(fleet: Fleet, visits: Map<string, Visit>, message: ToFleet): void {
  if (message.type === 'expect') {
    const visit: Visit = { order: message, running: 0, best: undefined, forgotten: false };
    visits.set(nameOf(message.member, message.carPeer), visit);
    fleet.send({ type: 'expecting', session: message.session });
  } else if (message.type === 'forget') {
    const visit = [...visits.values()].find(({ order }) => order.session === message.session);
    if (visit === undefined) return;
    visit.forgotten = true;
    settle(fleet, visits, visit);
  }
}

/** Once the car is gone and nothing runs any more, this is how the session went. */
function settle(fleet: Fleet, visits: Map<string, Visit>, visit: Visit): void {
  if (!visit.forgotten || visit.running > 0) return;
  const { session, member, carPeer } = visit.order;
  visits.delete(nameOf(member, carPeer));
  const nothing = {
    session,
    energyWh: 0,
    unitsDue: 0,
    unitsPaid: 0,
    complete: false,
    ended: 'the car did not come',
  };
  fleet.send({ type: 'served', result: visit.best ?? nothing });
}

async function serve(fleet: Fleet, station: Station, visit: Visit, stream: FramedStream): Promise<void> {
  const { order } = visit;
  const { client, signer } = station.member;
  visit.running++;
  try {
    const result = await serveChargerSession(
      { network: fleet.genesis.network, ...offerOf(order), ...chargerWaits(order) },
      {
        stream,
        client,
        signer,
        energySource: recordedEnergy({ wh: order.energyWh, durationMs: order.durationMs }),
        claims: station.claims,
        desk: station.desk,
        clock: systemClock,
        pace: paceOf(order),
        random: randomBytes,
        log: fleet.log,
        onProgress: throttled(fleet, order.session),
      },
    );
    const mine = resultOf(order, result);
    // A line that only handed itself over to the session that it resumes has nothing to say.
    if (visit.best === undefined || mine.energyWh >= visit.best.energyWh) visit.best = mine;
    await keepReceipt(fleet.setup, order.session, 'station', result.receipt);
  } catch (error) {
    fleet.log.warn({ err: error, session: order.session }, 'A station could not serve a car');
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  } finally {
    visit.running--;
  }
}

function throttled(fleet: Fleet, session: number): (progress: SessionProgress) => void {
  let lastMs = -Infinity;
  return ({ energyWh, unitsPaid }) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = nowMs;
    fleet.send({ type: 'progress', session, energyWh, unitsPaid });
  };
}

/** Tells when the station's wallet has verified a payment to it. */
function reportIncoming(fleet: Fleet, { client }: Member): void {
  client.onIncoming(({ payment, verifiedAtMs }) => {
    const mine = payment.transfers.filter(({ to }) => to === client.address);
    const units = mine.reduce((sum, { amount }) => sum + amount, 0);
    fleet.send({ type: 'verified', payment: payment.id, units, atMs: verifiedAtMs });
  });
}
