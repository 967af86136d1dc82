/** All wiring of a light client, and nothing else. */
import type { PaymentId, Refusal } from '../ledger/index.ts';
import type { LightLink, PaymentStatus, SubmitReply } from '../p2p/index.ts';
import type { AccountKeeper } from './account-keeper.ts';
import { Alarms, systemTimers } from './alarms.ts';
import { FinalWatch } from './final-watch.ts';
import { HeaderWatch } from './header-watch.ts';
import { HistorySync } from './history-sync.ts';
import { LIGHT_TUNING_DEFAULT, type LightClientDeps, type LightClientOptions } from './light-options.ts';
import { NodeLinks } from './node-links.ts';
import { Outbox } from './outbox.ts';
import { OutcomeWatch } from './outcome-watch.ts';
import { OwnBlocks } from './own-block.ts';
import { Payer } from './payer.ts';
import { RestoreGuard } from './restore-guard.ts';
import { WorkAhead } from './work-ahead.ts';

/** What the parts tell the client. */
export interface LightHooks {
  onUp(link: LightLink): void;
  /** A node's word about a payment. */
  onClaim(link: LightLink, payment: PaymentId, status: PaymentStatus, refusal?: Refusal | undefined): void;
  onReply(link: LightLink, payment: PaymentId, reply: SubmitReply): void;
  /** A node knows nothing of a payment that is waited for. */
  onUnknown(link: LightLink, payment: PaymentId): void;
  /** Runs beside everything else; its failure is logged. */
  run(task: Promise<unknown>): void;
}

export type LightParts = ReturnType<typeof buildParts>;

export function buildParts(
  { genesis, nodes, limits = {}, tuning }: LightClientOptions,
  deps: LightClientDeps,
  keeper: AccountKeeper,
  hooks: LightHooks,
) {
  const t = { ...LIGHT_TUNING_DEFAULT, ...tuning };
  const { log, peers, signer } = deps;
  const alarms = new Alarms(deps.timers ?? systemTimers);
  const base = { keeper, alarms, log, nowMs: () => deps.nowMs() };

  const links = new NodeLinks({ ...t, nodes }, { ...base, peers, onUp: hooks.onUp });
  const headers = new HeaderWatch(genesis, t, base);
  const nodesMin = Math.max(1, Math.min(t.restoreNodesMin, new Set(nodes).size));
  const guard = new RestoreGuard({ ...t, fresh: keeper.fresh, nodesMin }, { ...base, book: keeper.book });
  const work = new WorkAhead(
    { network: genesis.network, address: signer.address, bits: genesis.workBits },
    {
      log,
      findWork: (seed, bits, signal) => deps.findWork(seed, bits, signal),
      onReady: (ready) => hooks.run(keeper.keepWork(ready)),
    },
    keeper.work,
  );
  const outcomes = new OutcomeWatch(genesis, t, { ...base, links, round: () => headers.view.round });
  const sync = new HistorySync(genesis, t, {
    ...base,
    links,
    guard,
    outcomes,
    onStatus: (link, { payment, status, refusal }) => hooks.onClaim(link, payment, status, refusal),
  });
  const watch = new FinalWatch(genesis, t, {
    ...base,
    links,
    onStatus: hooks.onClaim,
    onUnknown: hooks.onUnknown,
  });
  const blocks = new OwnBlocks(genesis.network, t.requestTimeoutMs, { ...base, peers, links, headers });
  const outbox = new Outbox(genesis, t, {
    ...base,
    links,
    work,
    onReply: hooks.onReply,
    publish: (payments) => blocks.publish(payments),
  });
  const payer = new Payer(genesis, { ...t, limits }, { ...base, guard, work, signer });
  return {
    alarms,
    links,
    headers,
    guard,
    work,
    sync,
    outcomes,
    watch,
    blocks,
    outbox,
    payer,
    payTimeoutMs: t.payTimeoutMs,
    balanceAskMs: t.balanceAskMs,
  };
}
