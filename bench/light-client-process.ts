/** A light client as it rides in a vehicle: keys, files, links to several nodes, and nothing else in its process. */
import { randomBytes } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Address,
  decodeGenesis,
  encodePaymentProof,
  type Genesis,
  isRefusal,
  searchWork,
  type Units,
} from '../ledger/index.ts';
import { openWalletFiles } from '../node/wallet-files.ts';
import { createLightPeers, silentLog } from '../p2p/index.ts';
import { createLightClient, createSeedSigner, type LightClient, verifyClaim } from '../wallet/index.ts';
import type { LightClientOrder, LightClientSetup, LightClientTook } from './light-client-messages.ts';
import { owner } from './payments.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 60_000;
const WORK_TRIES = 1 << 20;

/** Different proofs that are checked in turn. */
const KNOWN_MAX = 64;

const log = silentLog;

// When the bench is gone, so is this.
process.once('disconnect', () => process.exit(0));
process.once('message', (setup: LightClientSetup) => {
  start(setup).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
});

async function start({ genesis: bytes, nodes, owner: own, payee, folder }: LightClientSetup): Promise<void> {
  const genesis = decodeGenesis(bytes);
  if (isRefusal(genesis)) throw new Error(`genesis: ${JSON.stringify(genesis)}`);
  const peers = await createLightPeers(
    {
      network: genesis.network,
      identitySeed: randomBytes(32),
      listen: [],
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    },
    { log, nowMs: () => performance.now() },
  );
  const client = await createLightClient(
    { genesis, nodes },
    {
      signer: createSeedSigner(owner(own).secret),
      peers,
      store: await openWalletFiles(folder, { log }),
      log,
      nowMs: () => Date.now(),
      // Work is done while a vehicle idles, and is another bench's question: here it is a few tries.
      async findWork(seed, bits) {
        const found = searchWork(seed, bits, 0, WORK_TRIES);
        if (found === undefined) throw new Error('no work found');
        return found;
      },
    },
  );
  await client.ready({ timeoutMs: PATIENCE_MS });
  // It ends by a signal, which would leave nothing for the next one.
  flushCompileCache();
  const { address } = owner(payee);
  process.on('message', (order: LightClientOrder) => {
    const [startMs, from] = [performance.now(), process.cpuUsage()];
    const done =
      order.do === 'rest'
        ? pause(order.ms)
        : order.do === 'pay'
          ? payAll(client, address, order.count)
          : verifyAll(client, genesis, order.count);
    void done.then(() => process.send!(tookSince(client, startMs, from)));
  });
  process.send!(tookSince(client, performance.now(), process.cpuUsage()));
}

async function payAll(client: LightClient, to: Address, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const sent = await client.pay([{ to, amount: 1 as Units }]);
    await sent.final;
  }
}

/** Proofs as a node sends them: bytes, checked from nothing but the genesis. */
async function verifyAll(client: LightClient, genesis: Genesis, count: number): Promise<void> {
  const known = await client.history(0, KNOWN_MAX);
  const claims = known.map(({ bytes: payment, proof }) => ({ payment, proof: encodePaymentProof(proof) }));
  if (claims.length === 0) throw new Error('there is no proof to check');
  for (let i = 0; i < count; i++) {
    const verdict = verifyClaim(genesis, claims[i % claims.length]!, 0);
    if ('problem' in verdict) throw new Error(verdict.problem);
  }
}

function tookSince(client: LightClient, startMs: number, from: NodeJS.CpuUsage): LightClientTook {
  const { user, system } = process.cpuUsage(from);
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuUs: user + system,
    ms: performance.now() - startMs,
    rssBytes: rss,
    heapBytes: heapUsed,
    final: client.historyLength,
  };
}
