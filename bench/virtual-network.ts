/**
 * Validators in one thread and in virtual time: the production cores, each checking every signature for itself, on links that
 * take a fixed time each and disks that sync in a fixed time. Nothing is lost and nobody lies; what that does is the simulator's
 * question (test/sim/). Time passes only between events, so finality here is rounds and links, never a busy machine; processor
 * time is real.
 */
import {
  Core,
  checkVertex,
  decodeVertex,
  type Effect,
  encodeBlock,
  type Genesis,
  isRefusal,
  type Payment,
  type PaymentId,
  type Slot,
  sign,
  TipPicker,
  type Vertex,
} from '../ledger/index.ts';
import { keysOf, letterOf, TestNetwork } from '../test/dsl/network.ts';
import { Chance } from '../test/generators/chance.ts';
import { VirtualTime } from '../test/sim/virtual-time.ts';

/** One way, on the mean: validators of one country. */
export const DELAY_MS = 10;

/** A disk that keeps its word. */
export const SYNC_MS = 2;

/** A node's own defaults. */
const TIMES = { roundFloorMs: 40, roundLingerMs: 25, idleBeatMs: 1000 };
const BLOCK_LINGER_MS = 5;
const TIPS = { strategy: 'uniform', alpha: 0.01, parents: 3 } as const;

/** A block of so many payments of one transfer fills its frame. */
const BLOCK_PAYMENTS_MAX = 300;

/** More than any run makes; untouched rows cost no memory. */
const VERTICES_MAX = 1_000_000;

/** Whatever has not happened by then never will. */
const PATIENCE_MS = 600_000;

/** When and where a payment was final. */
export interface Finality {
  readonly payment: PaymentId;
  /** Virtual, with the sync that comes before anybody is told. */
  readonly atMs: number;
  /** The greatest round with a quorum that the node knew. */
  readonly round: number;
}

export class VirtualNetwork {
  readonly network: TestNetwork;
  readonly time = new VirtualTime();
  readonly nodes: readonly VirtualNode[];

  /** @param funds What each owner begins with. */
  constructor(validators: number, funds: Readonly<Record<string, number>>) {
    this.network = new TestNetwork({ weights: Array(validators).fill(1), funds, signed: true });
    this.nodes = Array.from({ length: validators }, (_, index) => new VirtualNode(index, this));
    for (const node of this.nodes) node.tick();
  }

  get genesis(): Genesis {
    return this.network.genesis;
  }

  /** One unit from one owner to another, after the payment before, if there is one. @param mark Makes rivals differ. */
  payment(from: string, to: string, before: Payment | undefined, mark = ''): Payment {
    return this.network.payment({
      from,
      previous: (before?.id ?? keysOf(from).address) as Slot,
      sequence: (before?.sequence ?? 0) + 1,
      transfers: [{ to, amount: 1 }],
      name: mark,
    });
  }

  /** To everybody else, who gets bytes and checks them. */
  broadcast(from: VirtualNode, { bytes }: Vertex): void {
    for (const node of this.nodes) {
      if (node === from) continue;
      this.time.after(this.#delayMs(from, node), () => node.receive(bytes, letterOf(from.index)));
    }
  }

  /**
   * Half to one and a half of DELAY_MS, the longer the further around the ring: so not everybody sees the same rival first.
   * No way over a third is shorter than the direct one, so parents come before their children.
   */
  #delayMs(from: VirtualNode, to: VirtualNode): number {
    const { length } = this.nodes;
    return DELAY_MS * (0.5 + ((to.index - from.index + length) % length) / length);
  }

  /** Lets the time pass. */
  async runTo(atMs: number): Promise<void> {
    while (await this.time.next(atMs));
  }

  /** Runs until the condition holds. Rejects when it never does. */
  async until(done: () => boolean): Promise<void> {
    const endMs = this.time.nowMs + PATIENCE_MS;
    while (!done()) {
      if (!(await this.time.next(endMs))) throw new Error(`not done in ${PATIENCE_MS} ms of virtual time`);
    }
  }
}

