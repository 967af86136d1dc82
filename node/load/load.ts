/**
 * Payments of many accounts at a chosen pace, and what becomes of them. Time counts from when a payment was due, not from
 * when it could be handed over, so a network that falls behind cannot hide it (no coordinated omission).
 *
 * The generator shares its machine with what it measures: payments are signed before, travel in batches, and only those
 * that are watched come back with a proof.
 */
import type { PaymentId, Refusal } from '../../ledger/index.ts';
import {
  type Log,
  type PaymentStatus,
  PeersError,
  SUBMIT_PAYMENTS_MAX,
  type SubmitReply,
} from '../../p2p/index.ts';
import { pause } from '../up/pause.ts';
import type { Lane, Parcel } from './lane.ts';
import type { Pacing } from './pacing.ts';

/** A node as the load needs it. */
export interface LoadNode {
  /** At most SUBMIT_PAYMENTS_MAX. Rejects with a PeersError. */
  submit(payments: readonly { readonly bytes: Uint8Array }[]): Promise<readonly SubmitReply[]>;
  /** Asks for a payment's proof; one that holds is told like one that came by itself. Undefined: it knows nothing of it. */
  ask(id: PaymentId): Promise<PaymentStatus | undefined>;
}

export interface LoadDeps {
  readonly lanes: readonly Lane[];
  readonly nodes: readonly LoadNode[];
  readonly log: Log;
  nowMs(): number;
  /** Resolves after the time, or when the signal aborts. */
  pause?(ms: number, signal: AbortSignal): Promise<void>;
  /** A payment that is watched has been proven: when it was due, handed over, and proven. */
  proven?(dueMs: number, sentMs: number, atMs: number): void;
}

export interface LoadTotals {
  /** A node has taken them. */
  readonly sent: number;
  /** Proven, by their own proof or by that of a payment after them. */
  readonly final: number;
  /** Why nodes, or links to them, have not taken a payment, by code; the payment was offered again. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** The rhythm of what is left when there is no pacing any more. */
const TICK_MS = 10;

/** Below LINK_REQUESTS_MAX. */
const SUBMITS_UNDER_WAY_MAX = 8;

/** A lane whose payments have not moved for so long asks what has become of them. */
const PATIENCE_MS = 3_000;

/** Without an answer that helps it turns to the next node. */
const PROBES_MAX = 5;

/** Questions of that kind to one node at a time. */
const PROBES_UNDER_WAY_MAX = 4;

/** What has not been proven by itself in the end is asked for so often. */
const ASK_MS = 500;

/** A node that did not answer is left alone for so long. */
const NODE_PAUSE_MS = 1_000;

/** An account whose payment is refused for one of these can wait for better times; for all others it is over. */
const PASSING: ReadonlySet<Refusal['code']> = new Set([
  'previous_unknown',
  'queue_full',
  'account_busy',
  'budget_spent',
  'tangle_full',
  'stale',
  // Its money may come a moment later to this node than to others.
  'unfunded',
]);

export class Load implements AsyncDisposable {
  readonly #deps: LoadDeps;
  readonly #pausedUntilMs: number[];
  readonly #underWay: number[];
  readonly #probing: number[];
  readonly #firstLane: number[];
  readonly #parcels = new Map<PaymentId, Parcel>();
  readonly #refusals = new Map<string, number>();
  readonly #stop = new AbortController();
  #starts: readonly number[] = [];
  #pacing: Pacing | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: LoadDeps) {
    this.#deps = deps;
    this.#pausedUntilMs = deps.nodes.map(() => 0);
    this.#underWay = deps.nodes.map(() => 0);
    this.#probing = deps.nodes.map(() => 0);
    this.#firstLane = deps.nodes.map(() => 0);
  }

  get totals(): LoadTotals {
    let [sent, final] = [0, 0];
    for (const lane of this.#deps.lanes) {
      sent += lane.taken;
      final += lane.final;
    }
    return { sent, final, refusals: Object.fromEntries(this.#refusals) };
  }

  /** All that a node has taken is proven, and nothing that is due waits for a node. */
  get #settled(): boolean {
    const nowMs = this.#deps.nowMs();
    const isDue = (parcel: Parcel): boolean =>
      (this.#dueMs(parcel, nowMs) ?? Number.POSITIVE_INFINITY) <= nowMs;
    return this.#deps.lanes.every((lane) => {
      const { taken, final, head, stuck } = lane;
      return taken === final && !lane.busy && (stuck !== undefined || head === undefined || !isDue(head));
    });
  }

