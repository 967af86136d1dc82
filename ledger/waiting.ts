/**
 * Vertices whose past is not yet known, in a bounded place: so many in all, so many of one peer, for so long. What waits is
 * asked for; what waits in vain is dropped, and the peer who sent it hears of it.
 */
import type { Vertex, VertexId } from './types.ts';

export interface WaitingOptions {
  readonly verticesMax: number;
  readonly bytesMax: number;
  /** Of both, what one peer may fill. */
  readonly peerShare: number;
  /** A vertex for which nothing has come for so long is dropped. */
  readonly timeoutMs: number;
  /** Missing parents are asked for again. */
  readonly retryMs: number;
}

/** A window of catching up is a few thousand vertices; 32 MiB is the memory that this may cost. */
export const WAITING_DEFAULTS: WaitingOptions = {
  verticesMax: 8192,
  bytesMax: 32 * 1024 * 1024,
  peerShare: 0.5,
  timeoutMs: 15_000,
  retryMs: 400,
};

interface Entry {
  readonly vertex: Vertex;
  readonly from: string;
  /** When it came, or the last of its parents. */
  sinceMs: number;
  readonly missing: Set<VertexId>;
}

/** Something to ask for, and who sent what needs it. */
export interface Want {
  readonly id: VertexId;
  readonly from: string;
}

export class Waiting {
  readonly #options: WaitingOptions;
  /** In order of arrival. */
  readonly #entries = new Map<VertexId, Entry>();
  /** By missing parent, in order of the last turn to be asked for; new ones are at the end. */
  readonly #children = new Map<VertexId, Set<VertexId>>();
  readonly #askedAtMs = new Map<VertexId, number>();
  readonly #peers = new Map<string, { vertices: number; bytes: number }>();
  #bytes = 0;

  constructor(options: WaitingOptions = WAITING_DEFAULTS) {
    this.#options = options;
  }

  /** Vertices that there is room for. */
  get max(): number {
    return this.#options.verticesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(id: VertexId): boolean {
    return this.#entries.has(id);
  }

  /** Something here waits for this vertex. */
  needs(id: VertexId): boolean {
    return this.#children.has(id);
  }

  /** False when there is no room for another vertex of this peer. */
  add(vertex: Vertex, missing: readonly VertexId[], from: string, nowMs: number): boolean {
    const { verticesMax, bytesMax, peerShare } = this.#options;
    const peer = this.#peers.get(from) ?? { vertices: 0, bytes: 0 };
    const size = vertex.bytes.length;
    const full = this.#entries.size >= verticesMax || this.#bytes + size > bytesMax;
    const greedy = peer.vertices >= verticesMax * peerShare || peer.bytes + size > bytesMax * peerShare;
    if (full || greedy) return false;
    this.#entries.set(vertex.id, { vertex, from, sinceMs: nowMs, missing: new Set(missing) });
    for (const id of missing) {
      const children = this.#children.get(id);
      if (children === undefined) this.#children.set(id, new Set([vertex.id]));
      else children.add(vertex.id);
    }
    peer.vertices++;
    peer.bytes += size;
    this.#bytes += size;
    this.#peers.set(from, peer);
    return true;
  }

  /** Takes out the vertices that waited for nothing but this one; the others that wait for it have their time anew. */
  arrived(id: VertexId, nowMs: number): { vertex: Vertex; from: string }[] {
    const ready: { vertex: Vertex; from: string }[] = [];
    for (const child of this.#children.get(id) ?? []) {
      const entry = this.#entries.get(child);
      if (entry === undefined) continue;
      entry.missing.delete(id);
      if (entry.missing.size === 0) ready.push(this.#remove(child, entry));
      else this.#renew(child, entry, nowMs);
    }
    this.#children.delete(id);
    this.#askedAtMs.delete(id);
    return ready;
  }

  /** The oldest stay in front. */
  #renew(id: VertexId, entry: Entry, nowMs: number): void {
    entry.sinceMs = nowMs;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
  }

  /** Takes out a vertex with all that waits for it. */
  drop(id: VertexId): { vertex: Vertex; from: string }[] {
    const dropped: { vertex: Vertex; from: string }[] = [];
    const stack = [id];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const entry = this.#entries.get(next);
      if (entry !== undefined) dropped.push(this.#remove(next, entry));
      stack.push(...(this.#children.get(next) ?? []));
      this.#children.delete(next);
      this.#askedAtMs.delete(next);
    }
    return dropped;
  }

  #remove(id: VertexId, entry: Entry): { vertex: Vertex; from: string } {
    this.#entries.delete(id);
    for (const missing of entry.missing) {
      const siblings = this.#children.get(missing);
      siblings?.delete(id);
      if (siblings?.size === 0) {
        this.#children.delete(missing);
        this.#askedAtMs.delete(missing);
      }
    }
    const size = entry.vertex.bytes.length;
    this.#bytes -= size;
    const peer = this.#peers.get(entry.from);
    if (peer !== undefined) {
      peer.vertices--;
      peer.bytes -= size;
      if (peer.vertices === 0) this.#peers.delete(entry.from);
    }
    return { vertex: entry.vertex, from: entry.from };
  }

  /**
   * What is to be asked for now: missing, not here itself, and not asked for within the last retryMs. At most `max`, those
   * first whose turn is longest ago: nobody's inventions keep anybody's parents from being asked for.
   */
  wants(nowMs: number, max: number): Want[] {
    const wants: Want[] = [];
    for (const [id, children] of this.#children) {
      if (wants.length >= max) break;
      const askedAtMs = this.#askedAtMs.get(id);
      if (this.#entries.has(id) || (askedAtMs !== undefined && nowMs - askedAtMs < this.#options.retryMs))
        continue;
      const child = children.values().next().value;
      const entry = child === undefined ? undefined : this.#entries.get(child);
      if (entry === undefined) continue;
      this.#askedAtMs.set(id, nowMs);
      wants.push({ id, from: entry.from });
    }
    for (const { id } of wants) {
      const children = this.#children.get(id)!;
      this.#children.delete(id);
      this.#children.set(id, children);
    }
    return wants;
  }

  /**
   * Takes out what has waited too long for a vertex that is not here. What waits for others that wait here goes or stays
   * with those: a long chain that comes from its end takes longer than any of its vertices may.
   */
  expired(nowMs: number): { vertex: Vertex; from: string }[] {
    const expired: { vertex: Vertex; from: string }[] = [];
    for (const [id, entry] of this.#entries) {
      if (nowMs - entry.sinceMs < this.#options.timeoutMs) break;
      const inVain = [...entry.missing].some((parent) => !this.#entries.has(parent));
      if (inVain) expired.push(this.#remove(id, entry));
    }
    return expired;
  }
}
