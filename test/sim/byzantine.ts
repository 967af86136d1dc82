/**
 * A validator that lies: it knows all that a node knows, makes what its tricks ask for, and shows different things to
 * different nodes. What it sends is mostly valid, as everything else is refused at once; the rest is junk.
 */
import {
  type Block,
  Core,
  encodeBlock,
  type Payment,
  type PaymentId,
  type Slot,
  type ValidatorIndex,
  type Vertex,
  type VertexId,
  type Witness,
  ZERO_HASH,
} from '../../ledger/index.ts';
import type { Verdict } from '../../p2p/index.ts';
import { letterOf } from '../dsl/network.ts';
import { encodeLie, forge, type Lie } from './forge.ts';
import type { Trick } from './mix.ts';
import type { Party, SimWorld, Window } from './sim-world.ts';
import { TwoFaced } from './two-faced.ts';

const LOOK_MS = 15;
const RECENT = 24;

export class ByzantineNode implements Party {
  readonly index: ValidatorIndex;
  readonly name: string;
  readonly core: Core;
  readonly up = true;
  readonly #world: SimWorld;
  readonly #own: Witness[] = [];
  readonly #blocks: VertexId[] = [];
  readonly #payments = new Map<PaymentId, Payment>();
  readonly #withheld: Vertex[] = [];
  readonly #shown = new Set<VertexId>();
  readonly #twoFaced: TwoFaced;
  #round = 0;
  /** No tricks any more: as a correct one would, or nothing at all. */
  #tame: 'no' | 'behaves' | 'silent' = 'no';
  lies = 0;