  /** Due, and no node has taken them. */
  get waiting(): number {
    const due = this.#pacing?.dueBy(this.#deps.nowMs());
    return due === undefined ? 0 : Math.max(0, due - this.#takenNow());
  }

  #takenNow(): number {
    return this.#deps.lanes.reduce((sum, lane, i) => sum + lane.taken - this.#starts[i]!, 0);
  }

  /** Accounts that cannot go on, and why. */
  get stuck(): readonly Lane[] {
    return this.#deps.lanes.filter(({ stuck }) => stuck !== undefined);
  }

  /** Pays at this pace. Resolves when nothing more falls due, when `signal` aborts, or when this is disposed of. */
  async run(pacing: Pacing, signal: AbortSignal): Promise<void> {
    for (const lane of this.#deps.lanes) lane.begin();
    this.#starts = this.#deps.lanes.map(({ sent }) => sent);
    this.#pacing = pacing;
    await this.#ticks(signal, () => this.#deps.nowMs() >= pacing.endMs);
    if (signal.aborted) this.#pacing = undefined;
  }

  /**
   * What fell due is offered until nodes have taken it; after a load that was ended early, only what a node has taken once.
   * Resolves when all of it is proven, or `timeoutMs` are over, or the signal aborts; what has not been proven by itself is
   * asked for.
   */
  async drain(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const endMs = this.#deps.nowMs() + timeoutMs;
    let askAtMs = this.#deps.nowMs() + ASK_MS;
    let turn = 0;
    await this.#ticks(signal, async () => {
      if (this.#settled || this.#deps.nowMs() >= endMs) return true;
      if (this.#deps.nowMs() < askAtMs) return false;
      await this.#askForLast(turn++);
      askAtMs = this.#deps.nowMs() + ASK_MS;
      return this.#settled;
    });
  }

  /** The proof of a lane's last payment speaks for all before it. @param turn Another one asks other nodes. */
  async #askForLast(turn: number): Promise<void> {
    const { lanes, nodes } = this.#deps;
    await Promise.all(
      nodes.map(async (node, i) => {
        for (const lane of lanes) {
          const last = lane.lastTaken;
          if (last === undefined || (lane.index + turn) % nodes.length !== i) continue;
          if (this.#pausedUntilMs[i]! > this.#deps.nowMs()) return;
          await node.ask(last.id).catch((error) => this.#failed(i, error));
        }
      }),
    );
  }

  async #ticks(outer: AbortSignal, isOver: () => boolean | Promise<boolean>): Promise<void> {
    const signal = AbortSignal.any([outer, this.#stop.signal]);
    const wait = this.#deps.pause ?? pause;
    const ticks = async (): Promise<void> => {
      while (!signal.aborted && !(await isOver())) {
        this.#offer();
        await wait(this.#pacing?.tickMs ?? TICK_MS, signal);
      }
    };
    this.#running = ticks();
    await this.#running;
  }

  /** To each node that can take some, what is due now for it. */
  #offer(): void {
    const nowMs = this.#deps.nowMs();
    this.#hurry(nowMs);
    for (const [i, node] of this.#deps.nodes.entries()) {
      if (nowMs < this.#pausedUntilMs[i]! || this.#underWay[i]! >= SUBMITS_UNDER_WAY_MAX) continue;
      const parcels = this.#collect(i, nowMs);
      if (parcels.length > 0) void this.#submit(node, i, parcels);
    }
  }

  #collect(node: number, nowMs: number): readonly Parcel[] {
    const { lanes } = this.#deps;
    const parcels: Parcel[] = [];
    const first = this.#firstLane[node]!;
    for (let turn = 0; turn < lanes.length; turn++) {
      const lane = lanes[(first + turn) % lanes.length]!;
      if (lane.node !== node || lane.busy) continue;
      for (let parcel = lane.next(nowMs); parcel !== undefined; parcel = lane.next(nowMs)) {
        const dueMs = this.#dueMs(parcel, nowMs);
        if (dueMs === undefined || dueMs > nowMs) break;
        if (parcels.length === SUBMIT_PAYMENTS_MAX) {
          // Whoever had to wait comes first the next time.
          this.#firstLane[node] = lane.index;
          return parcels;
        }
        lane.leave(parcel, dueMs, nowMs);
        lane.busy = true;
        this.#parcels.set(parcel.id, parcel);
        parcels.push(parcel);
      }
    }
    return parcels;
  }

  #dueMs({ lane, number, dueMs }: Parcel, nowMs: number): number | undefined {
    if (!Number.isNaN(dueMs)) return this.#pacing === undefined && number >= lane.taken ? undefined : dueMs;
    return this.#pacing?.dueMs(lane.index, number - this.#starts[lane.index]!, lane.sent - lane.final, nowMs);
  }

  async #submit(node: LoadNode, i: number, parcels: readonly Parcel[]): Promise<void> {
    this.#underWay[i]! += 1;
    try {
      const replies = await node.submit(parcels);
      for (const [p, parcel] of parcels.entries()) this.#answered(parcel, replies[p]!);
    } catch (error) {
      this.#failed(i, error);
      for (const parcel of parcels) {
        parcel.lane.back(parcel, this.#deps.nowMs());
        if (!isRefused(error)) this.#turn(parcel.lane, i);
      }
    } finally {
      this.#underWay[i]! -= 1;
      for (const { lane } of parcels) lane.busy = false;
    }
  }

  #answered(parcel: Parcel, reply: SubmitReply): void {
    const { lane } = parcel;
    if ('refusal' in reply) {
      const { code } = reply.refusal;
      // What follows a refused payment is refused for that, which says nothing more.
      if (!lane.back(parcel, this.#deps.nowMs())) return;
      this.#count(code);
      if (PASSING.has(code)) return;
      lane.stuck = code;
      const { address } = lane.account;
      this.#deps.log.warn({ account: address, refusal: reply.refusal }, 'an account cannot go on');
      return;
    }
    if (reply.status === 'dead') lane.stuck = 'dead';
    else if (reply.status === 'dropped') lane.back(parcel, this.#deps.nowMs());
    else lane.took(parcel, this.#deps.nowMs());
  }

  /** A node that asks for patience gets it; one that fails is left alone for a while. */
  #failed(node: number, error: unknown): void {
    const code = codeOf(error);
    const refusal = error instanceof PeersError ? error.refusal : undefined;
    const waitMs = refusal?.code === 'budget_spent' ? refusal.retryAfterMs : NODE_PAUSE_MS;
    this.#count(code);
    this.#deps.log.debug({ node, error: String(error) }, 'a node has not taken payments');
    this.#pausedUntilMs[node] = this.#deps.nowMs() + waitMs;
  }

  #count(code: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  /** Asks what has become of payments that have been on their way for long: to submit them again would cost the node more. */
  #hurry(nowMs: number): void {
    for (const lane of this.#deps.lanes) {
      const { node } = lane;
      if (lane.busy || this.#probing[node]! >= PROBES_UNDER_WAY_MAX || nowMs < this.#pausedUntilMs[node]!)
        continue;
      const parcel = lane.overdue(nowMs, PATIENCE_MS);
      if (parcel !== undefined) void this.#probe(lane, parcel);
    }
  }

  async #probe(lane: Lane, parcel: Parcel): Promise<void> {
    const { node } = lane;
    lane.busy = true;
    this.#probing[node]! += 1;
    try {
      const status = await this.#deps.nodes[node]!.ask(parcel.id);
      if (status === 'dead') lane.stuck = 'dead';
      const unknown = status === undefined || status === 'dropped';
      if (lane.probed(this.#deps.nowMs()) >= PROBES_MAX) this.#turn(lane, node);
      if (unknown || lane.node !== node) lane.back(parcel, this.#deps.nowMs());
    } catch (error) {
      this.#failed(node, error);
      this.#turn(lane, node);
      lane.back(parcel, this.#deps.nowMs());
    } finally {
      this.#probing[node]! -= 1;
      lane.busy = false;
    }
  }

  #turn(lane: Lane, from: number): void {
    if (lane.node === from) lane.node = (from + 1) % this.#deps.nodes.length;
  }

  /** A payment has been proven final at `atMs`. False when it is none of these. */
  final(id: PaymentId, atMs: number): boolean {
    const parcel = this.#parcels.get(id);
    if (parcel === undefined) return false;
    for (const one of parcel.lane.proven(parcel, this.#deps.nowMs())) {
      this.#parcels.delete(one.id);
      if (one.watched) this.#deps.proven?.(one.dueMs, one.sentMs, atMs);
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof PeersError && error.code === 'refused';
}

function codeOf(error: unknown): string {
  if (!(error instanceof PeersError)) return 'failed';
  return error.refusal?.code ?? error.code;
}
