/**
 * One correct node of the simulator: the production core, outbox and catching-up on a simulated disk, glued as
 * node/ledger-service.ts glues them. Its clock may be wrong; it may crash at any moment and start again from its disk.
 */
import type {
  Commit,
  Core,
  Effect,
  Payment,
  PaymentId,
  PaymentRecord,
  Refusal,
  ValidatorIndex,
  Vertex,
  VertexId,
  Want,
} from '../../ledger/index.ts';
import { CatchUp } from '../../node/catch-up.ts';
import { TICK_MS } from '../../node/limits.ts';
import { Outbox } from '../../node/outbox.ts';
import type { VertexStore } from '../../node/vertex-store.ts';
import { silentLog, type Verdict } from '../../p2p/index.ts';
import { letterOf } from '../dsl/network.ts';
import { BlockMaker } from './block-maker.ts';
import { coreFromDisk } from './core-from-disk.ts';
import { SimDisk, SimStore } from './disk.ts';
import type { Party, SimWorld, Window, WindowRequest } from './sim-world.ts';

const WINDOW_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 2000;

export class SimNode implements Party {
  readonly index: ValidatorIndex;
  readonly name: string;
  readonly #world: SimWorld;
  readonly #disk = new SimDisk();
  #store!: SimStore;
  #outbox!: Outbox;
  #catchUp!: CatchUp;
  core!: Core;
  up = false;
  /** Counts starts: what was begun before a crash ends there. */
  #life = 0;
  skewMs: number;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #movedRound = 0;
  #movedAtMs = 0;
  #blocks!: BlockMaker;
  readonly #asked = new Map<VertexId, number>();
  /** By round: the first sequence on disk of that round or a later one. */
  #roundStarts: number[] = [];
  /** Sequence on disk of the next vertex. */
  #sequence = 0;
  snapshots = 0;
  /** What it has said is final, and how many commits it has spoken of: never to be taken back. */
  readonly told = new Map<PaymentId, Payment>();
  commitsTold = 0;

  constructor(index: ValidatorIndex, world: SimWorld) {
    this.index = index;
    this.name = letterOf(index);
    this.#world = world;
    this.skewMs = world.mix.clocks.skewMs[index]!;
    this.start();
  }

  get nowMs(): number {
    return this.#world.time.nowMs + this.skewMs;
  }

