/**
 * A validator that lies: it has a key of the committee, hears what every node hears, and makes of it what its tricks ask for.
 * It has one face for each honest node, and shows each of them what it likes: its witnesses late, to one alone, or never, those of
 * leader rounds above all; votes against payments that have no fault, and freezes of their slots; and, from a certain
 * time on, two different witnesses for one round, each to one half of the others, with the one payment of a double spend
 * accepted in this, its rival in that. When it is found out it makes blocks on top of both, so that everybody has to take them.
 */
import {
  type Core,
  dataEssence,
  decodeVertex,
  encodeBlock,
  isRefusal,
  leaderOf,
  type PaymentRecord,
  searchWork,
  unhex,
  type ValidatorIndex,
  type Vertex,
  type VertexId,
} from '../../ledger/index.ts';
import type { Chance } from '../generators/chance.ts';
import { forgeWitness } from './evil-witness.ts';

export interface EvilOptions {
  readonly index: ValidatorIndex;
  readonly seed: Uint8Array;
  /** Number of honest nodes. */
  readonly faces: number;
  /** So long after its start it begins to sign two witnesses for one round, which cannot stay hidden for long. */
  readonly honestLookMs: number;
}

export interface EvilDeps {
  readonly core: Core;
  readonly chance: Chance;
  nowMs(): number;
  /** Sends it to these honest nodes alone. */
  show(kind: 'block' | 'witness', bytes: Uint8Array, faces: readonly number[]): void;
  /** Asks one of them; what comes goes to `take`. */
  ask(face: number, ids: readonly VertexId[]): void;
}

const SLY = [
  'behave',
  'late',
  'withhold',
  'one ear',
  'half',
  'defer',
  'freeze',
  'shun leader',
  'few blocks',
] as const;
const TWO_FACED = ['twins', 'block on twins', 'fork', 'block on twins', 'twins', 'sly'] as const;
const AS_LEADER = ['withhold', 'late', 'one ear', 'withhold'] as const;

export type Trick = (typeof SLY)[number] | Exclude<(typeof TWO_FACED)[number], 'sly'>;

/** It is as fast as the honest ones are by default. */
const ROUND_FLOOR_MS = 40;

const LATE_MS_MAX = 400;
const RECENT_BLOCKS = 64;
const OWN_WITNESSES = 24;
const SERVED_VERTICES = 20_000;

export class EvilValidator {
  readonly #options: EvilOptions;
  readonly #deps: EvilDeps;
  /** By id, for those who ask. */
  readonly #served = new Map<VertexId, Uint8Array>();
  readonly #blocks: VertexId[] = [];
  readonly #own: VertexId[] = [];
  #withheld: Uint8Array[] = [];
  /** The greatest round that it has had its turn in. */
  #round = 0;
  #turnAtMs = 0;
  readonly #turns = { sly: 0, leader: 0, twoFaced: 0 };
  readonly #startMs: number;
  /** What it has done, by name. */
  readonly deeds: Record<string, number> = {};

  constructor(options: EvilOptions, deps: EvilDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#startMs = deps.nowMs();
  }

