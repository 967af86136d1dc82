/** The ledger thread: opens the store, reads it back, then answers calls and tells events, in batches. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeGenesis, type Genesis, isRefusal, type Round } from '../ledger/index.ts';
import { damageMark, markDamaged, setAside, wasSetAside } from './damaged-store.ts';
import type {
  AnswerMessage,
  CallMessage,
  FromLedger,
  LedgerEvent,
  LedgerThreadOptions,
} from './ledger-messages.ts';
import { LedgerService } from './ledger-service.ts';
import { ReadyParents } from './ready-parents.ts';
import { Store } from './store.ts';
import { StoreError } from './store-error.ts';
import { putVoteMark, voteMark } from './voting.ts';

const port = parentPort!;
const { options, ready } = workerData as { options: LedgerThreadOptions; ready: SharedArrayBuffer };

let batch: (AnswerMessage | { event: LedgerEvent })[] = [];

/** Everything that one turn of the event loop says leaves as one message. */
function say(message: AnswerMessage | { event: LedgerEvent }): void {
  if (batch.length === 0) setImmediate(send);
  batch.push(message);
}

function send(): void {
  const messages: FromLedger = batch;
  batch = [];
  port.postMessage(messages);
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function answer(
  service: LedgerService,
  store: Store,
  { call, method, args }: CallMessage,
): Promise<void> {
  try {
    if (method === 'close') {
      service.stop();
      await service.flush();
      await store.close();
      say({ call, value: undefined });
      return;
    }
    // The union of methods and the union of arguments belong together; the compiler cannot see it.
    const run = service[method].bind(service) as (...all: unknown[]) => Promise<unknown>;
    say({ call, value: await run(...args) });
  } catch (error) {
    say({ call, error: text(error) });
    if (isDamage(error)) service.fail(error);
  }
}

function isDamage(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'store_corrupted';
}

function emit(event: LedgerEvent): void {
  if (event.type === 'failed' && event.damaged) markDamaged(options.folder, event.message);
  say({ event });
}

/** The least round of the next own witness; undefined when the votes may be elsewhere: never two stores for one key. */
async function firstRound(store: Store): Promise<Round | undefined> {
  const round = await voteMark(store);
  if (round !== undefined) return round;
  if (!options.neverVoted || (await wasSetAside(options.folder))) return undefined;
  await putVoteMark(store, 0);
  return 0;
}

interface Opened {
  readonly store: Store;
  readonly service: LedgerService;
}

async function open(genesis: Genesis): Promise<Opened> {
  const store = await Store.open(options.folder, { genesisId: genesis.id });
  try {
    const notBeforeRound = options.validator === undefined ? undefined : await firstRound(store);
    const silent = options.validator !== undefined && notBeforeRound === undefined;
    const validator =
      options.validator === undefined || notBeforeRound === undefined
        ? options.validator
        : { ...options.validator, notBeforeRound };
    const service = await LedgerService.open(
      { ...options, validator },
      {
        genesis,
        silent,
        store,
        ready: new ReadyParents(ready),
        nowMs: Date.now,
        emit,
      },
    );
    if (silent) say({ event: { type: 'mute' } });
    return { store, service };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A database that is not what was written makes way for a new one: peers have what was in it. */
async function openOrBegin(genesis: Genesis): Promise<Opened> {
  const { folder } = options;
  let reason = await damageMark(folder);
  if (reason === undefined) {
    try {
      return await open(genesis);
    } catch (error) {
      if (!isDamage(error)) throw error;
      reason = error.message;
    }
  }
  const aside = await setAside(folder, Date.now());
  say({ event: { type: 'damaged', reason, aside } });
  return open(genesis);
}

async function main(): Promise<void> {
  const genesis = decodeGenesis(options.genesis);
  if (isRefusal(genesis)) throw new Error(`genesis: ${JSON.stringify(genesis)}`);
  const { store, service } = await openOrBegin(genesis);
  port.on('message', (calls: CallMessage[]) => {
    for (const call of calls) void answer(service, store, call);
  });
  port.postMessage({ ready: service.columns.shared } satisfies FromLedger);
}

main().catch((error: unknown) => {
  const { code } = error as { code?: unknown };
  port.postMessage({ refused: error instanceof Error ? error.message : String(error), code });
});
