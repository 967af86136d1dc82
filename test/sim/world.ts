/**
 * Several cores in virtual time: every message takes a seeded delay and arrives out of order; nothing waits for a real clock. A
 * core that misses a parent asks for it and gets it from whoever sent what needs it.
 */
import assert from 'node:assert/strict';
import {
  Core,
  decodeVertex,
  type Effect,
  type Genesis,
  isRefusal,
  type LedgerOptions,
  type PaymentId,
  type Refusal,
  sign,
  type ValidatorOptions,
  type Vertex,
  type VertexId,
} from '../../ledger/index.ts';
import { keysOf, letterOf } from '../dsl/network.ts';
import { Chance } from '../generators/chance.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly delayMsMax: number;
  readonly validator: Omit<ValidatorOptions, 'index'>;
  readonly ledger?: LedgerOptions;
}

interface Timed {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** One node of the world: its core, what it has stored in order, what it was told is final. */
export class WorldNode {
  readonly name: string;
  core: Core;
  readonly stored: Vertex[] = [];
  readonly finals: PaymentId[] = [];
  readonly refused: Refusal[] = [];
  up = true;
  /** It hears, and nobody hears it. */
  muted = false;

  constructor(name: string, core: Core) {
    this.name = name;
    this.core = core;
  }
}

export class World {
  readonly genesis: Genesis;
  readonly nodes: WorldNode[];
  nowMs = 1000;
  readonly #options: WorldOptions;
  readonly #chance: Chance;
  readonly #queue: Timed[] = [];
  #order = 0;

  constructor(genesis: Genesis, options: WorldOptions) {
    this.genesis = genesis;
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.nodes = genesis.committee.map((_, i) => new WorldNode(letterOf(i), this.#core(i)));
    for (const node of this.nodes) this.#wake(node);
  }

  #core(index: number): Core {
    return new Core(
      {
        genesis: this.genesis,
        validator: { index, ...this.#options.validator },
        ...(this.#options.ledger === undefined ? {} : { ledger: this.#options.ledger }),
      },
      { sign: (message) => sign(keysOf(`validator ${letterOf(index)}`).secret, message) },
    );
  }

  at(atMs: number, run: () => void): void {
    this.#queue.push({ atMs, order: this.#order++, run });
  }

  /** The node forgets everything that it has not stored, and starts again. */
  restart(node: WorldNode): void {
    node.core = this.#core(this.nodes.indexOf(node));
    for (const vertex of node.stored) node.core.restore(vertex.bytes);
    node.up = true;
  }

  /** Somebody outside hands a vertex to some nodes. */
  inject(bytes: Uint8Array, nodes: readonly WorldNode[] = this.nodes): VertexId {
    const vertex = decodeVertex(bytes, this.genesis.network);
    assert.ok(!isRefusal(vertex), JSON.stringify(vertex));
    for (const node of nodes) this.#deliver(node, vertex, 'client');
    return vertex.id;
  }

  #deliver(node: WorldNode, vertex: Vertex, from: string): void {
    this.at(this.nowMs + 1 + this.#chance.below(this.#options.delayMsMax), () => {
      if (!node.up) return;
      this.#carryOut(
        node,
        node.core.step({ type: 'vertex', vertex, from, requested: false, nowMs: this.nowMs }),
        from,
      );
    });
  }

  #carryOut(node: WorldNode, effects: readonly Effect[], from: string): void {
    for (const effect of effects) {
      if (effect.type === 'attached') {
        node.stored.push(effect.vertex);
        if (!node.muted && (effect.own || from === 'client')) {
          for (const other of this.nodes) if (other !== node) this.#deliver(other, effect.vertex, node.name);
        }
      } else if (effect.type === 'final') {
        node.finals.push(...effect.payments.map(({ id }) => id));
      } else if (effect.type === 'refused') {
        node.refused.push(effect.refusal);
      } else if (effect.type === 'wanted') {
        for (const { id, from: sender } of effect.wants) this.#ask(node, id, sender);
      }
    }
  }

  #ask(node: WorldNode, id: VertexId, sender: string): void {
    const holder = this.nodes.find(({ name }) => name === sender) ?? this.nodes[0];
    const vertex = [holder, ...this.nodes].flatMap((n) => n?.stored ?? []).find((stored) => stored.id === id);
    if (vertex !== undefined) this.#deliver(node, vertex, sender);
  }

  #wake(node: WorldNode): void {
    this.at(this.nowMs + 5, () => {
      if (node.up) this.#carryOut(node, node.core.step({ type: 'tick', nowMs: this.nowMs }), 'self');
      this.#wake(node);
    });
  }

  /** Runs until the condition holds; fails when it does not within the time. */
  run(untilMs: number, done: () => boolean = () => false): void {
    const endMs = this.nowMs + untilMs;
    while (!done()) {
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#queue[0];
      assert.ok(next !== undefined);
      if (next.atMs > endMs) {
        this.nowMs = endMs;
        break;
      }
      this.#queue.shift();
      this.nowMs = next.atMs;
      next.run();
    }
  }
}
