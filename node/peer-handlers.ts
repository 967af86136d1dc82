/** What a node answers its peers and its light clients: all of it comes from the ledger thread. */
import { type Address, workSeed } from '../ledger/index.ts';
import type { LightHandlers, LightPush, SubmitReply, VertexHandlers } from '../p2p/index.ts';
import type { Submission } from './admission.ts';
import { type LedgerThread, LedgerThreadError } from './ledger-thread.ts';
import { LEDGER_CALLS_MAX } from './limits.ts';
import type { NodeParts } from './node-parts.ts';
import { SubmitDesk } from './submit-desk.ts';
import { VitalSigns } from './vitals.ts';

export function vertexHandlers(parts: NodeParts): VertexHandlers {
  return {
    gossip: (_kind, bytes, from) => parts.intake.take(bytes, from, false),
    fetch: (ids) => parts.ledger.call('fetch', ids),
    since: (request) => parts.ledger.call('since', request),
    lastWitness: (request) => parts.ledger.call('lastWitness', request),
    snapshot: () => parts.ledger.call('snapshot'),
    snapshotParts: (request) => parts.ledger.call('snapshotParts', request),
  };
}

/** A busy ledger thread is pressure, which the client has to feel, not an error. */
async function submit(
  ledger: LedgerThread,
  payments: readonly Submission[],
): Promise<readonly SubmitReply[]> {
  try {
    return await ledger.call('submit', payments);
  } catch (error) {
    if (!(error instanceof LedgerThreadError && error.code === 'busy')) throw error;
    const refusal = { code: 'queue_full', waiting: ledger.waiting, max: LEDGER_CALLS_MAX } as const;
    return payments.map(() => ({ refusal }));
  }
}

export function lightHandlers(parts: NodeParts): LightHandlers {
  const { verify, genesis } = parts;
  const desk = new SubmitDesk({
    check: (payments) => verify.checkPayments(payments),
    admit: (payments) => submit(parts.ledger, payments),
    nowMs: () => performance.now(),
  });
  const vitals = new VitalSigns();
  parts.defer(async () => vitals[Symbol.dispose]());
  return {
    submit: (payments, from) => desk.submit(payments, from),
    tips: (count) => parts.ledger.call('tips', count),
    account: (address) => parts.ledger.call('account', address),
    history: (address, after, limit) => parts.ledger.call('history', address, after, limit),
    proof: (payment) => parts.ledger.call('proof', payment),
    balance: (address) => parts.ledger.call('balance', address),
    outcome: (payment, slot) => parts.ledger.call('outcome', payment, slot),
    async work(previous, account, _from, signal) {
      if (parts.work === undefined) return { code: 'queue_full', waiting: 0, max: 0 };
      return parts.work.find(workSeed(genesis.network, previous, account), genesis.workBits, signal);
    },
    status: async () => ({
      ...(await parts.ledger.call('status')),
      peers: parts.peers.list().length,
      vitals: vitals.signs,
    }),
    subscribe: (addresses: readonly Address[], push: (event: LightPush) => boolean) =>
      parts.subscriptions.add(addresses, push),
  };
}
