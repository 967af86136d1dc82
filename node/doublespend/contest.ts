/** The slots that are spent several times, and what each node has said of them. Pure. */
import type { Address, Payment, PaymentId, Slot } from '../../ledger/index.ts';
import type { DecidedBy, Mark } from '../load/node-ear.ts';

interface Winner extends Mark {
  readonly payment: PaymentId;
  readonly by: DecidedBy;
}

interface ContestedSlot {
  readonly slot: Slot;
  readonly account: Address;
  readonly rivals: readonly PaymentId[];
  sentMs: number;
  sentRound: number;
  /** By node; a second one on the same node is a disagreement of its own. */
  readonly winners: Winner[][];
}

/** One slot, once the run is over. */
export interface SlotResult {
  readonly slot: Slot;
  readonly account: Address;
  readonly rivals: readonly PaymentId[];
  /** By node; null where none was proven in time. */
  readonly winners: readonly (PaymentId | null)[];
  /** All nodes have proven the same one. */
  readonly winner: PaymentId | null;
  /** How it was proven first. */
  readonly by: DecidedBy | null;
  /** Two nodes, or one node at two times, have proven different ones. */
  readonly disagreed: boolean;
  /** From the first rival to the proof from the last node; null when it is not resolved. */
  readonly ms: number | null;
  readonly rounds: number | null;
  /** To the first proof from any node. */
  readonly firstMs: number | null;
}

export class Contest {
  readonly #nodes: number;
  readonly #slots: ContestedSlot[] = [];
  readonly #byPayment = new Map<PaymentId, ContestedSlot>();

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** @param rivals Payments of one slot. */
  add(rivals: readonly [Payment, ...Payment[]]): void {
    const [{ previous, account }] = rivals;
    const slot: ContestedSlot = {
      slot: previous,
      account,
      rivals: rivals.map(({ id }) => id),
      sentMs: 0,
      sentRound: 0,
      winners: Array.from({ length: this.#nodes }, () => []),
    };
    this.#slots.push(slot);
    for (const id of slot.rivals) this.#byPayment.set(id, slot);
  }

  /** The rivals of one slot leave now. */
  sent(payment: PaymentId, nowMs: number, round: number): void {
    const slot = this.#byPayment.get(payment)!;
    slot.sentMs = nowMs;
    slot.sentRound = round;
  }

  /** A node has proven a payment final. False when it is none of these. */
  final(node: number, payment: PaymentId, by: DecidedBy, told: Mark): boolean {
    const slot = this.#byPayment.get(payment);
    if (slot === undefined) return false;
    const winners = slot.winners[node]!;
    if (!winners.some((winner) => winner.payment === payment)) winners.push({ payment, by, ...told });
    return true;
  }

  /** Every node has proven a winner of every slot. */
  get settled(): boolean {
    return this.#slots.every(({ winners }) => winners.every((told) => told.length > 0));
  }

  /** Slots for which every node has proven a winner. */
  get settledCount(): number {
    return this.#slots.filter(({ winners }) => winners.every((told) => told.length > 0)).length;
  }

  /** Rivals of slots of which a node has told nothing. */
  untold(node: number): readonly PaymentId[] {
    return this.#slots.flatMap(({ winners, rivals }) => (winners[node]!.length > 0 ? [] : rivals));
  }

  results(): readonly SlotResult[] {
    return this.#slots.map((slot) => {
      const { account, rivals, winners, sentMs, sentRound } = slot;
      const told = winners.flat().sort((a, b) => a.atMs - b.atMs);
      const different = new Set(told.map(({ payment }) => payment));
      const resolved = winners.every((list) => list.length > 0);
      const firsts = winners.flatMap(([first]) => (first === undefined ? [] : [first]));
      const lastMs = Math.max(...firsts.map(({ atMs }) => atMs));
      const lastRound = Math.max(...firsts.map(({ round }) => round));
      return {
        slot: slot.slot,
        account,
        rivals,
        winners: winners.map(([first]) => first?.payment ?? null),
        winner: resolved && different.size === 1 ? told[0]!.payment : null,
        by: told[0]?.by ?? null,
        disagreed: different.size > 1,
        ms: resolved ? Math.round(lastMs - sentMs) : null,
        rounds: resolved ? lastRound - sentRound : null,
        firstMs: told[0] === undefined ? null : Math.round(told[0].atMs - sentMs),
      };
    });
  }
}
