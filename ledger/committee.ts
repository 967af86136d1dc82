/** The validators with their keys and weights. Quorums count the whole committee, never who happens to be online. */
import type { Member, ValidatorIndex } from './types.ts';

export class Committee {
  readonly members: readonly Member[];
  /** W. */
  readonly total: number;
  /** q: the least weight greater than 2W/3. */
  readonly quorum: number;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.total = members.reduce((sum, member) => sum + member.weight, 0);
    this.quorum = Math.floor((2 * this.total) / 3) + 1;
  }

  get size(): number {
    return this.members.length;
  }

  weightOf(validator: ValidatorIndex): number {
    return this.members[validator]!.weight;
  }

  /** Weight of distinct authors. */
  weight(validators: Iterable<ValidatorIndex>): number {
    let sum = 0;
    for (const validator of new Set(validators)) sum += this.weightOf(validator);
    return sum;
  }
}
