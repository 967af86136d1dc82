/**
 * Accounts with money, the nodes that they pay through, and the load that they make: what `ravel spam` and the benches run.
 *
 * Each account pays the next one, so that the money stays among them. One in `proveEvery` payments goes to a receiver that is
 * watched, at another node than the payer's; its proof speaks for all before it.
 */
import { randomBytes } from 'node:crypto';
import type { Address, Genesis, PaymentId, Slot } from '../../ledger/index.ts';
import type { LightPeers, Log } from '../../p2p/index.ts';
import { pause } from '../up/pause.ts';
import { Lane } from './lane.ts';
import { Load } from './load.ts';
import { NodeEar } from './node-ear.ts';
import { type FindWork, RawAccount } from './raw-account.ts';
import { makeAhead, type StockDeps } from './stock.ts';

export interface TrafficOptions {
  readonly genesis: Genesis;
  /** Multiaddrs. */
  readonly nodes: readonly string[];
  /** Keys of the paying accounts, 32 bytes each. None has paid before. */
  readonly secrets: readonly Uint8Array[];
  /**
   * 1: the proof of every payment comes and is checked; n: that of one in n, and of at least one among 2n in a row of an
   * account. A closed loop needs a window of that size.
   */
  readonly proveEvery: number;
}

export interface TrafficDeps {
  readonly peers: LightPeers;
  readonly findWork: FindWork;
  readonly log: Log;
  /** The proof of a payment has been checked; see LoadDeps. */
  proven(dueMs: number, sentMs: number, atMs: number): void;
}

/** What nodes say of an account in the end that they should not. */
export interface Disagreement {
  readonly node: string;
  readonly account: Address;
  /** The last payment of the account that is final there. */
  readonly finalHead: Slot;
}

/** Half as often as a node answers one client. */
const ASK_EVERY_MS = 10;

/** So many may be asked at once, whatever was asked before. */
const ASK_BURST = 100;

export class Traffic implements AsyncDisposable {
  readonly lanes: readonly Lane[];
  readonly load: Load;
  /** Proofs that do not hold. */
  readonly lies: string[] = [];
  readonly ears: NodeEar[] = [];
  readonly #deps: TrafficDeps;
  readonly #stock: StockDeps;
  /** By node, which watches it. */
  readonly #receivers: readonly Address[];

  private constructor(options: TrafficOptions, deps: TrafficDeps) {
    const { genesis, nodes, secrets, proveEvery } = options;
    this.#deps = deps;
    this.lanes = secrets.map((secret, i) => new Lane(i, new RawAccount(genesis, secret), i % nodes.length));
    this.load = new Load({
      lanes: this.lanes,
      // They are opened a moment later, in this order.
      nodes: nodes.map((_, i) => ({
        submit: (payments) => this.ears[i]!.submit(payments),
        ask: (id) => this.ears[i]!.ask(id),
      })),
      log: deps.log,
      nowMs: now,
      proven: deps.proven,
    });
    const receivers = nodes.map(() => new RawAccount(genesis, randomBytes(32)).address);
    this.#receivers = receivers;
    const gaps = secrets.map(() => 0);
    this.#stock = {
      lanes: this.lanes,
      findWork: deps.findWork,
      receiver: (lane, number) => {
        const next = this.lanes[(lane.index + 1) % this.lanes.length]!.account.address;
        const watched = isWatched(lane.index, number, proveEvery, gaps[lane.index]!);
        gaps[lane.index] = watched ? 0 : gaps[lane.index]! + 1;
        return { to: watched ? receivers[(lane.index + 1) % receivers.length]! : next, watched };
      },
    };
  }

  /** Rejects with a PeersError when a node cannot be reached. */
  static async open(options: TrafficOptions, deps: TrafficDeps): Promise<Traffic> {
    const traffic = new Traffic(options, deps);
    try {
      for (const [i, node] of options.nodes.entries())
        traffic.ears.push(await traffic.#listen(i, node, options.genesis));
      return traffic;
    } catch (error) {
      await traffic[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #listen(i: number, node: string, genesis: Genesis): Promise<NodeEar> {
    const ear = await NodeEar.open(i, node, genesis, {
      peers: this.#deps.peers,
      log: this.#deps.log,
      mark: () => ({ atMs: now(), round: 0 }),
      final: (_node, payment, _by, { atMs }) => void this.load.final(payment, atMs),
      lied: (_node, problem) => void this.lies.push(`${node}: ${problem}`),
    });
    await ear.watch([this.#receivers[i]!]);
    return ear;
  }

  /** Makes payments until each account has so many that no node has; see makeAhead. */
  make(perAccount: number, signal: AbortSignal, onMade?: (count: number) => void): Promise<void> {
    return makeAhead(this.#stock, (lane) => lane.sent + perAccount, signal, onMade);
  }

  /** Asks every node for every account, once all is settled; a node that is behind gets until `timeoutMs` are over. */
  async disagreements(timeoutMs: number, signal: AbortSignal): Promise<readonly Disagreement[]> {
    const endMs = now() + timeoutMs;
    const each = this.ears.map(async (ear) => {
      let asked = 0;
      const found: Disagreement[] = [];
      for (const lane of this.lanes) {
        const account = lane.account.address;
        for (;;) {
          if (asked++ >= ASK_BURST) await pause(ASK_EVERY_MS, signal);
          if (signal.aborted) return found;
          const { finalHead } = await ear.account(account);
          if (lane.agrees(finalHead)) break;
          if (now() < endMs) continue;
          found.push({ node: ear.address, account, finalHead });
          break;
        }
      }
      return found;
    });
    return (await Promise.all(each)).flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await Promise.all(this.ears.map((ear) => ear[Symbol.asyncDispose]()));
  }
}

/**
 * As if by lot, and yet the same each time: in a regular pattern, accounts that pay in step would be looked at in step.
 * @param gap Payments of the account since the last one that is watched.
 */
export function isWatched(lane: number, number: number, every: number, gap: number): boolean {
  const lot = Math.imul(Math.imul(lane + 1, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b), 0xc2b2_ae35);
  return (lot >>> 15) % every === 0 || gap >= 2 * every - 1;
}

/** Between two questions to a node. */
const POLL_MS = 20;

/** Waits until a payment is proven final by each of these nodes. False when that is not so in time. */
export async function untilKnown(
  ears: readonly NodeEar[],
  payment: PaymentId,
  endMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const open = new Set(ears);
  while (now() < endMs && !signal.aborted) {
    for (const ear of [...open]) if ((await ear.ask(payment)) === 'final') open.delete(ear);
    if (open.size === 0) return true;
    await pause(POLL_MS, signal);
  }
  return false;
}

function now(): number {
  return performance.now();
}