export class VirtualNode {
  readonly index: number;
  readonly core: Core;
  /** By payment, in the order of becoming so. */
  readonly finals = new Map<PaymentId, Finality>();
  readonly #world: VirtualNetwork;
  readonly #picker: TipPicker;
  readonly #chance: Chance;
  #waiting: Payment[] = [];
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(index: number, world: VirtualNetwork) {
    this.index = index;
    this.#world = world;
    this.#chance = new Chance(index);
    const { secret } = keysOf(`validator ${letterOf(index)}`);
    this.core = new Core(
      { genesis: world.genesis, ledger: { verticesMax: VERTICES_MAX }, validator: { index, ...TIMES } },
      { sign: (message) => sign(secret, message) },
    );
    this.#picker = new TipPicker(this.core.ledger.tangle.columns, TIPS);
  }

  /** The greatest round with a quorum that it knows. */
  get round(): number {
    return this.core.rounds.highestQuorum;
  }

  /** A client hands it in; it goes out with what others hand in meanwhile. */
  submit(payment: Payment): void {
    this.#waiting.push(payment);
    if (this.#waiting.length === 1) this.#world.time.after(BLOCK_LINGER_MS, () => this.#assemble());
  }

  #assemble(): void {
    const { network } = this.#world.genesis;
    while (this.#waiting.length > 0) {
      const encodings = this.#waiting.splice(0, BLOCK_PAYMENTS_MAX).map(({ bytes }) => bytes);
      const { tangle } = this.core.ledger;
      const parents = this.#picker.pick(() => this.#chance.next()).map((row) => tangle.record(row).id);
      this.#take(encodeBlock(network, parents, encodings), 'self');
    }
  }

  /** What a peer has sent: every validator checks every signature. */
  receive(bytes: Uint8Array, from: string): void {
    const hashes = checkVertex(bytes, this.#world.genesis);
    if (isRefusal(hashes)) throw new Error(`an honest vertex was refused: ${JSON.stringify(hashes)}`);
    this.#take(bytes, from, hashes);
  }

  #take(bytes: Uint8Array, from: string, hashes?: Uint8Array): void {
    const vertex = decodeVertex(bytes, this.#world.genesis.network, hashes);
    if (isRefusal(vertex)) throw new Error(`an honest vertex was refused: ${JSON.stringify(vertex)}`);
    const { nowMs } = this.#world.time;
    this.#carryOut(this.core.step({ type: 'vertex', vertex, from, requested: false, nowMs }));
    this.#schedule();
  }

  tick(): void {
    this.#carryOut(this.core.step({ type: 'tick', nowMs: this.#world.time.nowMs }));
    this.#schedule();
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'attached') this.#attached(effect.vertex, effect.own);
      else if (effect.type === 'final') for (const { id } of effect.payments) this.#final(id);
      else if (effect.type === 'committed') for (const { id } of effect.commit.decided) this.#final(id);
      else throw new Error(`among honest nodes: ${JSON.stringify(effect)}`);
    }
  }

  /** Durable before visible. */
  #attached(vertex: Vertex, own: boolean): void {
    if (own) this.#world.time.after(SYNC_MS, () => this.#world.broadcast(this, vertex));
  }

  #final(payment: PaymentId): void {
    if (this.finals.has(payment)) return;
    const atMs = this.#world.time.nowMs + SYNC_MS;
    this.finals.set(payment, { payment, atMs, round: this.round });
  }

  #schedule(): void {
    const { time } = this.#world;
    const atMs = Math.max(this.core.wakeAtMs() ?? Number.POSITIVE_INFINITY, time.nowMs);
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    time.at(atMs, () => {
      if (this.#wakeAtMs !== atMs) return;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.tick();
    });
  }
}
