/** The parent's side of the two processes of light clients, and a session that needs both. */
import { fileURLToPath } from 'node:url';
import { type Child, type ChildExit, describeExit, lastWords, startChild } from './child.ts';
import type {
  Drive,
  FleetMember,
  FleetSetup,
  FromFleet,
  SessionFacts,
  SideResult,
  ToFleet,
} from './fleet-messages.ts';
import { pause } from './pause.ts';
import type { Departure } from './replay-plan.ts';
import type { SessionOutcome } from './replay-run.ts';
import { UpError } from './up-error.ts';

/** Light clients read their past and dial validators; hundreds of them take a while on a slow machine. */
const READY_WITHIN_MS = 180_000;

/** A session that is not over so long after its energy has flowed has been forgotten by both sides. */
const SESSION_GRACE_MS = 600_000;

/** One of the two processes. */
export interface Fleet {
  readonly child: Child;
  readonly members: readonly FleetMember[];
  send(message: ToFleet): void;
  onMessage(listener: (message: FromFleet) => void): void;
}

/** Starts a process of light clients and waits until all of them are ready. Throws UpError. */
export async function startFleet(
  options: { readonly name: 'cars' | 'stations'; readonly logFile: string; readonly setup: FleetSetup },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Fleet> {
  const module = fileURLToPath(new URL(`./${options.name}-process.ts`, import.meta.url));
  const child = await startChild({ name: options.name, module, args: [], logFile: options.logFile });
  stack.defer(() => child.end());
  const ready = new Promise<readonly FleetMember[]>((resolve, reject) => {
    child.onMessage((raw) => {
      const message = raw as FromFleet;
      if (message.type === 'ready') resolve(message.members);
      if (message.type === 'failed')
        reject(new UpError('child_ended', `The ${options.name} could not start: ${message.message}`));
    });
  });
  child.send(options.setup);
  const members = await whileAlive(child, ready, READY_WITHIN_MS, signal);
  return {
    child,
    members,
    send: (message) => child.send(message),
    onMessage: (listener) => child.onMessage((message) => listener(message as FromFleet)),
  };
}

/** What a child promises, unless it ends before, or takes too long. Rejects with UpError, or when the signal aborts. */
export async function whileAlive<T>(
  child: Child,
  promise: Promise<T>,
  withinMs: number,
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const ended = child.exited.then((exit): never => {
    throw endedError(child, exit);
  });
  const late = pause(withinMs, AbortSignal.any([over.signal, signal])).then((): never => {
    signal.throwIfAborted();
    throw new UpError(
      'child_silent',
      `The ${child.name} process was not ready within ${withinMs / 1000} s. Its log is ${child.logFile}.`,
    );
  });
  for (const rejection of [promise, ended, late]) rejection.catch(() => {});
  try {
    return await Promise.race([promise, ended, late]);
  } finally {
    over.abort();
  }
}

export function endedError(child: Child, exit: ChildExit): UpError {
  return new UpError(
    'child_ended',
    `The ${child.name} process ended (${describeExit(exit)}): ${lastWords(child)}`,
  );
}

/** What all sessions of a replay have in common. */
export type SessionManner = Pick<SessionFacts, 'speed' | 'mode' | 'stepWh'>;

/** Both sides of every session, until the signal. */
export interface Traffic {
  /** Resolves when both sides have told how it went; never rejects. */
  drive(departure: Departure): Promise<SessionOutcome>;
}

interface Meeting {
  readonly expecting: PromiseWithResolvers<void>;
  readonly driven: PromiseWithResolvers<SideResult>;
  readonly served: PromiseWithResolvers<SideResult>;
}

export function createTraffic(
  cars: Fleet,
  stations: Fleet,
  manner: SessionManner,
  signal: AbortSignal,
): Traffic {
  const meetings = new Map<number, Meeting>();
  const onMessage = (message: FromFleet): void => {
    if (message.type === 'expecting') meetings.get(message.session)?.expecting.resolve();
    else if (message.type === 'driven') meetings.get(message.result.session)?.driven.resolve(message.result);
    else if (message.type === 'served') meetings.get(message.result.session)?.served.resolve(message.result);
  };
  cars.onMessage(onMessage);
  stations.onMessage(onMessage);

  return {
    async drive(departure) {
      const { index, station } = departure.session;
      const meeting: Meeting = {
        expecting: Promise.withResolvers(),
        driven: Promise.withResolvers(),
        served: Promise.withResolvers(),
      };
      meetings.set(index, meeting);
      const over = new AbortController();
      try {
        const late = pause(
          departure.session.durationMs * 2 + SESSION_GRACE_MS,
          AbortSignal.any([over.signal, signal]),
        ).then(() => undefined);
        return (
          (await Promise.race([meet(departure, meeting), late])) ??
          unheard('neither side has said how it went')
        );
      } finally {
        over.abort();
        meetings.delete(index);
        stations.send({ type: 'forget', session: index });
      }

      async function meet(
        { session, car }: Departure,
        { expecting, driven, served }: Meeting,
      ): Promise<SessionOutcome> {
        const facts = {
          ...manner,
          session: session.index,
          energyWh: session.energyWh,
          durationMs: session.lifeMs,
        };
        stations.send({ type: 'expect', ...facts, member: station, carPeer: cars.members[car]!.peer });
        await expecting.promise;
        const place = stations.members[station]!;
        const order: Drive = {
          type: 'drive',
          ...facts,
          member: car,
          station: place.addresses[0]!,
          payee: place.address,
        };
        cars.send(order);
        const carSide = await driven.promise;
        stations.send({ type: 'forget', session: session.index });
        return outcomeOf(carSide, await served.promise);
      }
    },
  };
}

function unheard(problem: string): SessionOutcome {
  return { settled: false, energyWh: 0, unitsPaid: 0, problem };
}

/** The station's word counts: it is the one that was to be paid. */
export function outcomeOf(car: SideResult, station: SideResult): SessionOutcome {
  const { energyWh, unitsPaid, unitsDue, complete } = station;
  if (complete) return { settled: true, energyWh, unitsPaid };
  const problem = `${energyWh} Wh delivered, ${unitsPaid} of ${unitsDue} units paid; the station says ${station.ended}; the car says ${car.ended}`;
  return { settled: false, energyWh, unitsPaid, problem };
}
