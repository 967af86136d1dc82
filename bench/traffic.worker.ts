/**
 * Makes what a node is to hear, in a thread of its own: the payments and the ledgers that it takes leave nothing behind
 * that the collector would go through while the node is measured.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeGenesis, isRefusal } from '../ledger/index.ts';
import { makePayments, owner } from './payments.ts';
import { makeTraffic, type TrafficOrder } from './traffic.ts';

const { genesis: bytes, seeds, owners, payments: count, ...options }: TrafficOrder = workerData;
const genesis = decodeGenesis(bytes);
if (isRefusal(genesis)) throw new Error(`no decoder takes this genesis: ${JSON.stringify(genesis)}`);
const payers = Array.from({ length: owners }, (_, i) => owner(i));
const payments = makePayments(genesis, payers, owner(owners).address, count);
const vertices: Uint8Array[] = [];
makeTraffic({ genesis, seeds, payments, ...options }, (vertex) => vertices.push(vertex.slice()));
parentPort!.postMessage(
  vertices,
  vertices.map(({ buffer }) => buffer as ArrayBuffer),
);