  /** Reads back the disk, sends the last own witness again, asks what it has missed. */
  start(): void {
    const { genesis, mix, time, chance } = this.#world;
    const life = ++this.#life;
    this.#store = new SimStore(
      this.#disk,
      { genesisId: genesis.id },
      {
        afterSync: (run) => {
          const { syncMs, stalls } = mix.disk;
          const ms = syncMs * (0.5 + chance.next()) * (chance.flip(stalls) ? 20 : 1);
          time.after(ms, () => {
            run();
            time.settle();
          });
        },
      },
    );
    this.#roundStarts = [];
    this.#sequence = this.#disk.snapshot?.first ?? 0;
    this.core = coreFromDisk(this.index, this.#disk, this.#world, (core, id) => this.#stored(core, id));
    const broken = (error: unknown): void => {
      if (life === this.#life && error !== undefined) this.#world.broken(this.index, error);
    };
    this.#outbox = new Outbox(
      { retryMs: 1000 },
      { store: this.#store as unknown as VertexStore, failed: broken, full: broken },
    );
    this.#blocks = new BlockMaker(this.core, this.#world, (block) => this.take(block, 'self', false));
    this.#catchUp = new CatchUp({
      log: silentLog,
      peers: {
        since: (peer, request) => this.#since(peer, request),
        list: () => this.#world.peersOf(this.index) as never,
        penalise: () => undefined,
      },
      take: async (vertices, from) => {
        if (life !== this.#life) return [];
        time.settle();
        return vertices.map((bytes) => this.take(this.#world.vertexOf(bytes), from, true));
      },
      round: async () => this.core.rounds.highestQuorum,
    });
    this.up = true;
    this.#world.referee.restored(this.index, this.core, this.told, this.commitsTold);
    this.#republish();
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#schedule();
    time.after(TICK_MS, () => this.#ticker(life));
    if (mix.snapshotEveryMs > 0) this.#takeSnapshot();
    for (const { id } of this.#world.peersOf(this.index)) void this.#catchUp.start(id);
    time.settle();
  }

  /** Now and then: what is needed to start again without what the ledger has forgotten. */
  #takeSnapshot(): void {
    const { mix, time, chance } = this.#world;
    const life = this.#life;
    time.after(-Math.log(1 - chance.next()) * mix.snapshotEveryMs, () => {
      if (life !== this.#life) return;
      this.#takeSnapshot();
      const { tangle } = this.core.ledger;
      const parts = this.core.snapshotParts();
      // As many vertices as the tangle remembers are the last ones on disk, once they are all there.
      const first = this.#sequence - (tangle.size - Math.max(1, tangle.base));
      if (parts === undefined) return;
      this.#outbox.after(() => {
        if (life !== this.#life) return;
        this.#store.putSnapshot(parts, first);
        this.snapshots++;
      });
    });
  }

  #stored({ ledger: { tangle } }: Core, id: VertexId): void {
    const row = tangle.row(id);
    const sequence = this.#sequence++;
    if (row === undefined) return;
    const round = tangle.round(row);
    while (this.#roundStarts.length <= round) this.#roundStarts.push(sequence);
  }

  /** The power goes. */
  crash(): void {
    const { chance, mix, time } = this.#world;
    const survivors = mix.disk.torn ? chance.below(this.#store.unsynced + 1) : 0;
    this.#store.crash(survivors);
    this.up = false;
    this.#life++;
    this.#blocks.end();
    this.#asked.clear();
    void this.#catchUp.stop();
    time.settle();
  }

  /** A vertex of its own is not on disk yet: the worst moment for a crash. */
  get writing(): boolean {
    return this.#store.unsynced > 0;
  }

  #ticker(life: number): void {
    if (life !== this.#life) return;
    this.#tick();
    this.#world.time.after(TICK_MS, () => this.#ticker(life));
  }

  #schedule(): void {
    const atMs = this.core.wakeAtMs();
    if (atMs === undefined) return;
    const wakeAtMs = Math.max(atMs - this.skewMs, this.#world.time.nowMs);
    if (wakeAtMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = wakeAtMs;
    const life = this.#life;
    this.#world.time.at(wakeAtMs, () => {
      if (life !== this.#life || wakeAtMs !== this.#wakeAtMs) return;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#tick();
    });
  }

  #tick(): void {
    this.#step({ type: 'tick', nowMs: this.nowMs });
    const round = this.core.rounds.highestQuorum;
    const { nowMs } = this.#world.time;
    if (round > this.#movedRound) {
      this.#movedRound = round;
      this.#movedAtMs = nowMs;
    } else if (nowMs - this.#movedAtMs > this.#world.mix.stallMs) {
      this.#movedAtMs = nowMs;
      this.#republish();
      void this.#catchUp.start();
      this.#world.time.settle();
    }
    this.#schedule();
  }

  #step(event: Parameters<Core['step']>[0]): readonly Effect[] {
    let effects: readonly Effect[] = [];
    this.#world.guard(this.index, 'an assertion', () => {
      effects = this.core.step(event);
      for (const effect of effects) this.#carryOut(effect);
    });
    const { waiting } = this.core;
    if (waiting > this.#world.mix.waitingMax)
      this.#world.referee.fail('a bound exceeded', `${this.index}: ${waiting} vertices wait`);
    return effects;
  }

  /** A vertex comes. */
  take(vertex: Vertex, from: string, requested: boolean): Verdict {
    if (!this.up) return 'ignore';
    let verdict: Verdict = 'ignore';
    for (const effect of this.#step({ type: 'vertex', vertex, from, requested, nowMs: this.nowMs })) {
      if (effect.type === 'attached' && effect.vertex.id === vertex.id) verdict = 'accept';
      if (effect.type === 'refused' && effect.id === vertex.id) verdict = effect.refusal as Refusal;
    }
    this.#schedule();
    return verdict;
  }

  #carryOut(effect: Effect): void {
    const { referee } = this.#world;
    const { index } = this;
    if (effect.type === 'attached') this.#attached(effect.vertex, effect.own);
    else if (effect.type === 'final') this.#final(effect.payments);
    else if (effect.type === 'committed') this.#committed(effect.commit);
    else if (effect.type === 'wanted') this.#wanted(effect.wants);
    else if (effect.type === 'refused') referee.refused(index, effect.id, effect.refusal, effect.from);
    else if (effect.type === 'equivocation') referee.accused(index, effect.validator, effect.ids);
    else if (effect.type === 'diverges') referee.diverges(index, effect.validator, effect.leader);
    else if (effect.type === 'fault')
      referee.fail('a fault told', `${index}: ${JSON.stringify(effect.fault)}`);
    this.#world.note(index, effect);
  }