  #count(deed: string, times = 1): void {
    this.deeds[deed] = (this.deeds[deed] ?? 0) + times;
  }

  /** It has had a turn at each of its tricks. */
  get practised(): boolean {
    return this.#turns.sly >= SLY.length && this.#turns.twoFaced >= TWO_FACED.length;
  }

  /** A vertex came from an honest node. It is passed on to nobody. */
  take(bytes: Uint8Array, face: number, requested: boolean): void {
    const { core } = this.#deps;
    const vertex = decodeVertex(bytes, core.ledger.genesis.network);
    if (isRefusal(vertex)) this.#count('refused: what it heard');
    else if (!core.ledger.tangle.has(vertex.id)) this.#step(vertex, face, requested);
  }

  #step(vertex: Vertex, face: number, requested: boolean): void {
    const { core, nowMs } = this.#deps;
    const event = { type: 'vertex', vertex, from: String(face), requested, nowMs: nowMs() } as const;
    this.#carryOut(core.step(event));
  }

  #carryOut(effects: ReturnType<Core['step']>): void {
    for (const effect of effects) {
      if (effect.type === 'attached') this.#attached(effect.vertex);
      else if (effect.type === 'refused') this.#count(`refused: ${effect.refusal.code}`);
      else if (effect.type === 'fault') this.#count(`fault: ${effect.fault.code}`);
      else if (effect.type === 'wanted') {
        const byFace = Map.groupBy(effect.wants, ({ from }) => Number(from));
        for (const [face, wants] of byFace)
          this.#deps.ask(
            Number.isNaN(face) ? 0 : face,
            wants.map(({ id }) => id),
          );
      }
    }
  }

  #attached(vertex: Vertex): void {
    this.#keep(vertex.id, vertex.bytes);
    if (vertex.kind !== 'block') return;
    this.#blocks.push(vertex.id);
    if (this.#blocks.length > RECENT_BLOCKS) this.#blocks.shift();
  }

  #keep(id: VertexId, bytes: Uint8Array): void {
    this.#served.set(id, bytes);
    if (this.#served.size > SERVED_VERTICES)
      this.#served.delete(this.#served.keys().next().value as VertexId);
  }

  /** What it is asked for it gives, or not. */
  serve(ids: readonly VertexId[]): Uint8Array[] {
    const willing = ids.filter(() => this.#deps.chance.flip(0.7));
    return willing.map((id) => this.#served.get(id)).filter((bytes) => bytes !== undefined);
  }

  /** To be called every few milliseconds. */
  look(): void {
    const { core, nowMs } = this.#deps;
    this.#carryOut(core.step({ type: 'tick', nowMs: nowMs() }));
    const round = core.rounds.highestQuorum + 1;
    if (round <= this.#round || nowMs() < this.#turnAtMs + ROUND_FLOOR_MS) return;
    this.#round = round;
    this.#turnAtMs = nowMs();
    this.#play(this.#choose(round), round);
  }

  /** All tricks in turn, so that a short life sees each of them. */
  #choose(round: number): Trick {
    const { nowMs, core } = this.#deps;
    const leads = leaderOf(round, core.ledger.committee) === this.#options.index;
    const lookedHonest =
      this.#turns.sly >= SLY.length && nowMs() > this.#startMs + this.#options.honestLookMs;
    if (lookedHonest) {
      const trick = TWO_FACED[this.#turns.twoFaced++ % TWO_FACED.length]!;
      if (trick !== 'sly') return trick;
    }
    return leads ? AS_LEADER[this.#turns.leader++ % AS_LEADER.length]! : SLY[this.#turns.sly++ % SLY.length]!;
  }

  get #everybody(): number[] {
    return Array.from({ length: this.#options.faces }, (_, face) => face);
  }

  #show(bytes: Uint8Array | undefined, faces: readonly number[]): void {
    if (bytes !== undefined) this.#deps.show('witness', bytes, faces);
  }

  #play(trick: Trick, round: number): void {
    const { chance } = this.#deps;
    this.#count(trick);
    const [first, second] = halves(chance.shuffled(this.#everybody));
    switch (trick) {
      case 'late': {
        const late = this.#make(trick, round)?.bytes;
        setTimeout(() => this.#show(late, this.#everybody), chance.below(LATE_MS_MAX)).unref();
        return;
      }
      case 'withhold': {
        const kept = this.#make(trick, round)?.bytes;
        if (kept !== undefined) this.#withheld.push(kept);
        if (chance.flip(0.3)) this.#release();
        return;
      }
      case 'one ear':
        this.#show(this.#make(trick, round)?.bytes, [chance.below(this.#options.faces)]);
        return;
      case 'half':
      case 'fork':
        this.#show(this.#make(trick, round)?.bytes, first);
        return;
      case 'twins':
        for (const [face, audience] of [first, second].entries())
          this.#show(this.#make(trick, round, face)?.bytes, audience);
        return;
      case 'block on twins':
        this.#blockOnTwins(round);
        return;
      default:
        this.#show(this.#make(trick, round)?.bytes, this.#everybody);
    }
  }

  /** All that was kept back, at once, to one of them. */
  #release(): void {
    const face = this.#deps.chance.below(this.#options.faces);
    for (const bytes of this.#withheld) this.#show(bytes, [face]);
    this.#withheld = [];
  }

  /** Nobody refers to a second witness of a round by himself; a block may, and everybody's blocks grow on top of it. */
  #blockOnTwins(round: number): void {
    const { core, chance } = this.#deps;
    const { genesis } = core.ledger;
    const twins = [this.#make('twins', round, 0), this.#make('twins', round, 1)].filter(
      (one) => one !== undefined,
    );
    const essence = dataEssence(genesis.network, new TextEncoder().encode(`two of round ${round}`));
    const draft = (work: Uint8Array): Uint8Array =>
      encodeBlock(
        genesis.network,
        twins.map(({ id }) => id),
        [Uint8Array.of(...essence, ...work)],
      );
    const bare = decodeVertex(draft(new Uint8Array(8)), genesis.network);
    if (twins.length < 2 || isRefusal(bare) || bare.kind !== 'block') return;
    const work = searchWork(unhex(bare.payloads[0]!.id), genesis.workBits, 0, 1 << 20);
    if (work === undefined) return;
    const block = draft(work);
    this.take(block, 0, true);
    const [first, second] = halves(chance.shuffled(this.#everybody));
    this.#show(twins[0]!.bytes, first);
    this.#show(twins[1]!.bytes, second);
    this.#deps.show('block', block, this.#everybody);
  }

  #make(trick: Trick, round: number, face = 0): { id: VertexId; bytes: Uint8Array } | undefined {
    const { core, chance, nowMs } = this.#deps;
    const self = this.#selfFor(trick, round);
    const witnesses = this.#witnesses(trick, round, self);
    if (witnesses === undefined) {
      this.#count('without a quorum');
      return undefined;
    }
    // The two faces of one round take the other of two rivals, and the other half of everything else.
    const other = (payment: PaymentRecord): boolean => Number.parseInt(payment.id.at(-1)!, 16) % 2 === face;
    const twoFaced = trick === 'twins';
    const wish = {
      round,
      self,
      witnesses,
      tips: this.#tips(round, trick === 'few blocks' ? 0.2 : twoFaced || trick === 'fork' ? 0.7 : 1),
      timeMs: nowMs() + face,
      defers: (payment: PaymentRecord) => (twoFaced ? other(payment) : trick === 'defer' && chance.flip(0.9)),
      accepts: () => chance.flip(0.5),
      freezes: () => trick === 'freeze' && chance.flip(0.8),
    };
    const made = forgeWitness(core, this.#options, wish, nowMs());
    if (typeof made === 'string') {
      this.#count(`failed: ${made}`);
      return undefined;
    }
    this.#count('witnesses');
    this.#keep(made.id, made.bytes);
    this.#own.push(made.id);
    if (this.#own.length > OWN_WITNESSES) this.#own.shift();
    return made;
  }

  /** After twins either branch may go on; a fork leaves an older one of its own witnesses. */
  #selfFor(trick: Trick, round: number): VertexId {
    const { core, chance } = this.#deps;
    const { tangle, genesis } = core.ledger;
    const before = this.#own.filter((id) => tangle.has(id) && tangle.round(tangle.row(id)!) < round);
    if (before.length === 0) return genesis.id;
    if (trick === 'fork') return chance.pick(before.slice(-8));
    const last = tangle.round(tangle.row(before.at(-1)!)!);
    return chance.pick(before.filter((id) => tangle.round(tangle.row(id)!) === last));
  }

  /** A quorum of the round before, or more; without the leader where that is the trick. */
  #witnesses(trick: Trick, round: number, self: VertexId): VertexId[] | undefined {
    const { core, chance } = this.#deps;
    const { tangle, committee } = core.ledger;
    const own = tangle.find(self);
    const authors = new Set<number>(
      own?.kind === 'witness' && own.round === round - 1 ? [this.#options.index] : [],
    );
    const leader = trick === 'shun leader' ? leaderOf(round - 1, committee) : undefined;
    const chosen: VertexId[] = [];
    for (const [author, row] of chance.shuffled([...core.rounds.rows(round - 1)])) {
      const enough = round === 1 || committee.weight(authors) >= committee.quorum;
      if (author === this.#options.index || (author === leader && authors.size > 0)) continue;
      if (enough && trick !== 'behave' && chance.flip(0.5)) continue;
      authors.add(author);
      chosen.push(tangle.record(row).id);
    }
    return round > 1 && committee.weight(authors) < committee.quorum ? undefined : chosen;
  }

  #tips(round: number, share: number): VertexId[] {
    const { tangle } = this.#deps.core.ledger;
    return this.#deps.chance.some(this.#blocks, share).filter((id) => {
      const row = tangle.row(id);
      return row !== undefined && tangle.round(row) <= round && tangle.round(row) > round - 16;
    });
  }
}

function halves(faces: readonly number[]): [number[], number[]] {
  const middle = faces.length >> 1;
  return [faces.slice(0, middle), faces.slice(middle)];
}
