/**
 * Attackers in a thread of their own: many accounts that send what they have signed before, again and again until it is
 * taken, at the rate that they are told, over several links to each node. They cost their machine as little as they can.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Genesis, Units } from '../ledger/index.ts';
import { RawAccount } from '../node/load/raw-account.ts';
import { createLightPeers, type LightLink, silentLog } from '../p2p/index.ts';
import { owner } from './payments.ts';

export interface FloodOptions {
  /** Without work: it would be done before, and cost the network nothing. */
  readonly genesis: Genesis;
  /** Multiaddrs of the nodes. */
  readonly nodes: readonly string[];
  readonly linksPerNode: number;
  /** Numbers of the owners (see payments.ts). */
  readonly firstOwner: number;
  readonly owners: number;
  /** Payments that each has signed; who has sent them all repeats the last one. */
  readonly paymentsEach: number;
}

/** Told when the flood is ready, and after each order. */
export interface FloodTotals {
  readonly offered: number;
  /** Of those, by the node's answer. */
  readonly taken: number;
  readonly refused: number;
}

/** Payments a second from now on, of all attackers; none: an order to tell the totals. */
export type FloodOrder = { readonly rate?: number };

/** As many as one submit takes make one submit. */
const BATCH = 250;
const TICK_MS = 10;
/** Below the requests that one link may have under way. */
const UNDER_WAY_MAX = 24;

interface Attacker {
  readonly payments: readonly Uint8Array[];
  next: number;
}

const options = workerData as FloodOptions;
const { genesis, nodes, linksPerNode, firstOwner, owners, paymentsEach } = options;
const totals = { offered: 0, taken: 0, refused: 0 };
let rate = 0;

function attacker(number: number): Attacker {
  const account = new RawAccount(genesis, owner(number).secret);
  const transfers = [{ to: account.address, amount: 1 as Units }];
  const work = new Uint8Array(8);
  return {
    payments: Array.from({ length: paymentsEach }, () => account.pay(transfers, work).bytes),
    next: 0,
  };
}

async function connect(address: string): Promise<LightLink> {
  const peers = await createLightPeers(
    { network: genesis.network, identitySeed: randomBytes(32), listen: [], requestTimeoutMs: 60_000 },
    { log: silentLog, nowMs: () => performance.now() },
  );
  return peers.connect(address);
}

async function submit(link: LightLink, batch: readonly Attacker[]): Promise<void> {
  totals.offered += batch.length;
  const sent = batch.map(({ payments, next }) => payments[next]!);
  const replies = await link.submit(sent).catch(() => []);
  let taken = 0;
  for (const [i, reply] of replies.entries()) {
    const one = batch[i]!;
    if ('refusal' in reply) {
      // The one before was taken and then gave way to another.
      if (reply.refusal.code === 'previous_unknown') one.next = Math.max(0, one.next - 1);
      continue;
    }
    taken++;
    if (one.payments[one.next] === sent[i] && one.next < paymentsEach - 1) one.next++;
  }
  totals.taken += taken;
  totals.refused += batch.length - taken;
}

/** One link's part of the flood, for ever. */
async function send(link: LightLink, attackers: readonly Attacker[], links: number): Promise<void> {
  const size = Math.min(BATCH, attackers.length);
  let [underWay, due, turn, atMs] = [0, 0, 0, performance.now()];
  for (;;) {
    await pause(TICK_MS);
    const nowMs = performance.now();
    // What could not be sent for want of answers is not made up for.
    due = Math.min(2 * BATCH, due + ((nowMs - atMs) * rate) / 1000 / links);
    atMs = nowMs;
    for (; due >= size && underWay < UNDER_WAY_MAX; due -= size) {
      const batch = Array.from({ length: size }, () => attackers[turn++ % attackers.length]!);
      underWay++;
      void submit(link, batch).then(() => {
        underWay--;
      });
    }
  }
}

const attackers = Array.from({ length: owners }, (_, i) => attacker(firstOwner + i));
const addresses = nodes.flatMap((node) => Array.from({ length: linksPerNode }, () => node));
const links = await Promise.all(addresses.map(connect));
for (const [i, link] of links.entries()) {
  void send(
    link,
    attackers.filter((_, n) => n % links.length === i),
    links.length,
  );
}
parentPort!.on('message', (order: FloodOrder) => {
  if (order.rate !== undefined) rate = order.rate;
  parentPort!.postMessage({ ...totals } satisfies FloodTotals);
});
parentPort!.postMessage({ ...totals } satisfies FloodTotals);