  #attached(vertex: Vertex, own: boolean): void {
    const { referee } = this.#world;
    this.#stored(this.core, vertex.id);
    this.#outbox.add(vertex);
    if (own) {
      this.#publish(vertex);
      return;
    }
    referee.attached(this.index, vertex);
    this.#world.passOn(this.index, vertex);
  }

  /** Durable before visible, as the outbox has it. */
  #publish(vertex: Vertex): void {
    const life = this.#life;
    this.#outbox.after(() => {
      if (life !== this.#life) return;
      this.#world.referee.published(this.index, vertex, this.#disk.has(vertex.id));
      this.#world.broadcast(this.index, vertex);
    });
  }

  #republish(): void {
    const { tangle } = this.core.ledger;
    const { tipRow } = tangle.branches.main(this.index);
    if (tipRow === 0) return;
    const life = this.#life;
    void this.#outbox.get([tangle.record(tipRow).id]).then(([bytes]) => {
      if (bytes === undefined || life !== this.#life) return;
      const vertex = this.#world.vertexOf(bytes);
      this.#world.referee.published(this.index, vertex, this.#disk.has(vertex.id));
      this.#world.broadcast(this.index, vertex);
    });
    this.#world.time.settle();
  }

  #final(payments: readonly PaymentRecord[]): void {
    const { core } = this;
    this.#outbox.after(() => {
      for (const payment of payments) {
        this.#world.referee.final(this.index, core, payment);
        this.#tell(payment);
      }
    });
  }

  #tell({ id }: PaymentRecord): void {
    this.told.set(id, this.#world.payment(id));
    this.#world.told(this.index, id);
  }

  #committed(commit: Commit): void {
    const { core } = this;
    this.#world.referee.ordered(this.index, commit, core);
    this.#outbox.after(() => {
      this.#world.referee.committed(this.index, core, commit);
      this.commitsTold = Math.max(this.commitsTold, commit.index);
      for (const payment of commit.decided) this.#tell(payment);
    });
  }

  /** Who sent what needs it is asked first, then anybody. */
  #wanted(wants: readonly Want[]): void {
    const peers = this.#world.peersOf(this.index);
    for (const { id, from } of wants) {
      const asked = this.#asked.get(id) ?? 0;
      this.#asked.set(id, asked + 1);
      const sender = peers.find((peer) => peer.id === from);
      const peer = asked === 0 && sender !== undefined ? sender : this.#world.chance.pick(peers);
      this.#world.ask(this.index, peer.index, id);
    }
  }

  /** Others see it: what is its own is on its disk. */
  #shown(vertex: Vertex): void {
    const own = vertex.kind === 'witness' && vertex.validator === this.index;
    if (own) this.#world.referee.published(this.index, vertex, this.#disk.has(vertex.id));
  }

  /** Somebody asks for vertices; nobody sees what a crash could undo. */
  serve(ids: readonly VertexId[], reply: (vertices: readonly Vertex[]) => void): void {
    const life = this.#life;
    void this.#outbox.get(ids).then((found) => {
      if (life !== this.#life) return;
      const vertices = found.map((bytes) => this.#world.vertexOf(bytes));
      for (const vertex of vertices) this.#shown(vertex);
      reply(vertices);
    });
    this.#world.time.settle();
  }

  /** Somebody catches up from this node. */
  async window(request: WindowRequest): Promise<Window> {
    const first = request.cursor ?? this.#roundStarts[Math.max(0, request.round)] ?? this.#store.length;
    await this.#outbox.flushed();
    return this.#store.since(Math.max(0, first), WINDOW_BYTES);
  }

  #since(peer: string, request: WindowRequest) {
    const { time } = this.#world;
    const answer = Promise.withResolvers<{ vertices: Uint8Array[]; next?: number }>();
    const life = this.#life;
    const timer = time.after(REQUEST_TIMEOUT_MS, () => {
      answer.reject(new Error('timed out'));
      time.settle();
    });
    this.#world.requestWindow(this.index, peer, request, (window) => {
      if (life !== this.#life) return;
      timer.cancelled = true;
      answer.resolve(window as { vertices: Uint8Array[]; next?: number });
      time.settle();
    });
    return answer.promise;
  }

  /** A link to a peer is there again. */
  reconnected(peer: string): void {
    if (!this.up) return;
    void this.#catchUp.start(peer);
    this.#world.time.settle();
  }

  /** A client hands in a payment. */
  submit(payment: Payment): void {
    if (this.up) this.#blocks.submit(payment);
  }
}
