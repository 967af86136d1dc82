/**
 * Double spends against a running network, on purpose: fresh accounts get money, then each signs several payments for one
 * slot and hands them to different nodes at once. What comes of it is heard from every node, with proofs.
 */
import { randomBytes } from 'node:crypto';
import {
  type Address,
  blockOverheadBytes,
  encodeBlock,
  FRAME_BYTES_MAX,
  type Genesis,
  PARENTS_MAX,
  type Payment,
  type Transfer,
  type Units,
} from '../../ledger/index.ts';
import type { LightPeers, Log, SubmitReply } from '../../p2p/index.ts';
import type { LightClient } from '../../wallet/index.ts';
import { fund } from '../load/funding.ts';
import { NodeEar } from '../load/node-ear.ts';
import { type FindWork, RawAccount } from '../load/raw-account.ts';
import { untilKnown } from '../load/traffic.ts';
import { pause } from '../up/pause.ts';
import { Contest } from './contest.ts';
import { HonestLoad } from './honest-load.ts';
import { type DoubleSpendReport, reportOf } from './report.ts';
import { RoundWatch } from './round-watch.ts';

export interface DoubleSpendOptions {
  readonly genesis: Genesis;
  /** Multiaddrs of the nodes that are asked, and that get the rivals. */
  readonly nodes: readonly string[];
  /** Slots that are spent several times, each of another account. */
  readonly accounts: number;
  /** Payments for each slot, at least 2. */
  readonly rivals: number;
  /** Each rival to another node; else all of a slot to one node, and what that refuses into gossip. */
  readonly spread: boolean;
  /** The slots begin evenly over this time; 0 = all at once. */
  readonly overMs: number;
  /** Honest payments a second beside it; 0 = none. */
  readonly honestRate: number;
  /** How long they are measured before the first rival. */
  readonly warmupMs: number;
  /** For the funds, and again for all slots to be resolved. */
  readonly timeoutMs: number;
}

export interface DoubleSpendDeps {
  /** Has the money. */
  readonly funder: LightClient;
  /** Of its own identity. */
  readonly peers: LightPeers;
  readonly log: Log;
  readonly findWork: FindWork;
  /** A word on the way. */
  note(text: string): void;
  readonly signal: AbortSignal;
}

/** Each honest account makes a payment every other second. */
const HONEST_ACCOUNT_SECONDS = 2;

/** What an honest account gets: a unit a payment, for a long run. */
const HONEST_UNITS = 10_000;

const POLL_MS = 20;

/** Nodes that have not told everything by themselves are asked so often, for so many payments at a time. */
const ASK_MS = 2_000;
const ASKS = 64;

/** A node whose tips the gossiped blocks hang on, and how many of them. */
const GOSSIP_PARENTS = 2;

/** Payments that spend the same slot. */
type Slot = readonly [Payment, ...Payment[]];

/** Nonce searches at once: the pool takes more, but not thousands. */
const SEARCHES = 64;

export class DoubleSpend implements AsyncDisposable {
  readonly #options: DoubleSpendOptions;
  readonly #deps: DoubleSpendDeps;
  readonly #rounds: RoundWatch;
  readonly #contest: Contest;
  readonly #attackers: readonly RawAccount[];
  readonly #payers: readonly RawAccount[];
  readonly #refusals = new Map<string, number>();
  #ears: readonly NodeEar[] = [];
  #honest: HonestLoad | undefined;
  #gossiped = 0;

