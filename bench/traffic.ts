/**
 * What a validator hears on a busy network, made before the clock runs: blocks full of payments, and the witnesses of the others,
 * in an order in which parents come first. The others are real ledgers in virtual time that hear each other at once.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  Core,
  decodeVertex,
  encodeBlock,
  type Genesis,
  isRefusal,
  sign,
  type VertexId,
} from '../ledger/index.ts';
import type { Due } from './payments.ts';

export interface TrafficOptions {
  readonly genesis: Genesis;
  /** 32-byte seeds of those who vote, by their place in the committee; of weight >= q together. */
  readonly seeds: ReadonlyMap<number, Uint8Array>;
  readonly payments: readonly Due[];
  readonly paymentsPerBlock: number;
  readonly blocksPerRound: number;
}

/** The same as a thread is told: payments are made there. */
export interface TrafficOrder extends Omit<TrafficOptions, 'genesis' | 'payments'> {
  /** Encoded. */
  readonly genesis: Uint8Array;
  /** Accounts that pay in turn; `payments.ts` has them. */
  readonly owners: number;
  /** Number of them. */
  readonly payments: number;
}

const ROUND_MS = 50;
const TICK_MS = 5;

/** Rounds after the last block, in which everything becomes final and is decided. */
const LAST_ROUNDS = 12;

/** The vertices in their order, made in a thread of its own. */
export async function trafficOf(order: TrafficOrder): Promise<readonly Uint8Array[]> {
  const worker = new Worker(new URL('./traffic.worker.ts', import.meta.url), { workerData: order });
  const [vertices] = (await once(worker, 'message')) as [readonly Uint8Array[]];
  await worker.terminate();
  return vertices;
}

/** Calls `heard` with each vertex in turn; it must not change the bytes. */
export function makeTraffic(options: TrafficOptions, heard: (bytes: Uint8Array) => void): void {
  const { genesis, seeds, payments, paymentsPerBlock, blocksPerRound } = options;
  const validator = { roundFloorMs: ROUND_MS - TICK_MS, roundLingerMs: TICK_MS, idleBeatMs: ROUND_MS };
  const cores = [...seeds].map(
    ([index, seed]) =>
      new Core({ genesis, validator: { index, ...validator } }, { sign: (message) => sign(seed, message) }),
  );
  let nowMs = 1_000;
  let newest: VertexId = genesis.id;
  const tell = (bytes: Uint8Array, by?: Core): void => {
    heard(bytes);
    const vertex = decodeVertex(bytes, genesis.network);
    if (isRefusal(vertex)) throw new Error(`no decoder takes this vertex: ${JSON.stringify(vertex)}`);
    if (vertex.kind === 'witness') newest = vertex.id;
    for (const core of cores) {
      if (core !== by) core.step({ type: 'vertex', vertex, from: 'other', requested: true, nowMs });
    }
  };
  const round = (): number => Math.min(...cores.map((core) => core.rounds.highestQuorum));
  const passRound = (): void => {
    for (const end = round() + 1; round() < end; nowMs += TICK_MS) {
      for (const core of cores) {
        for (const effect of core.step({ type: 'tick', nowMs }))
          if (effect.type === 'attached') tell(effect.vertex.bytes, core);
      }
    }
  };
  for (let next = 0; next < payments.length; ) {
    for (let i = 0; i < blocksPerRound && next < payments.length; i++, next += paymentsPerBlock) {
      const carried = payments.slice(next, next + paymentsPerBlock).map(({ bytes }) => bytes);
      tell(encodeBlock(genesis.network, [newest], carried));
    }
    passRound();
  }
  for (let i = 0; i < LAST_ROUNDS; i++) passRound();
}
