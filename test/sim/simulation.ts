/**
 * One seed: several production cores with simulated disks, clocks and links, some liars and some owners, in virtual time.
 * First a phase in which everything goes wrong that the seed's mix has; then the network heals, and everything that was left
 * must come to an end. The referee looks on all the time.
 */
import assert from 'node:assert/strict';
import {
  decodeVertex,
  type Effect,
  type Genesis,
  isRefusal,
  type Payment,
  type PaymentId,
  type ValidatorIndex,
  type Vertex,
  type VertexId,
  WAITING_DEFAULTS,
} from '../../ledger/index.ts';
import { letterOf, TestNetwork } from '../dsl/network.ts';
import { Chance } from '../generators/chance.ts';
import { ByzantineNode } from './byzantine.ts';
import { openPayments, statesDiffer, stillWaiting } from './healing.ts';
import { drawMix, type Mix } from './mix.ts';
import { SimNetwork } from './network.ts';
import { SimNode } from './node.ts';
import { ORACLE_VERTICES_MAX, oracleDisagrees } from './oracle-check.ts';
import { Owners } from './owners.ts';
import { type Invariant, Referee, type Violation } from './referee.ts';
import type { Party, Peer, SimWorld, Window, WindowRequest } from './sim-world.ts';
import { VirtualTime } from './virtual-time.ts';

/** After healing everything has to be done in this time. */
const LIVENESS_MS = 120_000;
const LOOK_MS = 200;

export interface Report {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Equal for equal runs. */
  readonly digest: string;
  readonly virtualMs: number;
  readonly rounds: number;
  /** How long healing took. */
  readonly healedMs: number;
  readonly vertices: number;
  readonly payments: number;
  readonly finals: number;
  readonly commits: number;
  readonly contested: number;
  readonly resolved: number;
  readonly crashes: number;
  readonly snapshots: number;
  readonly partitions: number;
  readonly lies: number;
  readonly equivocators: number;
  readonly messages: number;
  /** 1 when the slow rules have recomputed the run. */
  readonly oracles: number;
}

export class Simulation implements SimWorld {
  readonly mix: Mix;
  readonly genesis: Genesis;
  readonly network: TestNetwork;
  readonly time = new VirtualTime();
  readonly chance: Chance;
  readonly referee: Referee;
  readonly waiting = { ...WAITING_DEFAULTS, timeoutMs: 3000 };
  readonly nodes: SimNode[] = [];
  readonly liars: ByzantineNode[] = [];
  readonly owners: Owners;
  readonly #links: SimNetwork;
  readonly #parties: Party[] = [];
  readonly #peers: Peer[][];
  readonly #decoded = new WeakMap<Uint8Array, Vertex>();
  readonly #vertices = new Map<VertexId, Vertex>();
  #digest = 0;
  #crashes = 0;
  #asked = false;
  #healing = false;