  constructor(options: DoubleSpendOptions, deps: DoubleSpendDeps) {
    this.#options = options;
    this.#deps = deps;
    const { genesis, honestRate, accounts, nodes } = options;
    this.#rounds = new RoundWatch(genesis);
    this.#contest = new Contest(nodes.length);
    deps.peers.onHeader((header) => this.#rounds.take(header));
    const fresh = (): RawAccount => new RawAccount(genesis, randomBytes(32));
    this.#attackers = Array.from({ length: accounts }, fresh);
    const payers = Math.ceil(honestRate * HONEST_ACCOUNT_SECONDS);
    this.#payers = Array.from({ length: payers }, fresh);
  }

  /** Rejects with errors of wallet and peers, or the signal's reason. */
  async run(): Promise<DoubleSpendReport> {
    const { note, signal } = this.#deps;
    const { warmupMs, overMs, timeoutMs, nodes, accounts, rivals } = this.#options;
    this.#ears = await Promise.all(nodes.map((address, node) => this.#listen(address, node)));
    await this.#fund();
    const addresses = [...this.#attackers, ...this.#payers].map(({ address }) => address);
    await Promise.all(this.#ears.map((ear) => ear.watch(addresses)));
    const slots = await this.#sign();
    for (const slot of slots) this.#contest.add(slot);
    if (this.#payers.length > 0) await this.#warmUp();
    signal.throwIfAborted();
    note(`${accounts} slots, ${rivals} rivals each, to ${nodes.length} nodes.`);
    const attackMs = now();
    this.#honest?.border();
    await this.#attack(slots, attackMs);
    await this.#until(() => this.#contest.settled, attackMs + overMs + timeoutMs);
    this.#honest?.border();
    // What is under way counts too, as far as it is final soon.
    await this.#honest?.finish(warmupMs, signal);
    signal.throwIfAborted();
    return reportOf(this.#contest.results(), {
      nodes,
      rivals,
      spread: this.#options.spread,
      gossiped: this.#gossiped,
      refusals: Object.fromEntries(this.#refusals),
      honest: this.#honest?.finality(),
    });
  }

  #listen(address: string, node: number): Promise<NodeEar> {
    const { peers, log } = this.#deps;
    return NodeEar.open(node, address, this.#options.genesis, {
      peers,
      log,
      mark: () => ({ atMs: now(), round: this.#rounds.round }),
      final: (from, payment, by, told) => {
        if (!this.#contest.final(from, payment, by, told)) this.#honest?.final(payment, told.atMs);
      },
    });
  }

  /** One unit for each slot, enough for the honest ones; final on every node before anything begins. */
  async #fund(): Promise<void> {
    const { funder, note, signal } = this.#deps;
    const { timeoutMs } = this.#options;
    const transfers: Transfer[] = [
      ...this.#attackers.map(({ address }) => ({ to: address, amount: 1 as Units })),
      ...this.#payers.map(({ address }) => ({ to: address, amount: HONEST_UNITS as Units })),
    ];
    note(`${transfers.length} fresh accounts get their money.`);
    const paid = await fund(funder, transfers, { timeoutMs, signal });
    await untilKnown(this.#ears, paid, now() + timeoutMs, signal);
  }

  async #sign(): Promise<readonly Slot[]> {
    const slots: Slot[] = [];
    for (let from = 0; from < this.#attackers.length; from += SEARCHES) {
      const some = this.#attackers.slice(from, from + SEARCHES);
      slots.push(...(await Promise.all(some.map((account) => this.#rivalsOf(account)))));
    }
    return slots;
  }

  async #rivalsOf(account: RawAccount): Promise<Slot> {
    const { findWork, signal, funder } = this.#deps;
    const work = await account.work(findWork, signal);
    const receivers = Array.from({ length: this.#options.rivals }, (_, i) =>
      i === 0 ? funder.address : (randomBytes(32).toString('hex') as Address),
    );
    const [first, ...others] = receivers.map((to) => account.draft([{ to, amount: 1 as Units }], work));
    return [first!, ...others];
  }

  async #warmUp(): Promise<void> {
    const { honestRate, warmupMs } = this.#options;
    const { funder, findWork, log, note, signal } = this.#deps;
    note(`${honestRate} honest payments a second; ${warmupMs / 1000} s of them alone.`);
    this.#honest = new HonestLoad(
      { rate: honestRate, receiver: funder.address },
      { accounts: this.#payers, nodes: this.#ears, findWork, log, nowMs: now },
    );
    await pause(warmupMs, signal);
  }

  async #attack(slots: readonly Slot[], startMs: number): Promise<void> {
    const { overMs } = this.#options;
    if (overMs === 0) return this.#send(slots, 0);
    await Promise.all(
      slots.map(async (slot, i) => {
        await pause(startMs + (overMs * i) / slots.length - now(), this.#deps.signal);
        await this.#send([slot], i);
      }),
    );
  }

  /** All rivals of these slots, to all nodes at the same time. */
  async #send(slots: readonly Slot[], first: number): Promise<void> {
    if (this.#deps.signal.aborted) return;
    const forNode = this.#ears.map((): Payment[] => []);
    for (const [i, slot] of slots.entries()) {
      for (const [r, rival] of slot.entries())
        forNode[(first + i + (this.#options.spread ? r : 0)) % forNode.length]!.push(rival);
    }
    for (const [rival] of slots) this.#contest.sent(rival.id, now(), this.#rounds.round);
    await Promise.all(
      this.#ears.map(async (ear, node) => {
        const payments = forNode[node]!;
        if (payments.length === 0) return;
        const replies = await ear.submit(payments);
        this.#count(replies);
        const refused = payments.filter((_, i) => isSlotTaken(replies[i]));
        if (refused.length > 0) await this.#gossip(ear, refused);
      }),
    );
  }

  #count(replies: readonly SubmitReply[]): void {
    for (const reply of replies) {
      if (!('refusal' in reply)) continue;
      const { code } = reply.refusal;
      this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
    }
  }

  /** What a node does not take as a submit, its owner may still attach to the tangle in blocks of its own. */
  async #gossip(ear: NodeEar, payments: readonly Payment[]): Promise<void> {
    const parents = await ear.tips(GOSSIP_PARENTS);
    const room = FRAME_BYTES_MAX - blockOverheadBytes(PARENTS_MAX);
    let some: Payment[] = [];
    const publish = async (): Promise<void> => {
      if (some.length === 0) return;
      const { network } = this.#options.genesis;
      const bytes = encodeBlock(
        network,
        [...parents].sort(),
        some.map((payment) => payment.bytes),
      );
      if ((await this.#deps.peers.publishBlock(bytes)) > 0) this.#gossiped += some.length;
      some = [];
    };
    let size = 0;
    for (const payment of payments) {
      if (size + payment.bytes.length > room) {
        await publish();
        size = 0;
      }
      some.push(payment);
      size += payment.bytes.length;
    }
    await publish();
  }

  /** Until it is so, the time is over, or the command is interrupted; asks nodes meanwhile for what they have not told. */
  async #until(isSo: () => boolean | Promise<boolean>, endMs: number): Promise<void> {
    const { signal } = this.#deps;
    let askAtMs = now() + ASK_MS;
    while (!(await isSo()) && now() < endMs) {
      signal.throwIfAborted();
      await pause(POLL_MS, signal);
      if (now() < askAtMs) continue;
      await Promise.all(this.#ears.map((ear) => this.#askUntold(ear)));
      askAtMs = now() + ASK_MS;
    }
  }

  async #askUntold(ear: NodeEar): Promise<void> {
    for (const id of this.#contest.untold(ear.node).slice(0, ASKS)) {
      // A node that is gone, or busy, is asked again; the time is bounded.
      await ear.ask(id).catch((error) => {
        this.#deps.log.warn({ node: ear.address, error: String(error) }, 'a node did not answer');
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#honest?.stop();
    await Promise.all(this.#ears.map((ear) => ear[Symbol.asyncDispose]()));
  }
}

function isSlotTaken(reply: SubmitReply | undefined): boolean {
  return reply !== undefined && 'refusal' in reply && reply.refusal.code === 'slot_taken';
}

function now(): number {
  return performance.now();
}
