/** Who has frozen which slot, and when. Nearly always empty: only contested slots are frozen (docs/protocol.md, section 7.1). */
import type { Branch, Chain, Clock } from './branches.ts';
import type { Round, Slot, ValidatorIndex } from './types.ts';

interface Freeze {
  readonly branch: Branch;
  readonly round: Round;
}

export class Freezes {
  readonly #bySlot = new Map<Slot, Freeze[]>();

  /** Slots that somebody has frozen. */
  get size(): number {
    return this.#bySlot.size;
  }

  add(slot: Slot, branch: Branch, round: Round): void {
    const freezes = this.#bySlot.get(slot);
    if (freezes === undefined) this.#bySlot.set(slot, [{ branch, round }]);
    else freezes.push({ branch, round });
  }

  /** Authors that freeze the slot in the past. */
  authorsWithin(
    { clock, horizon }: { readonly clock: Clock; readonly horizon: Round },
    slot: Slot,
  ): ReadonlySet<ValidatorIndex> {
    const authors = new Set<ValidatorIndex>();
    for (const { branch, round } of this.#bySlot.get(slot) ?? []) {
      if (round >= horizon && round <= clock.get(branch)) authors.add(branch.author);
    }
    return authors;
  }

  /** The last round in which the chain froze the slot, 0 when that has lapsed or never was. */
  lastOn(chain: Chain, slot: Slot, horizon: Round): Round {
    const freezes = this.#bySlot.get(slot);
    if (freezes === undefined) return 0;
    let last = 0;
    for (let part: Chain | undefined = chain, to = chain.round; part !== undefined; ) {
      for (const { branch, round } of freezes) {
        if (branch === part.of && round >= horizon && round <= to) last = Math.max(last, round);
      }
      part = part.of.fork;
      if (part !== undefined) to = Math.min(to, part.round);
    }
    return last;
  }

  /** Forgets freezes of rounds below `round`. */
  forget(round: Round): void {
    for (const [slot, freezes] of this.#bySlot) {
      const kept = freezes.filter((freeze) => freeze.round >= round);
      if (kept.length === 0) this.#bySlot.delete(slot);
      else if (kept.length < freezes.length) this.#bySlot.set(slot, kept);
    }
  }
}
