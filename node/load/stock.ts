/** Payments that are made and signed before they are due, so that making them takes nothing from what is measured. */
import type { Address, Units } from '../../ledger/index.ts';
import type { Lane } from './lane.ts';
import type { FindWork } from './raw-account.ts';

export interface StockDeps {
  readonly lanes: readonly Lane[];
  readonly findWork: FindWork;
  /** Whom payment `number` of a lane pays, one unit; and whether that receiver is watched. */
  receiver(lane: Lane, number: number): { readonly to: Address; readonly watched: boolean };
}

/** Nonce searches at once: the pool takes more, but not thousands. */
const SEARCHES = 64;

/** Others get their turn so often. */
const TURN_MS = 10;

/**
 * Makes payments until each lane has `upTo` of it, the lanes in turn. Stops early when the signal aborts; rejects when the
 * search for work fails.
 * @param onMade Hears now and then how many have been made in this call.
 */
export async function makeAhead(
  deps: StockDeps,
  upTo: (lane: Lane) => number,
  signal: AbortSignal,
  onMade: (count: number) => void = () => {},
): Promise<void> {
  const queue = deps.lanes.filter((lane) => lane.made < upTo(lane));
  let made = 0;
  let turnMs = performance.now();
  const worker = async (): Promise<void> => {
    for (let lane = queue.shift(); lane !== undefined && !signal.aborted; lane = queue.shift()) {
      await makeOne(deps, lane, signal);
      made++;
      if (lane.made < upTo(lane)) queue.push(lane);
      if (performance.now() < turnMs + TURN_MS) continue;
      onMade(made);
      await new Promise((resolve) => setImmediate(resolve));
      turnMs = performance.now();
    }
  };
  try {
    await Promise.all(Array.from({ length: SEARCHES }, worker));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function makeOne({ findWork, receiver }: StockDeps, lane: Lane, signal: AbortSignal): Promise<void> {
  const work = await lane.account.work(findWork, signal);
  const { to, watched } = receiver(lane, lane.made);
  const { id, bytes } = lane.account.pay([{ to, amount: 1 as Units }], work);
  lane.add(id, bytes, watched);
}