  constructor(seed: number) {
    const mix = drawMix(seed);
    this.mix = mix;
    this.chance = new Chance(seed);
    const funds = Object.fromEntries(mix.owners.map(({ name, funds }) => [name, funds]));
    this.network = new TestNetwork({ weights: mix.weights, funds, signed: true });
    this.genesis = this.network.genesis;
    this.referee = new Referee(this.genesis, mix.byzantine);
    this.#links = new SimNetwork(mix, this);
    const names = mix.weights.map((_, index) => ({ id: letterOf(index), index }));
    this.#peers = names.map(({ index }) => names.filter((peer) => peer.index !== index));
    for (const { index } of names) {
      if (mix.byzantine.has(index)) {
        const liar = new ByzantineNode(index, this);
        this.liars.push(liar);
        this.#parties.push(liar);
      } else {
        const node = new SimNode(index, this);
        this.nodes.push(node);
        this.#parties.push(node);
      }
    }
    this.owners = new Owners(this, this.#parties);
    this.#plan(mix.crashEveryMs, () => this.#crash());
    this.#plan(mix.partitionEveryMs, () => this.#partition());
    if (mix.clocks.jumpMsMax > 0) this.#plan(1000, () => this.#jump());
  }

  /** Every vertex that was ever made, in the order of making. */
  get vertices(): readonly Vertex[] {
    return [...this.#vertices.values()];
  }

  async run(): Promise<Report> {
    const uninstall = this.time.install();
    try {
      await this.#until(this.mix.safetyMs, () => false);
      const startMs = this.time.nowMs;
      this.#heal();
      const done = () => this.#unfinished() === undefined;
      const finished = await this.#until(startMs + LIVENESS_MS, done);
      if (!finished && this.referee.violation === undefined) {
        const unfinished = this.#unfinished();
        if (unfinished !== undefined) this.referee.fail(unfinished[0], unfinished[1], [], unfinished[2]);
      }
      const healedMs = this.time.nowMs - startMs;
      if (this.mix.askOracle && this.#vertices.size <= ORACLE_VERTICES_MAX) this.#askOracle();
      return this.#report(healedMs);
    } finally {
      uninstall();
    }
  }

  /** Runs until the time has come, the condition holds (looked at now and then), or something is broken. */
  async #until(endMs: number, done: () => boolean): Promise<boolean> {
    let lookAtMs = this.time.nowMs + LOOK_MS;
    while (this.referee.violation === undefined && (await this.time.next(endMs))) {
      if (this.time.nowMs < lookAtMs) continue;
      lookAtMs = this.time.nowMs + LOOK_MS;
      if (done()) return true;
    }
    return this.referee.violation !== undefined;
  }

  #askOracle(): void {
    if (this.referee.violation !== undefined) return;
    const disagrees = oracleDisagrees(this, this.vertices);
    this.#asked = true;
    if (disagrees !== undefined) this.referee.fail('the oracle disagrees', disagrees);
  }

  #unfinished(): [Invariant, string, PaymentId[]] | undefined {
    return stillWaiting(this) ?? openPayments(this) ?? statesDiffer(this);
  }

  /** Again and again during the first phase. */
  #plan(everyMs: number, run: () => void): void {
    if (everyMs === 0) return;
    this.time.after(-Math.log(1 - this.chance.next()) * everyMs, () => {
      if (this.#healing) return;
      run();
      this.#plan(everyMs, run);
    });
  }