  constructor(index: ValidatorIndex, world: SimWorld) {
    this.index = index;
    this.name = letterOf(index);
    this.#world = world;
    const ledger = { verticesMax: 60_000, epochRounds: world.mix.epochRounds };
    this.core = new Core({ genesis: world.genesis, ledger });
    this.#twoFaced = new TwoFaced({
      others: this.#peers.map((peer) => peer.index),
      make: (round, twin, self, tips) => this.#make(round, 'twice', twin, self, tips),
      show: (vertices, audience) => this.#show(vertices, audience),
      blockOver: (vertices) => this.#blockOver(vertices),
    });
    world.time.after(LOOK_MS, () => this.#look());
  }

  tame(silent: boolean): void {
    this.#release();
    this.#tame = silent ? 'silent' : 'behaves';
  }

  take(vertex: Vertex, from: string, requested: boolean): Verdict {
    const { time, chance } = this.#world;
    const event = { type: 'vertex', vertex, from, requested, nowMs: time.nowMs } as const;
    // Its ledger is the one that everybody has: where that breaks, a correct node's would.
    this.#world.guard(this.index, 'an assertion', () => {
      for (const effect of this.core.step(event)) {
        if (effect.type === 'attached') this.#seen(effect.vertex);
        if (effect.type === 'wanted')
          for (const { id } of effect.wants) this.#world.ask(this.index, chance.pick(this.#peers).index, id);
      }
    });
    return 'accept';
  }

  get #peers() {
    return this.#world.peersOf(this.index);
  }

  #seen(vertex: Vertex): void {
    if (vertex.kind !== 'block') return;
    this.#blocks.push(vertex.id);
    if (this.#blocks.length > RECENT) this.#blocks.shift();
    for (const payload of vertex.payloads) {
      if (payload.kind !== 'payment') continue;
      this.#payments.delete(payload.id);
      this.#payments.set(payload.id, payload);
      if (this.#payments.size > RECENT)
        this.#payments.delete(this.#payments.keys().next().value as PaymentId);
    }
  }

  /** What it is asked for it sends, or not. */
  serve(ids: readonly VertexId[], reply: (vertices: readonly Vertex[]) => void): void {
    if (this.#tame === 'no' && this.#world.chance.flip(0.3)) return;
    const found = ids.map((id) => this.#world.vertex(id)).filter((vertex) => vertex !== undefined);
    reply(found.filter(({ id }) => this.core.ledger.tangle.has(id)));
  }

  async window(): Promise<Window> {
    return { vertices: [] };
  }

  submit(payment: Payment): void {
    this.#payments.set(payment.id, payment);
  }

  reconnected(): void {}

  #look(): void {
    const { time, mix } = this.#world;
    for (const effect of this.core.step({ type: 'tick', nowMs: time.nowMs })) {
      if (effect.type !== 'wanted') continue;
      for (const { id, from } of effect.wants) {
        const sender = this.#peers.find((peer) => peer.id === from) ?? this.#world.chance.pick(this.#peers);
        this.#world.ask(this.index, sender.index, id);
      }
    }
    const round = this.core.rounds.highestQuorum + 1;
    if (round > this.#round) {
      this.#round = round;
      const wait = mix.times.roundFloorMs * this.#world.chance.next();
      time.after(wait, () => this.#turn(round));
    }
    time.after(LOOK_MS, () => this.#look());
  }

  #turn(round: number): void {
    if (this.#tame === 'silent') return;
    const { chance, mix } = this.#world;
    const leader = round % 3 === 0 && (round / 3 - 1) % mix.weights.length === this.index;
    const trick: Trick =
      this.#tame === 'behaves' || chance.flip(leader ? 0.1 : 0.3) ? 'behave' : chance.pick(mix.tricks);
    if (trick !== 'behave') this.lies++;
    if (this.#twoFaced.turn(round)) return;
    if (leader && trick === 'two-faced') {
      this.#twoFaced.begin(round, chance.pick(this.#peers).index);
      return;
    }
    this.#world.guard(this.index, 'an assertion', () => this.#play(trick, round));
  }

  #play(trick: Trick, round: number): void {
    const { time, chance } = this.#world;
    const { times } = this.#world.mix;
    switch (trick) {
      case 'silent':
        return;
      case 'late': {
        const late = this.#make(round, trick);
        if (late === undefined) return;
        const delayMs = times.roundLingerMs + chance.below(4 * times.roundFloorMs + 100);
        time.after(delayMs, () => this.#show([late]));
        return;
      }
      case 'withhold': {
        const kept = this.#make(round, trick);
        if (kept !== undefined) this.#withheld.push(kept);
        if (chance.flip(0.3)) this.#release();
        return;
      }
      case 'equivocate':
      case 'twice':
      case 'fork':
      case 'flood-witnesses':
        this.#twins(trick, round);
        return;
      case 'twin-block':
        this.#twinBlock(round);
        return;
      case 'invalid':
        this.#junk(round);
        return;
      case 'flood-blocks':
        this.#floodBlocks();
        return;
      case 'bomb':
        this.#bomb();
        return;
      default:
        this.#show([this.#make(round, trick)]);
    }
  }

  /** Several witnesses for one round, each to its own audience; sometimes overlapping. */
  #twins(trick: Trick, round: number): void {
    const { chance } = this.#world;
    const count = trick === 'flood-witnesses' ? 4 : 2;
    const others = chance.shuffled(this.#peers);
    for (let twin = 0; twin < count; twin++) {
      const witness = this.#make(round, trick, twin);
      const audience = others.filter((_, i) => i % count === twin || chance.flip(0.1));
      this.#show(
        [witness],
        audience.map(({ index }) => index),
      );
    }
  }

  /** Twins, and a block on top of both: so that everybody has both in his past, though nobody refers to the second. */
  #twinBlock(round: number): void {
    const { chance } = this.#world;
    const twins = [this.#make(round, 'twice', 0), this.#make(round, 'twice', 1)].filter(
      (one) => one !== undefined,
    );
    if (twins.length < 2) return;
    const block = this.#blockOver(twins);
    for (const [i, twin] of twins.entries()) {
      const half = this.#peers.filter((_, at) => at % 2 === i || chance.flip(0.5));
      this.#show(
        [twin],
        half.map(({ index }) => index),
      );
    }
    this.#show([block]);
  }

  #blockOver(vertices: readonly Vertex[]): Block {
    const { genesis, network } = this.#world;
    const parents = vertices.map(({ id }) => id);
    const payload = network.data(`over ${parents[0]}`);
    const block = this.#world.vertexOf(encodeBlock(genesis.network, parents, [payload])) as Block;
    this.take(block, 'self', true);
    return block;
  }

  #show(list: readonly (Vertex | undefined)[], audience?: readonly ValidatorIndex[]): void {
    for (const vertex of list) {
      if (vertex === undefined) continue;
      this.#shown.add(vertex.id);
      for (const to of audience ?? this.#peers.map(({ index }) => index))
        this.#world.send(this.index, to, vertex, false);
    }
  }

  /** All that was kept back, at once, to one node or to all. */
  #release(): void {
    const { chance } = this.#world;
    const audience = chance.flip(0.5) ? [chance.pick(this.#peers).index] : undefined;
    this.#show(this.#withheld.splice(0), audience);
  }

  #selfOf(trick: Trick, round: number): VertexId {
    const { chance, genesis } = this.#world;
    const before = this.#own.filter((witness) => witness.round < round);
    if (trick === 'fork' && before.length > 0 && chance.flip(0.5)) return chance.pick(before.slice(-8)).id;
    // After twins either branch may go on.
    const last = before.at(-1)?.round ?? 0;
    const tips = before.filter((witness) => witness.round === last);
    return tips.length === 0 ? genesis.id : chance.pick(tips).id;
  }

  #make(
    round: number,
    trick: Trick,
    twin = 0,
    self = this.#selfOf(trick, round),
    more: readonly VertexId[] = [],
  ): Witness | undefined {
    const { chance, time } = this.#world;
    const witnesses = this.#references(more.length > 0 ? 'behave' : trick, round, self);
    if (witnesses === undefined) return undefined;
    const tame = trick === 'behave';
    const share = trick === 'equivocate' || trick === 'fork' ? 0.5 : 1;
    const tips = chance.some(this.#blocks, trick === 'stale' ? 0.1 : share);
    const payments = [...this.#payments.values()];
    const willing = tame || trick === 'accept-all' || trick === 'freeze' || trick === 'twice';
    const deferred = trick === 'defer' ? payments : willing ? [] : chance.some(payments, 0.2);
    const freezing =
      trick === 'freeze' ? chance.some(payments, 0.8) : tame ? [] : chance.some(payments, 0.05);
    const accepts = tame ? [] : chance.some(payments, 0.2).filter((payment) => !deferred.includes(payment));
    const own = this.#world.vertex(self);
    const lie: Lie = {
      validator: this.index,
      round,
      self,
      witnesses,
      tips: [...new Set([...tips, ...more])].filter((id) => this.core.ledger.tangle.has(id)),
      defers: deferred.map(({ id }) => id),
      accepts: accepts.map(({ id }) => id),
      freezes: [...new Set(freezing.map(({ previous }) => previous as Slot))],
      timeMs: Math.max(Math.floor(time.nowMs), own?.kind === 'witness' ? own.timeMs : 0) + twin,
      wrongRoot: trick === 'wrong-root',
    };
    const witness = forge(this.core, lie, time.nowMs);
    if (witness === undefined) return undefined;
    const known = this.#world.vertexOf(witness.bytes) as Witness;
    this.#own.push(known);
    if (this.#own.length > 40) this.#own.shift();
    return known;
  }

  /** A quorum of the round before, some or all; without the leader where that is the trick; some old ones. */
  #references(trick: Trick, round: number, self: VertexId): VertexId[] | undefined {
    const { chance, mix } = this.#world;
    const { tangle, committee } = this.core.ledger;
    const all = chance
      .shuffled([...this.core.rounds.rows(round - 1)])
      .filter(([author]) => author !== this.index);
    const leader = ((round - 1) / 3 - 1) % mix.weights.length;
    const shunned = trick === 'shun-leader' ? all.filter(([author]) => author !== leader) : all;
    const own = this.#world.vertex(self);
    const authors = new Set<number>(own?.kind === 'witness' && own.round === round - 1 ? [this.index] : []);
    const chosen: VertexId[] = [];
    for (const [author, row] of shunned) {
      const enough = round === 1 || committee.weight(authors) >= committee.quorum;
      if (enough && trick !== 'behave' && chance.flip(0.6)) continue;
      authors.add(author);
      chosen.push(tangle.record(row).id);
    }
    if (round > 1 && committee.weight(authors) < committee.quorum) return undefined;
    if (trick === 'stale') {
      const older = round - 2 - chance.below(60);
      for (const [author, row] of this.core.rounds.rows(older))
        if (author !== this.index && chance.flip(0.5)) chosen.push(tangle.record(row).id);
    }
    return [...new Set(chosen)];
  }

  /** Things that no correct node takes, and things whose parents do not exist. */
  #junk(round: number): void {
    const { chance, genesis, time } = this.#world;
    const self = this.#selfOf('invalid', round);
    const witnesses = this.#references('behave', round, self) ?? [];
    const none: PaymentId[] = [];
    const lie = { validator: this.index, self, tips: [], defers: none, accepts: none, freezes: none };
    const claims = { checkpoint: genesis.checkpoint, certifiedCount: 0, certifiedRoot: ZERO_HASH };
    const times = { timeMs: Math.floor(time.nowMs), wrongRoot: false };
    const kind = chance.below(5);
    const { rounds, ledger } = this.core;
    const stranger = [...rounds.rows(round - 1)].find(([author]) => author !== this.index)?.[1] ?? 0;
    const { round: at, leader, root } = ledger.lastCommit;
    const ghost = chance.next().toString(16).slice(2).padEnd(64, 'a') as VertexId;
    const junk = encodeLie(
      this.core,
      {
        ...lie,
        ...times,
        self: kind === 4 ? ledger.tangle.record(stranger).id : self,
        round: kind === 0 ? round + 5 : round,
        witnesses: kind === 1 ? [ghost] : witnesses,
      },
      {
        ...claims,
        ...(kind === 2 ? { certifiedCount: 3 } : {}),
        checkpoint: kind === 3 ? { ...genesis.checkpoint, round } : { round: at, leader, root },
      },
    );
    this.#show([this.#world.vertexOf(junk.bytes)]);
  }

  /** Blocks over parents that nobody has: what waits is bounded; and blocks that repeat what is known. */
  #floodBlocks(): void {
    const { chance, genesis } = this.#world;
    const payments = [...this.#payments.values()];
    if (payments.length === 0) return;
    for (let i = 0; i < 12; i++) {
      const ghost = `${i}${chance.next().toString(16).slice(2)}`.padEnd(64, 'b') as VertexId;
      const parents = chance.flip(0.6) ? [ghost] : [this.#blocks.at(-1) ?? genesis.id];
      const bytes = encodeBlock(genesis.network, parents, [chance.pick(payments).bytes]);
      this.#show([this.#world.vertexOf(bytes)]);
    }
  }

  /** A chain of blocks, each on top of the last, shown from the wrong end. */
  #bomb(): void {
    const { chance, genesis } = this.#world;
    const payments = [...this.#payments.values()];
    let parent = this.#blocks.at(-1) ?? genesis.id;
    const chain: Vertex[] = [];
    for (const payment of chance.shuffled(payments).slice(0, 10)) {
      const block = this.#world.vertexOf(encodeBlock(genesis.network, [parent], [payment.bytes]));
      parent = block.id;
      this.take(block, 'self', true);
      chain.push(block);
    }
    this.#show(chain.reverse(), [chance.pick(this.#peers).index]);
  }
}
