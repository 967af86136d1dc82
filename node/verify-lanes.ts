/** Where things wait for the verify pool, bounded by number and by bytes. What finds no place, or loses it, is handed back. */
import { FRAME_BYTES_MAX } from '../ledger/index.ts';
import { VERIFY_WAITING_BYTES_MAX, VERIFY_WAITING_MAX } from './limits.ts';

interface Waiting {
  readonly bytes: Uint8Array;
}

/** Things of one sort, in order. */
export class Lane<T extends Waiting> {
  #items: T[] = [];
  #first = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): T | undefined {
    return this.#items[this.#first];
  }

  /** @returns the item itself when there is no place for it. */
  offer(item: T): T[] {
    if (this.length >= VERIFY_WAITING_MAX || this.#bytes + item.bytes.length > VERIFY_WAITING_BYTES_MAX)
      return [item];
    this.#items.push(item);
    this.#bytes += item.bytes.length;
    return [];
  }

  /** Takes the first one, of at least one. */
  shift(): T {
    const item = this.#items[this.#first]!;
    this.#first += 1;
    this.#bytes -= item.bytes.length;
    if (this.#first >= 1024 || this.#first === this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Takes the last one, of at least one. */
  pop(): T {
    const item = this.#items.pop()!;
    this.#bytes -= item.bytes.length;
    return item;
  }
}

/** Things of many peers, who take turns of a full frame each: a flood delays and displaces only what its sender has sent. */
export class PeerLane<T extends Waiting & { readonly from: string }> {
  /** Those with something in them; the insertion order is the order of turns. */
  readonly #lanes = new Map<string, Lane<T>>();
  /** Bytes that are left of the present turn. */
  #left = FRAME_BYTES_MAX;
  #length = 0;
  #bytes = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): T | undefined {
    return this.#lanes.values().next().value?.first;
  }

  /** @returns what there is no place for then: the youngest of whoever has the most bytes waiting. */
  offer(item: T): T[] {
    const lane = this.#lanes.get(item.from) ?? new Lane();
    const turnedAway = lane.offer(item);
    if (turnedAway.length > 0) return turnedAway;
    this.#lanes.set(item.from, lane);
    this.#count(item, 1);
    while (this.#length > VERIFY_WAITING_MAX || this.#bytes > VERIFY_WAITING_BYTES_MAX)
      turnedAway.push(this.#turnAway(item.from));
    return turnedAway;
  }

  #turnAway(newcomer: string): T {
    let greediest = newcomer;
    for (const [from, { bytes }] of this.#lanes) {
      if (bytes > this.#lanes.get(greediest)!.bytes) greediest = from;
    }
    const lane = this.#lanes.get(greediest)!;
    const item = lane.pop();
    this.#count(item, -1);
    if (lane.length === 0) this.#lanes.delete(greediest);
    return item;
  }

  /** Takes the first one of the peer whose turn it is, of at least one. */
  shift(): T {
    const [from, lane] = this.#lanes.entries().next().value!;
    const item = lane.shift();
    this.#count(item, -1);
    this.#left -= item.bytes.length;
    if (lane.first !== undefined && lane.first.bytes.length <= this.#left) return item;
    this.#lanes.delete(from);
    if (lane.length > 0) this.#lanes.set(from, lane);
    this.#left = FRAME_BYTES_MAX;
    return item;
  }

  #count({ bytes }: T, sign: 1 | -1): void {
    this.#length += sign;
    this.#bytes += sign * bytes.length;
  }
}