  #crash(): void {
    const { chance, time, mix } = this;
    const up = this.nodes.filter((node) => node.up);
    if (up.length === 0) return;
    const writing = up.filter((node) => node.writing);
    const node = writing.length > 0 && chance.flip(0.7) ? chance.pick(writing) : chance.pick(up);
    node.crash();
    this.#crashes++;
    time.after(1 + chance.below(mix.downMsMax), () => {
      if (!node.up) node.start();
    });
  }

  #partition(): void {
    const undo = this.#links.partition();
    this.time.after(1 + this.chance.below(this.mix.partitionMsMax), () => {
      for (const [from, to] of undo()) {
        if (!this.chance.flip(0.5)) continue;
        this.time.after(10, () => this.#parties[to]!.reconnected(letterOf(from)));
      }
    });
  }

  #jump(): void {
    const { jumpMsMax } = this.mix.clocks;
    const node = this.chance.pick(this.nodes);
    node.skewMs = Math.max(0, node.skewMs + this.chance.below(2 * jumpMsMax) - jumpMsMax);
  }

  /** Everybody is up and hears everybody; no more lies, no more payments. */
  #heal(): void {
    this.#healing = true;
    this.#links.heal();
    this.owners.stop();
    for (const liar of this.liars) liar.tame(!this.mix.byzantineGoOn);
    for (const node of this.nodes) {
      if (!node.up) node.start();
      else for (const { id } of this.peersOf(node.index)) node.reconnected(id);
    }
  }

  vertexOf(bytes: Uint8Array): Vertex {
    let vertex = this.#decoded.get(bytes);
    if (vertex === undefined) {
      const decoded = decodeVertex(bytes, this.genesis.network);
      assert.ok(!isRefusal(decoded), JSON.stringify(decoded));
      vertex = this.#vertices.get(decoded.id) ?? decoded;
      this.#decoded.set(bytes, vertex);
      this.#know(vertex);
    }
    return vertex;
  }

  #know(vertex: Vertex): void {
    this.#decoded.set(vertex.bytes, vertex);
    if (!this.#vertices.has(vertex.id)) this.#vertices.set(vertex.id, vertex);
  }

  vertex(id: VertexId): Vertex | undefined {
    return this.#vertices.get(id);
  }

  payment(id: PaymentId): Payment {
    return this.owners.payments.get(id)!;
  }

  peersOf(index: ValidatorIndex): readonly Peer[] {
    return this.#peers[index]!;
  }

  send(from: ValidatorIndex, to: ValidatorIndex, vertex: Vertex, requested: boolean): void {
    this.#links.send(from, to, () => this.#parties[to]!.take(vertex, letterOf(from), requested));
  }

  broadcast(from: ValidatorIndex, vertex: Vertex): void {
    for (const { index } of this.#peers[from]!) this.send(from, index, vertex, false);
  }

  passOn(from: ValidatorIndex, vertex: Vertex): void {
    const { fanout } = this.mix.network;
    for (let i = 0; i < fanout; i++)
      this.send(from, this.chance.pick(this.#peers[from]!).index, vertex, false);
  }

  ask(from: ValidatorIndex, to: ValidatorIndex, id: VertexId): void {
    this.#links.send(from, to, () => {
      const party = this.#parties[to]!;
      if (!party.up) return;
      party.serve([id], (vertices) => {
        for (const vertex of vertices) this.send(to, from, vertex, true);
      });
    });
  }

  requestWindow(
    from: ValidatorIndex,
    peer: string,
    request: WindowRequest,
    reply: (window: Window) => void,
  ): void {
    const to = peer.charCodeAt(0) - 65;
    this.#links.send(from, to, () => {
      const party = this.#parties[to]!;
      if (!party.up) return;
      void party.window(request).then((window) => this.#links.send(to, from, () => reply(window)));
      this.time.settle();
    });
  }

  told(_node: ValidatorIndex, payment: PaymentId): void {
    this.owners.onTold(payment);
  }

  note(node: ValidatorIndex, effect: Effect): void {
    this.#mix(node);
    this.#mix(effect.type.length);
    if (effect.type === 'attached') {
      this.#know(effect.vertex);
      this.#mixText(effect.vertex.id);
    } else if (effect.type === 'final') for (const { id } of effect.payments) this.#mixText(id);
  }

  #mix(value: number): void {
    this.#digest = Math.imul(this.#digest ^ value, 0x01000193) >>> 0;
  }

  #mixText(text: string): void {
    for (let i = 0; i < 12; i++) this.#mix(text.charCodeAt(i));
  }

  guard(node: ValidatorIndex, invariant: Invariant, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.referee.fail(invariant, `${letterOf(node)}: ${(error as Error).stack}`);
    }
  }

  broken(node: ValidatorIndex, error: unknown): void {
    this.referee.fail('an assertion', `${letterOf(node)}: ${(error as Error).stack}`);
  }

  #report(healedMs: number): Report {
    const { referee, owners } = this;
    return {
      seed: this.mix.seed,
      violation: referee.violation,
      digest: `${this.#digest.toString(16).padStart(8, '0')}-${this.#vertices.size}-${this.#links.messages}`,
      virtualMs: this.time.nowMs,
      rounds: Math.max(...this.nodes.map(({ core }) => core.rounds.highestQuorum)),
      healedMs,
      vertices: this.#vertices.size,
      payments: owners.payments.size,
      finals: referee.finals,
      commits: referee.commits,
      contested: owners.contested,
      resolved: referee.resolved,
      crashes: this.#crashes,
      snapshots: this.nodes.reduce((sum, { snapshots }) => sum + snapshots, 0),
      partitions: this.#links.partitions,
      lies: this.liars.reduce((sum, liar) => sum + liar.lies, 0),
      equivocators: referee.equivocators.size,
      messages: this.#links.messages,
      oracles: this.#asked ? 1 : 0,
    };
  }
}

/** Plays one seed. */
export function simulate(seed: number): Promise<Report> {
  return new Simulation(seed).run();
}
